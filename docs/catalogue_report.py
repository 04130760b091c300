"""Tries every layer and operation on all samples of torch's own tests, and writes what came of it to CATALOGUE.md.

``make catalogue-report``; some minutes.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from catalogue import operation_samples, torch_samples
from catalogue.census import census, counted
from catalogue.proof import Case, imported, proven
from layerloom.catalogue import layers, operations
from layerloom.graph.errors import GraphError
from layerloom.graph.importing import ClosedError

REPORT = ROOT / "docs" / "CATALOGUE.md"
SECONDS = 20
"""For one import: a loop over the batch would take for ever."""


@dataclass
class Tried:
    """What came of one layer or operation."""

    name: str
    proven: int = 0
    refused: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    imported: str = "no sample"
    """Empty where it came back."""


def tried(name: str, cases: Iterable[Case], most: int, with_import: bool) -> Tried:
    """Prove up to ``most`` samples, and import the first that is proven and can be."""
    found = Tried(name)
    tries = 0
    for case in islice(cases, most):
        try:
            proven(case)
            found.proven += 1
        except GraphError as error:
            found.refused.append(_short(error))
            continue
        except Exception as error:
            found.wrong.append(_short(error))
            continue
        if with_import and found.imported and tries < 6:
            tries += 1
            found.imported = _imported(case)
    return found


def _imported(case: Case) -> str:
    try:
        with _limited():
            imported(case)
    except (ClosedError, GraphError, TimeoutError, AssertionError, RuntimeError) as error:
        return _short(error)
    return ""


def _short(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:160]


@contextmanager
def _limited() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TimeoutError(f"it takes longer than {SECONDS} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _table(head: list[str], rows: list[list[Any]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        f"|{'|'.join(['---', *(['---:'] * (len(head) - 1))])}|",
        *(f"| {' | '.join(str(cell) for cell in row)} |" for row in rows),
        "",
    ]


def _all(
    names: Iterable[str], cases: Callable[[str], Iterable[Case]], most: int, with_import: bool
) -> dict[str, list[Tried]]:
    found: dict[str, list[Tried]] = defaultdict(list)
    for name in names:
        found[name.rpartition(".")[0]].append(tried(name, cases(name), most, with_import))
        if len(found[name.rpartition(".")[0]]) % 50 == 0:
            print(name, file=sys.stderr, flush=True)
    return found


def _tried_table(found: dict[str, list[Tried]], with_import: bool) -> list[str]:
    rows = []
    for place, entries in found.items():
        row = [
            f"`{place}`",
            len(entries),
            sum(bool(one.proven) for one in entries),
            sum(one.proven for one in entries),
            sum(len(one.refused) for one in entries),
            sum(len(one.wrong) for one in entries),
        ]
        rows.append([*row, sum(not one.imported for one in entries)] if with_import else row)
    head = ["", "in the catalogue", "proven on real arguments", "samples proven", "samples refused", "otherwise"]
    return _table([*head, "came back from a module"] if with_import else head, rows)


def _reasons(found: dict[str, list[Tried]]) -> list[str]:
    entries = [one for section in found.values() for one in section]
    lines = [
        f"- `{one.name}`: {len(one.wrong)} of {one.proven + len(one.wrong)} samples: {one.wrong[0]}"
        for one in entries
        if one.wrong
    ]
    lines += [
        f"- `{one.name}` is refused: {Counter(one.refused).most_common(1)[0][0] if one.refused else 'no sample'}"
        for one in entries
        if not one.proven
    ]
    return [*(lines or ["- none"]), ""]


def _closed(found: dict[str, list[Tried]]) -> list[str]:
    reasons: dict[str, list[str]] = defaultdict(list)
    for section in found.values():
        for one in section:
            if one.imported and one.proven:
                reasons[one.imported].append(one.name)
    return [f"- {reason}: {', '.join(f'`{name}`' for name in names)}" for reason, names in reasons.items()] or [
        "- none"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=12, help="of each layer and operation, at most")
    parser.add_argument("--no-import", action="store_true", help="operations without the way back from a module")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    logging.disable(logging.ERROR)  # torch logs the errors of meta kernels that are caught here
    with_import = not options.no_import
    of_layers = _all(layers(), torch_samples.cases, options.samples, True)
    of_operations = _all(operations(), operation_samples.cases, options.samples, with_import)
    lines = [
        "# What of torch can be drawn",
        "",
        f"Generated by `make catalogue-report` with torch {counted.version}. Do not edit.",
        f"At most {options.samples} samples of each layer and operation were tried.",
        "",
        *census(),
        "## Layers",
        "",
        "Each is drawn as a network of one call on the arguments with which torch's own tests build and call it.",
        "Proven: the check tells the real shapes and dtypes, fake tensors have them too, and the written source gives",
        "the same keys, outputs, gradients and buffers as the call by hand, bit for bit, in evaluation and training.",
        "",
        *_tried_table(of_layers, True),
        "Refused by the check, or told otherwise than it is:",
        "",
        *_reasons(of_layers),
        "## Operations",
        "",
        *_tried_table(of_operations, with_import),
        "Refused by the check, or told otherwise than it is:",
        "",
        *_reasons(of_operations),
    ]
    closed = [*_closed(of_layers), *(_closed(of_operations) if with_import else [])]
    lines += ["## What does not come back from a module", "", *closed, ""]
    REPORT.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
