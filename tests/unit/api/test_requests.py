"""Hostile and broken requests, byte for byte: each is answered as it deserves, and the server is well afterwards."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layerloom.api import bodies
from layerloom.api.refusals import Refusal
from layerloom.schema.problems import ErrorBody
from stores import DOCUMENT
from unit.api.conftest import LIMITS, Api

GOOD = DOCUMENT.model_dump_json().encode()
SECRET = "do-not-echo-me"


def _deep(depth: int) -> bytes:
    return b'{"document": ' + b'{"a":' * depth + b"1" + b"}" * depth + b"}"


def _named(name: str) -> bytes:
    return GOOD.replace(b'"name":"Line"', b'"name":' + name.encode())


# What no JSON reader should let through, as the body of a POST that takes a document.
BODIES = {
    "empty": (b"", 422),
    "no JSON": (b"hello", 400),
    "cut off": (GOOD[:-5], 400),
    "more behind": (GOOD + b"{}", 400),
    "two values": (GOOD + b" 1", 400),
    "single quotes": (GOOD.replace(b'"', b"'"), 400),
    "trailing comma": (b'{"main": "A",}', 400),
    "comment": (b'{"main": "A" /* c */}', 400),
    "NaN": (b'{"format": NaN}', 400),
    "Infinity": (b'{"format": Infinity}', 400),
    "minus Infinity": (b'{"format": -Infinity}', 400),
    "1e999": (b'{"format": 1e999}', 400),
    "5,000 digits": (b'{"format": ' + b"9" * 5_000 + b"}", 400),
    "65 bits": (b'{"format": 18446744073709551616}', 400),
    "long fraction": (b'{"format": 0.' + b"1" * 10_000 + b"}", 400),
    "leading zero": (b'{"format": 01}', 400),
    "hexadecimal": (b'{"format": 0x10}', 400),
    "duplicate key": (b'{"main": "A", "main": "B"}', 400),
    "duplicate key below": (b'{"main": "A", "blocks": {"A": {}, "A": {}}}', 400),
    "bad UTF-8": (b'{"main": "\xff\xfe"}', 400),
    "overlong UTF-8": (b'{"main": "\xc0\xaf"}', 400),
    "UTF-8 surrogate": (b'{"main": "\xed\xa0\x80"}', 400),
    "UTF-16": (GOOD.decode().encode("utf-16"), 400),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, 400),
    "lone surrogate": (_named(r'"\ud800"'), 400),
    "lone low surrogate": (_named(r'"a\udc00b"'), 400),
    "surrogates in the wrong order": (_named(r'"\udc00\ud800"'), 400),
    "lone surrogate in a key": (b'{"\\ud800": 1}', 400),
    "escaped NUL": (_named(r'"a\u0000b"'), 400),
    "raw NUL": (_named('"a\0b"'), 400),
    "raw newline in a text": (_named('"a\nb"'), 400),
    "depth 65": (_deep(65), 400),
    "depth 100,000": (b"[" * 100_000, 400),
    "depth 100,000 of objects": (_deep(20_000), 400),
    "unclosed text of escapes": (b'{"a": "' + b'\\"' * 100_000, 400),
    "unclosed text of escapes and a backslash": (b'{"a": "' + b'\\"' * 100_000 + b"\\", 400),
    "array": (b"[]", 422),
    "number": (b"1", 422),
    "null": (b"null", 422),
    "text": (b'"document"', 422),
    "true": (b"true", 422),
    "unknown field": (b'{"main": "A", "blocks": {}, "mian": 1}', 422),
    "wrong types": (b'{"main": 1, "blocks": []}', 422),
    "number as text": (b'{"format": "1", "main": "A", "blocks": {}}', 422),
    "true as a number": (b'{"format": true, "main": "A", "blocks": {}}', 422),
    "fraction as a whole number": (b'{"format": 1.5, "main": "A", "blocks": {}}', 422),
    "unknown kind": (b'{"main":"A","blocks":{"A":{"members":[{"kind":"do-not-echo-me"}]}}}', 422),
    "unknown tag": (b'{"main":"A","blocks":{"A":{"forward":{"output":{"$do-not-echo-me":1}}}}}', 422),
    "too long a text": (_named(json.dumps("x" * 201)), 422),
    "a million errors": (b'{"main":"A","blocks":{"A":{"members":[' + b"1," * 50_000 + b"1]}}}", 422),
}


@pytest.fixture(autouse=True)
def well_afterwards(api: Api) -> Iterator[None]:
    yield
    with api.client() as client:
        assert client.get("/health").status_code == 200


def refused(answer: httpx.Response, *statuses: int) -> ErrorBody:
    assert answer.status_code in statuses, answer.text[:500]
    assert answer.headers["content-type"] == "application/problem+json"
    assert SECRET not in answer.text
    assert len(answer.content) < 100_000
    body = ErrorBody.model_validate_json(answer.content)
    assert body.status == answer.status_code
    return body


@pytest.mark.parametrize("name", BODIES)
def test_bodies(user: httpx.Client, name: str) -> None:
    body, status = BODIES[name]
    refused(user.post("/api/graphs/check", content=body, headers={"Content-Type": "application/json"}), status)


def _levels(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_levels, inner), default=0)


LEAVES = st.sampled_from(['"', "[", "\\", '\\"]', "{}", "", '""', 1, None])
TREES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(['["', "}\\", ""]), inner))


@settings(suppress_health_check=[HealthCheck.too_slow])  # how fast trees are drawn is the machine's affair
@given(TREES, st.integers(1, 4))
def test_depth_is_counted_as_a_reader_would(tree: Any, allowed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bodies, "MAX_DEPTH", allowed)
        raw = json.dumps(tree).encode()
        if _levels(tree) <= allowed:
            assert bodies.parse(raw) == tree
        else:
            with pytest.raises(Refusal, match="deeper"):
                bodies.parse(raw)


def test_unusual_bodies_that_are_right(user: httpx.Client) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    for name in (r'"\ud83d\ude00"', '"😀"', r'"\\u0000 \\ud800"', r'"[[[[{{{{\""', '"' + "[" * 150 + '"'):
        answer = user.post("/api/graphs/check", content=_named(name), headers=headers)
        assert (answer.status_code, answer.json()["ok"]) == (200, True), name


@pytest.mark.parametrize(
    "media",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "text/html", "", "json"],
)
def test_only_json_is_read_as_json(user: httpx.Client, media: str) -> None:
    for path in ("/api/graphs/check", "/api/runs", "/api/networks"):
        answer = user.post(path, content=GOOD, headers={"Content-Type": media})
        assert refused(answer, 415).code == "unsupported_media"
    assert refused(user.post("/api/runs", data={"document": SECRET}), 415)


def test_bodies_are_limited_by_what_arrives(api: Api, user: httpx.Client) -> None:
    headers = {"Content-Type": "application/json"}
    exact = GOOD + b" " * (LIMITS.json - len(GOOD))
    assert user.post("/api/graphs/check", content=exact, headers=headers).status_code == 200
    assert refused(user.post("/api/graphs/check", content=exact + b" ", headers=headers), 413)
    chunked = (exact[start : start + 4096] for start in range(0, len(exact), 4096))
    assert user.post("/api/graphs/check", content=chunked, headers=headers).status_code == 200
    for extra in (1, LIMITS.json):
        parts = iter([exact, b" " * extra])
        assert refused(user.post("/api/graphs/check", content=parts, headers=headers), 413)


@pytest.mark.parametrize(
    ("path", "statuses"),
    [
        ("/api/none", [404]),
        ("/api/runs/", [404]),
        ("/api/runs/99999999999999999999999", [404]),
        ("/api/runs/%00", [404]),
        ("/api/runs/..%2f..%2ftoken", [404]),
        ("/api/runs/%ed%a0%80", [404]),
        ("/api/runs/%ff", [404]),
        ("/api/runs/" + "a" * 5_000, [404]),
        ("/api/runs/none", [404]),
        ("/api/runs/none/events", [404]),
        ("/api/runs/none/checkpoints", [404]),
        ("/api/runs/none/checkpoints/last/state_dict", [404]),
        ("/api/runs/none/checkpoints/-1/state_dict", [422]),
        ("/api/runs/none/checkpoints/..%2Flast/state_dict", [404]),
        ("/api/runs/none/checkpoints/last/state_dict?format=pickle", [422]),
        ("/api/runs/none/export/python", [404]),
        ("/api/runs/none/export/onnxx", [404]),
        ("/api/runs/none/metrics.csv", [404]),
        ("/api/networks/none", [404]),
        ("/api/networks/%00", [404]),
        ("/api/datasets/none/preview", [404]),
        ("/api/datasets/%00/preview", [404]),
        ("/api/datasets/digits/preview?count=1000000000", [422]),
        ("/api/datasets/digits/preview?count=-1", [422]),
        ("/api/runs?limit=1000000000", [422]),
        ("/api/runs?limit=-1", [422]),
        ("/api/runs?limit=0", [422]),
        ("/api/runs?limit=x", [422]),
        ("/api/runs?limit=1e3", [422]),
        ("/api/runs?limit=" + "9" * 5_000, [422]),
        ("/api/runs?offset=-1", [422]),
        ("/api/runs?offset=99999999999999999999", [422]),
        ("/api/runs?sort=password", [422]),
        ("/api/runs?sort=name;drop", [422]),
        ("/api/runs?state=do-not-echo-me", [422]),
        ("/api/runs?search=" + "x" * 201, [422]),
        ("/api/runs/none/events?after=-1", [422]),
        ("/api/runs/none/events?after=99999999999999999999", [422]),
        ("/api/networks?limit=1000", [422]),
    ],
)
def test_addresses(user: httpx.Client, path: str, statuses: list[int]) -> None:
    refused(user.get(path), *statuses)


@pytest.mark.parametrize("search", ["%00", "%25", "'%22;--", "%ff%fe", "\\", "%F0%9F%98%80"])
def test_searches_are_only_text(user: httpx.Client, search: str) -> None:
    assert user.get(f"/api/runs?search={search}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/api/catalogue"), ("PUT", "/api/runs"), ("GET", "/api/graphs/check"), ("TRACE", "/api/runs"),
     ("OPTIONS", "/api/runs"), ("PROPFIND", "/api/networks"), ("POST", "/health"), ("HEAD", "/api/runs")],
)  # fmt: skip
def test_methods(user: httpx.Client, method: str, path: str) -> None:
    answer = user.request(method, path)
    assert answer.status_code == 405
    assert "allow" in answer.headers


def raw(api: Api, *parts: bytes, wait: float = 10) -> bytes:
    """What the server answers to these bytes."""
    with socket.create_connection(("127.0.0.1", api.port), timeout=wait) as connection:
        for part in parts:
            connection.sendall(part)
        answer = b""
        while chunk := connection.recv(65_536):
            answer += chunk
            head, _, body = answer.partition(b"\r\n\r\n")
            length = next(
                (line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b""
            )
            if length.strip() and len(body) >= int(length):
                break
        return answer


def head(api: Api, *lines: str, method: str = "POST", path: str = "/api/graphs/check") -> bytes:
    start = (f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{api.port}", f"Authorization: Bearer {api.token}")
    return "\r\n".join((*start, *lines, "", "")).encode("latin-1")


JSON = "Content-Type: application/json"


def test_raw_requests(api: Api) -> None:
    whole = head(api, JSON, f"Content-Length: {len(GOOD)}") + GOOD
    assert raw(api, whole).startswith(b"HTTP/1.1 200")
    cases: dict[bytes, bytes] = {
        head(api, JSON, "Content-Length: 99999999999"): b"413",
        head(api, JSON, f"Content-Length: {'9' * 400}"): b"4",
        head(api, JSON, "Content-Length: -1"): b"400",
        head(api, JSON, "Content-Length: 5", "Content-Length: 6") + b"12345": b"400",
        head(api, JSON, "Transfer-Encoding: chunked") + b"zz\r\n": b"400",
        head(api, JSON, "Transfer-Encoding: gzip"): b"4",
        # A length that is too small: the rest is another, broken request.
        head(api, JSON, "Content-Length: 10") + GOOD: b"400",
        head(api, "Host: evil.example", method="GET", path="/api/runs"): b"4",
        b"GET /api/runs HTTP/1.1\r\n\r\n": b"4",
        b"GET http://evil.example/api/runs HTTP/1.1\r\nHost: evil.example\r\n\r\n": b"421",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n": b"400",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\0b\r\n\r\n": b"4",
        head(api, "Cookie: \xff\xfe; =; a=b=c;;", method="GET", path="/api/runs"): b"200",
        head(api, "Origin: \xff", method="GET", path="/api/runs"): b"403",
    }  # fmt: skip
    for request, status in cases.items():
        answer = raw(api, request)
        assert answer.startswith(b"HTTP/1.1 " + status), (request[:200], answer[:200])


def test_slow_bodies_are_given_up(api: Api) -> None:
    answer = raw(api, head(api, JSON, "Content-Length: 1000"), b'{"main": ')
    assert answer.startswith(b"HTTP/1.1 408")
    assert b'"request_timeout"' in answer
    answer = raw(api, head(api, JSON, "Transfer-Encoding: chunked"), b'5\r\n{"mai\r\n')
    assert answer.startswith(b"HTTP/1.1 408")
    upload = head(api, "Content-Length: 1000", method="PUT", path="/api/datasets/slow?filename=a.csv")
    assert raw(api, upload, b"a,b\n1,").startswith(b"HTTP/1.1 408")
    assert list(api.services.drafts.iterdir()) == []


def test_a_connection_cut_amid_the_body_leaves_nothing(api: Api, user: httpx.Client) -> None:
    for request in (
        head(api, "Content-Length: 1000", method="PUT", path="/api/datasets/cut?filename=a.csv") + b"a,b\n1,2\n",
        head(api, JSON, "Content-Length: 1000") + b'{"main"',
    ):
        with socket.create_connection(("127.0.0.1", api.port)) as connection:
            connection.sendall(request)
    assert "cut" not in [entry["name"] for entry in user.get("/api/datasets").json()]
