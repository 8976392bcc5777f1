"""Asking in the simulator's own worlds: 18 months of moods, incidents, prices and friends, looked at month by month.

The course is the simulator's; only the surveys are drawn here, by its scale and its response (mood, age,
willingness), since its own waves ask nobody because of a risk. True risks are not known there: what is judged is
who left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from churnrisk.simulate import reference_world
from churnrisk.simulate.clock import Clock
from churnrisk.simulate.course import Course, week_starts
from churnrisk.simulate.population import OVERPAY_SD, People, population
from churnrisk.simulate.social import strong_friends, ties_between_customers
from churnrisk.simulate.surveys import AGE_EFFECT
from tests.bench.answer_worlds import (
    MEAN_VALUE,
    MECHANISM,
    N_PAST_CHOSEN,
    N_PAST_RANDOM,
    RESPONSE,
    VALUE_SPREAD,
    AnswerWorld,
    Look,
    asked_of,
    joined,
    place_of,
    true_chances,
)

Floats = NDArray[np.float64]

LEARNED_DAYS, PAST_DAYS, NOW_DAYS = (170, 215), (260, 305), (404, 448, 492)
"""Days of looks: the risk is learned on the first, invitations of the second teach, the last are judged, all together;
no window of outcomes reaches into the next look."""
GAP_DAYS, HORIZON_DAYS = 14, 30


def played_answer_world(seed: int, customers: int = 50_000) -> AnswerWorld:
    """Play a reference world (contagion 2.5, communities alike) and ask in it."""
    settings = reference_world(contagion=2.5, homophily=0.6, seed=seed, customers=customers)
    clock, people = Clock.of(settings), population(settings)
    course = Course(
        settings, clock, people, strong_friends(ties_between_customers(settings, people), len(people))
    )
    rng = np.random.default_rng([seed, 77])
    wanted = [*LEARNED_DAYS, *PAST_DAYS, *NOW_DAYS]
    taken: list[tuple[int, NDArray[np.intp], Floats, Floats, Floats]] = []
    weeks = list(week_starts(clock))
    for month in clock.months():
        course.turn(month)
        while weeks and weeks[0] < month.end:
            day = weeks.pop(0)
            at_risk = course.arrive(day)
            if wanted and day >= wanted[0]:
                wanted.pop(0)
                who = np.flatnonzero(course.is_customer(day) & (course.left_known > day))
                taken.append(
                    (
                        day,
                        who,
                        _seen(course, people, who, day, rng),
                        course.mood[who],
                        _response(course, people, who),
                    )
                )
            course.step(day, at_risk)
    looks = [_look(course, *each, rng) for each in taken]
    n_learned = len(LEARNED_DAYS)
    seen = np.concatenate([each.seen for each in looks[:n_learned]])
    left = np.concatenate([each.left for each in looks[:n_learned]])
    model = LogisticRegression(C=1.0, max_iter=500).fit(seen, left)
    risks = [model.predict_proba(each.seen)[:, 1] for each in looks[n_learned:]]
    n_past = len(PAST_DAYS)
    share = 1 / len(PAST_DAYS)
    asked = [
        asked_of(look, risk, rng, (int(N_PAST_RANDOM * share), int(N_PAST_CHOSEN * share)), f"look {number} ")
        for number, (look, risk) in enumerate(zip(looks[n_learned:], risks[:n_past], strict=False))
    ]
    now = joined(looks[n_learned + n_past :])
    return AnswerWorld(pl.concat(asked), now, np.concatenate(risks[n_past:]), None)


def _seen(
    course: Course, people: People, who: NDArray[np.intp], day: int, rng: np.random.Generator
) -> Floats:
    """Return what a company would know: prices, contract, tenure, a noisy sign of trouble, friends who left."""
    contract = people.contract[who]
    columns: Sequence[Floats] = [
        people.overpay[who] / OVERPAY_SD,
        (contract == 0).astype(np.float64),
        (contract == 1).astype(np.float64),
        course.prices.shock[who],
        np.exp(-(day - people.joined[who]) / 180.0),
        course.pain[who] * np.exp(rng.normal(0, 0.7, who.size)),
        np.minimum(course.n_recent[who], 3).astype(np.float64),
    ]
    return np.column_stack(columns)


def _response(course: Course, people: People, who: NDArray[np.intp]) -> Floats:
    tilt = (
        MECHANISM.response_to_mood * course.mood[who] + AGE_EFFECT[people.age[who]] + people.willingness[who]
    )
    response: Floats = expit(logit(RESPONSE) + tilt - tilt.mean())
    return response


def _look(
    course: Course,
    day: int,
    who: NDArray[np.intp],
    seen: Floats,
    mood: Floats,
    response: Floats,
    rng: np.random.Generator,
) -> Look:
    ends = course.left[who]
    kept = ends >= day + GAP_DAYS
    left = ((ends >= day + GAP_DAYS) & (ends < day + GAP_DAYS + HORIZON_DAYS)).astype(np.float64)[kept]
    place = place_of(mood[kept], response[kept], rng)
    value = MEAN_VALUE * np.exp(rng.normal(-(VALUE_SPREAD**2) / 2, VALUE_SPREAD, len(left)))
    return Look(seen[kept], left, place, left, value, true_chances(mood[kept], response[kept]))
