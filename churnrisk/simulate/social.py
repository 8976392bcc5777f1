"""Who knows whom, and how closely: ties within communities and households, ties across, and contacts off-net.

It decides the latent strength of each tie and which ties are strong, and refuses to know who leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from .clock import LEAD_IN_DAYS, NEVER
from .draws import Bools, Floats, Ints, cumulated, repeated_ranges, stream
from .population import People
from .settings import WorldSettings

Ints32: TypeAlias = npt.NDArray[np.int32]
Floats32: TypeAlias = npt.NDArray[np.float32]

HOUSEHOLD_FACTOR = 4.0
INSIDE_FACTOR = 1.6
STRENGTH_SPREAD = 1.1
"""Standard deviation of log strength; the three are guesses that give the heavy tails seen in call records."""
MORTAL_SHARE = 0.25
"""Share of the weaker ties that begin or end within the world's life; guessed. Strong ties last."""
OFFNET_PER_CUSTOMER = 4.0
OFFNET_NUMBERS_PER_CUSTOMER = 1.5
ROUNDS = 40
"""Draws of pairs before giving up on the last few in crowded communities."""


@dataclass(frozen=True)
class Ties:
    """Undirected ties; every field is an array over ties.

    ``a`` and ``b`` are people (a < b), or a person and the number of an off-net contact counted from the number of
    people. ``strength`` is relative. ``forward_share`` is the share of the contacts that ``a`` starts. A tie is alive
    on days ``[first, last)``.
    """

    a: Ints32
    b: Ints32
    strength: Floats32
    forward_share: Floats32
    first: Ints32
    last: Ints32
    is_strong: Bools
    is_household: Bools
    is_inside: Bools

    def __len__(self) -> int:
        """Return the number of ties."""
        return self.a.size


@dataclass(frozen=True)
class Friends:
    """The strong ties as lists of neighbours: those of person i are ``who[start[i]:start[i + 1]]``."""

    start: Ints
    who: Ints32

    def of(self, people: Ints) -> tuple[Ints, Ints]:
        """Return the strong friends of ``people`` and, beside each, whose friend it is."""
        counts = self.start[people + 1] - self.start[people]
        places = np.repeat(self.start[people], counts) + repeated_ranges(counts)
        return self.who[places].astype(np.int64), np.repeat(people, counts)


def ties_between_customers(settings: WorldSettings, people: People) -> Ties:
    """Draw the ties among people so that a customer has ``mean_degree`` ties to others who are customers just then."""
    rng = stream(settings.seed, "ties")
    n = len(people)
    # Of all the people of a community only so many are customers at any one time: each needs more ties for that.
    all_, at_first = np.bincount(people.community), _base_sizes(people)
    crowding = (all_ / at_first)[people.community]
    wanted = round(0.5 * settings.mean_degree * crowding.sum())
    places = _Places.of(people.community, crowding * np.exp(rng.normal(0, 0.4, n)))
    at_home = _household_pairs(people)
    inside = _pairs(
        rng, places, at_home, max(at_home.size, round(wanted * settings.inside_share)), inside=True
    )
    empty = np.empty(0, dtype=np.int64)
    across = _pairs(rng, places, empty, wanted - inside.size, inside=False)
    keys = np.sort(np.concatenate([inside, across]))
    a, b = keys // n, keys % n
    is_household = people.household[a] == people.household[b]
    is_inside = people.community[a] == people.community[b]
    factor = np.where(is_household, HOUSEHOLD_FACTOR, np.where(is_inside, INSIDE_FACTOR, 1.0))
    strength = _strength(rng, people, a, b) * factor
    is_strong = strength >= np.quantile(strength, 1 - settings.mechanism.strong_share)
    first, last = _lives(rng, settings.days, is_strong)
    return Ties(
        a=a.astype(np.int32),
        b=b.astype(np.int32),
        strength=strength.astype(np.float32),
        forward_share=rng.beta(2.0, 2.0, keys.size).astype(np.float32),
        first=first,
        last=last,
        is_strong=is_strong,
        is_household=is_household,
        is_inside=is_inside,
    )


