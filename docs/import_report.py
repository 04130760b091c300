"""Which networks of torchvision, timm and transformers come back as documents, and why the others stay closed.

python benchmarks/import_report.py [torchvision|timm|transformers|LIBRARY:NAME …]
Without names all are tried, and ``docs/imports.md`` is written.
"""

from __future__ import annotations

import gc
import sys
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from layerloom import ClosedError, Document, build, from_module, to_python
from sameness import differences, left_closed
from zoo import Animal, animals

REPORT = Path(__file__).parents[1] / "docs" / "imports.md"


def verdict(animal: Animal) -> tuple[str, str]:
    """``equal``, ``in part``, ``closed`` or ``wrong``, and the reason or the figures."""
    torch.manual_seed(0)
    module, inputs = animal.make()
    start = time.perf_counter()
    try:
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
    for animal in animals():
        library = animal.name.partition(":")[0]
        if chosen and not {library, animal.name} & set(chosen):
            continue
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
    if not chosen:
        REPORT.write_text(_page(found), encoding="utf-8")


def _page(found: dict[str, tuple[str, str]]) -> str:
    """The report as Markdown."""
    lines = [
        "# Networks that can be opened",
        "",
        "Written by `make import-report`. *Equal* means: the document was written as JSON, read again and built; the "
        "built module has the same state_dict keys in the same order, loads strictly both ways, gives the same outputs "
        "bit for bit in evaluation at two batch sizes, and the same outputs, gradients and buffers in training under "
        "one seed. No member is left unopened. *In part*: opened and proven but for opaque members.",
        "",
        f"torch {torch.__version__}",
    ]
    for library in dict.fromkeys(name.partition(":")[0] for name in found):
        rows = {name.partition(":")[2]: row for name, row in found.items() if name.startswith(f"{library}:")}
        equal = sum(verdict == "equal" for verdict, _ in rows.values())
        lines += ["", f"## {library}: {equal} of {len(rows)}", "", "| network | verdict | |", "|---|---|---|"]
        lines += [f"| {name} | {verdict} | {why.replace('|', '/')[:200]} |" for name, (verdict, why) in rows.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
