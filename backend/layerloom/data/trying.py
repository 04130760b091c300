"""The service's side of ``trying_tasks``: transforms are tried on images in a process that is kept warm."""

from __future__ import annotations

import atexit
import base64
import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import torch

from layerloom.data.dataset import DataError
from layerloom.data.pictures import CHANNELS, at_most, floats, pictures
from layerloom.data.pipeline import Part, TransformError
from layerloom.data.sources import load, varied
from layerloom.graph import sandbox
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.plan import Transform
from layerloom.schema.problems import Problem
from layerloom.schema.run import Picture, TransformPreview, TransformRequest

_TASKS = "layerloom.data.trying_tasks"
LIMITS = sandbox.Limits(wall_s=120, answer=32 * 2**20)
_log = logging.getLogger(__name__)


def shapes(entry: DatasetEntry, transforms: Sequence[Transform]) -> dict[Part, list[int]]:
    """What a network is given of a data set's images, for each part of the data.

    Raises:
        DataError: the data are no images, or the transforms do not work on them.
    """
    require_images(entry)
    asked = {"transforms": [item.model_dump(mode="json", by_alias=True) for item in transforms], "shape": entry.shape}
    found: dict[Part, list[int]] = _asked("shapes", asked)
    return found


def transformed(name: str, folder: Path, request: TransformRequest, *, downloads: bool = True) -> TransformPreview:
    """A few samples before and after.

    Raises:
        DataError: no such data set; see ``shapes``.
    """
    dataset = load(name, folder, downloads=downloads)
    entry = dataset.entry
    require_images(entry)
    value = next(iter(dataset.inputs.values()))
    rows = varied(dataset, at_most(request.count, entry.shape))
    images = floats(value[torch.tensor(rows)])
    asked = {
        **request.model_dump(mode="json", by_alias=True),
        "shape": entry.shape,
        "images": base64.b64encode(images.contiguous().numpy().tobytes()).decode(),
    }
    found = _asked("show", asked)
    classes = entry.task == "classification"
    labels = [int(dataset.targets[row]) for row in rows] if classes else []
    return TransformPreview(
        before=pictures(images) if entry.shape[0] in CHANNELS else [],
        after=[Picture.model_validate(item) for item in found["after"]],
        labels=[entry.classes[label] if label < len(entry.classes) else str(label) for label in labels],
        shapes=found["shapes"],
    )


def require_images(entry: DatasetEntry) -> None:
    """Hold that a data set has images, channels first, which transforms take.

    Raises:
        TransformError: it has something else.
    """
    if len(entry.shape) != 3 or entry.dtype != "float32":
        given = "×".join(map(str, entry.shape)) or "one number"
        raise TransformError(
            f"Transforms take images, channels first; samples of {entry.label} are {given} of {entry.dtype}. Leave "
            "the transforms out, or choose images."
        )


def _asked(task: str, payload: dict[str, Any]) -> Any:
    try:
        answer = _warm().run(task, payload)
    except sandbox.SandboxError as error:
        if error.reason not in ("memory", "time", "answer"):
            _log.error("the process that tries transforms gave no answer: %s", error)
        raise TransformError(
            "These transforms take more memory or time than there is for a few images. Make sizes and counts smaller."
        ) from None
    except sandbox.TaskError as error:
        _log.error("trying transforms: %r", error.trace)
        raise TransformError(f"The transforms cannot be used: {str(error)[:300]}") from None
    if "problem" in answer:
        problem = Problem.model_validate(answer["problem"])
        refused = DataError(problem.code, problem.message, **problem.data)
        refused.problem = problem
        raise refused
    return answer


@cache
def _warm() -> sandbox.Warm:
    made = sandbox.Warm(tasks=_TASKS, limits=LIMITS)
    atexit.register(made.close)
    return made
