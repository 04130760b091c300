"""A run's events on a terminal: a bar with the loss beside it, a line for each epoch, and whatever the trainer says."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from layerloom.schema import events

_STYLES = {"warning": "yellow", "error": "red"}


class Display:
    """Shows events as they come. Where there is no terminal, the lines are printed without the bar."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[loss]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("waiting", total=None, loss="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # the terminal may be gone, and whatever ended is told otherwise
            self._bar.stop()

    def show(self, event: events.Event) -> None:
        """Take one event in."""
        match event:
            case events.Progress():
                where = f"epoch {event.epoch}/{event.epochs}"
                self._bar.update(self._task, description=where, completed=event.step, total=event.steps)
            case events.Metrics():
                self._measured(event)
            case events.Log():
                self._say(event.message, _STYLES.get(event.level, "dim"))
            case events.ProblemFound():
                self._say(f"{event.problem.code}: {event.problem.message}", "red")
            case events.CheckpointSaved() if event.best:
                self._say(f"Best weights so far, of step {event.step}, saved.", "dim")

    def _measured(self, event: events.Metrics) -> None:
        losses = event.series.get("train/loss")
        if losses and losses[-1] is not None:
            self._bar.update(self._task, loss=f"loss {losses[-1]:.4g}")
        values = {name: column[-1] for name, column in event.series.items() if name.startswith("validation/")}
        if values:
            told = ", ".join(f"{name} {value:.4g}" for name, value in values.items() if value is not None)
            self._say(f"epoch {event.epochs[-1]:g}: {told}", "")

    def _say(self, text: str, style: str) -> None:
        # Whatever stands in a message is text, no markup.
        self._console.print(text, style=style or None, markup=False, soft_wrap=True)
