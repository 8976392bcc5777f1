"""Commands about alerts: what another window of scores would have raised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from .common import AsOfOption, JsonOption, day_of, say, show, show_table, workspace_here

if TYPE_CHECKING:
    from ..alerting import AlertsPreview


def alerts_preview(
    window: Annotated[
        str, typer.Option(metavar="LOW-HIGH", help="Scores that would raise an alert, as 0-4.")
    ],
    as_of: AsOfOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show by month what another alert window would have raised over past answers; nothing is raised."""
    found = workspace_here().alerts_preview(window, as_of=day_of(as_of))
    show(as_json, found.as_dict(), lambda: _show(found))


def _show(found: AlertsPreview) -> None:
    plain = found.as_dict()
    if not plain["months"]:
        say(f"No answer to the recommend question is known as of {found.as_of}.")
        return
    now, then = (f"{low:g}-{high:g}" for low, high in (found.present, found.window))
    names = ("n_answers", "n_present", "n_window", "n_added", "n_dropped", "n_commented")
    rows = [[row["month"], *(f"{row[name]:,}" for name in names)] for row in plain["months"]]
    rows.append(["all", *(f"{plain['total'][name]:,}" for name in names)])
    head = [
        "month",
        "answers",
        f"alerts now ({now})",
        f"alerts with {then}",
        "added",
        "dropped",
        "with a comment",
    ]
    show_table(f"Alerts that the window {then} would have raised, as of {found.as_of}", head, rows)
