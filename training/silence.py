"""Whether the customers' file reaches the date that labels are looked from: after its end nobody seems to leave.

It decides from when on silence is told, and refuses to know labels and features. That a file ended can be guessed
alone: nothing in it says so. What is told is a silence longer than the file itself ever kept in the year before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.tables.lake import LakeTables

LOOK_BACK_DAYS = 365
"""The year whose longest silence is usual."""

FEWEST_DAYS = 10
"""Days on which something happened; of fewer nothing is known of how often. A judgement."""

PLENTY_DAYS = 60
"""From so many on, where days come by chance, the present silence is longer than all before with a chance of 1 in 60 or
less; of fewer, it takes one twice as long (2 in the square of their number). A judgement."""

LEAST_SHARE = 0.1
"""Of the outcome window: a shorter silence hides less than a tenth of its leavers. A judgement."""


@dataclass(frozen=True)
class Silence:
    """So many days without anything; ``usual_days``: the longest such time in the year before ``since``."""

    since: date
    days: int
    usual_days: int


def silence_of(happened: pl.Series, as_of: AsOf, *, least_days: float) -> Silence | None:
    """Return the silence before a date where it is longer than is usual, None where it is not, or nobody can say.

    Parameters
    ----------
    happened : days on which something happened; those after the date are left aside.
    least_days : a silence up to so many days is never told.

    Examples
    --------
    >>> weekly = pl.Series([date(2026, 1, 1) + timedelta(days=7 * week) for week in range(40)])
    >>> silence_of(weekly, AsOf(date(2026, 10, 15)), least_days=3) is None
    True
    >>> silence_of(weekly, AsOf(date(2026, 10, 16)), least_days=3)
    Silence(since=datetime.date(2026, 10, 1), days=15, usual_days=7)
    """
    days = happened.filter(happened <= as_of.day).drop_nulls().unique().sort()
    if days.is_empty():
        return None
    since: date = days[-1]
    days = days.filter(days >= since - timedelta(days=LOOK_BACK_DAYS))
    if len(days) < FEWEST_DAYS:
        return None
    usual = max((later - earlier).days for earlier, later in pairwise(days))
    silent = (as_of.day - since).days
    most = max(usual if len(days) >= PLENTY_DAYS else 2 * usual, least_days)
    return Silence(since, silent, usual) if silent > most else None


def silence_words(tables: LakeTables, churn: ChurnSettings, as_of: AsOf) -> tuple[str, ...]:
    """Say that the customers' file, or what it knows of leavings, ends before the date that labels are looked from.

    Read are the days on which somebody joined, a version of somebody began or became known, or a leaving became known.
    What becomes known later than the date shows that the file goes on: then nobody can say that it ended. Of churn by
    inactivity nothing is said, whose labels rest on other tables.
    """
    if churn.kind != "cancelled" or not tables.has("customers"):
        return ()
    found = pl.scan_parquet(tables.paths["customers"])
    leaving = pl.when(pl.col("left_at").is_not_null()).then(pl.coalesce("left_known_at", "left_at"))
    told = found.select(leaving.alias("leaving"), "joined_at", "valid_from", "known_at")
    days = {name: _days(told, name, as_of) for name in ("leaving", "joined_at", "valid_from", "known_at")}
    least = LEAST_SHARE * churn.horizon_days
    every = pl.concat(list(days.values()))
    whole = (
        None if _goes_on(told, ("leaving", "known_at"), as_of) else silence_of(every, as_of, least_days=least)
    )
    if whole is not None:
        what = f"the customers' file: nothing in it changed after {whole.since}"
        return (_words(what, whole, as_of),)
    part = (
        None if _goes_on(told, ("leaving",), as_of) else silence_of(days["leaving"], as_of, least_days=least)
    )
    if part is None:
        return ()
    what = f"the customers' file goes on, but no leaving became known after {part.since}"
    return (_words(what, part, as_of),)


def _words(what: str, found: Silence, as_of: AsOf) -> str:
    return (
        f"{what}, {found.days} days before {as_of}, and in the year before that it never was silent for more than "
        f"{found.usual_days}: whoever left since then counts as staying, which makes risks too low. Deliver newer "
        f"data, or name {found.since} with --as-of"
    )


def _goes_on(told: pl.LazyFrame, columns: tuple[str, ...], as_of: AsOf) -> bool:
    later = told.select(pl.any_horizontal(pl.col(name) >= as_of.instant for name in columns).any())
    return bool(later.collect().item())


def _days(told: pl.LazyFrame, name: str, as_of: AsOf) -> pl.Series:
    """Return the local days of what had happened by the date."""
    local = pl.col(name).dt.replace_time_zone("UTC").dt.convert_time_zone(as_of.zone).dt.date()
    known: datetime = as_of.instant
    return told.filter(pl.col(name) < known).select(day=local.unique()).collect()["day"]
