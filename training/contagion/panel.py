"""The panel behind the question whether churn spreads: who was at risk when, and which friends had left by then.

It decides which leavings count as an exposure and who is compared with whom, and refuses to know models. People are
numbers from 0, days are whole days from the first look.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEVER = 1 << 40
"""Day of leaving of those who did not."""

FRESH_DAYS = 21
"""A friend's leaving younger than this is kept apart: two may have decided together, and who has decided has not left
yet. Notice periods of a fortnight and a week's slack; a judgement."""

RECENT_DAYS = 91
"""How long a friend's leaving counts as recent: a quarter, as in the churn exposure published (90 days)."""

FADED_DAYS = 112
"""From then on a friend's leaving is long past; between, it is kept apart, lest the border blur (a judgement)."""

MOST_FRIENDS = 3
"""More churned friends than this add nothing further (a judgement; few people ever have as many at once)."""

CLOSE_SHARE = 0.2
"""A close friend: a strong one whose tie is among this share of all ties, the strongest. Ties not so clearly strong
have terms of their own, so that misjudged ones dilute nothing (a judgement)."""

MIDDLE_SHARE = 0.6
"""Of the other ties, those among this share of the strongest are in the middle, the rest weak (a judgement)."""

CLOSE, MIDDLE, WEAK = 2, 1, 0
_SPAN = 1 << 20
_SHIFT = 1 << 18


def _none() -> Ints:
    return np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class Sighting:
    """What was known at one look.

    Attributes
    ----------
    day
        Days from the first look.
    person
        int, n, ascending: who could leave after the gap and was here before (not in notice, not leaving in the gap).
    community
        int, n: the same number is the same community at every look; -1 = none.
    n_ties
        int, n.
    ego, friend, closeness
        Per directed tie to a friend who left sooner or later: the person, the friend, and how close.
    own, own_row
        Own features, without network and calls, and the row of each person in them; None = none.
    beside, around
        Per person who shares friends with somebody who left, without being tied to them: the person, who left.
    """

    day: int
    person: Ints
    community: Ints
    n_ties: Ints
    ego: Ints
    friend: Ints
    closeness: NDArray[np.int8]
    own: pl.DataFrame | None = None
    own_row: Ints | None = None
    beside: Ints = field(default_factory=_none)
    around: Ints = field(default_factory=_none)


def closeness_of(ties: pl.DataFrame) -> NDArray[np.int8]:
    """Say of every tie (node_a, node_b, strength) how close it is: `CLOSE`, `MIDDLE` or `WEAK`.

    Strong as for influence: at least an even share of the attention of one of both. Close: strong, and within the
    fifth of the strongest ties.
    """
    if ties.is_empty():
        return np.empty(0, np.int8)
    node_a, node_b = (ties[name].to_numpy().astype(np.int64) for name in ("node_a", "node_b"))
    strength = ties["strength"].to_numpy()
    n_nodes = int(node_b.max()) + 1
    n_ties = np.bincount(node_a, minlength=n_nodes) + np.bincount(node_b, minlength=n_nodes)
    whole = np.bincount(node_a, strength, n_nodes) + np.bincount(node_b, strength, n_nodes)
    nearly = whole * (1 - 1e-9)
    is_strong = (strength * n_ties[node_a] >= nearly[node_a]) | (strength * n_ties[node_b] >= nearly[node_b])
    close_from, middle_from = np.quantile(strength, [1 - CLOSE_SHARE, 1 - MIDDLE_SHARE])
    is_close = is_strong & (strength >= close_from)
    return np.where(is_close, CLOSE, np.where(strength >= middle_from, MIDDLE, WEAK)).astype(np.int8)


def carried_labels(earlier: Sighting | None, person: Ints, community: Ints, first_new: int) -> Ints:
    """Number the communities of a look as at the look before, by where most of their members were; new ones anew."""
    n_found = int(community.max(initial=-1)) + 1
    labels = np.arange(first_new, first_new + n_found, dtype=np.int64)
    if earlier is not None and n_found:
        place = np.searchsorted(earlier.person, person)
        place = np.minimum(place, max(len(earlier.person) - 1, 0))
        was_here = (
            (earlier.person[place] == person) if len(earlier.person) else np.zeros(len(person), np.bool_)
        )
        old = np.where(was_here, earlier.community[place] if len(earlier.person) else -1, -1)
        votes = (
            pl.DataFrame({"now": community, "old": old})
            .filter((pl.col("now") >= 0) & (pl.col("old") >= 0))
            .group_by("now", "old")
            .len()
            .sort(["now", "len", "old"], descending=[False, True, False])
            .unique("now", keep="first", maintain_order=True)
        )
        labels[votes["now"].to_numpy()] = votes["old"].to_numpy()
    return np.where(community >= 0, labels[np.maximum(community, 0)] if n_found else -1, -1)


