"""What is done with transforms in a process of its own: a task of ``layerloom.graph.sandbox``.

Arguments are people's: a size of a million pixels or a million operations must end this process, and no other.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from layerloom.data.dataset import DataError
from layerloom.data.pictures import pictures
from layerloom.data.pipeline import PARTS, pipeline
from layerloom.schema.plan import Transform


def _shapes(payload: dict[str, Any]) -> dict[str, Any]:
    transforms = [Transform.model_validate(item) for item in payload["transforms"]]
    return {part: pipeline(transforms, part).shape(payload["shape"]) for part in PARTS}


def _show(payload: dict[str, Any]) -> dict[str, Any]:
    transforms = [Transform.model_validate(item) for item in payload["transforms"]]
    raw = base64.b64decode(payload["images"])
    images = torch.from_numpy(np.frombuffer(raw, np.float32).copy()).view(-1, *payload["shape"])
    shapes = _shapes(payload)
    torch.default_generator.manual_seed(payload["seed"])
    after = pipeline(transforms, payload["part"])(images)
    return {"shapes": shapes, "after": [picture.model_dump() for picture in pictures(after)]}


def _told(task: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def run(payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return task(payload)
        except DataError as error:
            return {"problem": error.problem.model_dump(mode="json")}

    return run


TASKS = {"shapes": _told(_shapes), "show": _told(_show)}
