"""When the data begin and end: says so where somebody asks for a day before or after anything that can be known.

It decides what counts as the beginning and refuses to know what is asked of the day.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import polars as pl

from ..dates import AsOf, zone_named
from ..errors import Fault, UsageError
from .loaded import LoadedSources


def beginnings(loaded: LoadedSources) -> dict[str, datetime]:
    """Return by source the first instant of it, naive UTC; without those that have no dates.

    Customers begin when the first one joined. If the joining of some is not known, they have been there always, and
    the first fact decides.
    """
    return dict(sorted(_firsts(loaded)))


def _firsts(loaded: LoadedSources) -> Iterator[tuple[str, datetime]]:
    for name, report in loaded.reports.items():
        if name == "customers" and loaded.tables.has(name):
            joined = pl.coalesce("joined_at", "valid_from")
            first = pl.scan_parquet(loaded.tables.paths[name]).select(
                first=joined.min(), n_undated=joined.is_null().sum()
            )
            (begin, n_undated) = first.collect().row(0)
            if begin is not None and not n_undated:
                yield name, begin
        elif report.first_happened is not None:
            yield name, report.first_happened


def before_data(loaded: LoadedSources, as_of: AsOf) -> Fault | None:
    """Say that a day ends before anything had happened, and when the data begin; None when something had."""
    begun = beginnings(loaded)
    if not begun or min(begun.values()) < as_of.instant:
        return None
    days = {
        name: first.replace(tzinfo=UTC).astimezone(zone_named(as_of.zone)).date()
        for name, first in begun.items()
    }
    return Fault(
        code="as_of_before_data",
        where="--as-of",
        expected=f"a day from {min(days.values())} on, when the data begin",
        found=str(as_of),
        remedy="Name a later day, or load older data.",
        available=tuple(f"{name} from {day}" for name, day in days.items()),
    )


def refuse_before_data(loaded: LoadedSources, as_of: AsOf) -> None:
    """Raise UsageError where `before_data` says that nothing was known yet."""
    fault = before_data(loaded, as_of)
    if fault is not None:
        raise UsageError(fault)


def yet_to_come(loaded: LoadedSources, as_of: AsOf, now: datetime) -> Fault | None:
    """Say that a day lies after today, by the clock (``now``, naive UTC); None where it does not, or the data reach it.

    Where most sources hold facts of days to come, the data are simulated: their calendar counts, not the clock. One
    row with a wrong date does not make them so.
    """
    today, ends = _calendar(loaded, as_of.zone, now)
    if as_of.day <= (max(ends) if _is_ahead(today, ends) else today):
        return None
    return Fault(
        code="as_of_to_come",
        where="--as-of",
        expected=f"a day up to {today}, today: nothing is decided of days to come",
        found=str(as_of),
        remedy="Leave --as-of out for the last complete day, or name an earlier one.",
    )


def runs_ahead(loaded: LoadedSources, zone: str, now: datetime) -> bool:
    """Say whether the calendar of the sources runs ahead of the clock, as that of simulated data may."""
    return _is_ahead(*_calendar(loaded, zone, now))


def _calendar(loaded: LoadedSources, zone: str, now: datetime) -> tuple[date, list[date]]:
    """Return today by the clock, and the local day on which the facts of each source end."""
    here = zone_named(zone)
    ends = [
        each.last_happened.replace(tzinfo=UTC).astimezone(here).date()
        for each in loaded.reports.values()
        if each.last_happened is not None
    ]
    return now.replace(tzinfo=UTC).astimezone(here).date(), ends


def _is_ahead(today: date, ends: list[date]) -> bool:
    return 2 * sum(end > today for end in ends) > len(ends)


def refuse_to_come(loaded: LoadedSources, as_of: AsOf, now: datetime) -> None:
    """Raise UsageError where `yet_to_come` says that the day lies ahead."""
    fault = yet_to_come(loaded, as_of, now)
    if fault is not None:
        raise UsageError(fault)