@dataclass(frozen=True, eq=False)
class Departures:
    """Friends who left: per row the person who saw it, the friend, the day and how close they were."""

    ego: Ints
    friend: Ints
    day: Ints
    closeness: NDArray[np.int8]
    look: Ints


def departures(sightings: Sequence[Sighting], left_day: Ints, gap_days: int) -> Departures:
    """Return whose friends left when, with ties as of the last look at least ``gap_days`` before the leaving.

    So a tie is measured before the friend fell silent, and leaving does not erase it.
    """
    parts: list[tuple[Ints, Ints, Ints, NDArray[np.int8], Ints]] = []
    for number, look in enumerate(sightings):
        begins, ends = look.day + gap_days, NEVER
        if number + 1 < len(sightings):
            ends = sightings[number + 1].day + gap_days
        day = left_day[look.friend]
        chosen = (day >= begins) & (day < ends)
        parts.append(
            (
                look.ego[chosen],
                look.friend[chosen],
                day[chosen],
                look.closeness[chosen],
                np.full(int(chosen.sum()), number, np.int64),
            )
        )
    ego, friend, day, closeness, place = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Departures(ego, friend, day, closeness.astype(np.int8), place)


class Tally:
    """Counts dated things by person: how many lie in ``[from, to)``. O(log n) per question, all at once."""

    def __init__(self, person: Ints, day: Ints) -> None:
        self._keys = np.sort(person * _SPAN + day + _SHIFT)

    def between(self, person: Ints, begins: Ints, ends: Ints) -> Ints:
        """Count, for each of ``person``, the things on days ``[begins, ends)``."""
        base = person * _SPAN + _SHIFT
        low, high = (np.clip(day, -_SHIFT, _SHIFT) for day in (begins, ends))
        return np.searchsorted(self._keys, base + high) - np.searchsorted(self._keys, base + low)


@dataclass(frozen=True, eq=False)
class Sets:
    """Matched sets: a case and people of the same community at risk on the same day; rows of a set lie together.

    ``set_``, ``look``, ``person``, ``day``, ``is_case`` are per row; ``n_in_set``, ``cluster`` per set.
    """

    look: Ints
    person: Ints
    day: Ints
    is_case: Bools
    n_in_set: Ints
    cluster: Ints

    @property
    def n_sets(self) -> int:
        """Number of sets."""
        return len(self.n_in_set)

    @property
    def places(self) -> Ints:
        """Place of each row in its set; the case has 0."""
        starts = np.cumsum(self.n_in_set) - self.n_in_set
        return np.arange(len(self.person)) - np.repeat(starts, self.n_in_set)

    def thinned(self, most: int) -> Sets:
        """Return the same sets with at most ``most`` rows each, the case and the first of the others."""
        kept = self.places < most
        return Sets(
            self.look[kept],
            self.person[kept],
            self.day[kept],
            self.is_case[kept],
            np.minimum(self.n_in_set, most),
            self.cluster,
        )


def first_study_day(sightings: Sequence[Sighting]) -> int:
    """Return the day of the first look from which every leaving of the last `FADED_DAYS` would have been seen."""
    return sightings[0].day + FADED_DAYS


@dataclass(frozen=True)
class Draw:
    """How sets are drawn: rows beside the case, and sets in all, so that cost has a bound; more cases are drawn from.

    Without ``by_community`` the others come from everywhere, for the estimate without adjustment.
    """

    n_controls: int
    most_cases: int
    seed: int
    by_community: bool = True


