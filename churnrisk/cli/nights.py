"""Commands of the night: score, publish, report, and past dates."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .common import (
    AsOfOption,
    JsonOption,
    day_of,
    required_day,
    say,
    say_aside,
    show,
    show_table,
    workspace_here,
)

if TYPE_CHECKING:
    from ..nightly import Night


def score(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Compute the risk of every customer and publish scores, reasons and the at-risk list, without a report."""
    finish_night(workspace_here().score(as_of=day_of(as_of)), as_json)


def decide(
    as_of: AsOfOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Write nothing: show what would be decided, and other budgets.")
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw what other budgets for offers would buy, as .svg."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Decide whom to survey and what to offer, once per date, and write the lists."""
    from ..places import drawing_place

    place = None if picture is None else drawing_place(picture, "--picture")
    workspace = workspace_here()
    night = workspace.decide(as_of=day_of(as_of), dry_run=dry_run)
    drawn = None if place is None else workspace.drawn_budgets(night, place)
    show(as_json, night.as_dict(), lambda: show_decided(night))
    if place is not None:
        say_aside(
            f"Picture: {drawn}"
            if drawn
            else "No picture: there is no offer worth making, so there is no curve."
        )


def nightly(as_of: AsOfOption = None, as_json: JsonOption = False) -> None:
    """Check, score, decide, publish, report: the one command for a scheduler."""
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


def show_decided(night: Night) -> None:
    show_night(night)
    told = night.decided
    if not told:
        return
    if told.get("is_replay"):
        say(f"The decisions of {night.as_of} were taken before, and are shown as they were taken.")
    counts = [[each["kind"], each["decision"], each["reason_code"], each["n"]] for each in told["counts"]]
    show_table("Decided", ["what", "decision", "reason", "customers"], counts)
    money = [
        [name, f"{told['spent'][name]:,.2f}", f"{budget:,.2f}"] for name, budget in told["budget"].items()
    ]
    show_table("Budgets", ["for", "spent", "budget"], money)
    if told["curve"]:
        show_table(
            "What another budget for offers would buy",
            ["budget", "net value", "offers", "last unit brings"],
            _curve(told["curve"]),
        )


def _curve(curve: Mapping[str, list[float | None]], most: int = 8) -> list[list[object]]:
    """Return some points of the value curve, the budget in force among them."""
    n = len(curve["budget"])
    step = max(1, (n - 1) // (most - 1))
    shown = [place for place in range(n) if place % step == 0 or place == n - 1 or curve["is_budget"][place]]
    return [
        [
            f"{curve['budget'][place]:,.2f}" + (" (now)" if curve["is_budget"][place] else ""),
            f"{curve['net_value'][place]:,.2f}",
            curve["n_offers"][place],
            "" if curve["per_unit"][place] is None else f"{curve['per_unit'][place]:,.2f}",
        ]
        for place in shown
    ]
