"""Which networks of torchvision, timm and transformers come back as documents, and why the others stay closed.

python docs/import_report.py [torchvision|timm|transformers|"torchvision detection, parts"|…|LIBRARY:NAME …]
Without names all are tried, and ``docs/imports.md`` is written; of whole libraries their sections are written anew.
"""

from __future__ import annotations

import gc
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from layerloom import ClosedError, Document, build, from_module, to_python
from sameness import differences, left_closed
from zoo import LIBRARIES, Animal, animals

REPORT = Path(__file__).parents[1] / "docs" / "imports.md"


def verdict(animal: Animal) -> tuple[str, str]:
    """``equal``, ``in part``, ``closed`` or ``wrong``, and the reason or the figures."""
    torch.manual_seed(0)
    start = time.perf_counter()
    try:
        module, inputs = animal.make()
        start = time.perf_counter()
        document = from_module(module, inputs)
    except ClosedError as error:
        return "closed", str(error)
    seconds = time.perf_counter() - start
    document = Document.model_validate_json(document.model_dump_json())
    closed = left_closed(document)
    if closed:
        return "in part", f"{len(closed)} opaque members: {closed[0]}"
    wrong = differences(module, build(document), inputs)
    if wrong:
        return "wrong", ", ".join(wrong)
    lines = to_python(document).count("\n")
    return "equal", f"{len(document.blocks)} classes, {lines} lines, {seconds:.1f} s"


def main() -> None:
    """One line a network, and the sums."""
    chosen = sys.argv[1:]
    found: dict[str, tuple[str, str]] = {}
    for animal in _chosen(chosen):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found[animal.name] = verdict(animal)
            except Exception as error:  # a report tells of everything
                last = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{Path(last.filename).name}:{last.lineno}"
                found[animal.name] = "failed", f"{type(error).__name__} at {where}: {error}".splitlines()[0]
        print(f"{animal.name:48} {': '.join(found[animal.name])[:150]}", flush=True)
        gc.collect()
    for library in dict.fromkeys(name.partition(":")[0] for name in found):
        counts = Counter(verdict for name, (verdict, _) in found.items() if name.startswith(f"{library}:"))
        print(library, dict(counts))
    if set(chosen) <= set(LIBRARIES):
        REPORT.write_text(_page(_sections(found), set(chosen)), encoding="utf-8")


def _chosen(names: list[str]) -> Iterator[Animal]:
    for library in LIBRARIES:
        if not names or any(name.partition(":")[0] == library for name in names):
            whole = not names or library in names
            yield from (animal for animal in animals(library) if whole or animal.name in names)


def _page(sections: dict[str, str], chosen: set[str]) -> str:
    """The report as Markdown, with the sections of libraries that were not tried as they are."""
    if chosen:
        _, *others = REPORT.read_text(encoding="utf-8").split("\n## ")
        sections = {other.partition(": ")[0]: other for other in others} | sections
    lines = [
        "# Networks that can be opened",
        "",
        "Written by `make import-report`. *Equal* means: the document was written as JSON, read again and built; the "
        "built module has the same state_dict keys in the same order, loads strictly both ways, gives the same outputs "
        "bit for bit in evaluation at two batch sizes, and the same outputs, gradients and buffers in training under "
        "one seed. No member is left unopened. *In part*: opened and proven but for opaque members.",
        "",
        "Networks for detection resize lists of images to their own sizes and choose boxes by their scores, which no "
        "graph of tensors says: none of them opens as a whole. Their parts do: `layerloom import "
        "torchvision:fasterrcnn_resnet50_fpn --part backbone`. Parts are what holds parameters and is called, directly "
        "in the network or one level deeper. The ones with one stage open as `--part backbone+head`: all that they "
        "compute between those two, with every key of theirs, so that the whole network's weights load strictly.",
        "",
        "The page offers all 109 of torchvision by name. The documents of 80 come with LayerLoom; the other 29 "
        "are made when somebody opens them, in a process of 8 GiB and ten minutes at most. `make endure` opens "
        "each of the 29 through a server, with the request that the page's dialog sends, and holds what comes "
        "back against the network: keys in order, strict loads both ways, outputs bit for bit; one of each task "
        "through the page itself. In the first sweep, on a machine with a dozen other jobs, 16 of the 29 were "
        "held so: all detectors, lraspp_mobilenet_v3_large, mc3_18, r3d_18 and raft_small. vit_h_14 opened in "
        "six minutes and 5.6 GiB; it and the other twelve are yet to be held.",
        "",
        f"torch {torch.__version__}",
    ]
    ordered = [sections[library] for library in LIBRARIES if library in sections]
    return "\n".join([*lines, "", *(f"## {section.strip()}\n" for section in ordered)]).rstrip() + "\n"


def _sections(found: dict[str, tuple[str, str]]) -> dict[str, str]:
    """A table for every library."""
    made = {}
    for library in dict.fromkeys(name.partition(":")[0] for name in found):
        rows = {name.partition(":")[2]: row for name, row in found.items() if name.startswith(f"{library}:")}
        equal = sum(verdict == "equal" for verdict, _ in rows.values())
        lines = [f"{library}: {equal} of {len(rows)}", "", "| network | verdict | |", "|---|---|---|"]
        lines += [f"| {name} | {verdict} | {why.replace('|', '/')[:200]} |" for name, (verdict, why) in rows.items()]
        made[library] = "\n".join(lines)
    return made


if __name__ == "__main__":
    main()
