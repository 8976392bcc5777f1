"""Which columns mean something else at another time: tested between the snapshots that are learned from, never later.

Three ways to be unstable, each shown by a test: what goes with leaving in some snapshots goes with staying in
others; a number has left the range it had, like a running count; a text is renewed, like the name of this month's
campaign. It refuses to know learners.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import chdtrc, ndtri

from churnrisk.bundle import kind_of
from churnrisk.metrics import wilson

from .rows import Rows

Floats = NDArray[np.float64]

MOST_ROWS = 200_000
"""Rows that are looked at, evenly spaced over all; of a million every fifth."""

LEVEL = 0.01
"""Chance of naming any stable column: each test is held to this divided by the number of columns (Bonferroni)."""

FEWEST_EACH = 5
"""Leavers, and stayers, with a known value without whom a snapshot says nothing about a column."""

MOVED = 0.9
"""A number has moved when surely more than this share of pairs (one value before, one after) are in one order."""

RENEWED = 0.5
"""A text is renewed when surely less than this share of the last snapshot's values stood in any earlier one."""


def unstable(rows: Rows) -> dict[str, str]:
    """Return the columns of ``rows`` that are unstable over their snapshots, with the evidence in words.

    With one snapshot, or an extract without dates, there is nothing to compare and nothing is named.
    """
    days = sorted(set(rows.snapshot.astype(str).tolist()))
    if len(days) == 1 or not rows.frame.width:
        return {}
    chosen = np.zeros(len(rows.left), dtype=bool)
    chosen[:: max(1, len(chosen) // MOST_ROWS)] = True
    looked_at = rows.where(chosen)
    parts = [looked_at.where(looked_at.snapshot.astype(str) == day) for day in days]
    level = LEVEL / rows.frame.width
    found: dict[str, str] = {}
    for name, reason in (*_flipped(parts, level), *_moved(parts, level), *_renewed(parts, level)):
        found.setdefault(name, reason)
    return {name: f"unstable: {found[name]}" for name in rows.frame.columns if name in found}


def crossover_p(z: Floats) -> Floats:
    """Return the p-value of "no effect changes its sign" over k independent estimates.

    Parameters
    ----------
    z : shape (k, n), estimate over standard error of each of k parts for n questions; nan = nothing known.

    Returns
    -------
    ndarray, shape (n,)
        Q = min(sum of z^2 over positive, over negative z), judged by P = sum_{h=1}^{k-1} C(k-1, h) 2^{1-k}
        P(chi2_h > Q); 1 where fewer than two parts know anything (Gail & Simon, Biometrics 41, 1985).

    Examples
    --------
    The paper's critical value for two groups at 0.05 is 2.71:

    >>> round(float(crossover_p(np.array([[1.6462], [-3.0]]))[0]), 3)
    0.05
    """
    known = np.isfinite(z)
    square = np.where(known, z, 0.0) ** 2
    least = np.minimum(np.where(z > 0, square, 0.0).sum(axis=0), np.where(z < 0, square, 0.0).sum(axis=0))
    p_value = np.ones(z.shape[1])
    for k in np.unique(known.sum(axis=0)):
        of_k = known.sum(axis=0) == k
        terms = [comb(int(k) - 1, h) * 2.0 ** (1 - int(k)) * chdtrc(h, least[of_k]) for h in range(1, int(k))]
        if terms:
            p_value[of_k] = np.sum(terms, axis=0)
    return np.where(least > 0, p_value, 1.0)


def leaving_z(values: Floats, left: Floats) -> Floats:
    """Return how far leavers' mean rank lies above its expectation, in standard errors (Wilcoxon's rank sum).

    Parameters
    ----------
    values : shape (n, p); nan = unknown, left out for that column.
    left : shape (n,), 0 or 1.

    Returns
    -------
    ndarray, shape (p,)
        nan with fewer than ``FEWEST_EACH`` leavers or stayers, or where all values are equal.
    """
    ranks = _ranks(values)
    known = np.isfinite(ranks)
    n, n_left = known.sum(axis=0).astype(np.float64), (known & (left > 0)[:, None]).sum(axis=0)
    centred = np.where(known, ranks - (n + 1) / 2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = n_left * (n - n_left) / (n * (n - 1)) * (centred**2).sum(axis=0)
        z = (left @ centred) / np.sqrt(variance)
    is_enough = (n_left >= FEWEST_EACH) & (n - n_left >= FEWEST_EACH) & (variance > 0)
    return np.where(is_enough, z, np.nan)


def _flipped(parts: Sequence[Rows], level: float) -> Iterator[tuple[str, str]]:
    names = _named(parts[0], "number")
    if not names:
        return
    z = np.array([leaving_z(_numbers(part, names), (part.left > 0).astype(np.float64)) for part in parts])
    p_values = crossover_p(z)
    for position in np.flatnonzero(p_values < level):
        more, fewer = int((z[:, position] > 0).sum()), int((z[:, position] < 0).sum())
        reason = (
            f"more of it goes with leaving in {more} training snapshots and with staying in {fewer} "
            f"(p {p_values[position]:.1g})"
        )
        yield names[position], reason


def _moved(parts: Sequence[Rows], level: float) -> Iterator[tuple[str, str]]:
    """Compare the first and the last snapshot: the share of pairs in one order, and a lower bound of it."""
    names = _named(parts[0], "number")
    first, last = _numbers(parts[0], names), _numbers(parts[-1], names)
    n_first, n_last = np.isfinite(first).sum(axis=0), np.isfinite(last).sum(axis=0)
    ranks = _ranks(np.concatenate([first, last]))[len(first) :]
    with np.errstate(invalid="ignore", divide="ignore"):
        above = (np.nansum(ranks, axis=0) - n_last * (n_last + 1) / 2) / (n_first * n_last)
        share = np.maximum(above, 1 - above)
        # the variance of such a share is at most this (Birnbaum & Klose 1957)
        surely = share + ndtri(level) * np.sqrt(share * (1 - share) / np.minimum(n_first, n_last))
    for position in np.flatnonzero((surely > MOVED) & (np.minimum(n_first, n_last) >= 1 / (1 - MOVED) ** 2)):
        way = "above" if above[position] > 1 / 2 else "below"
        reason = (
            f"it moves with the calendar: in {share[position]:.0%} of pairs the value in the last training "
            f"snapshot lies {way} that in the first"
        )
        yield names[position], reason


def _renewed(parts: Sequence[Rows], level: float) -> Iterator[tuple[str, str]]:
    for name in _named(parts[0], "category"):
        now = parts[-1].frame[name].cast(pl.String).drop_nulls()
        before = pl.concat([part.frame[name].cast(pl.String) for part in parts[:-1]]).drop_nulls().unique()
        if not now.len() or not before.len():
            continue
        share = int(now.is_in(before.implode()).sum()) / now.len()
        _, high = wilson(share, float(now.len()), level=1 - 2 * level)
        if high < RENEWED:
            yield (
                name,
                f"only {share:.0%} of the values in the last training snapshot stood in an earlier one",
            )


def _named(part: Rows, kind: str) -> list[str]:
    return [name for name, dtype in part.frame.schema.items() if kind_of(dtype) == kind]


def _numbers(part: Rows, names: Sequence[str]) -> Floats:
    return part.frame.select(pl.col(names).cast(pl.Float64).fill_null(np.nan)).to_numpy()


def _ranks(values: Floats) -> Floats:
    """Return the rank of each value in its column, mean rank for equal ones, nan where unknown."""
    table = pl.DataFrame(values, schema=[str(position) for position in range(values.shape[1])])
    return table.select(pl.all().fill_nan(None).rank("average").fill_null(np.nan)).to_numpy()
