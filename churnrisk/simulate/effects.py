"""What offers and questions do to a simulated customer: the planted truth that a retention programme has to find out.

It decides who takes an offer and how it changes the hazard of deciding to leave, and refuses to know who gets one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .course import Course
from .draws import Bools, Floats, Ints, logistic
from .population import OVERPAY_SD, People

MONTH_TO_MONTH = 0
NO_PAIN = 0.1


@dataclass(frozen=True)
class Effect:
    """What one offer does to whom it is made.

    The log of the hazard ratio is ``base`` + ``price`` x how dear it is to the customer + ``pain`` x remembered
    service pain + ``mood`` x low mood, at most ``most`` in size, for as long as ``lasting_weeks``; only those who
    take it feel it. Whoever has no reason to leave and is reminded of it feels ``reminder`` instead, taken or not
    (sleeping dogs).
    The chance of taking it is logistic(``taken`` + ``taken_when_dear`` x how dear it is). All values are guesses.
    """

    base: float = 0.0
    price: float = 0.0
    pain: float = 0.0
    mood: float = 0.0
    most: float = 1.8
    lasting_weeks: int = 26
    taken: float = 0.0
    taken_when_dear: float = 0.0
    reminder: float = 0.0


OFFERS: Mapping[str, Effect] = {
    "call": Effect(base=-0.1, pain=-0.8, mood=-0.3, lasting_weeks=13, taken=1.5),
    "sms100": Effect(base=-0.05, lasting_weeks=8, taken=1.0),
    "discount10": Effect(
        base=-0.2, price=-0.5, lasting_weeks=26, taken=0.0, taken_when_dear=0.6, reminder=0.25
    ),
    "two_years": Effect(
        base=-1.2, price=-0.2, lasting_weeks=52, taken=-1.5, taken_when_dear=0.5, reminder=0.25
    ),
}
"""Of the offers in ``crm.OFFERS``: a call heals pain, a discount helps where it is dear, a gift does little."""


@dataclass(frozen=True)
class Effects:
    """The planted effects of a world: those of its offers, and of being asked at all.

    ``asked`` is the log hazard ratio of having been sent a question, for ``asked_weeks`` weeks (a question alone may
    bind; 0 = it does nothing).
    """

    offers: Mapping[str, Effect] = field(default_factory=lambda: dict(OFFERS))
    asked: float = -0.05
    asked_weeks: int = 8


def dearness(course: Course, people: People, who: Ints) -> Floats:
    """Return how dear it is to ``who``: recent price rises and what is paid over the list price, in standard units."""
    return np.asarray(course.prices.shock[who] + people.overpay[who] / OVERPAY_SD)


def has_no_reason(course: Course, people: People, who: Ints) -> Bools:
    """Say who of ``who`` is content: no pain, no dear price, good mood, free to go whenever they think of it."""
    is_free = people.contract[who] == MONTH_TO_MONTH
    return np.asarray(
        is_free & (course.pain[who] < NO_PAIN) & (dearness(course, people, who) < 0) & (course.mood[who] > 0)
    )


def taken(effect: Effect, course: Course, people: People, who: Ints, draw: Floats) -> Bools:
    """Say who of ``who`` takes the offer; ``draw`` is uniform, one number each."""
    dear = np.clip(dearness(course, people, who), -2, 3)
    return np.asarray(draw < logistic(effect.taken + effect.taken_when_dear * dear))


def log_ratio(effect: Effect, course: Course, people: People, who: Ints, is_taken: Bools) -> Floats:
    """Return the log of the hazard ratio that the offer brings about, as things stand; 0 = it changes nothing."""
    felt = (
        effect.base
        + effect.price * np.clip(dearness(course, people, who), 0, 3)
        + effect.pain * np.clip(course.pain[who], 0, 2)
        + effect.mood * np.clip(-course.mood[who], 0, 2)
    )
    helped = np.where(is_taken, np.clip(felt, -effect.most, effect.most), 0.0)
    return np.asarray(np.where(has_no_reason(course, people, who), effect.reminder, helped))
