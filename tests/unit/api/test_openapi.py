"""The API's description, from which the front end's types are made."""

from __future__ import annotations

import json
import subprocess
import sys

PROGRAM = """
import runpy, sys
runpy.run_module("layerloom.api.openapi", run_name="__main__")
assert "torch" not in sys.modules and "sklearn" not in sys.modules, "a description needs no torch"
"""


def test_it_is_the_same_each_time_and_needs_no_torch() -> None:
    first, second = (
        subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True).stdout for _ in range(2)
    )
    assert first == second
    document = json.loads(first)
    kinds = document["components"]["schemas"]["EventPage"]["properties"]["items"]["items"]["discriminator"]["mapping"]
    assert set(kinds) == {
        "state",
        "progress",
        "metrics",
        "adjusted",
        "thinned",
        "statistics",
        "histograms",
        "activations",
        "images",
        "sampling",
        "log",
        "checkpoint",
        "problem",
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            refused = operation["responses"]["4XX"]["content"]["application/problem+json"]["schema"]
            assert refused == {"$ref": "#/components/schemas/ErrorBody"}
