"""What a fork begins with, told before it is started and kept with it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from layerloom.api.asking import answered
from layerloom.api.refusals import Refusal, with_problems
from layerloom.api.services import Services
from layerloom.schema.document import Document
from layerloom.schema.fork import CarryReport, NewFork, Origin, WhyFresh
from layerloom.schema.patterns import grouped
from layerloom.schema.plan import ParameterGroup, Plan
from layerloom.schema.problems import ProblemCode
from layerloom.schema.run import Run
from layerloom.storage import Added, Missing, Saved, Store

if TYPE_CHECKING:
    from layerloom.graph.carrying import Key

Begun = TypeVar("Begun")
AskKeys = Callable[[Document], "Mapping[str, Key]"]
"""The entries of a network's state_dict. Raises GraphError: it has errors."""


def asked(services: Services) -> AskKeys:
    """How the service learns the keys of a network: where it carries code, from a process of its own."""

    def keys(document: Document) -> Mapping[str, Key]:
        from layerloom.graph.custom import KEYS

        return answered(KEYS, document, document, services).keys

    return keys


def origin_of(run: Run, fork: NewFork, store: Store, keys: AskKeys) -> tuple[Origin, Saved]:
    """Where a fork comes from and what it begins with, and the checkpoint that holds it. ``keys`` gives those of a
    network.

    Raises:
        Refusal: 404, there is no such checkpoint; 422 with the errors of the fork's network.
    """
    for _ in range(3):
        try:
            saved = store.runs.checkpoint(run.id, fork.checkpoint)
            report = _report(run, saved, fork, keys)
        except (FileNotFoundError, Missing):
            continue  # retired between look-up and open: a newer one has taken its place
        return Origin(run=run.id, name=run.name, report=report), saved
    message = "There is no such checkpoint to begin from. A running run saves one when it is asked to."
    raise Refusal(404, ProblemCode.CHECKPOINT_MISSING, message)


def begun(run: Run, fork: NewFork, store: Store, keys: AskKeys, begin: Callable[[Origin, Saved], Begun]) -> Begun:
    """What ``begin`` makes of an origin and its checkpoint, whose files it takes.

    Raises:
        Refusal: what ``origin_of`` refuses; 404 as well where the checkpoint is replaced each time.
    """
    for _ in range(3):
        origin, saved = origin_of(run, fork, store, keys)
        with suppress(FileNotFoundError):  # retired meanwhile: a newer one has taken its place
            return begin(origin, saved)
    raise Refusal(404, ProblemCode.CHECKPOINT_MISSING, "The checkpoint was replaced by a newer one. Try again.")


def forked(run: Run, fork: NewFork, store: Store, keys: AskKeys, *, parameters: int, key: str | None = None) -> Added:
    """Queue a run that begins with a checkpoint of this one; the same Idempotency-Key gives the run that it made.

    Raises:
        Refusal: as ``begun``.
    """

    def add(origin: Origin, saved: Saved) -> Added:
        return store.runs.add(
            fork.document or run.document,
            fork.plan or run.plan,
            name=fork.name or run.name,
            parameters=parameters,
            key=key,
            origin=origin,
            checkpoint=saved.folder,
        )

    return begun(run, fork, store, keys, add)


def _report(run: Run, saved: Saved, fork: NewFork, keys: AskKeys) -> CarryReport:
    from layerloom.graph import GraphError
    from layerloom.graph.carrying import Key, carry, kind_of
    from layerloom.graph.comparing import diff

    document, plan = fork.document or run.document, fork.plan or run.plan
    before = {
        name: Key(shape=entry["shape"], kind=kind_of(entry["dtype"]))
        for name, entry in _header(saved.folder / "state.safetensors").items()
    }
    manifest = json.loads((saved.folder / "manifest.json").read_bytes())
    try:
        after = keys(document)
    except GraphError as error:
        raise with_problems(422, "The network has errors.", error.problems) from None
    carried = carry(before, after)
    fresh = _fresh(manifest.get("optimizer"), plan, wanted=fork.optimizer)
    known = [] if fresh else manifest["optimizer"]["parameters"]
    trained = [name for name in known if name in carried.keys and after[name].trained]
    frozen = _frozen([[name, *after[name].others] for name in trained], plan.groups)
    return CarryReport(
        step=saved.step,
        epoch=saved.epoch,
        weights=saved.weights,
        carried=carried.keys,
        left=carried.left,
        optimizer=[name for place, name in enumerate(trained) if place not in frozen],
        fresh=fresh,
        network=_sentences(run.document, document, diff),
    )


def _fresh(optimizer: dict[str, Any] | None, plan: Plan, *, wanted: bool) -> WhyFresh:
    if not wanted:
        return "unwanted"
    if optimizer is None:
        return "unknown"
    if optimizer["name"] != plan.optimizer.name:
        return "other"
    return "" if optimizer["separate"] else "shared"


def _frozen(parameters: Sequence[Sequence[str]], groups: Sequence[ParameterGroup]) -> set[int]:
    """Places of the parameters, each given by all its names, that a plan freezes."""
    members, _ = grouped(parameters, groups)
    return {place for group, places in zip(groups, members, strict=True) if group.frozen for place in places}


def _sentences(before: Document, after: Document, diff: Any) -> list[str]:
    return [] if before == after else [str(change) for change in diff(before, after).changes]


def _header(file: Path) -> dict[str, Any]:
    """Names, types and shapes in a file of ours; its format begins with eight bytes of length and so much JSON."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        entries: dict[str, Any] = json.loads(stream.read(length))
    entries.pop("__metadata__", None)
    return entries
