"""Transforms over HTTP: images before and after, the shape out, and plans whose transforms cannot work."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from stores import DOCUMENT

HANG_GUARD_S = 300

V2 = "torchvision.transforms.v2."
RESIZE = {"name": f"{V2}Resize", "arguments": {"size": [4, 16]}}
FLIP = {"name": f"{V2}RandomHorizontalFlip", "arguments": {"p": 1.0}}


def show(user: httpx.Client, *transforms: dict[str, Any], name: str = "digits", **more: Any) -> httpx.Response:
    return user.post(f"/api/datasets/{name}/transforms", json={"transforms": transforms, **more}, timeout=HANG_GUARD_S)


def places(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [item["path"] for item in answer.json()["errors"]]


def start(user: httpx.Client, *transforms: dict[str, Any]) -> httpx.Response:
    plan = {"dataset": "digits", "epochs": 1, "transforms": transforms}
    return user.post(
        "/api/runs", json={"document": DOCUMENT.model_dump(mode="json"), "plan": plan}, timeout=HANG_GUARD_S
    )


def test_images_are_shown_before_and_after(user: httpx.Client) -> None:
    shown = show(user, FLIP, RESIZE, count=3).raise_for_status().json()
    assert shown["shapes"] == {"training": [1, 4, 16], "validation": [1, 4, 16]}
    assert [picture["shape"] for picture in shown["before"]] == [[1, 8, 8]] * 3
    assert [picture["shape"] for picture in shown["after"]] == [[1, 4, 16]] * 3
    assert shown["labels"] == ["0", "1", "2"]
    flipped = show(user, FLIP, count=1).json()
    before, after = (base64.b64decode(flipped[part][0]["pixels"]) for part in ("before", "after"))
    assert after == b"".join(before[row : row + 8][::-1] for row in range(0, 64, 8))
    assert show(user, FLIP, count=1, part="validation").json()["after"] == flipped["before"]


def test_what_cannot_work_is_refused_at_its_place(user: httpx.Client) -> None:
    assert places(show(user, FLIP, {"name": f"{V2}CenterCrop", "arguments": {"size": "x"}})) == ["/plan/transforms/1"]
    assert places(show(user, RESIZE, name="iris")) == ["/plan/transforms"]
    assert show(user, RESIZE, name="nothing").status_code == 404
    assert places(start(user, FLIP, {"name": "os.system"})) == ["/plan/transforms/1"]
    assert places(start(user, {"name": f"{V2}CenterCrop"})) == ["/plan/transforms/0"]
    # 4×16 are the 64 numbers that the network takes, and 4×4 are not.
    assert start(user, FLIP, RESIZE).status_code == 201
    refused = start(user, {"name": f"{V2}Resize", "arguments": {"size": [4, 4]}, "use": "validation"})
    assert places(refused) == ["/plan/transforms"]
    assert "For validation: " in refused.json()["errors"][0]["message"]
    assert places(show(user, {"name": f"{V2}Resize", "arguments": {"size": 500_000}})) == ["/plan/transforms"]
