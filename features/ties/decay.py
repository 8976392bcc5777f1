"""How much a contact of each day still weighs, in whole numbers that can be added up in any order.

It knows days by number and refuses to know contacts. Day d weighs 2^(d / h), with the whole part of the exponent as a
shift and the rest from a table: sums kept against an older base become sums against a newer one by shifting alone, so
facts counted stretch by stretch, on other nights, have the bits of facts counted at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .contract import DECAY_ONE_CONTACT, HALF_LIVES_DAYS

IntArray = NDArray[np.int64]

HALF_LIVES_KEPT = 16
"""Contacts older than so many half-lives weigh nothing: the next would weigh 1/65,536 of a new one, and 64 bits have an
end (33 million contacts of one pair)."""


def base_of(day: int, half_life_days: int) -> int:
    """Give the base of sums whose oldest day is ``day``: that day's whole half-lives since day 0."""
    return day // half_life_days


def as_of_base(day: int, half_life_days: int) -> int:
    """Give the base of sums as of ``day``; days before ``base * half_life_days`` weigh nothing."""
    return day // half_life_days - HALF_LIVES_KEPT


def weights(days: IntArray, half_life_days: int, base: int) -> IntArray:
    """Weigh a contact of each day (number of the day) against a base; 0 before it.

    >>> weights(np.array([0, 13, 14, 28]), 14, base=0).tolist()
    [1048576, 1995849, 2097152, 4194304]
    """
    table = np.array(
        [round(DECAY_ONE_CONTACT * 2.0 ** (rest / half_life_days)) for rest in range(half_life_days)],
        np.int64,
    )
    shifts = days // half_life_days - base
    weighed = np.left_shift(table[days % half_life_days], np.maximum(shifts, 0))
    return np.where(shifts >= 0, weighed, 0)


def newest_weight(day: int, half_life_days: int) -> int:
    """Weigh a contact of the as-of day itself against `as_of_base`: what one contact is worth when it is new."""
    return int(weights(np.array([day]), half_life_days, as_of_base(day, half_life_days))[0])


def decay_parameters(day: int) -> dict[str, int]:
    """Give what SQL divides sums by, per half-life: ``newest_14``, ``newest_30``."""
    return {f"newest_{days}": newest_weight(day, days) for days in HALF_LIVES_DAYS}
