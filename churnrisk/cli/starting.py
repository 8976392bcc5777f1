"""Commands to start with: a workspace, a demo, a simulated telco."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .common import Call, JsonOption, is_interactive, say_aside, show, show_table
from .nights import show_night


def init(directory: Annotated[Path, typer.Argument(help="The new workspace.")] = Path()) -> None:
    """Write a commented churnrisk.toml, ready to edit."""
    from ..starting import new_workspace

    path = new_workspace(directory)
    typer.echo(f"Wrote {path}. Edit it, then run: churnrisk -w {directory} check")


def demo(
    directory: Annotated[Path, typer.Argument(help="Workspace of the demo; made or renewed.")] = Path("demo"),
    customers: Annotated[int, typer.Option(min=1200, help="Customers to simulate.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the simulated world.")] = 1,
) -> None:
    """Simulate a telco, check it, train a model and run one night."""
    from ..starting import demonstration

    Call.workspace = directory
    night = demonstration(
        directory, customers=customers, seed=seed, interactive=is_interactive(), tell=say_aside
    )
    show_night(night)


def simulate(
    directory: Annotated[
        Path, typer.Argument(help="Where to write the data; a workspace config is written beside.")
    ],
    customers: Annotated[int, typer.Option(min=50, help="Customers at the start.")] = 5000,
    days: Annotated[int, typer.Option(min=60, help="Days of history.")] = 365,
    seed: Annotated[int, typer.Option(help="Seed; the same settings and seed give the same bytes.")] = 1,
    contagion: Annotated[
        float,
        typer.Option(min=1.0, help="Hazard ratio of leaving per recently departed strong friend; 1 = none."),
    ] = 1.6,
    homophily: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Correlation of an unobserved trait inside communities.")
    ] = 0.3,
    has_programme: Annotated[
        bool,
        typer.Option(
            "--programme/--no-programme",
            help="A retention team that makes offers every week and leaves a tenth alone: a source of treatments.",
        ),
    ] = False,
    file_format: Annotated[str, typer.Option("--format", help="csv or parquet, for the calls.")] = "parquet",
    as_json: JsonOption = False,
) -> None:
    """Simulate a telco with a known truth, written beside the data."""
    from ..starting import simulated

    counts = simulated(
        directory,
        customers=customers,
        days=days,
        seed=seed,
        contagion=contagion,
        homophily=homophily,
        has_programme=has_programme,
        file_format=file_format,
    )
    show(
        as_json,
        counts,
        lambda: show_table("Simulated", ["what", "count"], [[k, v] for k, v in counts.items()]),
    )
