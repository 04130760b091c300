"""Stored documents over HTTP: revisions, and two people who save at once."""

from __future__ import annotations

from typing import Any

import httpx

from stores import DOCUMENT

NEW = {"document": DOCUMENT.model_dump(mode="json"), "name": "First"}


def renamed(name: str) -> dict[str, Any]:
    return {"document": {**NEW["document"], "name": name}, "name": name}  # type: ignore[dict-item]


def test_the_life_of_a_network(user: httpx.Client) -> None:
    made = user.post("/api/networks", json=NEW)
    assert made.status_code == 201
    assert made.headers["etag"] == '"1"'
    network = made.json()["id"]
    assert user.get(f"/api/networks/{network}").json() == made.json()
    assert network in [row["id"] for row in user.get("/api/networks").json()]
    saved = user.put(f"/api/networks/{network}", json=renamed("Second"), headers={"If-Match": '"1"'})
    assert (saved.status_code, saved.headers["etag"], saved.json()["revision"]) == (200, '"2"', 2)
    assert user.delete(f"/api/networks/{network}").status_code == 204
    assert user.get(f"/api/networks/{network}").status_code == 404
    assert user.delete(f"/api/networks/{network}").status_code == 404


def test_a_stale_save_is_refused_and_shows_what_is_stored(user: httpx.Client) -> None:
    network = user.post("/api/networks", json=NEW).json()["id"]
    mine = user.put(f"/api/networks/{network}", json=renamed("Mine"), headers={"If-Match": '"1"'})
    theirs = user.put(f"/api/networks/{network}", json=renamed("Theirs"), headers={"If-Match": '"1"'})
    assert theirs.status_code == 412
    assert theirs.headers["etag"] == '"2"'
    body = theirs.json()
    assert body["code"] == "stale_revision"
    assert body["errors"][0]["problem"]["data"]["current"] == mine.json()
    assert user.get(f"/api/networks/{network}").json()["name"] == "Mine"


def test_a_save_states_its_revision(user: httpx.Client) -> None:
    network = user.post("/api/networks", json=NEW).json()["id"]
    for header in ({}, {"If-Match": "*"}, {"If-Match": '"x"'}, {"If-Match": "-1"}, {"If-Match": "9" * 20}):
        assert user.put(f"/api/networks/{network}", json=NEW, headers=header).status_code == 428
    unknown = user.put("/api/networks/none", json=NEW, headers={"If-Match": '"1"'})
    assert unknown.status_code == 404


def test_a_half_drawn_network_can_be_stored(user: httpx.Client) -> None:
    half = {"document": {"main": "", "blocks": {}}, "name": "half"}
    made = user.post("/api/networks", json=half)
    assert made.status_code == 201
    assert user.get(f"/api/networks/{made.json()['id']}").json()["document"]["blocks"] == {}


def test_every_state_that_was_saved_can_be_named_and_brought_back(user: httpx.Client) -> None:
    network = user.post("/api/networks", json=NEW).json()["id"]
    user.put(f"/api/networks/{network}", json=renamed("Second"), headers={"If-Match": '"1"'})
    history = f"/api/networks/{network}/revisions"
    named = user.patch(f"{history}/1", json={"label": "the first"})
    assert (named.status_code, named.json()["label"]) == (200, "the first")
    assert [(row["revision"], row["name"], row["label"]) for row in user.get(history).json()] == [
        (2, "Second", ""),
        (1, "First", "the first"),
    ]
    assert [row["revision"] for row in user.get(history, params={"labelled": True}).json()] == [1]
    first = user.get(f"{history}/1").json()
    assert first["document"] == NEW["document"]
    back = user.put(f"/api/networks/{network}", json=NEW, headers={"If-Match": '"2"'})
    assert (back.json()["revision"], back.json()["document"]) == (3, NEW["document"])
    for missing in (f"{history}/9", "/api/networks/none/revisions/1"):
        assert user.get(missing).status_code == 404
        assert user.patch(missing, json={"label": "x"}).status_code == 404
    assert user.get("/api/networks/none/revisions").status_code == 404
    assert user.patch(f"{history}/1", json={"label": "x" * 201}).status_code == 422
