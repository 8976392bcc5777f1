"""The world's calendar: days counted from the first written day, months, and a lead-in before it. It knows no today."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from .settings import WorldSettings

DAYS_PER_MONTH = 30.4375
WEEK = 7
DAY_S = 86_400
LEAD_IN_DAYS = 26 * WEEK
"""The world lives half a year before its first written day: moods, memories and leavings of friends settle."""

NEVER = 2**30
"""A day that never comes."""


@dataclass(frozen=True)
class Month:
    """A calendar month, cut to the world's life: days ``[start, end)`` counted from the first written day."""

    first: date
    start: int
    end: int
    is_whole: bool
    is_written: bool

    @property
    def name(self) -> str:
        """The month as in file names: 2026-06."""
        return f"{self.first:%Y-%m}"


@dataclass(frozen=True)
class Clock:
    """Turns day numbers into dates and instants, all UTC."""

    first_day: date
    days: int

    @classmethod
    def of(cls, settings: WorldSettings) -> Clock:
        """Return the clock of a world that ends on ``settings.end_on``, included."""
        return cls(settings.end_on - timedelta(days=settings.days - 1), settings.days)

    def months(self) -> Iterator[Month]:
        """Yield the months of the lead-in and of the written period, in order, none in both."""
        for begin, end, is_written in ((-LEAD_IN_DAYS, 0, False), (0, self.days, True)):
            start = begin
            while start < end:
                day = self.day(start)
                first = day.replace(day=1)
                following = (first + timedelta(days=32)).replace(day=1)
                full = (following - first).days
                stop = min(end, start + (following - day).days)
                yield Month(first, start, stop, stop - start == full, is_written)
                start = stop

    def day(self, offset: int) -> date:
        """Return the date of day number ``offset``."""
        return self.first_day + timedelta(days=offset)

    def days_of(self, offsets: npt.NDArray[np.integer]) -> npt.NDArray[np.datetime64]:
        """Return the dates of many day numbers; `NEVER` or later is null."""
        out = np.datetime64(self.first_day, "D") + offsets.astype("timedelta64[D]")
        out[offsets >= NEVER] = np.datetime64("NaT", "D")
        return np.asarray(out)

    def instants_of(self, seconds: npt.NDArray[np.integer]) -> npt.NDArray[np.datetime64]:
        """Return the instants (microseconds, UTC) of many seconds counted from the start of day 0."""
        return np.asarray(np.datetime64(self.first_day, "us") + seconds.astype("timedelta64[s]"))
