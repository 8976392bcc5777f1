"""How well a score ranks customers by what an action does for them: Qini, uplift at a share, AUTOC and QINI.

It reads outcomes of treated and untreated customers, or doubly robust scores made of them, and refuses to know how an
effect was predicted. ``stayed`` is 0 or 1 here, so that a positive effect is one that keeps customers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from .probability import LEVEL, UNDEFINED, Interval
from .ranked import Floats
from .resampling import N_RESAMPLES, percentile_interval, resampled

RATES = ("autoc", "qini")
"""Rank-weighted average treatment effects: weight 1, and weight q, on the targeting operator characteristic."""


def qini_table(
    stayed: ArrayLike, is_treated: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None
) -> pl.DataFrame:
    """Return the Qini curve, one row per distinct score from the highest, beginning at (0, 0).

    Parameters
    ----------
    stayed : shape (n,), 0 or 1; 1 = stayed.
    is_treated : shape (n,), true = got the action; both kinds must be there.
    score : shape (n,), finite; higher = treated earlier.
    weight : shape (n,), >= 0, optional; inverse propensities where they differ between customers.

    Returns
    -------
    polars.DataFrame
        share (0-1 of the weight), incremental (stays won per treated customer: Y_T - Y_C N_T / N_C over the N_T of
        all), at_random (what the same share would win in random order). Where nobody untreated is in the top yet, there
        is no row.

    Raises
    ------
    ValueError
        Lengths differ, nothing is given, a value is out of range, or one of the two kinds is missing.
    """
    share, incremental = _Uplift(stayed, is_treated, score).curve(_weights(stayed, weight))
    at_random = share * incremental[-1]
    return pl.DataFrame({"share": share, "incremental": incremental, "at_random": at_random})


def qini(
    stayed: ArrayLike, is_treated: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None
) -> float:
    r"""Return the area between the Qini curve and random order (stays per treated customer).

    Parameters
    ----------
    stayed, is_treated, score, weight : as in :func:`qini_table`.

    Notes
    -----
    With :math:`Q(x) = (Y_T - Y_C N_T / N_C) / N_T^{all}` over the top share x,
    :math:`\int_0^1 Q(x) - x Q(1) \, dx`: both axes are shares, so it does not grow with n. Equal scores are one step,
    straight between its ends. It is the area of Radcliffe (2007), not divided by that of a perfect ranking, which
    cannot be known of customers seen in one arm only. n log n.

    Examples
    --------
    >>> round(qini([1, 0, 1, 1], [1, 0, 1, 0], [2.0, 2.0, 1.0, 1.0]), 4)
    0.125
    """
    return _Uplift(stayed, is_treated, score).area(_weights(stayed, weight))


def uplift_at(
    stayed: ArrayLike,
    is_treated: ArrayLike,
    score: ArrayLike,
    share: float,
    weight: ArrayLike | None = None,
) -> float:
    """Return the share that stayed of the treated less that of the untreated, in the top ``share`` by score.

    Equal scores at the edge count in part. nan where either kind is missing in the top. Arguments as in
    :func:`qini_table`; ``share`` over 0 to 1.

    >>> uplift_at([1, 0, 1, 1], [1, 0, 1, 0], [2.0, 2.0, 1.0, 1.0], 0.5)
    1.0
    """
    if not 0 < share <= 1:
        msg = f"a share over 0 up to 1, not {share}"
        raise ValueError(msg)
    return _Uplift(stayed, is_treated, score).at(_weights(stayed, weight), share)


def uplift_intervals(
    stayed: ArrayLike,
    is_treated: ArrayLike,
    score: ArrayLike,
    *,
    shares: tuple[float, ...] = (0.1, 0.3),
    weight: ArrayLike | None = None,
    customer: ArrayLike | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Mapping[str, Interval]:
    """Return ``qini`` and ``uplift_at_<share>`` with percentile intervals, whole customers drawn with replacement.

    Parameters as in :func:`qini_table`; ``customer`` is shape (n,), any sortable. Ends are nan where a figure is
    undefined in more than 5 % of the resamples.
    """
    found = _Uplift(stayed, is_treated, score)

    def figures(w: Floats) -> Floats:
        return np.array([found.area(w), *(found.at(w, share) for share in shares)])

    names = ("qini", *(f"uplift_at_{share:g}" for share in shares))
    value, drawn = resampled(
        figures, _weights(stayed, weight), customer=customer, n_resamples=n_resamples, seed=seed
    )
    return _named(names, value, drawn, level)


def rate(scores: ArrayLike, priority: ArrayLike, weight: ArrayLike | None = None) -> Mapping[str, float]:
    r"""Return AUTOC and QINI of a priority, from doubly robust scores (probability of staying).

    Parameters
    ----------
    scores : shape (n,), finite: each customer's doubly robust score of the effect (:func:`.effects.aipw_scores`), made
        without the customer's own outcome in its nuisances.
    priority : shape (n,), finite; higher = treated earlier. It must not have been learned from these rows.
    weight : shape (n,), >= 0, optional.

    Returns
    -------
    mapping
        ``autoc`` and ``qini``; 0 = the order tells nothing of the effect, below 0 = the wrong way round.

    Notes
    -----
    :math:`TOC(q) = E[\Gamma \mid F(S) \ge 1 - q] - E[\Gamma]`, AUTOC :math:`= \int_0^1 TOC(q) dq` and QINI
    :math:`= \int_0^1 q \, TOC(q) dq`, as sums over customers in order; equal priorities stand for their mean. n log n.

    References
    ----------
    Yadlowsky, Fleming, Shah, Brunskill & Wager 2021, Evaluating treatment prioritization rules via rank-weighted
    average treatment effects; the R package grf defines them so (rank_average_treatment_effect).

    Examples
    --------
    >>> found = rate([1.0, 0.0], [2.0, 1.0])
    >>> found["autoc"], found["qini"]
    (0.25, 0.125)
    """
    ranked = _Priority(scores, priority)
    return dict(zip(RATES, ranked.rates(_weights(scores, weight)).tolist(), strict=True))


def rate_intervals(
    scores: ArrayLike,
    priority: ArrayLike,
    *,
    weight: ArrayLike | None = None,
    customer: ArrayLike | None = None,
    n_resamples: int = N_RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Mapping[str, Interval]:
    """Return ``autoc`` and ``qini`` of :func:`rate` with percentile intervals, whole customers drawn.

    >>> found = rate_intervals([1.0, 0.0] * 50, [2.0, 1.0] * 50)["autoc"]
    >>> 0 < found.low < found.value < found.high
    True
    """
    ranked = _Priority(scores, priority)
    value, drawn = resampled(
        ranked.rates, _weights(scores, weight), customer=customer, n_resamples=n_resamples, seed=seed
    )
    return _named(RATES, value, drawn, level)


def rates_of(scores: ArrayLike, priorities: ArrayLike) -> Callable[[Floats], Floats]:
    """Return what gives AUTOC and QINI of several priorities, shape (n, k), in turn, from weights; shape (2 k,)."""
    ranked = [_Priority(scores, each) for each in np.asarray(priorities, dtype=np.float64).T]

    def figures(w: Floats) -> Floats:
        return np.concatenate([each.rates(w) for each in ranked])

    return figures


def _named(names: tuple[str, ...], value: Floats, drawn: Floats, level: float) -> dict[str, Interval]:
    if not value.size:
        return dict.fromkeys(names, UNDEFINED)
    return {
        name: percentile_interval(float(value[position]), drawn[:, position], level)
        for position, name in enumerate(names)
    }


def _weights(like: ArrayLike, weight: ArrayLike | None) -> Floats:
    n = np.asarray(like).size
    found = np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64)
    if found.shape != (n,) or not bool((np.isfinite(found) & (found >= 0)).all()):
        msg = f"{n} weights, finite and not negative"
        raise ValueError(msg)
    return found


def _finite(values: ArrayLike, name: str) -> Floats:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not found.size or not bool(np.isfinite(found).all()):
        msg = f"{name}: finite numbers in one dimension, at least one"
        raise ValueError(msg)
    return found


@dataclass(frozen=True)
class _Order:
    """Rows by falling score, and where each distinct score begins."""

    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, score: Floats) -> _Order:
        order = np.argsort(-score, kind="stable")
        in_order = score[order]
        return cls(order, np.flatnonzero(np.concatenate(([True], in_order[1:] != in_order[:-1]))))

    def summed(self, amounts: Floats) -> Floats:
        """Sums of the amounts (one per row as given) per distinct score."""
        return np.add.reduceat(amounts[self.order], self.starts)


class _Uplift:
    """Outcomes of both kinds in order of the score, weighted as often as wanted."""

    def __init__(self, stayed: ArrayLike, is_treated: ArrayLike, score: ArrayLike) -> None:
        y, s = _finite(stayed, "stayed"), _finite(score, "score")
        t = np.asarray(is_treated, dtype=np.float64)
        if not (y.shape == s.shape == t.shape):
            msg = (
                f"stayed, is_treated and score must be of one length, not {y.shape}, {t.shape} and {s.shape}"
            )
            raise ValueError(msg)
        if not bool(np.isin(y, (0.0, 1.0)).all() and np.isin(t, (0.0, 1.0)).all()):
            msg = "stayed and is_treated are 0 or 1"
            raise ValueError(msg)
        if not 0 < t.sum() < t.size:
            msg = "both treated and untreated customers"
            raise ValueError(msg)
        self._order = _Order.of(s)
        self._parts = (t * y, t, (1 - t) * y, 1 - t)

    def _cumulated(self, w: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """Stays and number of the treated, then of the untreated, among the highest scores; from 0."""
        y_t, n_t, y_c, n_c = (
            np.concatenate(([0.0], np.cumsum(self._order.summed(w * part)))) for part in self._parts
        )
        return y_t, n_t, y_c, n_c

    def curve(self, w: Floats) -> tuple[Floats, Floats]:
        y_t, n_t, y_c, n_c = self._cumulated(w)
        if not (n_t[-1] > 0 and n_c[-1] > 0):
            return np.array([0.0, 1.0]), np.array([math.nan, math.nan])
        told = n_c > 0
        told[0] = True
        lost = np.divide(y_c * n_t, n_c, out=np.zeros_like(y_c), where=n_c > 0)
        share = (n_t + n_c) / (n_t[-1] + n_c[-1])
        return share[told], ((y_t - lost) / n_t[-1])[told]

    def area(self, w: Floats) -> float:
        share, incremental = self.curve(w)
        return float(np.trapezoid(incremental - share * incremental[-1], share))

    def at(self, w: Floats, share: float) -> float:
        y_t, n_t, y_c, n_c = self._cumulated(w)
        reached = n_t + n_c
        if reached[-1] <= 0:
            return math.nan
        wanted = share * reached[-1]
        top = [float(np.interp(wanted, reached, part)) for part in (y_t, n_t, y_c, n_c)]
        return top[0] / top[1] - top[2] / top[3] if top[1] > 0 and top[3] > 0 else math.nan


class _Priority:
    """Doubly robust scores in order of a priority, weighted as often as wanted."""

    def __init__(self, scores: ArrayLike, priority: ArrayLike) -> None:
        self._scores, by = _finite(scores, "scores"), _finite(priority, "priority")
        if self._scores.shape != by.shape:
            msg = f"scores and priority must be of one length, not {self._scores.shape} and {by.shape}"
            raise ValueError(msg)
        self._order = _Order.of(by)
        self._sizes = np.diff(np.append(self._order.starts, by.size))

    def rates(self, w: Floats) -> Floats:
        """AUTOC and QINI: every row carries the mean of those that share its priority."""
        total = float(w.sum())
        if total <= 0:
            return np.array([math.nan, math.nan])
        ahead = w[self._order.order]
        mass = np.add.reduceat(ahead, self._order.starts)
        summed = self._order.summed(w * self._scores)
        mean = np.divide(summed, mass, out=np.zeros_like(mass), where=mass > 0)
        each = ahead * np.repeat(mean, self._sizes)
        reached = np.cumsum(ahead)
        toc = np.divide(np.cumsum(each), reached, out=np.zeros_like(reached), where=reached > 0)
        toc -= float(summed.sum()) / total
        return np.array([ahead @ toc, (ahead * reached / total) @ toc]) / total
