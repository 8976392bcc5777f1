"""Puts outcomes in order of their score once, so that every figure of ranking is read off the same curve.

It decides how ties and weights count, and refuses to know what any figure means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def checked_outcomes(
    left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None
) -> tuple[Floats, Floats, Floats]:
    """Return outcome (0 or 1), score and weight as float64 arrays of one length.

    Raises ValueError when lengths differ, nothing is given, an outcome is neither 0 nor 1, a score is not
    finite, or a weight is negative or not finite.
    """
    y = np.asarray(left, dtype=np.float64)
    s = np.asarray(score, dtype=np.float64)
    w = np.ones_like(y) if weight is None else np.asarray(weight, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape or y.shape != w.shape:
        msg = f"outcome, score and weight must be of one length, not {y.shape}, {s.shape} and {w.shape}"
        raise ValueError(msg)
    if y.size == 0:
        msg = "no rows to judge"
        raise ValueError(msg)
    if not bool(np.isin(y, (0.0, 1.0)).all()):
        msg = "an outcome is 0 (stayed) or 1 (left)"
        raise ValueError(msg)
    if not bool(np.isfinite(s).all()):
        msg = "a score must be finite"
        raise ValueError(msg)
    if not bool((np.isfinite(w) & (w >= 0)).all()):
        msg = "a weight must be finite and not negative"
        raise ValueError(msg)
    return y, s, w


@dataclass(frozen=True)
class Curve:
    """Weight of leavers and of stayers among the highest scores; one point per distinct score, from (0, 0)."""

    leavers: Floats
    stayers: Floats

    @property
    def total(self) -> float:
        """Weight of everybody."""
        return float(self.leavers[-1] + self.stayers[-1])

    @property
    def is_one_sided(self) -> bool:
        """Whether there are no leavers or no stayers, so that ranking means nothing."""
        return bool(self.leavers[-1] <= 0 or self.stayers[-1] <= 0)

    def gain_at(self, share: ArrayLike) -> Floats:
        """Return the share of all leavers in the given top shares, equal scores in random order (its mean)."""
        if self.leavers[-1] <= 0:
            return np.full(np.shape(np.asarray(share)), np.nan)
        reached = (self.leavers + self.stayers) / self.total
        gains = np.interp(np.asarray(share, dtype=np.float64), reached, self.leavers / self.leavers[-1])
        return np.asarray(gains, dtype=np.float64)


class Ranked:
    """Outcomes in falling order of score, equal scores grouped; made once, weighted as often as wanted."""

    def __init__(self, left: Floats, score: Floats) -> None:
        self.order: NDArray[np.intp] = np.argsort(-score, kind="stable")
        in_order = score[self.order]
        self._left = left[self.order]
        self._starts = np.flatnonzero(np.concatenate(([True], in_order[1:] != in_order[:-1])))

    def curve(self, weight: Floats) -> Curve:
        """Return the curve under ``weight``, one weight per row in the order the rows were given."""
        w = weight[self.order]
        leavers = self._cumulated(w * self._left)
        return Curve(leavers=leavers, stayers=self._cumulated(w * (1.0 - self._left)))

    def _cumulated(self, amounts: Floats) -> Floats:
        return np.concatenate(([0.0], np.cumsum(np.add.reduceat(amounts, self._starts))))


def ranked_curve(left: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> Curve:
    """Return the curve of checked outcomes."""
    y, s, w = checked_outcomes(left, score, weight)
    return Ranked(y, s).curve(w)
