"""Uploads over HTTP: streamed, judged whole, and without a trace when they are refused."""

from __future__ import annotations

import io
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest

from unit.api.conftest import LIMITS, Api
from unit.data.support import MIB, bomb, peak_growth
from waiting import wait_for

CSV = b"width,height,label\n" + b"".join(b"%d,%d,%s\n" % (i, i % 7, b"ab"[i % 2 : i % 2 + 1]) for i in range(40))


def put(user: httpx.Client, name: str, content: bytes | Iterator[bytes], filename: str = "data.csv") -> httpx.Response:
    return user.put(f"/api/datasets/{name}", params={"filename": filename}, content=content)


def test_the_life_of_an_upload(api: Api, user: httpx.Client) -> None:
    before = user.get("/api/catalogue").headers["etag"]
    made = put(user, "flowers", CSV)
    assert made.status_code == 201, made.text
    assert made.json()["shape"] == [2]
    assert made.json()["classes"] == ["a", "b"]
    after = user.get("/api/catalogue")
    assert "flowers" in [entry["name"] for entry in after.json()["datasets"]]
    assert after.headers["etag"] != before, "an upload changes the catalogue"
    assert user.get("/api/catalogue", headers={"If-None-Match": after.headers["etag"]}).status_code == 304
    preview = user.get("/api/datasets/flowers/preview", params={"count": 4}).json()
    assert len(preview["inputs"]) == 4
    assert preview["counts"] == {"a": 20, "b": 20}
    assert user.delete("/api/datasets/flowers").status_code == 204
    assert user.delete("/api/datasets/flowers").status_code == 404
    assert list(api.services.drafts.iterdir()) == []


