"""``layerloom parity``: how a plan trains in fp32, in bf16 and on several devices, without a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerloom.cli.terminal import AllowPython, Home
from layerloom.cli.trials import made

if TYPE_CHECKING:
    from layerloom.schema.parity import Parity


def parity(
    network: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A network as JSON.")],
    plan: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A plan, as of `layerloom train`.")],
    steps: Annotated[int, typer.Option(min=10, max=1_000, help="How many are trained in each way.")] = 100,
    devices: Annotated[int, typer.Option(min=2, max=64, help="That share each batch in the third way.")] = 2,
    home: Home = None,
    allow_python: AllowPython = False,
) -> None:
    """Compare the losses of a plan in fp32, in bf16 and on several devices. Exits with 1 where a bound is broken."""
    from layerloom.schema.parity import NewParity, Parity

    wanted = NewParity(steps=steps, devices=devices)
    report = made(Parity, network, plan, home, python=allow_python, parity=wanted)
    _show(report)
    if not all(way.holds for way in report.ways[1:]):
        sys.exit(1)


def _show(report: Parity) -> None:
    print(f"{'way':<12}{'ms a step':>11}{'largest':>12}{'at the end':>12}  bound")
    for way in report.ways:
        name = f"{way.devices} devices" if way.name == "devices" else way.name
        if way.message:
            print(f"{name:<12}{way.message}")
            continue
        took = f"{1000 * way.seconds:.3g}" if way.seconds else ""
        differences = "".join(f"{'' if value is None else f'{value:.2e}':>12}" for value in (way.largest, way.final))
        verdict = "the others are held against it"
        if way.bound is not None:
            where = "in every step" if way.judged == "largest" else "at the end"
            verdict = f"{'agrees' if way.holds else 'DIFFERS'} (≤ {way.bound:g} {where})"
        print(f"{name:<12}{took:>11}{differences}  {verdict}")
    print("Differences are shares of the mean fp32 loss; the end is the last tenth of the steps.")
    if report.random:
        print("Random numbers are drawn while training, by each device its own: its bound is looser.")
