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


class Chances:
    """Random numbers of people: one stream for whoever asks, or a number of their own for each person and turn.

    With ``by_person`` two worlds that differ in what is done to some people give all others the same fate, since
    nobody's numbers depend on who else is still there: common random numbers, so that a difference between the worlds
    is that of what was done and not of chance (Glasserman & Yao 1992, "Some guidelines and guarantees for common random
    numbers").
    It draws for everybody whenever it is asked, which costs little, and :meth:`turn` must be called at every turn.

    Parameters
    ----------
    n : people there are.
    seed, purpose : as of :func:`stream`.
    """

    def __init__(self, n: int, seed: int, *purpose: str | int, by_person: bool = False) -> None:
        self._n, self._seed, self._purpose = n, seed, purpose
        self._by_person = by_person
        self.rng = stream(seed, *purpose)
        """For what concerns nobody in particular."""

    def redrawn(self, *purpose: str | int) -> Chances:
        """Return other chances of the same kind."""
        return Chances(self._n, self._seed, *self._purpose, *purpose, by_person=self._by_person)

    def turn(self, number: int) -> None:
        """Begin turn ``number``, of any sign; numbers by person start anew from it."""
        if self._by_person:
            self.rng = stream(self._seed, *self._purpose, "turn", zlib.crc32(str(number).encode()))

    def random(self, who: Ints) -> Floats:
        """Return a uniform number for each of ``who``."""
        return np.asarray(self.rng.random(self._n)[who] if self._by_person else self.rng.random(who.size))

    def exponential(self, mean: float, who: Ints) -> Floats:
        """Return an exponential number of this mean for each of ``who``."""
        rng = self.rng
        return np.asarray(
            rng.exponential(mean, self._n)[who] if self._by_person else rng.exponential(mean, who.size)
        )

    def integers(self, low: int, high: int, who: Ints) -> Ints:
        """Return a whole number from ``low`` to below ``high`` for each of ``who``."""
        rng = self.rng
        if self._by_person:
            return np.asarray(rng.integers(low, high, self._n)[who])
        return np.asarray(rng.integers(low, high, who.size))

    def gumbel(self, scale: float, kinds: int, who: Ints) -> Floats:
        """Return a Gumbel number for each of ``kinds`` and of ``who``; shape (kinds, who)."""
        rng = self.rng
        if self._by_person:
            return np.asarray(rng.gumbel(0, scale, (kinds, self._n))[:, who])
        return np.asarray(rng.gumbel(0, scale, (kinds, who.size)))


def cumulated(weights: npt.ArrayLike) -> Floats:
    """Return the running total of ``weights`` with a leading 0: the borders between the choices."""
    return np.asarray(
        np.concatenate([[0.0], np.cumsum(np.asarray(weights, dtype=np.float64))]), dtype=np.float64
    )


def chosen(rng: np.random.Generator, shares: npt.ArrayLike, size: int) -> Ints:
    """Draw ``size`` positions, each with the probability given by ``shares`` (which need not add up to 1)."""
    return placed(rng.random(size), shares)


def placed(draw: Floats, shares: npt.ArrayLike) -> Ints:
    """Return the position that each uniform number falls on, as wide as its part of ``shares``."""
    borders = cumulated(shares)
    found = np.searchsorted(borders, draw * borders[-1], side="right") - 1
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