def test_a_damaged_data_set_is_listed_refused_and_deleted(api: Api, user: httpx.Client) -> None:
    root = api.services.data / "uploads"
    before = set(root.iterdir()) if root.is_dir() else set()
    assert put(user, "hurt", CSV).status_code == 201
    (path,) = set(root.iterdir()) - before
    (path / "meta.json").write_bytes(b"\0" * 900)  # as some file systems leave a file after a power cut
    for listed in (user.get("/api/datasets").json(), user.get("/api/catalogue").json()["datasets"]):
        (entry,) = [one for one in listed if one["name"] == path.name]
        assert (entry["available"], entry["missing"]["code"]) == (False, "dataset_damaged")
        assert "digits" in [one["name"] for one in listed]
    for answer in (
        user.get(f"/api/datasets/{path.name}/preview"),
        user.get(f"/api/datasets/{path.name}/details"),
        user.put(f"/api/datasets/{path.name}/reading", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "dataset_damaged")
    document = next(one for one in user.get("/api/examples").json() if one["id"] == "iris-mlp")["document"]
    refused = user.post("/api/runs", json={"document": document, "plan": {"dataset": path.name}})
    assert refused.status_code == 422
    assert [item["code"] for item in refused.json()["errors"]] == ["dataset_damaged"]
    refused = user.post("/api/graphs/template", json={"dataset": path.name})
    assert (refused.status_code, refused.json()["code"]) == (422, "dataset_damaged")
    assert user.delete(f"/api/datasets/{path.name}").status_code == 204
    assert not path.exists()
    assert path.name not in [one["name"] for one in user.get("/api/datasets").json()]


def test_a_column_gets_another_role(user: httpx.Client) -> None:
    assert put(user, "roles", CSV).status_code == 201
    details = user.get("/api/datasets/roles/details").json()
    assert [(one["name"], one["kind"], one["role"]) for one in details["columns"]] == [
        ("width", "number", "feature"),
        ("height", "number", "feature"),
        ("label", "category", "target"),
    ]
    reading = details["reading"]
    reading["columns"][1]["role"] = "ignored"
    made = user.put("/api/datasets/roles/reading", json=reading)
    assert (made.status_code, made.json()["shape"]) == (200, [1]), made.text
    assert user.get("/api/datasets/roles/details").json()["reading"] == reading
    reading["columns"][2]["role"] = "feature"
    refused = user.put("/api/datasets/roles/reading", json=reading)
    assert (refused.status_code, refused.json()["code"]) == (422, "upload_invalid")
    assert "No column is the target" in refused.json()["detail"]
    assert user.get("/api/datasets/roles/details").json()["reading"]["columns"][2]["role"] == "target"
    for body in ({"columns": [{"name": "width"}]}, {"text": {"length": 1}}, {"missing": "guess"}, []):
        assert user.put("/api/datasets/roles/reading", json=body).status_code == 422
    assert user.put("/api/datasets/nothing/reading", json=reading).status_code == 404
    assert user.get("/api/datasets/nothing/details").status_code == 404
    assert user.get("/api/datasets/digits/details").json()["editable"] is False
    assert user.put("/api/datasets/digits/reading", json=reading).status_code == 404
    assert user.delete("/api/datasets/roles").status_code == 204


def test_chunks_make_the_same_data(user: httpx.Client) -> None:
    file = io.BytesIO()
    np.savez(file, x=np.random.default_rng(0).normal(size=(50, 3)).astype("float32"), y=np.arange(50) % 2)
    whole = file.getvalue()
    made = put(user, "arrays", (whole[start : start + 100] for start in range(0, len(whole), 100)), "arrays.npz")
    assert made.status_code == 201, made.text
    assert made.json()["samples"] == 50


@pytest.mark.parametrize(
    ("name", "filename", "content", "status", "code"),
    [
        ("digits", "a.csv", CSV, 409, "name_reserved"),
        ("Upper", "a.csv", CSV, 422, "name_invalid"),
        ("..", "a.csv", CSV, 404, "not_found"),
        ("%2e%2e%2fx", "a.csv", CSV, 404, "not_found"),
        ("a" * 200, "a.csv", CSV, 422, "name_invalid"),
        ("mine", "a.exe", CSV, 415, "upload_type"),
        ("mine", "a", CSV, 415, "upload_type"),
        ("mine", "../../a.csv\0.npz", CSV, 415, "upload_type"),
        ("mine", "a.npz", CSV, 415, "upload_type"),
        ("mine", "a.npz", b"PK\3\4", 422, "upload_invalid"),
        ("mine", "a.csv", b"", 422, "upload_invalid"),
        ("mine", "a.csv", b"\0\0\0\0", 422, "upload_invalid"),
        ("mine", "a.csv", b"a,b\n1\n1,2,3\n", 422, "upload_invalid"),
        ("mine", "a.csv", b"1," * 100_000, 413, "payload_too_large"),
        ("mine", "a.csv", CSV * (LIMITS.upload // len(CSV) + 2), 413, "payload_too_large"),
    ],
)
def test_refusals_leave_no_trace(
    api: Api, user: httpx.Client, name: str, filename: str, content: bytes, status: int, code: str
) -> None:
    before = user.get("/api/datasets").json()
    for body in (content, iter([content])):
        answer = put(user, name, body, filename)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert user.get("/api/datasets").json() == before
    assert list(api.services.drafts.iterdir()) == []


def test_forms_and_pages_are_no_data(user: httpx.Client) -> None:
    for media in ("multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "text/html", "image/svg+xml"):
        answer = user.put("/api/datasets/mine?filename=a.csv", content=CSV, headers={"Content-Type": media})
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
    assert user.put("/api/datasets/mine", content=CSV).status_code == 422


def test_what_comes_with_layerloom_stays(user: httpx.Client) -> None:
    assert user.delete("/api/datasets/digits").json()["code"] == "name_reserved"
    assert len(user.get("/api/datasets/digits/preview").json()["counts"]) == 10


def test_a_bomb_is_refused_and_not_felt(api: Api, user: httpx.Client) -> None:
    answers: list[httpx.Response] = []
    content = bomb()
    put(user, "mine", b"", "a.npz")  # so that torch is loaded
    assert peak_growth(lambda: answers.append(put(user, "mine", content, "a.npz"))) < 64 * MIB
    assert (answers[0].status_code, answers[0].json()["code"]) == (413, "payload_too_large")
    assert answers[0].json()["errors"][0]["problem"]["data"]["bytes"] > 256 * MIB
    assert user.get("/health").status_code == 200


def test_a_cut_connection_leaves_no_trace(api: Api, user: httpx.Client) -> None:
    before = user.get("/api/datasets").json()
    with socket.create_connection(("127.0.0.1", api.port)) as connection:
        connection.sendall(
            b"PUT /api/datasets/mine?filename=a.csv HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000\r\n"
            b"Authorization: Bearer " + api.token.encode() + b"\r\n\r\n" + CSV
        )
        wait_for(lambda: list(api.services.drafts.iterdir()), "a draft")
    wait_for(lambda: not list(api.services.drafts.iterdir()), "the draft's end")
    assert user.get("/health").status_code == 200
    assert user.get("/api/datasets").json() == before


@contextmanager
def little_room(folder: Path, size: str) -> Iterator[None]:
    """A small file system in place of a folder, where this user may mount one."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize("folder", ["drafts", "data"])
def test_a_full_disk_is_told_as_such(api: Api, user: httpx.Client, folder: str) -> None:
    place: Path = getattr(api.services, folder)
    with little_room(place, "256k"):
        answer = put(user, "mine", b"0.5,1\n" * 100_000)
        assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
        assert [path for path in place.rglob("*") if path.is_file()] == []
    assert user.get("/health").status_code == 200
    assert put(user, "mine", CSV).status_code == 201
    assert user.delete("/api/datasets/mine").status_code == 204
