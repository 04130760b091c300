# ruff: noqa: E501 - tables
"""Whatever parses is answered: random damage to good documents never makes the check raise."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from layerloom.graph.checking import checked
from layerloom.schema.document import Document
from unit.graph.checking import networks
from unit.graph.checking.drawing import edited

NETWORKS = list(networks.every().values())
VALUES: list[Any] = [
    *(None, True, 0, -1, 1, 7, 2**63, 1.5, 1e308, "", "x", "3", "forward", "torch.nn.Linear", "torch.os.system", "\0", "é"),
    *([], {}, [1, 2], {"$auto": True}, {"$ref": "x"}, {"$ref": "n1"}, {"$ref": "n1", "path": [0]}, {"$expr": "width"}),
    *({"$expr": "2 *"}, {"$expr": "range(5)"}, {"$tuple": [2, {"$auto": True}]}, {"$float": "nan"}, {"$dtype": "int64"}),
    *({"$slice": [0, None, 2]}, {"$ellipsis": True}, {"$function": "torch.nn.functional.gelu"}, {"$dict": {"a": 1}}),
    {"$layer": {"target": "torch.nn.ReLU"}},
]  # fmt: skip


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Paths of everything inside a JSON value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in entries:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def damaged(document: Any, path: tuple[Any, ...], how: str, value: Any) -> None:
    """Delete, double or alter what stands at a path."""
    for key in path[:-1]:
        document = document[key]
    last = path[-1]
    if how == "delete":
        del document[last]
    elif how == "double" and isinstance(document, list):
        document.append(copy.deepcopy(document[last]))
    elif how == "rename" and isinstance(document, dict):
        document[f"{last}_"] = document.pop(last)
    else:
        document[last] = value


def parse(document: Any) -> Document | None:
    try:
        return Document.model_validate_json(orjson.dumps(document))
    except (ValidationError, TypeError):
        return None


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_damage_never_makes_the_check_raise(data: st.DataObject) -> None:
    document = copy.deepcopy(data.draw(st.sampled_from(NETWORKS)))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(list(leaves(document))))
        how = data.draw(st.sampled_from(["delete", "double", "rename", "alter", "alter", "alter"]))
        damaged(document, path, how, copy.deepcopy(data.draw(st.sampled_from(VALUES))))
    found = parse(document)
    if found is None:
        return
    graph = checked(found, data.draw(st.sampled_from([1, 2, 3])))
    graph.report.model_dump_json()
    Document.model_validate_json(graph.document.model_dump_json(by_alias=True))
    for problem in graph.report.problems:
        for fix in problem.fixes:
            edited(found, fix.edits)
    if graph.report.ok:
        assert (
            "$auto" not in orjson.dumps(orjson.loads(graph.document.model_dump_json(by_alias=True))["blocks"]).decode()
        )
