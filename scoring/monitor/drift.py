"""Has a distribution moved? The population stability index, its null for two kinds of samples, and many tests at once.

It decides what chance alone would do to counts in bins, and refuses to know features, dates and what to do about it.
Science: section 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, chdtri

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

HALF = 0.5
"""Added to every count: an empty bin gives a large index, not an infinite one (Krichevsky & Trofimov 1981)."""

FEWEST_EXPECTED = 5.0
"""Customers expected in every bin of both samples, from which on chi2 is near enough (Cochran 1954); else draws."""

FIRST_DRAWS = 199
"""Draws of the null for every feature; enough to see that nothing is the matter."""

LATER_DRAWS = 4999
"""Fresh draws where the first left doubt: p-values down to 1/10,000, which 500 features at once can need."""

DOUBT = 0.1
"""First p-values above it are kept: they are no finding whatever more draws say."""

LEVEL = 0.95


def psi(before: ArrayLike, now: ArrayLike) -> Floats:
    """Return the population stability index of counts in the same bins: sum (p - q) ln(p / q).

    Parameters
    ----------
    before, now : shape (..., bins), customers per bin; half a customer is added to each bin that is not empty in both.

    Returns
    -------
    numpy.ndarray
        Shape (...): 0 = the same shares. Rules of thumb call 0.1 a shift and 0.25 a large one; whether chance alone
        reaches that depends on the number of customers, see :func:`psi_by_chance`.

    Examples
    --------
    >>> round(float(psi([50, 50], [50, 50])), 6), round(float(psi([900, 100], [800, 200])), 4)
    (0.0, 0.0808)
    """
    p, q = np.asarray(before, dtype=np.float64), np.asarray(now, dtype=np.float64)
    used = (p + q) > 0
    p, q = np.where(used, p + HALF, 0.0), np.where(used, q + HALF, 0.0)
    p, q = p / p.sum(axis=-1, keepdims=True), q / q.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(used, (p - q) * np.log(p / q), 0.0)
    total: Floats = parts.sum(axis=-1)
    return total


def psi_by_chance(n_bins: int, n_before: float, n_now: float, *, level: float = LEVEL) -> float:
    """Return the index that two independent samples of one distribution stay under at ``level``.

    chi2_{B-1, level} (1/N + 1/M), the limit for large samples (Yurdakul & Naranjo 2020).

    >>> round(psi_by_chance(10, 1000, 1000), 4)
    0.0338
    """
    return float(chdtri(n_bins - 1, 1 - level)) * (1 / n_before + 1 / n_now)


@dataclass(frozen=True)
class Shift:
    """How far a distribution has moved, what chance alone would reach (95 %), and the p-value of no movement."""

    psi: float
    by_chance: float
    p_value: float


STILL = Shift(0.0, 0.0, 1.0)
"""Nothing to compare, or nobody moved."""


def independent_shift(
    before: ArrayLike, now: ArrayLike, rng: np.random.Generator, *, draws: int = LATER_DRAWS
) -> Shift:
    """Return the shift between two samples of different customers, or of the same ones long apart.

    Parameters
    ----------
    before, now : shape (bins,), customers per bin; non-integers (weighted rows) are rounded.
    rng : draws of the null, where bins are too small for its limit.
    draws : how many, where the first 199 leave doubt.

    Notes
    -----
    The null is chi2_{B-1} (1/N + 1/M) where at least five customers are expected in each bin, B = bins that are not
    empty in both; else the counts are dealt out again at random with both sums kept. Where the samples share
    customers, their likeness makes the test careful: it raises fewer false alarms than it may.
    """
    one, two = _whole(before), _whole(now)
    pooled = one + two
    used = pooled > 0
    one, two, pooled = one[used], two[used], pooled[used]
    n_one, n_two = int(one.sum()), int(two.sum())
    if pooled.size < 2 or not n_one or not n_two:  # noqa: PLR2004 - one bin cannot move
        return STILL
    found = float(psi(one, two))
    limit = psi_by_chance(pooled.size, n_one, n_two)
    if pooled.min() * min(n_one, n_two) / (n_one + n_two) >= FEWEST_EXPECTED:
        return Shift(found, limit, float(chdtrc(pooled.size - 1, found / (1 / n_one + 1 / n_two))))

    def drawn(size: int) -> Floats:
        again = rng.multivariate_hypergeometric(pooled, n_one, size=size, method="marginals")
        return psi(again, pooled - again)

    return _against(found, drawn, draws)


def paired_shift(moves: ArrayLike, rng: np.random.Generator, *, draws: int = LATER_DRAWS) -> Shift:
    """Return the shift between two nights that hold the same customers.

    Parameters
    ----------
    moves : shape (bins, bins), customers by bin of the first night (rows) and of the second (columns).
    rng : draws of the null.
    draws : how many, where the first 199 leave doubt.

    Notes
    -----
    Without drift a customer's two values might as well have come the other way round: the null swaps each customer's
    two nights with probability 1/2. Of the n_ij + n_ji customers who changed between bins i and j, a binomial number
    with p = 1/2 then went from i to j; the others of the table play no part. So B (B - 1) / 2 binomials are a whole
    permutation of any number of customers, exactly, however alike the nights are. Cost: O(draws B^2).
    """
    table = np.asarray(moves, dtype=np.int64)
    first, second = np.triu_indices(table.shape[0], 1)
    both = table[first, second] + table[second, first]
    changed = both > 0
    if not changed.any():
        return STILL
    first, second, both = first[changed], second[changed], both[changed]
    stayed = np.diag(table)
    at_first = np.eye(table.shape[0], dtype=np.int64)[first]
    at_second = np.eye(table.shape[0], dtype=np.int64)[second]

    def drawn(size: int) -> Floats:
        there = rng.binomial(both, HALF, size=(size, both.size))
        back = both - there
        return psi(stayed + there @ at_first + back @ at_second, stayed + there @ at_second + back @ at_first)

    return _against(float(psi(table.sum(axis=1), table.sum(axis=0))), drawn, draws)


def move_table(before: NDArray[np.uint8], now: NDArray[np.uint8], n_bins: int) -> Counts:
    """Return customers by bin before (rows) and now (columns), from their codes in the same order."""
    found = np.bincount(before.astype(np.intp) * n_bins + now, minlength=n_bins * n_bins)
    return found.reshape(n_bins, n_bins).astype(np.int64)


def q_values(p_values: Sequence[float] | Floats) -> Floats:
    """Return Benjamini & Hochberg's (1995) adjusted p-values: calling all up to q found makes q of them false.

    >>> q_values([0.01, 0.04, 0.5]).round(3).tolist()
    [0.03, 0.06, 0.5]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    scaled = p[order] * p.size / np.arange(1, p.size + 1)
    found = np.empty_like(p)
    found[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return found


def _against(found: float, drawn: Callable[[int], Floats], draws: int) -> Shift:
    """Judge by draws of the null: a few for all, more where they leave doubt. Ties count half (mid-p)."""
    null = drawn(FIRST_DRAWS)
    if _mid_p(found, null) <= DOUBT:
        null = drawn(draws)
    return Shift(found, float(np.quantile(null, LEVEL)), _mid_p(found, null))


def _mid_p(found: float, null: Floats) -> float:
    near = np.isclose(null, found, rtol=1e-9, atol=1e-15)
    return float((np.sum((null > found) & ~near) + (near.sum() + 1) / 2) / (null.size + 1))


def _whole(counts: ArrayLike) -> Counts:
    return np.rint(np.asarray(counts, dtype=np.float64)).astype(np.int64)
