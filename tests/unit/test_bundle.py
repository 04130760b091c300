"""What a browser fetches before the editor can be drawn."""

from __future__ import annotations

import gzip
import json
from typing import Any

from layerloom.api.pages import STATIC

MOST_BYTES = 300_000
"""Of scripts and styles, compressed: the aim, of which React, React Flow and Mantine are most."""
LATER = (
    "src/i18n/zh/index.ts",
    "src/i18n/zh/phrases/index.ts",
    "src/pages/EditorDialogs.tsx",
    "src/features/lab/LabPanel.tsx",
    "src/features/problems/ProblemsPanel.tsx",
    "src/features/inspector/Selected.tsx",
    "src/features/canvas/Overlays.tsx",
    "src/features/project/ProjectMenu.tsx",
)
"""Modules that are fetched when they are wanted, or when the page has come to rest."""


def test_the_editor_needs_no_more_than_it_did() -> None:
    manifest: dict[str, dict[str, Any]] = json.loads((STATIC / ".vite" / "manifest.json").read_bytes())
    chunks: set[str] = set()
    waiting = ["index.html", "src/pages/EditorPage.tsx"]
    while waiting:
        name = waiting.pop()
        if name not in chunks:
            chunks.add(name)
            waiting += manifest[name].get("imports", [])
    files = {manifest[name]["file"] for name in chunks} | {
        css for name in chunks for css in manifest[name].get("css", [])
    }
    sizes = {file: len(gzip.compress((STATIC / file).read_bytes())) for file in files}
    assert sum(sizes.values()) <= MOST_BYTES, dict(sorted(sizes.items(), key=lambda item: -item[1]))
    assert all(manifest[module].get("isDynamicEntry") for module in LATER)
    assert chunks.isdisjoint(LATER)
