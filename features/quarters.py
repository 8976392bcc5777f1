"""The calendar that SQL joins: for every quarter of an hour, its local day, and whether it is night or weekend.

It decides what night and weekend are, and refuses to know facts. SQL has no time zones here: two engines would bring
two zone databases. Zones change their offsets at quarters of an hour, so a quarter lies in one local day.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise

import numpy as np
import polars as pl

from churnrisk.dates import AsOf, zone_named

from .ties.contract import HALF_LIVES_DAYS
from .ties.decay import as_of_base, weights

QUARTER_S = 900
QUARTERS_A_DAY = 96
NIGHT_FROM_HOUR = 22
"""Night is 22 to 6 h local time: guessed, the usual off-peak hours of call tariffs."""
NIGHT_TO_HOUR = 6
FIRST_WEEKEND_DAY = 5
"""Saturday and Sunday, counted from Monday = 0: guessed; where Friday rests, the share still tells days apart."""
RECENT_DAYS = 30
N_BIT_DAYS = 90


@lru_cache(maxsize=8)
def quarter_hours(as_of: AsOf, n_days: int) -> pl.DataFrame:
    """Return one row per quarter of an hour of the ``n_days`` local days that end at ``as_of``.

    Columns: ``quarter`` (whole quarters of an hour since 1970 UTC), ``days_ago`` (0 = the as-of day), ``is_night``,
    ``is_weekend``, ``recent_day_bit`` (one bit per day of the last 30) and ``earlier_day_bit`` (one per day of the 60
    before): the bitwise or of bits counts distinct days without sorting; ``weight_14`` and ``weight_30``
    (what a contact of the day still weighs at those half-lives, see `features.ties.decay`).
    """
    midnights = [_quarter(as_of.days_before(days)) for days in range(n_days, -1, -1)]
    quarter = np.arange(midnights[0], midnights[-1], dtype=np.int64)
    day = np.searchsorted(np.array(midnights), quarter, side="right") - 1
    days_ago = n_days - 1 - day
    hour = _local_hours(midnights, as_of.zone)
    weekday = (as_of.day.weekday() - days_ago) % 7
    return pl.DataFrame(
        {
            "quarter": quarter,
            "days_ago": days_ago.astype(np.int64),
            "is_night": (hour >= NIGHT_FROM_HOUR) | (hour < NIGHT_TO_HOUR),
            "is_weekend": weekday >= FIRST_WEEKEND_DAY,
            "recent_day_bit": _bits(days_ago, 0, RECENT_DAYS),
            "earlier_day_bit": _bits(days_ago, RECENT_DAYS, N_BIT_DAYS),
            **{f"weight_{half_life}": _weights(as_of, days_ago, half_life) for half_life in HALF_LIVES_DAYS},
        }
    )


def _weights(as_of: AsOf, days_ago: np.ndarray, half_life: int) -> np.ndarray:
    day = as_of.day.toordinal()
    return weights(day - days_ago, half_life, as_of_base(day, half_life))


def _quarter(instant: datetime) -> int:
    return int(instant.replace(tzinfo=UTC).timestamp()) // QUARTER_S


def _local_hours(midnights: list[int], zone: str) -> np.ndarray:
    """Hour on the wall for every quarter; only days that are not 24 hours long are asked quarter by quarter."""
    clock = zone_named(zone)
    hours = []
    for begin, end in pairwise(midnights):
        if end - begin == QUARTERS_A_DAY:
            hours.append(np.arange(QUARTERS_A_DAY) // 4)
        else:
            instants = (datetime.fromtimestamp(q * QUARTER_S, clock) for q in range(begin, end))
            hours.append(np.array([instant.hour for instant in instants], dtype=np.int64))
    return np.concatenate(hours)


def _bits(days_ago: np.ndarray, first: int, end: int) -> np.ndarray:
    inside = (days_ago >= first) & (days_ago < end)
    shift = np.where(inside, days_ago - first, 0).astype(np.int64)
    return np.where(inside, np.left_shift(np.int64(1), shift), np.int64(0))
