"""What customers pay and when it changes: yearly rises per plan, ends of promotions, changes of plan."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .clock import LEAD_IN_DAYS, Clock, Month
from .draws import Bools, Chances, Floats, Ints, placed
from .population import PLANS, People
from .settings import WorldSettings

PROMOTION_DISCOUNT = 0.1
PROMOTION_DAYS = 365
PLAN_CHANGE_PER_MONTH = 0.006
RISE_MONTHS = (1, 3, 6, 8, 11)
"""One for each plan: spread over the year, so that no season has all the rises."""
RISE_RANGE = (0.03, 0.08)
"""Smallest and largest yearly rise of a plan's price; this and the numbers above are guesses."""


@dataclass(frozen=True)
class Versions:
    """New rows of the CRM history: who, since which day, on which plan, at what price a month."""

    who: Ints
    day: Ints
    plan: Ints
    value: Floats


class Prices:
    """Each person's plan and monthly price now, and how much of a recent rise is still felt (1 = 10 %)."""

    def __init__(
        self, settings: WorldSettings, clock: Clock, people: People, by_person: bool = False
    ) -> None:
        self.chances = Chances(len(people), settings.seed, "prices", by_person=by_person)
        rng = self.chances.rng
        self._clock = clock
        self._people = people
        self._list = np.array([plan.monthly_price for plan in PLANS])
        self._rise_month = rng.permutation(RISE_MONTHS)
        self._rise = rng.uniform(*RISE_RANGE, len(PLANS))
        self.plan = people.plan.copy()
        self._promoted = people.on_promotion & (people.joined > -LEAD_IN_DAYS - PROMOTION_DAYS)
        factor = np.where(self._promoted, 1 - PROMOTION_DISCOUNT, 1.0)
        self.value = np.round(self._list[self.plan] * np.exp(people.overpay) * factor, 2)
        self.shock = np.zeros(len(people))

    def opening(self) -> Versions:
        """Return the first rows of those who joined before the world's lead-in."""
        return self._versions(np.flatnonzero(self._people.joined < -LEAD_IN_DAYS), self._people.joined)

    def turn(self, month: Month, is_customer: Bools) -> Versions:
        """Change prices and plans on the first of ``month``; return the new rows, those of its newcomers included."""
        self.chances.turn(month.start)
        changed = np.zeros(len(self._people), dtype=np.bool_)
        if self._clock.day(month.start).day == 1:
            changed |= self._plans_rise(month)
            changed |= self._promotions_end(month)
            changed |= self._plans_change(is_customer)
        joined = self._people.joined
        newcomers = np.flatnonzero((joined >= month.start) & (joined < month.end))
        movers = np.flatnonzero(changed & is_customer & (joined < month.start))
        first, then = (
            self._versions(newcomers, joined),
            self._versions(movers, np.full(joined.size, month.start)),
        )
        return Versions(
            who=np.concatenate([then.who, first.who]),
            day=np.concatenate([then.day, first.day]),
            plan=np.concatenate([then.plan, first.plan]),
            value=np.concatenate([then.value, first.value]),
        )

    def fade(self, kept: float) -> None:
        """Let a week pass: keep the share ``kept`` of each shock."""
        self.shock *= kept

    def _plans_rise(self, month: Month) -> Bools:
        rises = np.where(self._rise_month == month.first.month, self._rise, 0.0)
        self._list = np.round(self._list * (1 + rises), 2)
        rise = rises[self.plan]
        self.value = np.round(self.value * (1 + rise), 2)
        self.shock += 10 * rise
        return np.asarray(rise > 0)

    def _promotions_end(self, month: Month) -> Bools:
        over = self._promoted & (month.start - self._people.joined >= PROMOTION_DAYS)
        self._promoted &= ~over
        self.value[over] = np.round(self.value[over] / (1 - PROMOTION_DISCOUNT), 2)
        self.shock[over] += 10 * PROMOTION_DISCOUNT
        return over

    def _plans_change(self, is_customer: Bools) -> Bools:
        moves = is_customer & (self.chances.random(np.arange(self.plan.size)) < PLAN_CHANGE_PER_MONTH)
        who = np.flatnonzero(moves)
        plan = placed(self.chances.random(who), [plan.share for plan in PLANS])
        moves[who[plan == self.plan[who]]] = False
        self.plan[who] = plan
        who = np.flatnonzero(moves)
        factor = np.where(self._promoted[who], 1 - PROMOTION_DISCOUNT, 1.0)
        self.value[who] = np.round(self._list[self.plan[who]] * np.exp(self._people.overpay[who]) * factor, 2)
        return moves

    def _versions(self, who: Ints, days: Ints) -> Versions:
        return Versions(who, days[who], self.plan[who].copy(), self.value[who].copy())
