"""Mantine's style sheets: all that are used are listed, the first page's among the first, in Mantine's order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

FRONTEND = Path(__file__).parents[2] / "frontend"
SOURCE = FRONTEND / "src"
MANTINE = FRONTEND / "node_modules" / "@mantine" / "core"
IMPORT = re.compile(r'^(?:import|export)(?! type\b)[^;]*?"([^"]+)";', re.MULTILINE)
NAMES = re.compile(r'^import \{([^}]*)\} from "@mantine/core";', re.MULTILINE)
INDEX = re.compile(r'^import \{([^}]*)\} from "([^"]+)";', re.MULTILINE)
OF_NO_COMPONENT = {"baseline", "global"}


def listed(file: str) -> list[str]:
    return re.findall(r"styles/([\w-]+)\.css", (SOURCE / "ui" / file).read_text())


FIRST, LATER = listed("first.css"), listed("later.css")


def places() -> dict[str, Path]:
    """Where Mantine's index has each component."""
    index = (MANTINE / "esm" / "index.mjs").read_text()
    return {name.strip(): MANTINE / "esm" / path for names, path in INDEX.findall(index) for name in names.split(",")}


def sheets(files: Iterable[Path]) -> set[str]:
    """The style sheets of the components that files of ours import, and of those that they consist of."""
    names = {
        name.strip().split(" as ")[0]
        for file in files
        for names in NAMES.findall(file.read_text())
        for name in names.split(",")
        if name.strip() and not name.strip().startswith("type ")
    }
    where = places()
    waiting, seen, found = [where[name].resolve() for name in names], set[Path](), set[str]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for path in IMPORT.findall(file.read_text()):
            if path.endswith(".module.mjs"):
                found.add(Path(path).name.removesuffix(".module.mjs"))
            elif path.startswith("."):
                waiting.append((file.parent / path).resolve())
    return found


def needed(*entries: str) -> set[Path]:
    """Our files that those need before they run."""
    waiting, seen = [SOURCE / entry for entry in entries], set[Path]()
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for path in IMPORT.findall(file.read_text()):
            if not path.startswith(("@/", ".")):
                continue
            base = SOURCE / path[2:] if path.startswith("@/") else (file.parent / path).resolve()
            tries = (base.with_name(base.name + ".ts"), base.with_name(base.name + ".tsx"), base / "index.ts")
            waiting += [there for there in tries if there.is_file()]
    return seen


def test_all_that_is_used_is_listed() -> None:
    used = sheets(file for file in SOURCE.rglob("*.ts*") if ".test" not in file.name)
    assert used | OF_NO_COMPONENT == {*FIRST, *LATER}


def test_what_the_first_page_shows_comes_with_it() -> None:
    files = needed("main.tsx", "pages/EditorPage.tsx")
    assert SOURCE / "features" / "canvas" / "Canvas.tsx" in files
    assert SOURCE / "pages" / "EditorDialogs.tsx" not in files
    assert sheets(files) | OF_NO_COMPONENT == set(FIRST)


def test_they_stand_in_the_order_of_mantine() -> None:
    whole = (MANTINE / "styles.css").read_text()
    for names in (FIRST, LATER):
        at = [whole.index((MANTINE / "styles" / f"{name}.css").read_text().strip()[:200]) for name in names]
        assert at == sorted(at)
