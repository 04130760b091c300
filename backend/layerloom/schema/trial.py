"""Trials: short trainings beside the runs, each a job of its own that gives a report."""

from __future__ import annotations

from typing import Literal

from layerloom.schema.base import Wire

TrialState = Literal["none", "waiting", "running", "done", "failed"]


class Trial(Wire):
    """How far a trial is; what it has found stands beside it."""

    state: TrialState = "none"
    message: str = ""
    """Why there is no report."""

    @property
    def open(self) -> bool:
        """Whether it is still to be made."""
        return self.state in ("waiting", "running")


REPORT_FILE = "report.json"
"""In the trial's folder, with the report as far as it is."""
