"""Streams of random numbers, one per purpose, so that a change in one part of the world leaves the others alone."""

from __future__ import annotations

import zlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]


def stream(seed: int, *purpose: str | int) -> np.random.Generator:
    """Return the generator for one purpose: the same seed and purpose always give the same numbers."""
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence([seed, *words])))


def cumulated(weights: npt.ArrayLike) -> Floats:
    """Return the running total of ``weights`` with a leading 0: the borders between the choices."""
    return np.asarray(
        np.concatenate([[0.0], np.cumsum(np.asarray(weights, dtype=np.float64))]), dtype=np.float64
    )


def chosen(rng: np.random.Generator, shares: npt.ArrayLike, size: int) -> Ints:
    """Draw ``size`` positions, each with the probability given by ``shares`` (which need not add up to 1)."""
    borders = cumulated(shares)
    found = np.searchsorted(borders, rng.random(size) * borders[-1], side="right") - 1
    return np.asarray(np.minimum(found, borders.size - 2), dtype=np.int64)


def repeated_ranges(counts: Ints) -> Ints:
    """Return 0..n-1 for each n of ``counts``, one after the other.

    >>> repeated_ranges(np.array([2, 0, 3])).tolist()
    [0, 1, 0, 1, 2]
    """
    starts = np.cumsum(counts) - counts
    return np.asarray(np.arange(int(counts.sum())) - np.repeat(starts, counts), dtype=np.int64)


def logistic(log_odds: Floats) -> Floats:
    """Return the probability that belongs to ``log_odds``."""
    return np.asarray(1.0 / (1.0 + np.exp(-log_odds)), dtype=np.float64)
