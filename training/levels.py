"""How far the level of leaving differs from date to date beyond chance, and what that makes of a figure on new dates.

It decides nothing about a risk, and refuses to know learners. Prices rise in some months, a competitor calls in
another: what happens after a date nobody can learn from the date. A level learned from a few dates is therefore right
for others to so many hundredths only, however many customers stand behind it, and an interval by chance alone, which
takes dates for interchangeable, leaves the right level out too often.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from churnrisk.metrics import Interval, observed_over_expected

from .rows import Rows

Floats = NDArray[np.float64]

FEWEST_DATES = 3
"""Dates from which a spread between dates is told; two have one difference (judgement)."""

LEVEL = 0.95
_CHANCE = float(ndtri((1 + LEVEL) / 2))


@dataclass(frozen=True)
class Levels:
    """Observed over expected at the dates learned from, by risks of models that had not seen the customer."""

    n_dates: int
    spread: float
    """Standard deviation between dates of log observed/expected, beyond chance; 0 where chance explains it all."""
    error: float
    """Standard error of the mean level of those dates, spread and chance together."""

    def on_new_dates(self, judged: Interval, n_dates: int) -> Interval:
        """Return ``judged``, observed over expected on ``n_dates`` other dates, with the interval that dates allow.

        Notes
        -----
        A prediction interval of a random-effects model (Higgins, Thompson & Spiegelhalter 2009; of calibration:
        Debray et al. 2017): on the logarithm, half a width by chance (normal) and half a width by dates (Student's t,
        ``n_dates`` learned from less one) whose squares add up (Zou & Donner 2008). Undefined stays undefined; with no
        leaver observed the interval is that of chance.
        """
        if not (judged.value > 0 and judged.low > 0):
            return judged
        by_chance = math.log(judged.high / judged.low) / 2
        by_dates = float(stdtrit(self.n_dates - 1, (1 + LEVEL) / 2)) * math.hypot(
            self.spread / math.sqrt(n_dates), self.error
        )
        factor = math.exp(math.hypot(by_chance, by_dates))
        return Interval(judged.value, judged.value / factor, judged.value * factor)

    def sentence(self) -> str:
        """Say it in words, for notes and the model card."""
        if self.spread == 0:
            return f"the {self.n_dates} dates learned from differ in how many left by no more than chance explains"
        return (
            f"how many leave, over what is expected of who they are, differed by {self.spread:.1%} (standard "
            f"deviation) between the {self.n_dates} dates learned from, beyond chance: on any one date to come the "
            "level of the risk cannot be surer than that"
        )


def levels_of(rows: Rows, risk: Floats) -> Levels | None:
    """Return how far dates differ; None with fewer than three dates that somebody left at.

    Parameters
    ----------
    rows : shape (n,), the rows learned from.
    risk : shape (n,), 0 to 1, calibrated over all of them, each by a model that had not seen the row's customer.

    Notes
    -----
    The spread is Paule & Mandel's (1982): the one at which the dates' squared distances from their mean, each over
    spread^2 + error^2, add up to their number less one. Months in a row are taken for independent: where one resembles
    the next, dates far ahead differ by more than this says. So do dates whose outcome windows overlap.
    """
    found = [
        observed_over_expected(each.left, risk[mine], each.weight, customer=each.customer.astype(str))
        for mine in (rows.snapshot == day for day in np.unique(rows.snapshot.astype(str)))
        for each in (rows.where(mine),)
    ]
    told = [level for level in found if level.low > 0]
    if len(told) < FEWEST_DATES:
        return None
    value = np.log([level.value for level in told])
    error = np.log([level.high / level.low for level in told]) / (2 * _CHANCE)
    spread = _spread(value, error)
    return Levels(len(told), spread, float(1 / math.sqrt((1 / (spread**2 + error**2)).sum())))


def _spread(value: Floats, error: Floats) -> float:
    """Return the standard deviation between dates; shapes (dates,)."""
    from scipy.optimize import brentq

    def excess(variance: float) -> float:
        weight = 1 / (variance + error**2)
        away = value - weight @ value / weight.sum()
        return float(weight @ away**2) - (len(value) - 1)

    if excess(0.0) <= 0:
        return 0.0
    return math.sqrt(brentq(excess, 0.0, float(len(value) * np.ptp(value) ** 2)))
