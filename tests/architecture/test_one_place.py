"""Facts that live in one place: a layer of torch is named by the catalogue, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import layerloom

ROOT = Path(__file__).parents[2]
BACKEND = ROOT / "backend" / "layerloom"
FRONTEND = ROOT / "frontend" / "src"
# Words that are also layers: what is forbidden is naming a layer, not these words in a sentence.
NAMES = sorted({entry.label for entry in layerloom.catalogue().layers if len(entry.label) > 4})
# A mend that inserts a layer must say which.
MENDS = {
    "backend/layerloom/graph/checking/fixes/arriving.py": ["Flatten"],
    "backend/layerloom/graph/checking/fixes/joining.py": ["Linear"],
}
NAMED = re.compile(rf"(?:\bnn\.|['\"])({'|'.join(NAMES)})\b")


def naming(paths: list[Path]) -> dict[str, list[str]]:
    """By file: the layers that its code names; comments and docstrings may speak of them."""
    found = {}
    for path in paths:
        code = re.sub(r'"""[\s\S]*?"""|/\*[\s\S]*?\*/|//[^\n]*|#[^\n]*', "", path.read_text(encoding="utf-8"))
        layers = sorted(set(NAMED.findall(code)))
        if layers:
            found[str(path.relative_to(ROOT))] = layers
    return found


def test_the_front_end_names_no_layer() -> None:
    sources = [
        path
        for pattern in ("*.ts", "*.tsx")
        for path in FRONTEND.rglob(pattern)
        if not path.name.endswith((".gen.ts", ".test.ts", ".test.tsx", ".test-data.ts")) and "i18n" not in path.parts
    ]
    assert sources
    assert naming(sources) == {}


def test_each_layer_is_named_by_the_catalogue_alone() -> None:
    sources = [path for path in BACKEND.rglob("*.py") if "catalogue" not in path.parts]
    assert naming(sources) == MENDS


def test_small_files_are_written_whole_in_one_place() -> None:
    drafting = [path for path in BACKEND.rglob("*.py") if re.search(r"\.tmp[\"']", path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(BACKEND)) for path in drafting] == ["files.py"]


@pytest.mark.parametrize("text", ["nn.Conv2d(1, 2, 3)", "'BatchNorm2d'", '"Linear"'])
def test_the_pattern_finds_what_it_is_for(text: str) -> None:
    assert NAMED.search(text) is not None
