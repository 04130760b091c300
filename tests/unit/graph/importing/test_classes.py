"""Modules that were opened, made classes."""

from __future__ import annotations

from torch import nn

from layerloom.graph.importing.classes import Opened, as_block, classes

LEVELS = 60


def test_a_part_that_two_hold_on_every_level_is_looked_into_once() -> None:
    # Looked into for each that holds it, the innermost would be looked into 2**60 times.
    def opened(level: int) -> Opened:
        inner = f"p{level + 1}"
        uses = [inner, inner] if level < LEVELS else []
        members = [
            {"kind": "block", "name": name, "block": use, "arguments": {}}
            for name, use in zip("ab", uses, strict=False)
        ]
        path = f"p{level}" if level else ""
        return Opened(path, f"Level{level}", as_block(members, {"inputs": [{"name": "x"}]}), uses, nn.Module(), level)

    made, main = classes({it.path: it for it in map(opened, range(LEVELS + 1))})
    assert main == "Level0"
    assert list(made) == [f"Level{level}" for level in range(LEVELS, -1, -1)]
    assert [member["block"] for member in made["Level3"]["members"]] == ["Level4", "Level4"]
