"""What the commands share: their options, and how they speak."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    import httpx

    from layerloom.schema.base import Wire
    from layerloom.schema.document import Document
    from layerloom.schema.problems import Problem

Model = TypeVar("Model", bound="Wire")
Home = Annotated[Path | None, typer.Option(help="Folder of runs, data and token; LAYERLOOM_HOME, or ~/.layerloom.")]
AllowPython = Annotated[bool, typer.Option("--allow-python", help="Run the Python code that the network carries.")]
File = Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A network as JSON.")]


def is_served(home: Path | None) -> bool:
    """Whether a server answers for this home directory."""
    import httpx

    from layerloom.app import default_home

    try:
        address = ((home or default_home()).expanduser() / "address").read_text(encoding="ascii").strip()
        httpx.get(f"{address}/health", timeout=10).raise_for_status()
    except (OSError, httpx.HTTPError):
        return False
    return True


def client_of(home: Path | None) -> httpx.Client:
    """A client of the server that serves this home directory."""
    import httpx

    from layerloom.app import default_home

    folder = (home or default_home()).expanduser()
    if not is_served(home):
        fail(f"No server answers for {folder}. Start one with `layerloom serve`.")
    address = (folder / "address").read_text(encoding="ascii").strip()
    token = (folder / "token").read_text(encoding="ascii").strip()
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=30)


def document_of(file: Path) -> Document:
    """The network in a file. Ends here when there is none."""
    from layerloom.schema.document import Document

    return read(file, Document, "LayerLoom network")


def read(file: Path, model: type[Model], what: str) -> Model:
    """What a file of JSON holds. Ends here, with the places that are wrong, when it is no such thing."""
    from pydantic import ValidationError

    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False)[:20]:
            print(f"/{'/'.join(map(str, detail['loc']))}: {detail['msg']}", file=sys.stderr)
        fail(f"{file} is no {what}.")


def print_problems(problems: list[Problem]) -> None:
    for problem in problems:
        place = "/".join(part for part in (problem.block, problem.node or problem.member, problem.port) if part)
        print(
            f"{problem.severity}: {problem.code}{f' at {place}' if place else ''}: {problem.message}", file=sys.stderr
        )


def has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def fail(sentence: str) -> NoReturn:
    print(sentence, file=sys.stderr)
    sys.exit(1)