def ties_off_net(settings: WorldSettings, people: People) -> Ties:
    """Draw the contacts outside the customer base; neighbours share some of them."""
    rng = stream(settings.seed, "off-net")
    n = len(people)
    a = np.repeat(np.arange(n), rng.poisson(OFFNET_PER_CUSTOMER, n))
    borders = np.round(cumulated(np.bincount(people.community)) * OFFNET_NUMBERS_PER_CUSTOMER).astype(
        np.int64
    )
    low, high = borders[people.community[a]], borders[people.community[a] + 1]
    b = n + np.minimum(low + (rng.random(a.size) * (high - low)).astype(np.int64), borders[-1] - 1)
    width = n + int(borders[-1]) + 1
    keys = np.unique(a * width + b)
    a, b = keys // width, keys % width
    nowhere = np.zeros(keys.size, dtype=np.bool_)
    first, last = _lives(rng, settings.days, nowhere)
    return Ties(
        a=a.astype(np.int32),
        b=b.astype(np.int32),
        strength=_strength(rng, people, a, a).astype(np.float32),
        forward_share=rng.beta(2.0, 2.0, keys.size).astype(np.float32),
        first=first,
        last=last,
        is_strong=nowhere,
        is_household=nowhere,
        is_inside=nowhere,
    )


def strong_friends(ties: Ties, n: int) -> Friends:
    """Return the strong ties among ``n`` people, both ways."""
    a, b = ties.a[ties.is_strong], ties.b[ties.is_strong]
    ends, others = np.concatenate([a, b]), np.concatenate([b, a])
    start = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(ends, minlength=n), out=start[1:])
    return Friends(start, others[np.argsort(ends, kind="stable")])


@dataclass(frozen=True)
class _Places:
    """People side by side by community, each as wide as they are sociable: a random place is a random person."""

    order: Ints
    community: Ints
    borders: Floats
    from_: Floats
    to: Floats

    @classmethod
    def of(cls, community: Ints, sociability: Floats) -> _Places:
        order = np.argsort(community, kind="stable")
        borders = cumulated(sociability[order])
        ends = np.cumsum(np.bincount(community))
        starts = np.concatenate([[0], ends[:-1]])
        return cls(order, community, borders, borders[starts], borders[ends])

    def person_at(self, place: Floats) -> Ints:
        found = np.searchsorted(self.borders, place, side="right") - 1
        return np.asarray(self.order[np.minimum(found, self.order.size - 1)])


def _pairs(rng: np.random.Generator, places: _Places, given: Ints, wanted: int, *, inside: bool) -> Ints:
    """Draw different pairs, as keys a * n + b with a < b, until there are ``wanted`` with those ``given``."""
    n = places.order.size
    keys = np.sort(given)
    for _ in range(ROUNDS):
        lacking = wanted - keys.size
        if lacking <= 0:
            break
        size = int(lacking * 1.15) + 8
        a = places.person_at(rng.random(size) * places.borders[-1])
        home = places.community[a]
        low = places.from_[home] if inside else np.zeros(size)
        high = places.to[home] if inside else np.full(size, places.borders[-1])
        b = places.person_at(low + rng.random(size) * (high - low))
        fits = (a != b) & ((home == places.community[b]) == inside)
        fresh = np.setdiff1d(np.minimum(a, b)[fits] * n + np.maximum(a, b)[fits], keys, assume_unique=False)
        keys = np.union1d(keys, rng.permutation(fresh)[:lacking])
    return keys


def _base_sizes(people: People) -> Ints:
    """Return how many customers each community had at the beginning, at least 1; it is held level from then on."""
    in_base = people.joined < -LEAD_IN_DAYS
    counts = np.bincount(people.community[in_base], minlength=int(people.community.max()) + 1)
    return np.asarray(np.maximum(counts, 1))


def _household_pairs(people: People) -> Ints:
    n = len(people)
    by_household = np.argsort(people.household, kind="stable")
    home = people.household[by_household]
    pairs = []
    for step in (1, 2, 3):
        together = home[:-step] == home[step:]
        a, b = by_household[:-step][together], by_household[step:][together]
        pairs.append(np.minimum(a, b) * n + np.maximum(a, b))
    return np.unique(np.concatenate(pairs))


def _strength(rng: np.random.Generator, people: People, a: Ints, b: Ints) -> Floats:
    both = np.sqrt(people.activity[a] * people.activity[b])
    return np.asarray(both * np.exp(rng.normal(0, STRENGTH_SPREAD, a.size)))


def _lives(rng: np.random.Generator, days: int, is_lasting: Bools) -> tuple[Ints32, Ints32]:
    size = is_lasting.size
    fate = rng.random(size)
    day = rng.integers(0, days, size).astype(np.int32)
    begins = ~is_lasting & (fate < MORTAL_SHARE / 2)
    ends = ~is_lasting & (fate > 1 - MORTAL_SHARE / 2)
    never = np.int32(NEVER)
    return np.where(begins, day, -never).astype(np.int32), np.where(ends, day, never).astype(np.int32)
