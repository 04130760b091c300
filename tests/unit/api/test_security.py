"""Every route of the application × who may not use it, and what an allowed stranger gets to see."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from websockets.exceptions import ConnectionClosed, InvalidStatus

from layerloom.api.application import router_app
from layerloom.api.routes import ROUTERS
from layerloom.api.security import Sessions, home_token
from layerloom.schema.problems import ErrorBody
from unit.api.conftest import Api

EXAMPLES = {
    **dict.fromkeys(("run_id", "network_id", "search_id"), "4ewm6g7vcfmw"),
    "name": "mine",
    "which": "last",
    "format": "pt2",
    "revision": "1",
}


def _http_routes() -> list[tuple[str, str]]:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    return sorted((method, route.path.format(**EXAMPLES)) for route in routes for method in route.methods)


HTTP = _http_routes()
PROTECTED = [route for route in HTTP if route[1] != "/health"]
WEBSOCKETS = [
    route.path.format(**EXAMPLES)
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, APIWebSocketRoute)
]


def refused(answer: httpx.Response, status: int, code: str) -> ErrorBody:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = ErrorBody.model_validate_json(answer.content)
    assert (body.status, body.code) == (status, code)
    assert body.request_id == answer.headers["x-request-id"]
    return body


def test_the_lists_hold_every_route() -> None:
    # Two ways of counting, so that a route of a new kind cannot slip through this file.
    described = router_app().routes
    assert len(HTTP) >= 25
    assert len(WEBSOCKETS) == 1
    assert sum(len(router.routes) for router in ROUTERS) == len(HTTP) + len(WEBSOCKETS)
    assert not [route for route in described if getattr(route, "path", "").startswith(("/docs", "/redoc", "/openapi"))]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
def test_no_route_without_a_token(api: Api, method: str, path: str) -> None:
    refused(api.client().request(method, path), 401, "unauthenticated")
    refused(api.client(Authorization="Bearer " + "A" * 43).request(method, path), 401, "unauthenticated")
    refused(api.client(Authorization=f"Basic {api.token}").request(method, path), 401, "unauthenticated")
    refused(api.client().request(method, f"{path}?token={api.token}&access_token={api.token}"), 401, "unauthenticated")


@pytest.mark.parametrize(("method", "path"), HTTP)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", "https://127.0.0.1", ""])
def test_no_route_from_another_page(api: Api, method: str, path: str, origin: str) -> None:
    with api.browser(origin) as browser:
        answer = browser.request(method, path)
    if path.startswith("/api/worker/"):
        refused(answer, 401, "unauthenticated")
    else:
        refused(answer, 403, "forbidden_origin")


@pytest.mark.parametrize(("method", "path"), [route for route in PROTECTED if route[0] != "GET"])
def test_no_change_by_cookie_without_an_origin(api: Api, method: str, path: str) -> None:
    with api.browser(None) as browser:
        answer = browser.request(method, path)
    assert answer.status_code == (401 if path.startswith("/api/worker/") else 403)


@pytest.mark.parametrize(("method", "path"), [*HTTP, ("GET", "/"), ("GET", "/assets/main-abc123.js")])
@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:7878", "127.0.0.1.evil.example", "localhost.", "", "a:b"]
)
def test_no_route_under_a_foreign_name(api: Api, method: str, path: str, host: str) -> None:
    with api.signed_in() as client:
        refused(client.request(method, path, headers={"Host": host}), 421, "unknown_host")


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7878", "localhost:7878", "LOCALHOST", "[::1]:7878", "studio.example", "127.0.0.1"]
)
def test_own_names_are_answered(user: httpx.Client, host: str) -> None:
    assert user.get("/api/runs", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("path", WEBSOCKETS)
def test_no_websocket_for_strangers(api: Api, path: str) -> None:
    bearer, cookie = f"Bearer {api.token}", api.cookie()
    cases = [
        ({"X-Nothing": ""}, 401),
        ({"Origin": api.origin}, 401),
        ({"Cookie": cookie, "Origin": "http://evil.example"}, 403),
        ({"Cookie": cookie, "Origin": "null"}, 403),
        ({"Cookie": cookie}, 403),
        ({"Authorization": bearer, "Origin": "http://evil.example"}, 403),
    ]
    for headers, status in cases:
        with pytest.raises(InvalidStatus) as denial:
            api.websocket(path, **headers)
        assert denial.value.response.status_code == status
    for headers in ({"Cookie": cookie, "Origin": api.origin}, {"Authorization": bearer}):
        with api.websocket(path, **headers) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(10)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4404


def test_public_addresses_show_no_data(api: Api) -> None:
    client = api.client()
    assert client.get("/health").json()["status"] == "ok"
    for path in ("/", "/runs/4ewm6g7vcfmw", "/index.html"):
        assert client.get(path).text == "<!doctype html><title>page</title>"
    assert client.get("/assets/main-abc123.js").headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "immutable" not in client.get("/").headers["cache-control"]
    for path in ("/token", "/../token", "/%2e%2e/token", "/assets/../../token", "/layerloom.db", "/assets/none.js"):
        assert api.token not in client.get(path).text
        assert "SQLite" not in client.get(path).text
    refused(api.signed_in().post("/"), 405, "method_not_allowed")
    refused(client.get("/api"), 401, "unauthenticated")
    refused(client.get("/api/"), 401, "unauthenticated")
    # What looks like a way round the reserved paths ends at the page, never at the service.
    for path in ("//api/runs", "/API/runs", "/x/../api/runs", "/metrics/"):
        assert "items" not in client.get(path).text


def test_answers_carry_the_protecting_headers(api: Api, user: httpx.Client) -> None:
    for answer in (user.get("/api/runs"), api.client().get("/"), api.client().get("/api/runs"), user.get("/api/none")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers


def test_a_code_is_exchanged_once_for_a_cookie(api: Api, user: httpx.Client) -> None:
    code = user.post("/api/session/code").json()["code"]
    browser = api.client()
    answer = browser.get(f"/?code={code}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(f"layerloom-{api.port}=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "domain" not in cookie
    assert browser.get("/api/runs").status_code == 200
    assert browser.post(f"/api/runs/{EXAMPLES['run_id']}/stop").status_code == 403
    second = api.client().get(f"/?code={code}", follow_redirects=False)
    assert second.status_code == 303
    assert "set-cookie" not in second.headers


def test_cookies_are_judged_by_their_signature_and_age(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(home_token(tmp_path / "token"))
    good = sessions.redeem(sessions.new_code())
    assert good is not None
    assert sessions.is_cookie(good)
    assert Sessions(home_token(tmp_path / "token")).is_cookie(good), "a restart signs nobody out"
    assert not Sessions("A" * 43).is_cookie(good)
    expiry, nonce, signature = good.split(".")
    for forged in (
        f"{int(expiry) + 9}.{nonce}.{signature}",
        f"{expiry}.{nonce}.",
        "",
        ".",
        "..",
        good[:-1],
        f"{good}ä",
    ):
        assert not sessions.is_cookie(forged)
    monkeypatch.setattr("time.time", lambda: float(expiry) + 1)
    assert not sessions.is_cookie(good)


def test_a_code_grows_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(home_token(tmp_path / "token"))
    code = sessions.new_code()
    monkeypatch.setattr("time.monotonic", lambda: 1e12)
    assert sessions.redeem(code) is None


def test_the_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    file = tmp_path / "token"
    token = home_token(file)
    assert len(token) >= 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert home_token(file) == token
    assert [path.name for path in tmp_path.iterdir()] == ["token"]
    file.chmod(0o644)
    with pytest.raises(PermissionError, match="chmod 600"):
        home_token(file)
    file.chmod(0o600)
    file.write_text("")
    with pytest.raises(ValueError, match="no token"):
        home_token(file)


def test_a_trainers_token_opens_only_its_own_runs_channel(api: Api, user: httpx.Client) -> None:
    from stores import DOCUMENT, PLAN

    mine, other = (api.store.runs.add(DOCUMENT, PLAN).run for _ in range(2))
    claims = {claim.run: claim for claim in api.store.queue.claim(2)}
    trainer = api.client(Authorization=f"Bearer {claims[mine].token}")
    delivery = {"attempt": 1, "events": [{"number": 1, "event": {"kind": "state", "state": "running"}}]}
    unchanged = {"number": 0, "learning_rate": None, "groups": {}, "epochs": None, "steps": None}
    orders = {"checkpoint": 0, "adjustment": unchanged}
    receipt = {"received": 1, "desired": "run", "watched": False, "orders": orders}
    for _ in range(2):
        assert trainer.post(f"/api/worker/runs/{mine}/events", json=delivery).json() == receipt
    refused(trainer.post(f"/api/worker/runs/{other}/events", json=delivery), 401, "unauthenticated")
    refused(user.post(f"/api/worker/runs/{mine}/events", json=delivery), 401, "unauthenticated")
    refused(trainer.post(f"/api/worker/runs/{mine}/events", json={**delivery, "attempt": 2}), 409, "fenced")
    for method, path in PROTECTED:
        if not path.startswith("/api/worker/"):
            refused(trainer.request(method, path), 401, "unauthenticated")
    api.store.queue.lost(mine, 1, "gone")
    refused(trainer.post(f"/api/worker/runs/{mine}/events", json=delivery), 409, "fenced")
    assert [event["state"] for event in user.get(f"/api/runs/{mine}/events").json()["items"]][:3] == [
        "queued",
        "starting",
        "running",
    ]
