"""Whether a document can be trained by a plan, judged before the run is queued.

Names are looked up in the catalogue, and what torch itself judges (a learning rate, betas) is put to torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from layerloom.api.refusals import with_problems
from layerloom.schema.catalogue import DatasetEntry, Entry
from layerloom.schema.document import Document
from layerloom.schema.plan import Choice, Plan, Schedule
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.report import Report
from layerloom.schema.run import Device
from layerloom.schema.values import NonFinite, Tuple, Value


def require_trainable(
    document: Document,
    plan: Plan,
    data: Path,
    devices: Callable[[], list[Device]],
    check: Callable[[Document], Report] | None = None,
) -> int:
    """The number of parameters of a network that can be trained by this plan. ``check`` takes the place of our own.

    Raises:
        Refusal: 422 with everything that stands in the way.
    """
    from layerloom import graph

    report = (check or graph.check)(document)
    problems = [problem for problem in report.problems if problem.severity == "error"]
    problems += [*_data_problems(document, plan, data, drawn=not problems), *_choice_problems(plan)]
    problems += _device_problems(plan, devices())
    if problems:
        raise with_problems(422, "The network cannot be trained by this plan.", problems)
    return report.totals.parameters


def _data_problems(document: Document, plan: Plan, data: Path, *, drawn: bool) -> Iterator[Problem]:
    from layerloom.data import DataError, entries, fits, main_inputs

    known = {entry.name: entry for entry in entries(data)}
    if plan.dataset not in known:
        yield _unknown(ProblemCode.UNKNOWN_DATASET, "data set", plan.dataset, known)
    elif drawn:
        try:
            fits(known[plan.dataset], main_inputs(document))
        except DataError as error:
            yield error.problem


def _choice_problems(plan: Plan) -> Iterator[Problem]:
    from layerloom.catalogue import losses, metrics, optimizers, schedulers

    yield from _choice(plan.optimizer, optimizers(), ProblemCode.UNKNOWN_OPTIMIZER, "optimizer", _try_optimizer)
    if plan.scheduler is not None:
        parts = plan.scheduler.parts
        yield from _choice(plan.scheduler, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler", _try_scheduler)
        for part in parts:
            yield from _choice(part, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler", _try_scheduler)
    if plan.loss is not None:
        yield from _choice(plan.loss, losses(), ProblemCode.UNKNOWN_LOSS, "loss", _try_loss)
    for choice in plan.metrics or ():
        yield from _choice(choice, metrics(), ProblemCode.UNKNOWN_METRIC, "metric", None)


def _choice(
    choice: Choice,
    known: Mapping[str, Entry],
    code: ProblemCode,
    what: str,
    attempt: Callable[[Choice], None] | None,
) -> Iterator[Problem]:
    if choice.name not in known:
        yield _unknown(code, what, choice.name, known)
        return
    specs = [item for item in known[choice.name].parameters if not item.auto]
    parameters = {item.name for item in known[choice.name].parameters}
    label = known[choice.name].label
    strange = sorted(set(choice.arguments) - parameters)
    missing = [item.name for item in specs if item.required and choice.arguments.get(item.name) is None]
    for name in missing:
        message = f"{label} needs a value for {name}."
        yield Problem(code=ProblemCode.MISSING_ARGUMENT, message=message, port=name, data={"name": choice.name})
    if strange:
        message = f"{label} takes {', '.join(sorted(parameters)) or 'no arguments'}."
        yield Problem(code=ProblemCode.UNKNOWN_ARGUMENT, message=message, data={"got": strange[:10]})
    elif attempt is not None and not missing:
        try:
            attempt(choice)
        except Exception as error:  # whatever torch raises is its judgement of the arguments
            message = f"{label} refuses its arguments: {str(error)[:500]}"
            yield Problem(code=ProblemCode.PLAN_INVALID, message=message, data={"name": choice.name})


def _try_optimizer(choice: Choice) -> None:
    """Give torch a matrix to optimize: every optimizer takes one, Muon nothing else."""
    import torch

    from layerloom.catalogue import resolve

    _finite(choice)
    resolve(choice.name)([torch.nn.Parameter(torch.zeros(2, 2))], **_plain_arguments(choice))


def _try_scheduler(choice: Choice) -> None:
    """Give torch an optimizer to schedule; lengths that only the run knows are left to it."""
    import torch

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
    scheduler = _scheduler(choice, optimizer)
    optimizer.step()
    # Some arguments are read in a step only.
    scheduler.step(*([1.0] if isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau) else []))


def _scheduler(choice: Choice, optimizer: Any) -> Any:
    from layerloom.catalogue import resolve, schedulers

    _finite(choice)
    lengths = {"T_max": 10, "total_steps": 10}
    accepted = inspect.signature(resolve(choice.name)).parameters
    known = {name: value for name, value in lengths.items() if name in accepted} if not _has_length(choice) else {}
    made: dict[str, Any] = {**known, **_plain_arguments(choice)}
    parts = choice.parts if isinstance(choice, Schedule) else []
    if schedulers()[choice.name].parts:
        made["schedulers"] = [_scheduler(part, optimizer) for part in parts if part.name in schedulers()]
    elif parts:
        raise ValueError("it has no parts")
    return resolve(choice.name)(optimizer=optimizer, **made)


def _has_length(choice: Choice) -> bool:
    return any(choice.arguments.get(name) is not None for name in ("T_max", "total_steps", "epochs"))


def _try_loss(choice: Choice) -> None:
    """Without memory: a loss may have weights of its own, of any size."""
    import torch

    from layerloom.catalogue import resolve

    with torch.device("meta"):
        resolve(choice.name)(**_plain_arguments(choice))


def _finite(choice: Choice) -> None:
    if any(isinstance(value, NonFinite) for value in choice.arguments.values()):
        raise ValueError("its arguments must be finite numbers")


def _plain_arguments(choice: Choice) -> dict[str, Any]:
    return {name: _plain(value) for name, value in choice.arguments.items()}


def _plain(value: Value) -> Any:
    match value:
        case list():
            return [_plain(item) for item in value]
        case Tuple(items=items):
            return tuple(_plain(item) for item in items)
        case NonFinite(text=text):
            return float(text)
        case None | bool() | int() | float() | str():
            return value
    raise TypeError("a plan carries numbers, texts, lists and tuples")


def _device_problems(plan: Plan, devices: list[Device]) -> Iterator[Problem]:
    ids = [device.id for device in devices]
    if plan.device in ("auto", "cpu") or any(one.partition(":")[0] == plan.device or one == plan.device for one in ids):
        return
    message = f"This machine has no such device; it has {', '.join(ids)}."
    yield Problem(code=ProblemCode.DEVICE_UNAVAILABLE, message=message, data={"got": plan.device, "expected": ids})


def _unknown(code: ProblemCode, what: str, name: str, known: Mapping[str, Entry | DatasetEntry]) -> Problem:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return Problem(code=code, message=f"There is no such {what}.{hint}", data={"nearest": near})
