"""Size and cleanliness of the sources."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder, patterns in ((ROOT / "backend", ("*.py",)), (ROOT / "frontend" / "src", ("*.ts", "*.tsx")))
    for pattern in patterns
    for path in folder.rglob(pattern)
    if not path.name.endswith(".gen.ts") and "static" not in path.parts
]
LONGEST = 500


def test_no_file_outgrows_its_duty() -> None:
    assert len(SOURCES) > 100
    long = {
        str(path.relative_to(ROOT)): lines
        for path in SOURCES
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b")
    assert [str(path) for path in SOURCES if marks.search(path.read_text())] == []