def matched_sets(
    sightings: Sequence[Sighting], case_days: Sequence[Ints], left_day: Ints, draw: Draw
) -> Sets:
    """Draw sets: for each case at a look, others of its community who are there, at random but reproducibly.

    Parameters
    ----------
    sightings
        The looks, in order of time.
    case_days
        Per look: the day on which each of its people became a case, `NEVER` for the others. Everybody whose own day
        and day of leaving are later is at risk on that day.
    left_day
        Day of leaving by person.
    draw
        How many, and from where.

    Returns
    -------
    Sets
        In order of look, community and person. Only those who have ties, and had them `FADED_DAYS` ago, take part;
        cases without anybody beside them fall out.
    """
    share = min(1.0, draw.most_cases / max(1, sum(int((days < NEVER).sum()) for days in case_days)))
    parts: list[_Drawn] = []
    for number, (look, days, fits) in enumerate(
        zip(sightings, case_days, longstanding(sightings, len(left_day)), strict=True)
    ):
        rng = np.random.default_rng([draw.seed, number])
        cases = np.flatnonzero((days < NEVER) & fits & (rng.random(len(days)) < share))
        group = look.community if draw.by_community else rng.integers(0, _strangers_per(fits), len(days))
        leaves = left_day[look.person]

        def at_risk(
            set_: Ints, row: Ints, days: Ints = days, leaves: Ints = leaves, cases: Ints = cases
        ) -> Bools:
            day = days[cases[set_]]
            return (days[row] > day) & (leaves[row] >= day)

        beside = _beside(np.flatnonzero(fits), group, cases, at_risk)
        parts.append(_drawn(number, look, (cases, days[cases]), beside, (draw.n_controls, rng)))
    return _stacked(parts)


def friend_sets(
    sightings: Sequence[Sighting],
    seen: Departures,
    *,
    closeness: int,
    gap_days: int,
    n_people: int,
    draw: Draw,
) -> Sets:
    """Draw sets around each friend who left: a person tied so closely, and others of its community not tied at all.

    The friend is never among the others: nobody is their own friend, and who is about to leave has more risk. Days are
    the first of the period of the look in which the friend left.
    """
    parts: list[_Drawn] = []
    chosen = seen.closeness == closeness
    share = min(1.0, draw.most_cases / max(1, int(chosen.sum())))
    for number, (look, fits) in enumerate(zip(sightings, longstanding(sightings, n_people), strict=True)):
        rng = np.random.default_rng([draw.seed, number])
        rows = np.flatnonzero(chosen & (seen.look == number))
        rows = rows[np.lexsort((seen.friend[rows], seen.ego[rows]))]
        rows = rows[rng.random(len(rows)) < share]
        place = np.full(n_people, -1, np.int64)
        place[look.person[fits]] = np.flatnonzero(fits)
        rows = rows[place[seen.ego[rows]] >= 0]
        cases, friend = place[seen.ego[rows]], seen.friend[rows]
        tied = np.sort(look.ego * n_people + look.friend)

        def is_stranger(
            set_: Ints, row: Ints, look: Sighting = look, friend: Ints = friend, tied: Ints = tied
        ) -> Bools:
            person = look.person[row]
            return np.asarray((person != friend[set_]) & ~_holds(tied, person * n_people + friend[set_]))

        beside = _beside(np.flatnonzero(fits), look.community, cases, is_stranger)
        days = np.full(len(cases), look.day + gap_days, np.int64)
        parts.append(_drawn(number, look, (cases, days), beside, (draw.n_controls, rng)))
    return _stacked(parts)


def first_look_sets(look: Sighting, left_day: Ints, day_from: int, draw: Draw) -> Sets:
    """Draw sets from those seen at one look only, for dates of leaving that may be made up, from ``day_from`` on."""
    rng = np.random.default_rng([draw.seed, 0])
    fits = (look.n_ties > 0) & (look.community >= 0)
    leaves = left_day[look.person]
    cases = np.flatnonzero(fits & (leaves >= day_from) & (leaves < NEVER))
    cases = cases[rng.random(len(cases)) < min(1.0, draw.most_cases / max(1, len(cases)))]

    def at_risk(set_: Ints, row: Ints) -> Bools:
        return np.asarray(leaves[row] > leaves[cases[set_]])

    beside = _beside(np.flatnonzero(fits), look.community, cases, at_risk)
    return _stacked([_drawn(0, look, (cases, leaves[cases]), beside, (draw.n_controls, rng))])


