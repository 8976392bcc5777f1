"""Small worlds in which leaving spreads, or only looks as if it did: drawn in a second, with the truth planted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from training.contagion import NEVER, Sighting
from training.contagion.panel import CLOSE, MIDDLE, WEAK
from training.contagion.strangers import circles

WEEK = 7
RECENT_WEEKS = 13


@dataclass(frozen=True)
class LightWorld:
    """What drives leaving: ``ratio`` per close friend who left in the last 13 weeks, ``alike`` = standard deviation of
    a hidden trait that a whole community shares, ``burst`` = that of a hidden shock to a community for a month.
    ``clique`` = size of the groups inside which three ties in five lie, 0 for none, ``clique_alike`` = standard
    deviation of a hidden trait that such a group shares."""

    ratio: float = 1.0
    alike: float = 0.0
    burst: float = 0.0
    clique: int = 0
    clique_alike: float = 0.0
    n_people: int = 6000
    n_looks: int = 11
    monthly: float = 0.03
    size: int = 30
    n_friends: int = 8
    seed: int = 1

    def drawn(self) -> tuple[list[Sighting], NDArray[np.int64]]:
        """Return the looks, 30 days apart, and the day of leaving of everybody."""
        rng = np.random.default_rng(self.seed)
        n = self.n_people
        community = np.arange(n) // self.size
        n_communities = int(community.max()) + 1
        own = rng.normal(0, 1, n)
        trait = self.alike * rng.normal(0, 1, n_communities)[community]
        if self.clique_alike:
            trait += self.clique_alike * rng.normal(0, 1, n // self.clique + 1)[np.arange(n) // self.clique]
        a, b = self._ties(rng)
        closeness = rng.choice([CLOSE, MIDDLE, WEAK], len(a), p=[0.4, 0.3, 0.3]).astype(np.int8)
        days = 30 * self.n_looks + 44
        left = self._lived(rng, (a[closeness == CLOSE], b[closeness == CLOSE]), own + trait, community, days)
        all_ego, all_friend = np.concatenate([a, b]), np.concatenate([b, a])
        kept = left[all_friend] < NEVER
        ego, friend, close = all_ego[kept], all_friend[kept], np.concatenate([closeness] * 2)[kept]
        sightings = []
        for look in range(self.n_looks):
            day = 30 * look
            person = np.flatnonzero(left >= day + 14)
            is_here = (left[ego] >= day) & (left[friend] >= day)
            both_here = (left[all_ego] >= day) & (left[all_friend] >= day)
            n_ties = np.bincount(all_ego[both_here], minlength=n)[person]
            both_here = (left[a] >= day) & (left[b] >= day)
            next_ = np.flatnonzero((left >= day + 14) & (left < day + 44))
            beside, around = circles(a[both_here], b[both_here], next_)
            sightings.append(
                Sighting(
                    day=day,
                    person=person,
                    community=community[person],
                    n_ties=n_ties,
                    ego=ego[is_here],
                    friend=friend[is_here],
                    closeness=close[is_here],
                    own=pl.DataFrame({"own": own[person] + rng.normal(0, 0.5, len(person))}),
                    own_row=np.arange(len(person)),
                    beside=beside,
                    around=around,
                )
            )
        return sightings, left

    def _ties(self, rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        n = self.n_people
        a = rng.integers(0, n, n * self.n_friends // 2)
        inside = (a // self.size) * self.size + rng.integers(0, self.size, len(a))
        elsewhere, share = rng.integers(0, n, len(a)), 0.85
        if self.clique:
            among = (a // self.clique) * self.clique + rng.integers(0, self.clique, len(a))
            inside, elsewhere, share = among, inside, 0.6
        b = np.minimum(np.where(rng.random(len(a)) < share, inside, elsewhere), n - 1)
        keys = np.unique(np.minimum(a, b) * n + np.maximum(a, b))
        low, high = keys // n, keys % n
        return low[low < high], high[low < high]

    def _lived(
        self,
        rng: np.random.Generator,
        ties: tuple[NDArray[np.int64], NDArray[np.int64]],
        lasting: NDArray[np.float64],
        community: NDArray[np.int64],
        days: int,
    ) -> NDArray[np.int64]:
        """Live week by week; the first thirteen weeks are a lead-in, before day 0."""
        n, (a, b) = self.n_people, ties
        base = self.monthly * WEEK / 30 / float(np.mean(np.exp(0.7 * lasting)))
        left = np.full(n, NEVER, np.int64)
        shock = np.zeros(n)
        for week, day in enumerate(range(-RECENT_WEEKS * WEEK, days, WEEK)):
            if self.burst and week % 4 == 0:
                shock = self.burst * rng.normal(0, 1, int(community.max()) + 1)[community]
            recent = (left < day) & (left >= day - RECENT_WEEKS * WEEK)
            n_recent = np.bincount(a, recent[b], n) + np.bincount(b, recent[a], n)
            hazard = base * np.exp(0.7 * lasting + shock + np.log(self.ratio) * np.minimum(n_recent, 3))
            leaves = (left == NEVER) & (rng.random(n) < -np.expm1(-hazard))
            left[leaves] = day + rng.integers(0, WEEK, int(leaves.sum()))
        return left
