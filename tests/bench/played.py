"""Reference worlds played without writing a file: who leaves, and how often each pair was in touch before each look.

The course of the world is the simulator's own; only what a company would have delivered is shortened: contacts of a
pair in 90 days are drawn at once, and a person's own history is contract, price, tenure and a noisy sign of service
trouble.
So ten seeds take minutes instead of hours; `python -m tests.bench ablation` goes the whole way through files.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.simulate.calls import CONTACTS_PER_TRAIN
from churnrisk.simulate.clock import Clock
from churnrisk.simulate.course import Course, week_starts
from churnrisk.simulate.population import OVERPAY_SD, People, population
from churnrisk.simulate.settings import WorldSettings
from churnrisk.simulate.social import Ties, strong_friends, ties_between_customers
from features.ties import TieGraph
from training.contagion import NEVER, Sighting, carried_labels, closeness_of
from training.contagion.strangers import circles
from training.contagion.watch import communities_of

STEP_DAYS, WINDOW_DAYS, GAP_DAYS, REACH_DAYS = 30, 90, 14, 44

Ints = NDArray[np.int64]


SHOCK_SD, SHOCK_WEEKS, DISTRICT = 0.6, 8, 50
"""A shock that is shared: standard deviations of log hazard, for a district of fifty communities and again for each
community, drawn anew every eight weeks."""


class ShockedCourse(Course):
    """A course in which whole communities and districts are hit together for weeks, and nobody by a friend."""

    def causes(self, who: Ints, day: int) -> dict[str, NDArray[np.float64]]:
        """Return each cause's part of the log hazard, the shared shock among them."""
        community = self._people.community
        period = (day + 7 * 10_000) // (7 * SHOCK_WEEKS)
        rng = np.random.default_rng([self._settings.seed, period, 7])
        n_communities = int(community.max()) + 1
        district = rng.normal(0, SHOCK_SD, n_communities // DISTRICT + 1)
        shock = district[np.arange(n_communities) // DISTRICT] + rng.normal(0, SHOCK_SD, n_communities)
        return {**super().causes(who, day), "shock": shock[community[who]] - SHOCK_SD**2}


def played(settings: WorldSettings, n_looks: int, *, is_shocked: bool = False) -> tuple[list[Sighting], Ints]:
    """Play a world; return its last looks, 30 days apart, and the day of leaving of everybody."""
    clock, people = Clock.of(settings), population(settings)
    ties = ties_between_customers(settings, people)
    kind = ShockedCourse if is_shocked else Course
    course = kind(settings, clock, people, strong_friends(ties, len(people)))
    weeks = list(week_starts(clock))
    for month in clock.months():
        course.turn(month)
        while weeks and weeks[0] < month.end:
            day = weeks.pop(0)
            course.step(day, course.arrive(day))
    last = settings.days - REACH_DAYS
    days = [last - STEP_DAYS * back for back in reversed(range(n_looks))]
    left = np.where(course.left < settings.days, course.left - days[0], NEVER).astype(np.int64)
    contacts = _Contacts(settings, people, ties, np.random.default_rng([settings.seed, 99]))
    sightings: list[Sighting] = []
    n_communities = 0
    for day in days:
        look = _look(day - days[0], contacts.until(day, course.left), left, people.joined < day - 1)
        own = _own(people, look.person, day, np.random.default_rng([settings.seed, day]))
        carried = carried_labels(
            sightings[-1] if sightings else None, look.person, look.community, n_communities
        )
        n_communities = max(n_communities, int(carried.max(initial=-1)) + 1)
        sightings.append(replace(look, community=carried, own=own, own_row=np.arange(len(look.person))))
    return sightings, left


class _Contacts:
    """Draws how often each pair was in touch in the 90 days before a day, while both were there and the tie alive."""

    def __init__(self, settings: WorldSettings, people: People, ties: Ties, rng: np.random.Generator) -> None:
        self._ties, self._joined, self._rng = ties, people.joined, rng
        self._may = people.consents["may_use_calls"]
        begun = people.joined < 0
        both = begun[ties.a] & begun[ties.b]
        started = float(begun.sum()) * settings.calls_per_day * 0.7
        self._per_day = started / float(ties.strength[both].sum())

    def until(self, day: int, left: Ints) -> pl.DataFrame:
        ties = self._ties
        ends = np.minimum.reduce([np.full(len(ties), day), left[ties.a], left[ties.b], ties.last])
        begins = np.maximum.reduce(
            [np.full(len(ties), day - WINDOW_DAYS), self._joined[ties.a], self._joined[ties.b], ties.first]
        )
        days = np.maximum(ends - begins, 0) * (self._may[ties.a] & self._may[ties.b])
        trains = self._rng.poisson(ties.strength * self._per_day / CONTACTS_PER_TRAIN * days)
        seen = trains > 0
        return pl.DataFrame(
            {
                "node_a": ties.a[seen].astype(np.int32),
                "node_b": ties.b[seen].astype(np.int32),
                "strength": trains[seen].astype(np.float64),
            }
        )


def _look(day: int, ties: pl.DataFrame, left: Ints, is_here: NDArray[np.bool_]) -> Sighting:
    graph = TieGraph.from_ties(ties, len(left))
    person = np.flatnonzero(is_here & (left >= day + GAP_DAYS))
    n_ties = np.asarray(graph.degrees)[person]
    found = np.where(n_ties > 0, communities_of(graph)[person], -1)
    labels, community = np.unique(found, return_inverse=True)
    close = closeness_of(graph.ties)
    a, b = (graph.ties[name].to_numpy().astype(np.int64) for name in ("node_a", "node_b"))
    ego, friend = np.concatenate([a, b]), np.concatenate([b, a])
    kept = left[friend] < NEVER
    closeness = np.concatenate([close, close])[kept]
    community = community - int((labels < 0).any())
    leavers = np.flatnonzero((left >= day + GAP_DAYS) & (left < day + GAP_DAYS + STEP_DAYS))
    beside, around = circles(a, b, leavers)
    return Sighting(
        day,
        person,
        community,
        n_ties.astype(np.int64),
        ego[kept],
        friend[kept],
        closeness,
        beside=beside,
        around=around,
    )


def _own(people: People, person: Ints, day: int, rng: np.random.Generator) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "contract": people.contract[person].astype(np.float64),
        "overpay": people.overpay[person] / OVERPAY_SD,
        "tenure_days": (day - people.joined[person]).astype(np.float64),
        "service": people.incident_rate[person] * np.exp(rng.normal(0, 0.7, len(person))),
    }
    return pl.DataFrame(columns)
