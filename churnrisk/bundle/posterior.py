"""From a risk and what each answer is worth to the risk after each answer, so that the mean over answers is the risk.

It decides the normalisation (decision 28), and refuses to know customers, surveys, and how ratios were learned.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from .encoding import Floats

ROWS_AT_ONCE = 65_536
"""Rows solved together: what a step lays out stays in the processor's cache."""

MOST_STEPS = 200
"""Newton takes about six steps; bisection, where it leaves the bracket, at most as many as a float has bits."""

SETTLED = 1e-13
"""Largest step, in log odds, after which a shift is settled."""

TINY = 1e-250
"""Risks below are scaled by their likelihood ratios: the same to all digits, and no logarithm of nothing is taken."""

ROUNDING = 1e-9
"""How far chances of a row may be from a sum of 1."""


def posterior(risk: ArrayLike, chances: ArrayLike, log_ratios: ArrayLike) -> Floats:
    """Return the risk after each of k possible answers (0 to 1), coherent: its mean over the answers is the risk.

    Parameters
    ----------
    risk : shape (n,), float64, 0 to 1; nan = unknown, and then every answer's is unknown.
    chances : shape (n, k), chance of each answer, 0 to 1, each row summing to 1.
    log_ratios : shape (k,) or (n, k), log likelihood ratios; a number added to a whole row changes nothing.

    Returns
    -------
    ndarray, shape (n, k)
        ``p'_c = expit(s + log_ratio_c)`` with the one s per row for which ``sum_c chance_c p'_c = risk``.

    Raises
    ------
    ValueError
        Shapes that do not fit, or chances that are negative or do not sum to 1.

    Notes
    -----
    The 2 x k table of (leaves, stays) by answer with margins risk and chances and given odds ratios is unique
    (Sinkhorn 1967), and this is it: ratios between any two answers stay as learned, which no scaling of probabilities
    does. The left side rises strictly in s, between logit(risk) - max and logit(risk) - min of the log ratios;
    Newton on the logarithm of it (one step where risks are small), bisection where that leaves the bracket. A risk
    over 1/2 is solved as its complement, so that both ends keep their digits. O(n k) a step, 65,536 rows at once:
    memory is the result and no more than some MB.

    Examples
    --------
    >>> after = posterior([0.1], [[0.2, 0.5, 0.3]], [0.7, 0.0, -0.7])
    >>> after.round(4).tolist()
    [[0.1791, 0.0977, 0.051]]
    >>> round(float(after[0] @ [0.2, 0.5, 0.3]), 12)
    0.1
    """
    p, q = np.asarray(risk, dtype=np.float64), np.asarray(chances, dtype=np.float64)
    if (p.ndim, q.ndim) != (1, 2) or len(p) != len(q):
        msg = "a row of chances for every risk"
        raise ValueError(msg)
    ratios = np.broadcast_to(np.asarray(log_ratios, dtype=np.float64), q.shape)
    if not ((q >= 0).all() and (np.abs(q.sum(axis=1) - 1.0) <= ROUNDING).all()):
        msg = "chances of answers of at least 0 that sum to 1"
        raise ValueError(msg)
    found = np.empty(q.shape)
    for start in range(0, len(p), ROWS_AT_ONCE):
        rows = slice(start, start + ROWS_AT_ONCE)
        found[rows] = _solved(p[rows], q[rows] / q[rows].sum(axis=1, keepdims=True), ratios[rows])
    return found


def _solved(p: Floats, q: Floats, ratios: Floats) -> Floats:
    is_inner = (p > TINY) & (p < 1)
    safe = np.where(is_inner, p, 0.5)
    is_upper = safe > 0.5  # noqa: PLR2004
    sign = np.where(is_upper, -1.0, 1.0)[:, None]
    small = np.where(is_upper, 1.0 - safe, safe)
    turned = sign * ratios
    shifted = turned + _shifts(small, q, turned)[:, None]
    after = expit(sign * shifted)
    same = ratios == ratios[:, :1]
    top = np.exp(ratios - ratios.max(axis=1, keepdims=True))
    scaled = p[:, None] * (top / (q * top).sum(axis=1, keepdims=True))
    found = np.where(is_inner[:, None], after, np.where(p[:, None] >= 1, 1.0, scaled))
    told: Floats = np.where(same.all(axis=1, keepdims=True), p[:, None], found)
    return told


def _shifts(p: Floats, q: Floats, ratios: Floats) -> Floats:
    """Return s of each row with sum_c q_c expit(s + ratio_c) = p, for p in (0, 1/2]."""
    odds = logit(p)
    possible = q > 0
    low = odds - np.where(possible, ratios, -np.inf).max(axis=1)
    high = odds - np.where(possible, ratios, np.inf).min(axis=1)
    wanted = np.log(p)
    # Where all risks are small this is already the answer: p'_c is proportional to its likelihood ratio.
    top = ratios.max(axis=1)
    shift = np.clip(odds - top - np.log((q * np.exp(ratios - top[:, None])).sum(axis=1)), low, high)
    for _ in range(MOST_STEPS):
        each = expit(shift[:, None] + ratios)
        weighed = q * each
        mean = weighed.sum(axis=1)
        gap = np.log(mean) - wanted
        low, high = np.where(gap <= 0, shift, low), np.where(gap >= 0, shift, high)
        slope = (weighed * (1.0 - each)).sum(axis=1) / mean
        step = shift - gap / slope
        inside = (step >= low) & (step <= high)
        moved = np.where(inside, step, (low + high) / 2)
        settled = np.abs(moved - shift).max(initial=0.0) <= SETTLED * (1.0 + np.abs(shift).max(initial=0.0))
        shift = moved
        if settled:
            break
    found: Floats = shift
    return found


def moved_by(probability: ArrayLike, log_odds: ArrayLike) -> Floats:
    """Return probabilities moved by so many log odds; 0 and 1 stay, nan stays, and a move of 0 changes nothing.

    >>> moved_by([0.5, 0.0, 1.0], [np.log(3.0), 1.0, -1.0]).round(12).tolist()
    [0.75, 0.0, 1.0]
    """
    p, by = np.broadcast_arrays(
        np.asarray(probability, dtype=np.float64), np.asarray(log_odds, dtype=np.float64)
    )
    is_inner = (p > 0) & (p < 1) & (by != 0)
    moved: Floats = np.where(is_inner, expit(logit(np.where(is_inner, p, 0.5)) + by), p)
    return moved
