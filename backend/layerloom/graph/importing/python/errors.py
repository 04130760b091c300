"""Why a text is not read."""

from __future__ import annotations

import ast


class NotPlainError(Exception):
    """The text is no Python, or says what cannot be known without running it; the sentence says what and where."""


def not_plain(node: ast.AST | None, what: str) -> NotPlainError:
    """The error that names the line; raise it."""
    line = getattr(node, "lineno", None)
    return NotPlainError(f"line {line}: {what}" if line else what)
