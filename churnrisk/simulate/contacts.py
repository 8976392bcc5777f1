"""What the company records of dealings with customers: contacts with service, and digital events.

It reads the course of the week and refuses to change it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .clock import DAY_S, WEEK, Clock
from .course import OVERT, SILENT, Course, Week
from .draws import Bools, Floats, Ints, chosen, stream
from .population import People
from .settings import WorldSettings

if TYPE_CHECKING:
    import polars as pl

CHANNELS = ("phone", "chat", "email", "store")
CHANNEL_SHARES = (0.5, 0.24, 0.14, 0.12)
PHONE, STORE = 0, 3
TOPICS = ("technical", "outage", "billing", "plan change", "general", "cancellation", "contract end")
TECHNICAL, OUTAGE, BILLING, PLAN_CHANGE, GENERAL, CANCELLATION, CONTRACT_END = range(7)
USUAL_TOPIC_SHARES = (0.08, 0.02, 0.4, 0.17, 0.26, 0.01, 0.06)
"""What is asked by those who had no failure; some ask about cancelling or the contract's end, and stay."""
EVENTS = ("login", "help_viewed", "form_abandoned", "app_removed")
LOGIN, HELP_VIEWED, FORM_ABANDONED, APP_REMOVED = range(4)
OPEN_S, SHUT_S = 8 * 3_600, 20 * 3_600
EXTRA_CONTACTS_PER_WEEK = 0.5
"""Contacts of overt leavers beyond those of others, and below: how much less silent ones log in. Guessed."""
SILENT_LOGINS = 0.35
REPEATS = 0.5
"""Share of those whose first call solved nothing who call again; below: shares of contacts that end well or repeat."""
SECOND_RESOLVED, OTHER_RESOLVED, OTHER_REPEATED = 0.7, 0.88, 0.06


class _Raw(NamedTuple):
    """Contacts as they arise, before they are dealt with."""

    who: Ints
    at_s: Ints
    topic: Ints
    repeated: Bools
    resolved: Bools


@dataclass(frozen=True)
class Contacts:
    """Contacts of a week in order of time; every field an array over contacts, ``number`` counts from 1."""

    number: Ints
    who: Ints
    at_s: Ints
    channel: Ints
    topic: Ints
    wait_s: Ints
    transfers: Ints
    repeated: Bools
    resolved: Bools
    abandoned: Bools


