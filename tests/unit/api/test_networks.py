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
