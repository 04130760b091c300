"""Where code that documents carry may come to be run: in sandboxed processes, trainers and the command line."""

from __future__ import annotations

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "backend" / "layerloom"
ALLOWING = {"cli/networks.py", "graph/custom/tasks.py", "graph/exporting/tasks.py", "worker/job.py", "worker/rates.py"}
"""The first for a person at a terminal, who asked for it; the others run in processes of their own."""


def allows(file: Path) -> bool:
    """Whether a file calls, or hands on, what lets its process run such code."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {"allow_python"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names |= {alias.asname for alias in node.names if alias.name == "allow_python" and alias.asname}
    return any(
        isinstance(node, ast.Call)
        and (
            (isinstance(node.func, ast.Name) and node.func.id in names)
            or (isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in ("own.allow", "graph.allow_python"))
        )
        for node in ast.walk(tree)
    )


def test_nothing_but_these_lets_a_process_run_it() -> None:
    assert {file.relative_to(PACKAGE).as_posix() for file in PACKAGE.rglob("*.py") if allows(file)} == ALLOWING


def test_the_process_of_the_api_imports_none_of_them() -> None:
    """The command line starts the server, and its other commands are other processes."""
    tasks = {"layerloom.graph.custom.tasks", "layerloom.graph.exporting.tasks"}
    for file in [*PACKAGE.joinpath("api").rglob("*.py"), PACKAGE / "app.py"]:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.module in tasks:
                assert {alias.name for alias in node.names} <= {"OUT"}, file
