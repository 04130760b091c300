"""``layerloom find-rate``: a learning rate for a network and a plan, without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerloom.cli.terminal import AllowPython, Home, fail, print_problems
from layerloom.cli.trials import made

if TYPE_CHECKING:
    from layerloom.schema.rates import RateSearch

ROWS = 24
"""Of the table: every fourth step or so."""
WIDTH = 40


def find_rate(
    network: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A network as JSON.")],
    plan: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan, as of `layerloom train`.")],
    json: Annotated[bool, typer.Option("--json", help="Print the whole search as JSON.")] = False,
    home: Home = None,
    allow_python: AllowPython = False,
) -> None:
    """Train up to 100 steps with rising learning rates and suggest one. Exits with 1 where the loss never falls."""
    from layerloom.runs.rates import alone
    from layerloom.schema.rates import RateSearch

    found = made(RateSearch, network, plan, home, python=allow_python, change=alone, rates=True)
    if found.state == "failed":
        print_problems(found.problems)
        fail(found.message or "No learning rate can be found for it.")
    if json:
        print(found.model_dump_json(indent=2))
    else:
        _show(found)
    if found.suggestion is None:
        sys.exit(1)


def _show(found: RateSearch) -> None:
    """The curve as a table with bars, and the suggestion."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table("rate", "loss", "smoothed", "", box=None, header_style="bold")
    for column in table.columns[:3]:
        column.justify = "right"
    chosen = found.rates.index(found.suggestion) if found.suggestion is not None else None
    stride = max(1, len(found.rates) // ROWS)
    # Beyond what it began with it only grows, and soon by a lot.
    full = min(max(found.smoothed), 1.25 * found.smoothed[0]) if found.smoothed[0] > 0 else 0.0
    for step, (rate, loss, smoothed) in enumerate(zip(found.rates, found.losses, found.smoothed, strict=True)):
        if step % stride and step != chosen:
            continue
        bar = "█" * min(WIDTH, max(0, round(WIDTH * smoothed / full))) if full > 0 else ""
        mark = " ← suggested" if step == chosen else ""
        table.add_row(
            f"{rate:.2e}", f"{loss:.4g}", f"{smoothed:.4g}", bar + mark, style="bold green" if step == chosen else ""
        )
    console.print(table)
    if found.suggestion is None:
        console.print(
            "The loss falls at none of these rates. Look at the loss, the initializers and the frozen groups."
        )
    else:
        console.print(f"Suggested learning rate: {found.suggestion:.2g} (here the loss falls most steeply)")
