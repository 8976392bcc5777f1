"""How customers fare from week to week, and why they leave: the one place where the truth about churn is decided.

A customer decides to leave with a weekly hazard that is the product of known causes, and leaves some weeks later.
It refuses to know what the company records of it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from .clock import DAYS_PER_MONTH, LEAD_IN_DAYS, NEVER, WEEK, Clock, Month
from .draws import Bools, Chances, Floats, Ints
from .population import DEVICES, OVERPAY_SD, People
from .prices import Prices, Versions
from .settings import Mechanism, WorldSettings
from .social import Friends

PLAIN, OVERT, SILENT = 0, 1, 2
LONGEST_LAG_DAYS = 75
SHORTEST_LAG_DAYS = 5
SETTLING_WEEKS = 13
"""The level of the hazard is the mean over the last weeks of the lead-in."""
CALLS_ABOUT_INCIDENT = 0.6
RESOLVED_AT_FIRST = 0.65
PAIN_WHEN_RESOLVED, PAIN_WHEN_NOT = 0.5, 1.3
OUTAGE_SHARE = 0.4
MOST_PAIN, MOST_SHOCK = 4.0, 2.5
"""Pain and price shock beyond these add no hazard."""
SAYS_NOTHING, SAYS_MOVED = 0.3, 0.08
"""Shares of leavers who give no reason, or one that has nothing to do with us. All shares above are guesses."""
NEWCOMER_DAYS = 180.0
CAUSES = ("price", "service", "mood", "contagion", "trait", "newcomer")
STATED = ("price", "service quality", "dissatisfied", "friends left", "moved away")


@dataclass(frozen=True)
class Incidents:
    """Service failures of one week; ``called`` and ``resolved`` say what the customer did and what came of it."""

    who: Ints
    at_s: Ints
    severity: Floats
    called: Bools
    resolved: Bools
    is_outage: Bools


@dataclass(frozen=True)
class Week:
    """What happened in the seven days from ``day``: who was a customer at its beginning, and what failed."""

    day: int
    customers: Ints
    incidents: Incidents


@dataclass(frozen=True)
class _Protection:
    """One kind of action: until which day it works on whom (exclusive), and by which hazard ratio."""

    until: Ints
    ratio: Floats


class Course:
    """The state of everybody, stepped week by week. Arrays are over people; days are day numbers.

    With ``by_person`` everybody's chances are their own, whatever becomes of the others (`draws.Chances`).
    """

    def __init__(
        self,
        settings: WorldSettings,
        clock: Clock,
        people: People,
        friends: Friends,
        *,
        by_person: bool = False,
    ) -> None:
        n = len(people)
        self._settings = settings
        self._chances = Chances(n, settings.seed, "course", by_person=by_person)
        rng = self._chances.rng
        self._people = people
        self._friends = friends
        self.prices = Prices(settings, clock, people, by_person)
        self.mood = people.mean_mood + rng.normal(0, 0.4, n)
        self.pain = np.zeros(n)
        self.n_recent = np.zeros(n, dtype=np.int64)
        self.decided = np.full(n, NEVER, dtype=np.int64)
        self.left = np.full(n, NEVER, dtype=np.int64)
        self.left_known = np.full(n, NEVER, dtype=np.int64)
        self.style = np.zeros(n, dtype=np.int64)
        self.stated = np.full(n, -1, dtype=np.int64)
        self._protections: dict[str, _Protection] = {}
        self.log_base = 0.0
        self._settling: deque[float] = deque(maxlen=SETTLING_WEEKS)
        self._leaving = np.empty(0, dtype=np.int64)
        self._felt: deque[Ints] = deque()
        # One failure of one device, at a time by which there is something to compare it with.
        self.outage_day = int(clock.days * rng.uniform(0.5, 0.8))
        self._outage_device = DEVICES.index("router and phone")

    def is_customer(self, day: int) -> Bools:
        """Say who is a customer on ``day``."""
        return np.asarray((self._people.joined <= day) & (self.left > day))

    def turn(self, month: Month) -> Versions:
        """Let ``month`` begin: prices and plans change."""
        return self.prices.turn(month, self.is_customer(month.start))

    def arrive(self, day: int) -> Ints:
        """Bring what happened up to ``day`` to the friends; return those who may decide in the week that begins."""
        self._spread(day)
        return np.flatnonzero(self.is_customer(day) & (self.decided == NEVER))

    def causes(self, who: Ints, day: int) -> dict[str, Floats]:
        """Return each cause's part of the log hazard of ``who`` in the week from ``day``."""
        rules = self._settings.mechanism
        people, prices = self._people, self.prices
        friends = np.minimum(self.n_recent[who], rules.most_friends_counted)
        overpaid = people.overpay[who] / OVERPAY_SD
        shock = np.minimum(prices.shock[who], MOST_SHOCK)
        contract = np.asarray(rules.contract)[people.contract[who]]
        tenure = day - people.joined[who]
        return {
            "price": rules.overpay * overpaid + contract + rules.price_rise * shock,
            "service": rules.service * np.minimum(self.pain[who], MOST_PAIN),
            "mood": rules.mood * self.mood[who],
            "contagion": np.log(self._settings.contagion) * friends,
            "trait": rules.trait * people.trait[who],
            "newcomer": rules.newcomer * np.exp(-tenure / NEWCOMER_DAYS),
        }

    def step(self, day: int, at_risk: Ints) -> Week:
        """Live the week from ``day``: decisions on the state at its beginning, then failures and moods."""
        self._chances.turn(day)
        causes = self.causes(at_risk, day)
        relative = np.exp(sum(causes.values(), np.zeros(at_risk.size)))
        customers = np.flatnonzero(self.is_customer(day))
        if day < 0:
            self._settle(relative, customers.size)
        hazard = np.exp(self.log_base) * relative * self.protection(at_risk, day)
        decides = self._chances.random(at_risk) < -np.expm1(-hazard)
        self._decide(at_risk[decides], day, {name: part[decides] for name, part in causes.items()})
        incidents = self._incidents(customers, day)
        self._feel(incidents)
        return Week(day, customers, incidents)

    def protect(self, who: Ints, until: int, hazard_ratio: float | Floats, kind: str = "action") -> None:
        """Let an action work on ``who``: the hazard of deciding is multiplied until day ``until``, exclusive.

        It takes the place of an earlier one of the same kind; those of different kinds multiply.
        """
        if kind not in self._protections:
            n = self.left.size
            self._protections[kind] = _Protection(np.full(n, -NEVER, dtype=np.int64), np.ones(n))
        found = self._protections[kind]
        found.until[who] = until
        found.ratio[who] = hazard_ratio

    def protection(self, who: Ints, day: int) -> Floats:
        """Return the hazard ratio of all that works on ``who`` on ``day``; 1 = nothing does."""
        ratio = np.ones(who.size)
        for found in self._protections.values():
            ratio *= np.where(found.until[who] > day, found.ratio[who], 1.0)
        return ratio

    def is_leaving(self, who: Ints) -> Bools:
        """Say who of ``who`` has decided to leave."""
        return np.asarray(self.decided[who] < NEVER)

    def keep(self, who: Ints) -> None:
        """Let ``who``, who had decided to leave and not told anybody, stay after all."""
        for fate in (self.decided, self.left, self.left_known):
            fate[who] = NEVER
        self.style[who] = PLAIN
        self.stated[who] = -1
        self._leaving = self._leaving[~np.isin(self._leaving, who)]

    def _settle(self, relative: Floats, n_customers: int) -> None:
        # During the lead-in the level follows the mix of customers, friends' leavings included; afterwards it is fixed.
        weekly = -np.log1p(-self._settings.monthly_churn) * WEEK / DAYS_PER_MONTH
        self._settling.append(float(np.log(weekly * n_customers / relative.sum())))
        self.log_base = float(np.mean(self._settling))

    def _decide(self, who: Ints, day: int, causes: dict[str, Floats]) -> None:
        chances, rules = self._chances, self._settings.mechanism
        mean_lag = self._settings.decision_lag_days - SHORTEST_LAG_DAYS
        lag = np.minimum(SHORTEST_LAG_DAYS + chances.exponential(mean_lag, who), LONGEST_LAG_DAYS).astype(
            np.int64
        )
        decided = day + chances.integers(0, WEEK, who)
        gives_notice = chances.random(who) < rules.notice_share
        wait = np.where(gives_notice, (lag * 0.5 * chances.random(who)).astype(np.int64), lag)
        draw = chances.random(who)
        style = np.where(
            draw < rules.overt_share, OVERT, np.where(draw > 1 - rules.silent_share, SILENT, PLAIN)
        )
        self.decided[who] = decided
        self.left[who] = decided + lag
        self.left_known[who] = decided + wait
        self.style[who] = style
        self.stated[who] = _stated_reason(chances, who, causes)
        self._leaving = np.concatenate([self._leaving, who])

    def _incidents(self, customers: Ints, day: int) -> Incidents:
        chances = self._chances
        fails = chances.random(customers) < -np.expm1(-self._people.incident_rate[customers])
        is_outage = np.zeros(customers.size, dtype=np.bool_)
        if day <= self.outage_day < day + WEEK:
            hit = self._people.device[customers] == self._outage_device
            is_outage = hit & (chances.random(customers) < OUTAGE_SHARE)
        fails |= is_outage
        who, is_outage = customers[fails], is_outage[fails]
        at_day = np.where(is_outage, self.outage_day, day + chances.integers(0, WEEK, who))
        called = chances.random(who) < CALLS_ABOUT_INCIDENT
        return Incidents(
            who=who,
            at_s=at_day * 86_400 + chances.integers(7 * 3_600, 21 * 3_600, who),
            severity=chances.exponential(1.0, who),
            called=called,
            resolved=called & (chances.random(who) < RESOLVED_AT_FIRST),
            is_outage=is_outage,
        )

    def _feel(self, incidents: Incidents) -> None:
        rules: Mechanism = self._settings.mechanism
        self.pain *= rules.pain_kept_per_week
        factor = np.where(
            incidents.resolved, PAIN_WHEN_RESOLVED, np.where(incidents.called, PAIN_WHEN_NOT, 1.0)
        )
        hurt = incidents.severity * factor
        self.pain[incidents.who] += hurt
        kept = rules.mood_kept_per_week
        drift = self._chances.rng.normal(0, 0.12, self.mood.size) - 0.02 * self.prices.shock
        self.mood = self._people.mean_mood + kept * (self.mood - self._people.mean_mood) + drift
        self.mood[incidents.who] -= 0.3 * hurt
        self.prices.fade(rules.shock_kept_per_week)

    def _spread(self, day: int) -> None:
        """Count each leaver of the last week among the friends' recent ones, and forget those of long ago."""
        gone = self.left[self._leaving] < day
        leavers, self._leaving = self._leaving[gone], self._leaving[~gone]
        friends, whose = self._friends.of(leavers)
        felt = friends[self._people.joined[friends] < self.left[whose]]
        np.add.at(self.n_recent, felt, 1)
        self._felt.append(felt)
        if len(self._felt) > self._settings.mechanism.recent_days // WEEK:
            np.subtract.at(self.n_recent, self._felt.popleft(), 1)


def _stated_reason(chances: Chances, who: Ints, causes: dict[str, Floats]) -> Ints:
    """Return what leavers say, mostly their heaviest cause; -1 when they say nothing."""
    parts = [causes[name] for name in ("price", "service", "mood", "contagion")]
    parts[-1] = np.where(parts[-1] > 0, parts[-1], -np.inf)
    said = np.argmax(np.stack(parts) + chances.gumbel(0.4, len(parts), who), axis=0)
    draw = chances.random(who)
    return np.asarray(
        np.where(draw < SAYS_NOTHING, -1, np.where(draw > 1 - SAYS_MOVED, len(STATED) - 1, said)),
        dtype=np.int64,
    )


def week_starts(clock: Clock) -> range:
    """Return the first days of all weeks, from the lead-in to the end."""
    return range(-LEAD_IN_DAYS, clock.days, WEEK)
