"""Whether a document can be trained by a plan, judged before the run is queued.

Names are looked up in the catalogue, and what torch itself judges (a learning rate, betas) is put to torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerloom.api.refusals import Refusal, with_problems
from layerloom.schema.catalogue import DatasetEntry, Entry
from layerloom.schema.document import Document
from layerloom.schema.patterns import layer_patterns, unmatched
from layerloom.schema.plan import Choice, Plan, Schedule
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.schema.report import Report, Result, TensorType
from layerloom.schema.run import Device, Run, RunPatch
from layerloom.schema.values import NonFinite, Tuple, Value

if TYPE_CHECKING:
    from layerloom.api.services import Services
    from layerloom.graph.qualified import Names


def require_trainable(
    document: Document,
    plan: Plan,
    data: Path,
    devices: Callable[[], list[Device]],
    check: Callable[[Document], Report] | None = None,
    name: Callable[[Document], Names] | None = None,
    *,
    downloads: bool = True,
) -> int:
    """The number of parameters of a network that can be trained by this plan. ``check`` and ``name`` take the places of
    ``graph.check`` and ``graph.names_of``. Without ``downloads`` the files of its data have to be there.

    Raises:
        Refusal: 422 with everything that stands in the way.
    """
    from layerloom import graph
    from layerloom.data import entries
    from layerloom.graph.qualified import names_of

    report = (check or graph.check)(document)
    problems = [problem for problem in report.problems if problem.severity == "error"]
    known = {entry.name: entry for entry in entries(data, downloads=downloads)}
    problems += [*_data_problems(document, plan, known, drawn=not problems), *_choice_problems(plan)]
    problems += _head_problems(plan, report.outputs)
    if report.ok:
        problems += _pattern_problems(document, plan, name or names_of)
    problems += _device_problems(plan, devices())
    if problems:
        raise with_problems(422, "The network cannot be trained by this plan.", problems)
    return report.totals.parameters


def known_dataset(name: str, services: Services) -> DatasetEntry:
    """A data set by its name.

    Raises:
        Refusal: 422 with the names that may have been meant, or with what is damaged.
    """
    from layerloom.data import entries

    known = {entry.name: entry for entry in entries(services.data, downloads=services.downloads)}
    if name not in known:
        problem = _unknown(ProblemCode.UNKNOWN_DATASET, "data set", name, known)
        raise with_problems(422, problem.message, [problem])
    if (missing := _damage(known[name])) is not None:
        raise with_problems(422, missing.message, [missing])
    return known[name]


def _damage(entry: DatasetEntry) -> Problem | None:
    """Why nothing is known of a data set."""
    missing = entry.missing
    return missing if missing is not None and missing.code == ProblemCode.DATASET_DAMAGED else None


def require_adjustable(run: Run, patch: RunPatch) -> None:
    """Hold that a run's plan has what is to be changed of it.

    Raises:
        Refusal: 422 for a group that it does not have, 409 for a schedule that ends with its own length, and for a
            finished run that would end at once.
    """
    plan = run.plan
    patterns = [group.pattern for group in plan.groups if not group.frozen]
    strange = [pattern for pattern in patch.groups or () if pattern not in patterns]
    if strange:
        has = f"it has {', '.join(patterns)}" if patterns else "it has none that trains"
        message = f"The plan has no such parameter group; {has}. Fork the run to divide parameters otherwise."
        problem = Problem(code=ProblemCode.PLAN_INVALID, message=message, data={"field": "groups", "nearest": patterns})
        raise with_problems(422, message, [problem])
    if (patch.epochs or patch.steps) and plan.scheduler is not None:
        from layerloom.catalogue import schedulers

        for part in (plan.scheduler, *plan.scheduler.parts):
            label: str = schedulers()[part.name].label
            takes, ends = {item.name for item in schedulers()[part.name].parameters}, {"total_steps", "epochs"}
            if ends <= takes and ends & part.arguments.keys():
                message = f"{label} has a length of its own, and the run ends with it. Fork the run with another plan."
                raise Refusal(409, ProblemCode.STATE_CONFLICT, message)
    for name, done in (("epochs", run.epoch), ("steps", run.step)):
        limit = getattr(patch, name) or getattr(run.adjustment, name) or getattr(plan, name)
        if run.state == "succeeded" and limit is not None and limit <= done:
            message = f"The run has done the {limit:,} {name} that it may have. Give it more than those, or fork it."
            raise Refusal(409, ProblemCode.STATE_CONFLICT, message)


def _data_problems(
    document: Document, plan: Plan, known: Mapping[str, DatasetEntry], *, drawn: bool
) -> Iterator[Problem]:
    from layerloom.data import DataError, fits, main_inputs

    if plan.dataset not in known:
        yield _unknown(ProblemCode.UNKNOWN_DATASET, "data set", plan.dataset, known)
        return
    if (missing := known[plan.dataset].missing) is not None:
        yield missing
    if _damage(known[plan.dataset]) is not None:
        return  # what would fit it is not known either
    try:
        if plan.transforms:
            yield from _transform_problems(document, plan, known[plan.dataset], drawn=drawn)
        elif drawn:
            fits(known[plan.dataset], main_inputs(document))
    except DataError as error:
        yield error.problem


def _transform_problems(document: Document, plan: Plan, entry: DatasetEntry, *, drawn: bool) -> Iterator[Problem]:
    """What stands in the way of the plan's transforms, and of the network taking what they give."""
    from layerloom.data import DataError, fits, main_inputs, shapes

    for part, shape in shapes(entry, plan.transforms).items():
        try:
            if drawn:
                fits(entry.model_copy(update={"shape": shape, "label": "the transforms"}), main_inputs(document))
        except DataError as error:
            message = f"For {part}: {error.problem.message}"
            yield error.problem.model_copy(update={"message": message, "pointer": "/plan/transforms"})


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
    for number, head in enumerate(plan.heads):
        found: list[Problem] = []
        if head.loss is not None:
            found += _choice(head.loss, losses(), ProblemCode.UNKNOWN_LOSS, "loss", _try_loss)
        for choice in head.metrics or ():
            found += _choice(choice, metrics(), ProblemCode.UNKNOWN_METRIC, "metric", None)
        yield from (item.model_copy(update={"pointer": f"/plan/heads/{number}/loss"}) for item in found)


