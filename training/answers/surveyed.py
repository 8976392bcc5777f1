"""What being asked does by itself: those who would have been asked and were, against the survey hold-out.

It decides an effect with its interval, and refuses to call it none where it is only not seen.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import polars as pl
from scipy.special import ndtri

from churnrisk.metrics import Interval
from churnrisk.metrics.probability import LEVEL, UNDEFINED

FEWEST_LEAVERS_AN_ARM = 5
"""Leavers in each arm below which no effect is told (judgement: normal intervals of rates fail below)."""


@dataclass(frozen=True)
class SurveyEffect:
    """Leaving rate of those asked minus that of the hold-out (-1 to 1), and their ratio; nan where nothing is told.

    ``smallest_seen`` is the difference that these numbers would find in four of five cases at 5 %.
    """

    difference: Interval
    ratio: Interval
    smallest_seen: float
    n_asked: int
    n_held_out: int
    reason: str = ""

    def sentence(self) -> str:
        """Say for a report what asking does by itself."""
        if self.reason:
            return f"What being asked does by itself is not known: {self.reason}."
        points, low, high = (
            100 * each for each in (self.difference.value, self.difference.low, self.difference.high)
        )
        seen = (
            "no effect is seen"
            if low <= 0 <= high
            else ("asking raises leaving" if low > 0 else "asking lowers leaving")
        )
        return (
            f"Being asked by itself: {points:+.2f} points of leaving [{low:+.2f}, {high:+.2f}], "
            f"{self.n_asked:,} asked against {self.n_held_out:,} held out; {seen}. Effects under "
            f"{100 * self.smallest_seen:.2f} points would be missed."
        )


def effect_of_asking(arms: pl.DataFrame) -> SurveyEffect:
    """Return what being asked does to leaving, whether the customer answers or not.

    Parameters
    ----------
    arms : customer_id, is_held_out (decision hold-out against ask: both would have been asked), left (0/1), weight (one
        over the chance of the arm and of not being treated; 1 without). Whoever was refused for another reason, or was
        not worth asking, is not in the rows.

    Notes
    -----
    Intention to treat: the silent count. Difference of weighted (Hajek) rates; variances by the sum over customers of
    squared weighted residuals; the ratio's interval on the logarithm. Normal, 95 %.
    """
    sides = []
    for held_out in (False, True):
        rows = arms.filter(pl.col("is_held_out") == held_out)
        sides.append((rows.height, int(rows["left"].sum()), *_rate(rows)))
    (n_asked, k_asked, one, one_variance), (n_held, k_held, other, other_variance) = sides
    if min(k_asked, k_held) < FEWEST_LEAVERS_AN_ARM:
        reason = (
            f"{k_asked} leavers among {n_asked:,} asked and {k_held} among {n_held:,} held out, "
            f"{FEWEST_LEAVERS_AN_ARM} of each are needed"
        )
        return SurveyEffect(UNDEFINED, UNDEFINED, math.nan, n_asked, n_held, reason)
    z = float(ndtri((1 + LEVEL) / 2))
    spread = math.sqrt(one_variance + other_variance)
    away = one - other
    factor = math.exp(z * math.sqrt(one_variance / one**2 + other_variance / other**2))
    ratio = one / other
    return SurveyEffect(
        Interval(away, away - z * spread, away + z * spread),
        Interval(ratio, ratio / factor, ratio * factor),
        (z + float(ndtri(0.8))) * spread,
        n_asked,
        n_held,
    )


def _rate(rows: pl.DataFrame) -> tuple[float, float]:
    """Return the weighted rate of leaving and its variance over customers."""
    if not rows.height:
        return math.nan, math.nan
    y, w = (rows[name].cast(pl.Float64).to_numpy() for name in ("left", "weight"))
    rate = float(w @ y / w.sum())
    member = np.unique(rows["customer_id"].to_numpy().astype(str), return_inverse=True)[1]
    away = np.bincount(member, weights=w * (y - rate))
    n = max(len(away), 2)
    return rate, float(away @ away) / float(w.sum()) ** 2 * n / (n - 1)
