"""Commands of the night: score, publish, report, and past dates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from .common import AsOfOption, JsonOption, day_of, required_day, say, show, show_table, workspace_here

if TYPE_CHECKING:
    from ..nightly import Night


def score(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Compute the risk of every customer and publish scores, reasons and the at-risk list, without a report."""
    finish_night(workspace_here().score(as_of=day_of(as_of)), as_json)


def nightly(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Check, score, publish, report: the one command for a scheduler."""
    finish_night(workspace_here().nightly(as_of=day_of(as_of)), as_json)


def backfill(
    first: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="First day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="Last day.")],
    every: Annotated[int, typer.Option(min=1, help="Every so many days.")] = 1,
    as_json: JsonOption = False,
) -> None:
    """Write scores and tables for past dates; never asks, alerts, exports or writes contacts."""
    nights = workspace_here().backfill(
        required_day(first, "--from"), required_day(last, "--to"), every_days=every
    )
    plain = [night.as_dict() for night in nights]
    show(
        as_json,
        plain,
        lambda: show_table(
            "Backfilled",
            ["as of", "run", "customers", "warnings"],
            [[str(n.as_of), n.run_id, n.rows.get("scores", 0), len(n.warnings)] for n in nights],
        ),
    )


def finish_night(night: Night, as_json: bool) -> None:
    show(as_json, night.as_dict(), lambda: show_night(night))


def show_night(night: Night) -> None:
    rows: Mapping[str, int] = night.rows
    show_table(f"Night of {night.as_of} (run {night.run_id})", ["table", "rows"], list(rows.items()))
    for warning in night.warnings:
        say(f"Warning: {warning}")
    for label, path in night.places.items():
        say(f"{label}: {path}")
