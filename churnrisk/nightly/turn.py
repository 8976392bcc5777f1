"""What to say of a date that is decided out of its turn: again for looking, or after a later one.

It decides nothing, and forbids nothing: whoever catches up on a missed night wants just that.
"""

from __future__ import annotations

from datetime import date

from ..ledger import Decided


def out_of_turn(day: date, before: Decided | None, newest: date | None, *, is_dry: bool) -> tuple[str, ...]:
    """Say that a dry run is one of a decided date, or that a later date was decided first."""
    if before is not None and is_dry:
        told = f"{day} was decided at {before.decided_at:%Y-%m-%d %H:%M} UTC, and those decisions stand: "
        return (f"{told}this is what would be decided of it now; decide without --dry-run shows them",)
    if before is None and newest is not None and newest > day:
        told = f"{newest} was decided before {day}: contacts of later dates count as if they were of {day}, so that "
        return (f"{told}fewer customers are asked, called or offered anything than on a night in its turn",)
    return ()
