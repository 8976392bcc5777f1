"""What would have become of the customers of a played world: many futures of tonight, with the offers and without.

It draws the same weeks anew from the state of the world as it stands, and refuses to know who measures what.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.simulate.clock import WEEK
from churnrisk.simulate.course import Course
from churnrisk.simulate.effects import log_ratio, taken
from churnrisk.simulate.played import Played

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

GAP_DAYS, WINDOW_DAYS = 14, 44
"""Left alone after tonight, and until when leaving is looked at: the defaults of ``[churn]``."""


@dataclass(frozen=True)
class Futures:
    """Shares of the futures, per customer in the order asked for.

    ``stayed``: through the whole window from tomorrow; ``here``: to the end of the gap; ``left``: between the gap and
    the end of the window. ``with_offers`` is ``stayed`` with tonight's offers made, None where there are none.
    """

    stayed: Floats
    here: Floats
    left: Floats
    with_offers: Floats | None = None


def futures(world: Played, customers: pl.Series, n: int, offers: pl.DataFrame | None = None) -> Futures:
    """Return what becomes of ``customers`` from tomorrow on in ``n`` futures, nothing being done but ``offers``.

    Parameters
    ----------
    offers : customer_id, offer_id; what is still at work of earlier ones stays at work in either case.
    """
    who = world._positions(customers)
    plain = [_lived(world, number) for number in range(n)]
    begins, ends = world.day + GAP_DAYS, world.day + WINDOW_DAYS
    left = np.stack([each[who] for each in plain])
    stayed = (left >= ends).mean(axis=0)
    found = Futures(stayed, (left >= begins).mean(axis=0), ((left >= begins) & (left < ends)).mean(axis=0))
    if offers is None or offers.is_empty():
        return found
    return Futures(found.stayed, found.here, found.left, stays(world, customers, n, offers))


def stays(world: Played, customers: pl.Series, n: int, offers: pl.DataFrame) -> Floats:
    """Return the share of ``n`` futures with ``offers`` (customer_id, offer_id) in which each customer stays."""
    who = world._positions(customers)
    left = np.stack([_lived(world, number, offers)[who] for number in range(n)])
    return np.asarray((left >= world.day + WINDOW_DAYS).mean(axis=0))


def _lived(world: Played, number: int, offers: pl.DataFrame | None = None) -> Ints:
    """Return the day of leaving of everybody in one future."""
    now, play = world._play.course, world._play
    shared = (now._people, now._friends, now._settings, play.clock, now._chances, now.prices.chances)
    kept = {id(each): each for each in shared}
    course: Course = copy.deepcopy(now, kept)
    course._chances = course._chances.redrawn("future", world.day, number)
    course.prices.chances = course.prices.chances.redrawn("future", world.day, number)
    if offers is not None:
        _make(course, world, offers, np.random.default_rng([play.settings.seed, world.day, number, 2]))
    months = {month.start: month for month in play.clock.months() if month.start >= world.day}
    for day in range(world.day, min(world.day + WINDOW_DAYS, play.clock.days), WEEK):
        for start in [start for start in months if start <= day]:
            course.turn(months.pop(start))
        course.step(day, course.arrive(day))
    return course.left


def _make(course: Course, world: Played, offers: pl.DataFrame, rng: np.random.Generator) -> None:
    people = world._play.people
    who, offer = world._positions(offers["customer_id"]), offers["offer_id"].to_numpy()
    is_here = course.is_customer(world.day)[who]
    draw = rng.random(who.size)
    for name, effect in world.effects.offers.items():
        mine = np.flatnonzero((offer == name) & is_here)
        if mine.size:
            accepted = taken(effect, course, people, who[mine], draw[mine])
            ratio = np.exp(log_ratio(effect, course, people, who[mine], accepted))
            course.protect(who[mine], world.day + effect.lasting_weeks * WEEK, ratio, f"offer {name}")
