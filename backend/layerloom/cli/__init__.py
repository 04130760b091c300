"""The command line. Torch comes with the commands that need it.

A command is a function of one of these modules, added to ``cli`` below.
"""

from __future__ import annotations

import typer

from layerloom.cli.data import data
from layerloom.cli.networks import check, export, import_module
from layerloom.cli.parity import parity
from layerloom.cli.rates import find_rate
from layerloom.cli.service import open_page, serve
from layerloom.cli.training import runs, train

cli = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Draw a PyTorch network, train it, keep its weights."
)
cli.command()(serve)
cli.command("open")(open_page)
cli.command()(check)
cli.command()(export)
cli.command("import")(import_module)
cli.command()(train)
cli.command()(runs)
cli.add_typer(data, name="data")
cli.command()(parity)
cli.command("find-rate")(find_rate)


def main() -> None:
    """Entry point of the ``layerloom`` command."""
    cli()
