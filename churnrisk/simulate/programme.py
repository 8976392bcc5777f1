"""A retention programme that works: whom it picks, whom of those it leaves alone, and what its actions do.

It picks by what the company sees (price, contract, tenure, unanswered incidents), never by mood or trait. A drawn
share of those picked is left without an action on purpose and written down as ``control``. It refuses to know how the
customers fare otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .clock import DAY_S, WEEK, Clock
from .course import NEWCOMER_DAYS, Course, Incidents
from .draws import Bools, Floats, Ints, stream
from .population import OVERPAY_SD, People
from .settings import Programme, WorldSettings

if TYPE_CHECKING:
    import polars as pl

OFFER = "discount10"
OPENS_S, CLOSES_S = 9 * 3_600, 17 * 3_600
INCIDENT_WEIGHT = 1.0
"""Worth of an unanswered incident beside the mechanism's own weights; it fades as fast as pain does (guess)."""
NOISE_SD = 0.5
"""How far the team's picking strays from its own rule (guess)."""


@dataclass(frozen=True)
class Actions:
    """What was done at the start of one week: for whom, when, and whether it was nothing, on purpose."""

    who: Ints
    at_s: Ints
    is_control: Bools
    accepted: Bools


class Retention:
    """The team and its memory of whom it has picked when."""

    def __init__(self, settings: WorldSettings, programme: Programme, clock: Clock, people: People) -> None:
        self._settings = settings
        self._programme = programme
        self._clock = clock
        self._people = people
        self._rng = stream(settings.seed, "programme")
        self._grievance: Floats = np.zeros(len(people))
        self._picked_on = np.full(len(people), -(2**30), dtype=np.int64)

    def hear(self, incidents: Incidents) -> None:
        """Note who called about a failure and was not helped."""
        self._grievance *= self._settings.mechanism.pain_kept_per_week
        np.add.at(self._grievance, incidents.who[incidents.called & ~incidents.resolved], 1.0)

    def act(self, course: Course, day: int, ids: pl.Series) -> pl.DataFrame:
        """Pick this week's customers and let the actions work; return rows of the source ``treatments``."""
        return self.rows(self.actions(course, day), ids)

    def actions(self, course: Course, day: int) -> Actions:
        """Pick this week's customers, leave the controls alone, and let the actions on the others work."""
        plan, rng = self._programme, self._rng
        here = np.flatnonzero(course.is_customer(day) & (course.left_known > day))
        free = here[self._picked_on[here] < day - plan.lasting_weeks * WEEK]
        if day < plan.from_day:
            free = free[:0]
        score = self._score(course, free, day) + rng.normal(0, NOISE_SD, free.size)
        n_picked = min(round(plan.weekly_share * here.size), free.size)
        who = np.sort(free[np.argsort(-score, kind="stable")[:n_picked]])
        self._picked_on[who] = day
        is_control = rng.random(who.size) < plan.control_share
        treated = who[~is_control]
        course.protect(treated, day + plan.lasting_weeks * WEEK, plan.hazard_ratio)
        is_leaving = course.is_leaving(treated)
        course.keep(treated[is_leaving & (rng.random(treated.size) < plan.revoked_share)])
        accepted = ~is_control & (rng.random(who.size) < plan.accepted_share)
        return Actions(who, day * DAY_S + rng.integers(OPENS_S, CLOSES_S, who.size), is_control, accepted)

    def _score(self, course: Course, who: Ints, day: int) -> Floats:
        rules, people = self._settings.mechanism, self._people
        price = rules.overpay * people.overpay[who] / OVERPAY_SD
        contract = np.asarray(rules.contract)[people.contract[who]]
        newcomer = rules.newcomer * np.exp(-(day - people.joined[who]) / NEWCOMER_DAYS)
        shock = rules.price_rise * course.prices.shock[who]
        return np.asarray(price + contract + newcomer + shock + INCIDENT_WEIGHT * self._grievance[who])

    def rows(self, actions: Actions, ids: pl.Series) -> pl.DataFrame:
        """Return rows of the source ``treatments``."""
        import polars as pl

        share = self._programme.control_share
        names = ids.gather(actions.who)
        week = int(actions.at_s[0]) // DAY_S if actions.who.size else 0
        return pl.DataFrame(
            {
                "treatment_id": "t"
                + pl.Series([str(week)] * actions.who.size, dtype=pl.String)
                + "-"
                + names,
                "customer_id": names,
                "offer_id": np.where(actions.is_control, "control", OFFER),
                "at": self._clock.instants_of(actions.at_s),
                "propensity": np.where(actions.is_control, share, 1 - share),
                "accepted": pl.Series(actions.accepted).set(pl.Series(actions.is_control), None),
            },
            schema_overrides={"offer_id": pl.String},
        )
