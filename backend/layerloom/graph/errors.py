"""What the graph room raises."""

from __future__ import annotations

from collections.abc import Sequence

from layerloom.schema.problems import Problem, ProblemCode


class GraphError(Exception):
    """A document that cannot become a module; ``problems`` says why, each with its place."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


def refuse(
    code: ProblemCode,
    message: str,
    *,
    block: str | None = None,
    node: str | None = None,
    member: str | None = None,
    port: str | None = None,
    pointer: str | None = None,
    line: int | None = None,
) -> GraphError:
    """The error with this one problem, for ``raise refuse(...)``; ``line`` is one of a Python text."""
    data = {} if line is None else {"line": line}
    problem = Problem(
        code=code, message=message, block=block, node=node, member=member, port=port, pointer=pointer, data=data
    )
    return GraphError([problem])
