"""How jobs for trainers are put together: runs' and trials' alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.worker import Job


@dataclass(frozen=True)
class Means:
    """What all trainers of a service may use."""

    data_folder: Path
    python: bool = False
    """Run the code that documents carry."""
    downloads: bool = True
    """Download data sets whose files are not here."""

    def job(self, run: str, folder: Path, document: Document, plan: Plan, **what: Any) -> Job:
        """A job of ``run`` in ``folder``; ``what`` are other fields of it, such as which trial it is."""
        return Job(
            run=run,
            document=document,
            plan=plan,
            folder=str(folder),
            data_folder=str(self.data_folder.resolve()),
            python=self.python,
            downloads=self.downloads,
            **what,
        )

    def allowed(self, job: Job) -> Job:
        """A job of an earlier service, with no more than this one allows."""
        return job.model_copy(update={"python": job.python and self.python, "downloads": self.downloads})
