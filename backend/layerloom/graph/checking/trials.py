"""Mends tried on the whole document before they are offered: what is right for one instance of a block or one copy in
a repeat may be wrong for the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from layerloom.graph.checking.findings import Findings
from layerloom.graph.checking.records import NodeRecord
from layerloom.schema.document import Document
from layerloom.schema.problems import Edit, Fix, Problem, ProblemCode
from layerloom.schema.report import Report

TRIED = frozenset(
    {
        *(ProblemCode.SHAPE_MISMATCH, ProblemCode.DTYPE_MISMATCH, ProblemCode.LAYER_FAILED),
        *(ProblemCode.ARGUMENT_INVALID, ProblemCode.ARGUMENT_RANGE, ProblemCode.BATCH_AS_TIME),
    }
)
"""What the rest of the network has a say in."""
MOST = 16
"""Mends of one check that are tried."""
LARGEST = 1_000
"""Layers and operations that one forward runs; a larger network's mends are offered as they are."""


def keep_what_mends(
    findings: Findings,
    document: Document,
    records: Mapping[str, NodeRecord],
    cost: int,
    recheck: Callable[[Document], Report],
) -> None:
    """Leave out mends after which their problem is still there, or which break what has run without them.

    ``records`` say what has run; ``recheck`` checks a document without looking for mends.
    """
    problems = [problem for problem in findings.problems() if problem.fixes and problem.code in TRIED]
    worked = {key for key, record in records.items() if record.reached} if problems else set()
    left = MOST if cost <= LARGEST else 0
    for problem in problems:
        kept: list[Fix] = []
        for fix in problem.fixes:
            if any(fix.title == other.title for other in kept):
                continue  # another way to the same
            if left == 0:  # as far as the call goes each has been tried, and the main block has one instance
                mends = problem.block == document.main
            else:
                left -= 1
                mends = _mends(problem, fix.edits, document, worked, recheck)
            kept += [fix] if mends else []
        problem.fixes[:] = kept


def _mends(
    problem: Problem, edits: Sequence[Edit], document: Document, worked: set[str], recheck: Callable[[Document], Report]
) -> bool:
    try:
        mended = edited(document, edits)
    except (ValueError, LookupError, TypeError):
        return False
    where = moved(problem.pointer or "", edits)
    touched = [where, *_touched(edits)]
    for found in recheck(mended).problems:
        if found.severity != "error" and (found.code != problem.code or found.pointer != where):
            continue
        if any(_one_in_the_other(found.pointer or "", place) for place in touched):
            return False
        if any(f"{instance}#{found.node}" in worked for instance in _instances(found)):
            return False
        if (found.code, found.node, found.block) == (ProblemCode.BATCH_FIXED, problem.node, problem.block):
            return False
    return True


def _instances(problem: Problem) -> list[str | None]:
    return [problem.instance, *problem.data.get("instances", [])]


def _touched(edits: Sequence[Edit]) -> Iterator[str]:
    """Where edits have changed something, in the document that they lead to; names and numbers of items left out."""
    for index, edit in enumerate(edits):
        if not edit.path.endswith("/name"):
            yield moved(edit.path, edits[index + 1 :])


def _one_in_the_other(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}/") or other.startswith(f"{one}/")


def moved(where: str, edits: Sequence[Edit]) -> str:
    """A JSON pointer into a document, after edits: those that add to a list or remove from it move what is behind."""
    for edit in edits:
        around, _, step = edit.path.rpartition("/")
        if edit.op == "replace" or not step.isdecimal() or not where.startswith(f"{around}/"):
            continue
        index, slash, rest = where[len(around) + 1 :].partition("/")
        if index.isdecimal() and int(index) >= int(step):
            where = f"{around}/{int(index) + (1 if edit.op == 'add' else -1)}{slash}{rest}"
    return where


def edited(document: Document, edits: Sequence[Edit]) -> Document:
    """A document with edits applied (RFC 6902). Raises LookupError, TypeError or ValueError where one does not apply,
    or what it leads to is no document.
    """
    whole = document.model_dump(mode="json", by_alias=True)
    for edit in edits:
        steps = [step.replace("~1", "/").replace("~0", "~") for step in edit.path.split("/")[1:]]
        place: Any = whole
        for step in steps[:-1]:
            place = place[int(step) if isinstance(place, list) else step]
        last: Any = int(steps[-1]) if isinstance(place, list) else steps[-1]
        if edit.op == "remove":
            del place[last]
        elif edit.op == "add" and isinstance(place, list):
            place.insert(last, edit.value)
        else:
            place[last] = edit.value
    return Document.model_validate(whole)
