"""After a loss that is not finite: the step is done again from the last good state, with every call watched."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from torch import nn

from layerloom.schema.events import Log
from layerloom.schema.plan import Plan, Statistics
from layerloom.schema.problems import ProblemCode
from layerloom.training.checkpoints import CheckpointStore, Contents, on_cpu
from layerloom.training.control import Control, Outcome, Wanted
from layerloom.training.failure import TrainingError
from layerloom.training.origin import Origin, OriginMode, bad
from layerloom.training.position import Position
from layerloom.training.recorder import Emit

SECONDS = 90.0
"""That a replay may take; a trainer that is silent for longer is taken for a stalled one."""
START_BYTES = 2**30
"""Of parameters and buffers that are kept in memory until the first checkpoint is there."""


class Looping(Protocol):
    """What is replayed: a loop over the same module and parts."""

    @property
    def position(self) -> Position: ...

    def resume(self, path: str) -> None: ...

    def run(self) -> Outcome: ...

    def contents(self) -> tuple[dict[str, Any], dict[str, Any]]: ...


class Replay:
    """Holds what a replay begins from; ``make`` gives a second loop that shares the first one's module and parts."""

    def __init__(
        self,
        make: Callable[[Plan, Emit, Control, CheckpointStore], Looping],
        loop: Looping,
        module: nn.Module,
        plan: Plan,
        store: CheckpointStore,
    ) -> None:
        self._make = make
        self._loop = loop
        self._module = module
        # Compiled code hides its calls, and statistics would hook themselves in.
        self._plan = plan.model_copy(update={"compile": False, "statistics": Statistics(budget=0)})
        self._store = store
        self._start = self._held() if not loop.position.recent else None

    def explain(self, error: BaseException, emit: Emit, control: Control) -> None:
        """Add to a divergence where it began. Whatever goes wrong here must not hide what went wrong there."""
        if not isinstance(error, TrainingError) or error.problem.code != ProblemCode.DIVERGED or not control.going():
            return
        with suppress(Exception):
            step = int(error.problem.data["step"])
            good = self._good()
            emit(Log(message=f"Step {step} is done again from step {good.step} on, to see where it began."))
            step, origin = self._find(good, step, control)
            if origin is not None:
                error.trace(step, origin)

    def _good(self) -> Contents:
        recent = self._loop.position.recent
        good = self._store.load(recent[-1]) if recent else self._start
        if good is None:
            raise LookupError("there is nothing to begin from")
        return good

    def _held(self) -> Contents | None:
        state, training = self._loop.contents()
        size = sum(value.nbytes for value in state.values() if hasattr(value, "nbytes"))
        return Contents(self._loop.position.step, on_cpu(state), on_cpu(training)) if size <= START_BYTES else None

    def _find(self, good: Contents, step: int, real: Control) -> tuple[int, Origin | None]:
        """The step that broke the run, perhaps one before the loss showed it, and the call that did."""
        control = _Until(real, self._module, step - 1)
        loop = self._twin(good, control)
        if control.broken:
            step = control.broken
            control = _Until(real, self._module, step - 1)
            loop = self._twin(good, control)
        if loop.position.step != step - 1:
            return step, None
        control.until, control.broken = step, 0
        with OriginMode(self._module) as watched, suppress(TrainingError):
            loop.run()
        if watched.found is None and (name := _broken(self._module)):
            layer, _, weight = name.rpartition(".")
            value = bad(self._module.get_parameter(name))
            kind = type(self._module.get_submodule(layer)).__name__
            return step, Origin(value, f"the update of {weight}", layer, kind)
        return step, watched.found

    def _twin(self, good: Contents, control: _Until) -> Looping:
        """A loop that stands after step ``control.until``, if that can be reached."""
        loop = self._make(self._plan, lambda _event: None, control, _Nowhere(good))
        loop.resume("")
        control.position = loop.position
        with suppress(TrainingError):
            loop.run()
        return loop


class _Until(Control):
    """Goes on until a step is done, a weight is broken, the time is over or something else is wanted."""

    def __init__(self, real: Control, module: nn.Module, until: int) -> None:
        super().__init__()
        self._real = real
        self._module = module
        self._end = time.monotonic() + SECONDS
        self._looked = -1
        self.until = until
        self.broken = 0
        """Step after which a weight was not finite."""
        self.position = Position()

    def going(self) -> bool:
        """Whether another step is to be done."""
        step = self.position.step
        if step != self._looked:
            self._looked = step
            self.broken = step if _broken(self._module) else 0
        return step < self.until and not self.broken and time.monotonic() < self._end and self._real.going()

    @property
    def wanted(self) -> Wanted:
        """To go without a trace."""
        return "run" if self.going() else "abandon"


class _Nowhere(CheckpointStore):
    """Gives the state to begin from, and keeps none."""

    def __init__(self, contents: Contents) -> None:
        super().__init__(Path(), 0)
        self._contents = contents

    def exists(self, path: str) -> bool:  # noqa: ARG002
        """As if every one were there."""
        return True

    def write(self, contents: Contents) -> str:
        """Only name it."""
        return self.path(contents.step)

    def retire(self, keep: set[str]) -> None:
        """There is nothing."""

    def earlier(self, path: str) -> list[str]:  # noqa: ARG002
        """There is none."""
        return []

    def load(self, path: str) -> Contents:  # noqa: ARG002
        """The state to begin from, whatever it is called."""
        return self._contents


def _broken(module: nn.Module) -> str:
    """Name of the first parameter that is not finite."""
    return next((name for name, value in module.named_parameters() if bad(value)), "")