def _head_problems(plan: Plan, outputs: Result | None) -> Iterator[Problem]:
    """Heads whose outputs a network does not return, as far as its check has come."""
    if outputs is None:
        return
    known = list(_tensors(outputs))
    for number, head in enumerate(plan.heads):
        if head.output not in known:
            names = ", ".join(name for name in known if name)
            message = f"The network returns no output of this name; it returns {names or 'a single tensor'}."
            pointer = f"/plan/heads/{number}/output"
            yield Problem(code=ProblemCode.PLAN_INVALID, message=message, pointer=pointer, data={"expected": known})


def _pattern_problems(document: Document, plan: Plan, name: Callable[[Document], Names]) -> Iterator[Problem]:
    """Patterns that match nothing of the network."""
    from layerloom.graph import GraphError

    if not plan.groups and not layer_patterns(plan):
        return
    try:
        names = name(document)
    except GraphError as error:  # that it can be checked and not built is no fault of the plan's
        yield from error.problems
        return
    for one in unmatched(names.parameters, names.layers, plan):
        pointer, data = f"/plan/{one.field.replace('.', '/')}", {"got": one.pattern, "nearest": one.nearest}
        yield Problem(code=ProblemCode.PLAN_INVALID, message=one.message, pointer=pointer, data=data)


def _tensors(result: Result, path: str = "") -> Iterator[str]:
    if isinstance(result, TensorType):
        yield path
    elif isinstance(result, dict | list):
        items = result.items() if isinstance(result, dict) else enumerate(result)
        for key, value in items:
            yield from _tensors(value, f"{path}.{key}" if path else str(key))


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
    kinds = [one.partition(":")[0] for one in ids]
    kind = kinds[0] if plan.device == "auto" and kinds[:1] == ["cuda"] else plan.device
    if plan.devices > 1 and kind in kinds and kind not in ("auto", "cpu") and kinds.count(kind) < plan.devices:
        message = f"The plan wants {plan.devices} devices, and this machine has {kinds.count(kind)} of the kind {kind}."
        message = f"{message} Choose fewer, or the CPU."
        yield Problem(code=ProblemCode.DEVICE_UNAVAILABLE, message=message, data={"got": plan.devices, "expected": ids})
        return
    if plan.device in ("auto", "cpu") or any(one.partition(":")[0] == plan.device or one == plan.device for one in ids):
        return
    message = f"This machine has no such device; it has {', '.join(ids)}."
    yield Problem(code=ProblemCode.DEVICE_UNAVAILABLE, message=message, data={"got": plan.device, "expected": ids})


def _unknown(code: ProblemCode, what: str, name: str, known: Mapping[str, Entry | DatasetEntry]) -> Problem:
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    hint = f" Did you mean {', '.join(near)}?" if near else ""
    return Problem(code=code, message=f"There is no such {what}.{hint}", data={"nearest": near})
