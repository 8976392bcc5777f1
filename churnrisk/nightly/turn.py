"""What to say of a date that is decided out of its turn: again, to look or with other budgets, or after a later one.

It decides nothing, and forbids nothing: whoever catches up on a missed night wants just that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date

from ..ledger import Decided

PURPOSES: Mapping[str, str] = {"survey": "surveys", "offer": "offers"}
"""Budgets by name, and what they are for."""


def out_of_turn(
    day: date,
    before: Decided | None,
    newest: date | None,
    *,
    is_dry: bool,
    budgets: Mapping[str, float] | None = None,
) -> tuple[str, ...]:
    """Say that a date was decided before, by a dry run or with other budgets, or that a later one was decided first.

    ``budgets``: of the settings, by purpose, as the figures of a decided date have them.
    """
    if before is not None and is_dry:
        told = f"{day} was decided at {before.decided_at:%Y-%m-%d %H:%M} UTC, and those decisions stand: "
        return (f"{told}this is what would be decided of it now; decide without --dry-run shows them",)
    if before is not None:
        return _other_budgets(day, before, budgets or {})
    if newest is not None and newest > day:
        told = f"{newest} was decided before {day}: contacts of later dates count as if they were of {day}, so that "
        return (f"{told}fewer customers are asked, called or offered anything than on a night in its turn",)
    return ()


def _other_budgets(day: date, before: Decided, budgets: Mapping[str, float]) -> tuple[str, ...]:
    then = json.loads(before.figures).get("budget", {})
    changed = [
        f"{then[name]:,.2f} for {PURPOSES.get(name, name)} (now {budget:,.2f})"
        for name, budget in budgets.items()
        if name in then and then[name] != budget
    ]
    if not changed:
        return ()
    told = f"{day} was decided at {before.decided_at:%Y-%m-%d %H:%M} UTC with a budget of {' and '.join(changed)}"
    return (f"{told}, and a date is decided once: what the settings say now counts from the next date on",)
