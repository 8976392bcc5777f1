"""Monthly bills: what was paid, spoken and sent, and how late the bill was paid. Only whole months are billed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .calls import QUIET_LEVEL
from .clock import Clock, Month
from .course import SILENT, Course
from .draws import Floats, stream
from .population import People
from .settings import WorldSettings

if TYPE_CHECKING:
    import polars as pl

OVERAGE_SHARE = 0.18
QUIET_SHARE = 0.03
SILENT_DATA = 0.55
LATE_WHEN_DEAR = 0.04
"""Added to the chance of paying late per unit of price shock; with those above, a guess."""


class Billing:
    """Writes the bills of a month."""

    def __init__(self, settings: WorldSettings, clock: Clock, people: People) -> None:
        self._settings = settings
        self._clock = clock
        self._people = people

    def rows(self, course: Course, month: Month, minutes: Floats, ids: pl.Series) -> pl.DataFrame:
        """Return the bills of ``month`` as rows of the source ``usage``, by customer."""
        import polars as pl

        rng = stream(self._settings.seed, "usage", month.end)
        people = self._people
        who = np.flatnonzero((people.joined < month.end) & (course.left > month.start))
        days = np.minimum(course.left[who], month.end) - np.maximum(people.joined[who], month.start)
        share = days / (month.end - month.start)
        quiet = np.maximum(month.end - np.maximum(course.decided[who], month.start), 0) / (
            month.end - month.start
        )
        faded = np.where(course.style[who] == SILENT, 1 - (1 - SILENT_DATA) * quiet, 1.0)
        data_mb = people.data_mb[who] * share * faded * np.exp(rng.normal(0, 0.25, who.size))
        data_mb *= np.where(rng.random(who.size) < QUIET_SHARE, QUIET_LEVEL, 1.0)
        overage = np.where(rng.random(who.size) < OVERAGE_SHARE, rng.exponential(4.0, who.size), 0.0)
        revenue = course.prices.value[who] * share + overage
        is_late = rng.random(who.size) < people.lateness[who] + LATE_WHEN_DEAR * course.prices.shock[who]
        return pl.DataFrame(
            {
                "customer_id": ids.gather(who),
                "period_start": self._clock.days_of(np.full(who.size, month.start)),
                "revenue": np.round(revenue, 2),
                "minutes": np.round(minutes[who], 1),
                "data_mb": np.round(data_mb).astype(np.int64),
                "days_late": np.where(is_late, rng.geometric(0.12, who.size), 0),
            }
        )
