"""The calendar of a year in which a company trains anew every quarter: what each training learns from and is judged on.

It decides dates only, by the product's own calendar, and refuses to know worlds and models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from churnrisk.config import ChurnSettings, TrainingSettings
from churnrisk.dates import AsOf
from training.snapshots import Snapshot, snapshot_schedule

EVERY_DAYS = 28
"""Days between dates: whole weeks, since the truth is written by the week."""
DATES_A_YEAR = 13
"""Dates that each training learns from, and dates that are judged: every season once in both."""
DATES_A_QUARTER = (3, 3, 3, 4)
"""How the judged dates of a year fall into quarters, oldest first."""


@dataclass(frozen=True)
class Quarter:
    """One training: the dates it learns from and those that judge it, ISO days, oldest first."""

    learned: tuple[str, ...]
    judged: tuple[str, ...]


def year_ending(
    as_of: AsOf, churn: ChurnSettings, training: TrainingSettings, earliest: datetime | None
) -> tuple[tuple[Quarter, ...], tuple[Snapshot, ...]]:
    """Return the quarters of the last year whose outcomes are known as of ``as_of``, and all their dates, latest first.

    Each training takes place on the first date that it is judged on: what it learns from was known then. Raises
    ValueError when the facts begin too late for a whole year to learn from.
    """
    quarters: list[Quarter] = []
    dates: dict[str, Snapshot] = {}
    for n_judged in reversed(DATES_A_QUARTER):
        chosen = training.model_copy(
            update={
                "snapshot_every_days": EVERY_DAYS,
                "test_snapshots": n_judged,
                "n_snapshots": DATES_A_YEAR,
            }
        )
        schedule = snapshot_schedule(as_of, churn, chosen, earliest=earliest)
        quarter = Quarter(_days(schedule, "train"), _days(schedule, "test"))
        if len(quarter.learned) < DATES_A_YEAR:
            raise ValueError(
                f"a training before {quarter.judged[0]} finds {len(quarter.learned)} dates to learn from, not "
                f"{DATES_A_YEAR}: simulate more days"
            )
        quarters.append(quarter)
        dates |= {str(found.as_of): found for found in schedule if found.use != "embargo"}
        as_of = as_of.shifted(-EVERY_DAYS * n_judged)
    last_first = sorted(dates.values(), key=lambda found: found.as_of, reverse=True)
    return tuple(reversed(quarters)), tuple(last_first)


def _days(schedule: Sequence[Snapshot], use: str) -> tuple[str, ...]:
    return tuple(sorted(str(found.as_of) for found in schedule if found.use == use))