def leaving_around(
    sightings: Sequence[Sighting], case_days: Sequence[Ints], sets: Sets, chosen: Bools
) -> float:
    """Mean share of the *others* of their community who leave in the period of the look, over the chosen rows."""
    shares: list[Floats] = [np.empty(0)]
    for number, (look, days) in enumerate(zip(sightings, case_days, strict=True)):
        has = look.community >= 0
        n_here = np.bincount(look.community[has])
        n_leaving = np.bincount(look.community[has & (days < NEVER)], minlength=len(n_here))
        rows = np.flatnonzero(chosen & (sets.look == number))
        place = np.searchsorted(look.person, sets.person[rows])
        own = look.community[place]
        shares.append((n_leaving[own] - (days[place] < NEVER)) / np.maximum(n_here[own] - 1, 1))
    every = np.concatenate(shares)
    return float(every.mean()) if len(every) else 0.0


STRANGERS = 60
"""Size of a random group to draw controls from, where they may come from everywhere."""


def _strangers_per(fits: Bools) -> int:
    return max(1, int(fits.sum()) // STRANGERS)


def longstanding(sightings: Sequence[Sighting], n_people: int) -> list[Bools]:
    """Per look: who of its people has ties, a community, and had ties at a look at least FADED_DAYS before."""
    first_seen = np.full(n_people, NEVER, np.int64)
    for look in reversed(sightings):
        first_seen[look.person[look.n_ties > 0]] = look.day
    return [
        (look.n_ties > 0) & (look.community >= 0) & (first_seen[look.person] <= look.day - FADED_DAYS)
        for look in sightings
    ]


def _holds(ordered: Ints, keys: Ints) -> Bools:
    """Say which keys are among ordered ones."""
    if not len(ordered):
        return np.zeros(len(keys), np.bool_)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)] == keys)


class _Drawn(NamedTuple):
    """Sets of one look: by row look, person, day and is_case, by set size and cluster."""

    look: Ints
    person: Ints
    day: Ints
    is_case: Bools
    n_in_set: Ints
    cluster: Ints


def _stacked(parts: Sequence[_Drawn]) -> Sets:
    if not parts:
        none = np.empty(0, np.int64)
        return Sets(none, none, none, none.astype(np.bool_), none, none)
    look, person, day, is_case, n_in_set, cluster = (
        np.concatenate(part) for part in zip(*parts, strict=True)
    )
    return Sets(look, person, day, is_case, n_in_set, cluster)


def _beside(pool: Ints, group: Ints, cases: Ints, allows: Callable[[Ints, Ints], Bools]) -> tuple[Ints, Ints]:
    """Every set and place in the look of those of the case's group whom ``allows`` lets in, the case left out."""
    pool = pool[np.argsort(group[pool], kind="stable")]
    if not len(pool) or not len(cases):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    sizes = np.bincount(group[pool], minlength=int(group.max()) + 1)
    starts = np.cumsum(sizes) - sizes
    n_beside = sizes[group[cases]]
    set_ = np.repeat(np.arange(len(cases)), n_beside)
    place = np.arange(n_beside.sum()) - np.repeat(np.cumsum(n_beside) - n_beside, n_beside)
    row = pool[starts[group[cases]][set_] + place]
    kept = (row != cases[set_]) & allows(set_, row)
    return set_[kept], row[kept]


def _drawn(
    number: int,
    look: Sighting,
    of_cases: tuple[Ints, Ints],
    beside: tuple[Ints, Ints],
    chance: tuple[int, np.random.Generator],
) -> _Drawn:
    """The case and at most so many of those beside it, set by set; cases with nobody beside them fall out."""
    (cases, days), (set_, row), (n_controls, rng) = of_cases, beside, chance
    has = np.bincount(set_, minlength=len(cases)) > 0
    order = np.lexsort((rng.random(len(row)), set_))
    set_, row = set_[order], row[order]
    kept = np.arange(len(set_)) - np.searchsorted(set_, set_) < n_controls
    all_sets = np.concatenate([np.flatnonzero(has), set_[kept]])
    all_rows = np.concatenate([cases[has], row[kept]])
    is_case = np.arange(len(all_sets)) < int(has.sum())
    order = np.lexsort((~is_case, all_sets))
    all_sets, all_rows, is_case = all_sets[order], all_rows[order], is_case[order]
    n_in_set = np.bincount(all_sets, minlength=len(cases)).astype(np.int64)
    return _Drawn(
        np.full(len(all_rows), number, np.int64),
        look.person[all_rows],
        days[all_sets],
        is_case,
        n_in_set[has],
        look.community[cases][has],
    )
