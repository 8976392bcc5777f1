"""The calendar: turns days in a declared zone into the UTC instants that SQL compares, and refuses to know today.

Instants are naive ``datetime`` in UTC with microseconds. Windows are half-open, ``[from, to)``. A fact that has only
a date happened at local midnight of its day and became known at the last microsecond of it, so that one rule serves
everywhere: a fact is known as of an instant when its ``known_at`` is strictly before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .errors import ConfigError, Fault, UsageError

WINDOW_DAYS: tuple[int, ...] = (7, 14, 30, 60, 90, 180, 365)
"""Lengths of the look-back windows that features use, in days."""

ONE_MICROSECOND = timedelta(microseconds=1)

EPOCH = datetime(1970, 1, 1)


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA time zone called ``name``; raise ConfigError when there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            Fault(
                code="zone_unknown",
                where="churnrisk.toml [time] zone",
                expected="an IANA time zone such as Europe/Moscow or Asia/Shanghai",
                found=repr(name),
                remedy="Write the zone in which your sources' local times are.",
            )
        ) from error


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the UTC instant (naive) at which ``day`` begins in ``zone``."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True, order=True)
class AsOf:
    """The instant at which local day ``day`` ends in ``zone``; everything later is unknown.

    >>> AsOf(date(2026, 3, 1), "Asia/Shanghai").instant
    datetime.datetime(2026, 3, 1, 16, 0)
    """

    day: date
    zone: str = "UTC"

    @property
    def instant(self) -> datetime:
        """The exclusive upper bound of everything known, naive UTC."""
        return self.days_before(0)

    @property
    def instant_us(self) -> int:
        """The same bound in microseconds since 1970 UTC."""
        return (self.instant - EPOCH) // ONE_MICROSECOND

    def days_before(self, days: int) -> datetime:
        """Return the instant at which the local day ``days`` before ended, naive UTC."""
        return local_midnight(self.day - timedelta(days=days - 1), zone_named(self.zone))

    def shifted(self, days: int) -> AsOf:
        """Return the as-of ``days`` later (negative: earlier)."""
        return AsOf(self.day + timedelta(days=days), self.zone)

    def window_parameters(self) -> dict[str, datetime]:
        """Return the SQL parameters of every window: ``as_of`` and ``from_<n>d``."""
        bounds = {f"from_{days}d": self.days_before(days) for days in WINDOW_DAYS}
        return {"as_of": self.instant, **bounds}

    def __str__(self) -> str:
        """Give the day as ISO text."""
        return self.day.isoformat()


FIRST_DAY, LAST_DAY = date(1971, 1, 1), date(2199, 12, 31)
"""The calendar reaches from here to there; beyond lie typing errors."""


def parsed_day(text: str, where: str) -> date:
    """Read an ISO day; raise UsageError naming ``where`` when it is none, or out of all reason."""
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(_unreadable_day(text, where)) from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise UsageError(_unreadable_day(text, where))
    return day


def _unreadable_day(text: str, where: str) -> Fault:
    return Fault(
        code="date_unreadable",
        where=where,
        expected="a day as YYYY-MM-DD",
        found=repr(text),
        remedy=f"Write the day like 2026-06-30, between {FIRST_DAY} and {LAST_DAY}.",
    )


def days_between(first: date, last: date) -> Iterator[date]:
    """Yield every day from ``first`` to ``last``, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def last_complete_day(instant: datetime, zone: str) -> date:
    """Return the last local day that had ended at ``instant`` (naive UTC)."""
    local = instant.replace(tzinfo=UTC).astimezone(zone_named(zone))
    return local.date() - timedelta(days=1)