class Dealings:
    """Turns each week of the course into contacts and events."""

    def __init__(self, settings: WorldSettings, clock: Clock, people: People) -> None:
        self._contact_rng = stream(settings.seed, "contacts")
        self._event_rng = stream(settings.seed, "events")
        self._clock = clock
        self._people = people
        self._n = 0

    def contacts(self, course: Course, week: Week) -> Contacts:
        """Return the contacts that arise from the week's incidents, from leaving, and from nothing in particular."""
        rng = self._contact_rng
        about = week.incidents
        first = np.flatnonzero(about.called)
        again = first[~about.resolved[first] & (rng.random(first.size) < REPEATS)]
        other_who, other_topic = self._other(course, week)
        other_s = _in_week(rng, week.day, other_who.size, OPEN_S, SHUT_S)
        at_s = about.at_s + np.minimum(600 + rng.exponential(2_400, about.who.size).astype(np.int64), 7_200)
        later = rng.integers(DAY_S // 4, 3 * DAY_S, again.size)
        reason = np.where(about.is_outage, OUTAGE, TECHNICAL)
        raw = _Raw(
            who=np.concatenate([about.who[first], about.who[again], other_who]),
            at_s=np.concatenate([at_s[first], at_s[again] + later, other_s]),
            topic=np.concatenate([reason[first], reason[again], other_topic]),
            repeated=np.concatenate(
                [
                    np.zeros(first.size, bool),
                    np.ones(again.size, bool),
                    _happens(rng, OTHER_REPEATED, other_s),
                ]
            ),
            resolved=np.concatenate(
                [
                    about.resolved[first],
                    _happens(rng, SECOND_RESOLVED, again),
                    _happens(rng, OTHER_RESOLVED, other_s),
                ]
            ),
        )
        return self._recorded(course, raw)

    def _other(self, course: Course, week: Week) -> tuple[Ints, Ints]:
        rng, who = self._contact_rng, week.customers
        leaving = (course.decided[who] < week.day) & (course.style[who] == OVERT)
        upset = 0.02 * np.minimum(course.prices.shock[who], 2.0)
        rate = self._people.contact_rate[who] + upset + EXTRA_CONTACTS_PER_WEEK * leaving
        counts = rng.poisson(rate)
        chooser = np.repeat(who, counts)
        usual = chosen(rng, USUAL_TOPIC_SHARES, chooser.size)
        parting = np.array([BILLING, CANCELLATION, CONTRACT_END])[
            chosen(rng, [0.4, 0.25, 0.35], chooser.size)
        ]
        return chooser, np.where(np.repeat(leaving, counts), parting, usual)

    def _recorded(self, course: Course, raw: _Raw) -> Contacts:
        rng, size = self._contact_rng, raw.who.size
        channel = chosen(rng, CHANNEL_SHARES, size)
        on_phone = channel == PHONE
        hard = np.isin(raw.topic, (TECHNICAL, OUTAGE)) | raw.repeated
        wait_s = rng.exponential(np.where(on_phone, np.where(hard, 260, 140), 90))
        abandoned = on_phone & (rng.random(size) < np.minimum(wait_s / 2_400, 0.5))
        transfers = np.where(abandoned, 0, rng.poisson(np.where(hard, 0.7, 0.2) * on_phone))
        keep = raw.at_s < np.minimum(course.left[raw.who], self._clock.days) * DAY_S
        keep &= raw.at_s >= 0
        order = np.lexsort((raw.topic, raw.who, raw.at_s))
        order = order[keep[order]]
        number = self._n + 1 + np.arange(order.size)
        self._n += order.size
        return Contacts(
            number=number,
            who=raw.who[order],
            at_s=raw.at_s[order],
            channel=channel[order],
            topic=raw.topic[order],
            wait_s=wait_s[order].astype(np.int64),
            transfers=transfers[order],
            repeated=raw.repeated[order],
            resolved=(raw.resolved & ~abandoned)[order],
            abandoned=abandoned[order],
        )

    def contact_rows(self, contacts: Contacts, ids: pl.Series) -> pl.DataFrame:
        """Return contacts as rows of the source ``interactions``."""
        import polars as pl

        return pl.DataFrame(
            {
                "interaction_id": pl.Series(contacts.number).cast(pl.String).str.zfill(9),
                "customer_id": ids.gather(contacts.who),
                "at": self._clock.instants_of(contacts.at_s),
                "channel": pl.Series(CHANNELS).gather(contacts.channel),
                "topic": pl.Series(TOPICS).gather(contacts.topic),
                "wait_s": contacts.wait_s,
                "transfers": contacts.transfers,
                "repeated": contacts.repeated,
                "resolved": contacts.resolved,
                "abandoned": contacts.abandoned,
            }
        )

    def event_rows(self, course: Course, week: Week, ids: pl.Series) -> pl.DataFrame:
        """Return the digital events of the week as rows of the source ``events``."""
        import polars as pl

        rng, who = self._event_rng, week.customers
        quiet = (course.decided[who] < week.day) & (course.style[who] == SILENT)
        rates = {
            LOGIN: self._people.login_rate[who] * np.where(quiet, SILENT_LOGINS, 1.0),
            HELP_VIEWED: 0.01 + 0.12 * np.minimum(course.pain[who], 3.0),
            FORM_ABANDONED: 0.008 + 0.03 * np.minimum(course.pain[who], 3.0),
            APP_REMOVED: np.where(quiet, 0.12, 0.0015),
        }
        counts = rng.poisson(np.stack(list(rates.values())))
        actor = np.concatenate([np.repeat(who, of_kind) for of_kind in counts])
        kind = np.repeat(np.array(list(rates)), counts.sum(axis=1))
        at_s = _in_week(rng, week.day, actor.size, 6 * 3_600, 24 * 3_600)
        value: Floats = np.where(kind == LOGIN, 1.0 + rng.poisson(3.0, actor.size), np.nan)
        keep = (at_s >= 0) & (at_s < np.minimum(course.left[actor], self._clock.days) * DAY_S)
        order = np.lexsort((kind, actor, at_s))
        order = order[keep[order]]
        return pl.DataFrame(
            {
                "customer_id": ids.gather(actor[order]),
                "at": self._clock.instants_of(at_s[order]),
                "event": pl.Series(EVENTS).gather(kind[order]),
                "value": pl.Series(value[order], nan_to_null=True).cast(pl.Int64),
            }
        )


def _in_week(rng: np.random.Generator, day: int, size: int, from_s: int, to_s: int) -> Ints:
    return (day + rng.integers(0, WEEK, size)) * DAY_S + rng.integers(from_s, to_s, size)


def _happens(rng: np.random.Generator, share: float, to: Ints) -> Bools:
    return np.asarray(rng.random(to.size) < share)
