"""Documents and the sources they are written as, committed side by side, so that a change of the writer is seen.

After a wanted change: ``UPDATE_GOLDEN=1 python -m pytest tests/contract/test_golden_sources.py``, and read the diff.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from layerloom.graph import to_python
from layerloom.graph.examples import examples
from layerloom.schema.document import Document

GOLDEN = Path(__file__).parent / "golden"
RUFF = [sys.executable, "-m", "ruff"]


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_source_is_as_committed(path: Path) -> None:
    source = to_python(Document.model_validate_json(path.read_bytes()))
    golden = path.with_suffix(".py")
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_text(source, encoding="utf-8")
    assert source == golden.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden sources and those of the examples."""
    folder = tmp_path_factory.mktemp("sources")
    for path in GOLDEN.glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    for example in examples():
        (folder / f"example_{example.id.replace('-', '_')}.py").write_text(
            to_python(example.document), encoding="utf-8"
        )
    assert len(list(folder.iterdir())) == 10 + len(examples())
    return folder


def test_a_formatter_would_change_nothing(sources: Path) -> None:
    command = [*RUFF, "format", "--isolated", "--line-length", "100", "--diff", str(sources)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_linter_finds_nothing(sources: Path) -> None:
    rules = ["--select", "F,E,W,I,N,UP,C4,RET,PIE", "--ignore", "N812"]
    command = [*RUFF, "check", "--isolated", "--line-length", "100", *rules, str(sources)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
