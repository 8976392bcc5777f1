"""Venn-Abers intervals for every score at once, and the smooth curve through them; refuses to know learners.

Vovk, Petej & Fedorova (2015), Large-scale probabilistic predictors with and without guarantees of validity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import VennAbersGrid

Floats = NDArray[np.float64]

MOST_LEVELS = 2000
"""Score levels of a stored grid; with more distinct scores, levels of equal mass take their mean score."""


def venn_abers_grid(score: Floats, left: Floats, weight: Floats) -> VennAbersGrid:
    """Return p0 and p1 at rising score levels.

    Parameters
    ----------
    score : shape (n,), log-odds, of rows the model was not fitted on.
    left : shape (n,), 0 or 1.
    weight : shape (n,), > 0. The customer to be judged counts like the mean leaver, or stayer, they are added as.

    Notes
    -----
    p1 of a score is its isotonic fit among the rows when it is added as a leaver, p0 as a stayer. With the rows as
    points (cumulated weight, cumulated leavers) the isotonic fit is the slope of the greatest convex minorant, and
    adding a leaver moves all points before it by (-1, -1): one walk over the corners gives every p1. p0 is 1 - p1 of
    the mirrored problem. Cost: n log n, then linear in levels.

    Examples
    --------
    >>> grid = venn_abers_grid(np.array([-1.0, 1.0]), np.array([0.0, 1.0]), np.ones(2))
    >>> grid.p0.tolist(), grid.p1.tolist()
    ([0.0, 0.5], [0.5, 1.0])
    """
    levels, mass, leavers = score_levels(score, left, weight)
    stayers = mass - leavers
    like_leaver, like_stayer = (
        float(weight[left == kind].mean()) if (left == kind).any() else 1.0 for kind in (1, 0)
    )
    mirrored = _upper(mass[::-1], stayers[::-1], like_stayer)[::-1]
    return VennAbersGrid(levels, 1.0 - mirrored, _upper(mass, leavers, like_leaver))


def score_levels(score: Floats, left: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Return rising distinct scores with their weight and weight of leavers, at most ``MOST_LEVELS`` of them."""
    distinct, member = np.unique(score, return_inverse=True)
    mass: Floats = np.bincount(member, weights=weight).astype(np.float64)
    leavers: Floats = np.bincount(member, weights=weight * left).astype(np.float64)
    if len(distinct) <= MOST_LEVELS:
        return distinct, mass, leavers
    middle = (np.cumsum(mass) - mass / 2) / mass.sum()
    level = np.unique(
        np.minimum((middle * MOST_LEVELS).astype(np.intp), MOST_LEVELS - 1), return_inverse=True
    )[1]
    total: Floats = np.bincount(level, weights=mass).astype(np.float64)
    centre: Floats = np.bincount(level, weights=mass * distinct) / total
    return centre, total, np.bincount(level, weights=leavers).astype(np.float64)


def _upper(mass: Floats, leavers: Floats, added: float) -> Floats:
    """Return p1 at each level: the minorant's slope just before it once a leaver of weight ``added`` is there."""
    n = len(mass)
    x = np.concatenate(([-added, 0.0], np.cumsum(mass))).tolist()
    y = np.concatenate(([-added, 0.0], np.cumsum(leavers))).tolist()
    points = list(zip(x, y, strict=True))
    corners: list[tuple[float, float]] = []
    for point in points:
        while len(corners) > 1 and not _turns_left(corners[-2], corners[-1], point):
            corners.pop()
        corners.append(point)
    ahead = corners[::-1]
    found = np.empty(n)
    before = points[0]
    for level in range(n):
        first, second = ahead[-1], ahead[-2]
        found[level] = (second[1] - first[1]) / (second[0] - first[0])
        here, following = points[level + 1], points[level + 2]
        before = (before[0] + following[0] - here[0], before[1] + following[1] - here[1])
        if not _turns_left(first, before, second):
            continue
        ahead.pop()
        while len(ahead) > 1 and not _turns_left(before, ahead[-1], ahead[-2]):
            ahead.pop()
        ahead.append(before)
    return np.clip(found, 0.0, 1.0)


def _turns_left(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0
