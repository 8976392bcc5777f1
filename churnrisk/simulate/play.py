"""One world while it lives: the order in which its parts have their turn, month by month and week by week.

Each part decides for itself; this refuses to know for how long the world lives and what is made of its files.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from . import crm, truth
from .calls import Calling
from .clock import NEVER, Clock, Month
from .contacts import Dealings
from .course import Course, Incidents, week_starts
from .draws import Floats
from .population import OVERPAY_SD, population
from .prices import Versions
from .programme import Retention
from .settings import WorldSettings
from .sinks import Sink
from .social import strong_friends, ties_between_customers, ties_off_net
from .surveys import Surveying
from .usage import Billing

if TYPE_CHECKING:
    import polars as pl

TRUTH_TABLES = ("hazard", "people", "ties")


class Team(Protocol):
    """Somebody who does something against leaving."""

    def act(self, course: Course, day: int, ids: pl.Series) -> pl.DataFrame | None:
        """Act at the start of the week from ``day``; return rows of the source ``treatments``, or None."""

    def hear(self, incidents: Incidents) -> None:
        """Note what went wrong in the week."""


class Play:
    """One world while it lives. Files are open until ``stack`` closes.

    ``team`` acts each week; without one, the programme of the settings does, where there is one. With ``by_person``
    everybody's chances are their own, whatever becomes of the others.
    """

    def __init__(
        self,
        root: Path,
        settings: WorldSettings,
        stack: ExitStack,
        team: Team | None = None,
        *,
        by_person: bool = False,
    ) -> None:
        self.root, self.settings = root, settings
        self.clock = Clock.of(settings)
        self.people = population(settings)
        self.ties = ties_between_customers(settings, self.people)
        off_net = ties_off_net(settings, self.people)
        n = len(self.people)
        n_offnet = int(off_net.b.max()) + 1 - n if len(off_net) else 0
        self.ids: pl.Series = crm.customer_ids(self.people, n_offnet)
        friends = strong_friends(self.ties, n)
        self.course = Course(settings, self.clock, self.people, friends, by_person=by_person)
        self.dealings = Dealings(settings, self.clock, self.people)
        self.surveying = Surveying(settings, self.clock, self.people)
        self.calling = Calling(settings, self.clock, self.people, (self.ties, off_net))
        self.billing = Billing(settings, self.clock, self.people)
        plan = settings.programme
        self.team: Team | None = team
        if team is None and plan is not None:
            self.team = Retention(settings, plan, self.clock, self.people)
        self.versions: list[Versions] = [self.course.prices.opening()]
        self.weeks = list(week_starts(self.clock))
        self._is_hazard_due = False
        self.sinks = {
            table: stack.enter_context(Sink(root, table, settings.format_of(table)))
            for table in settings.tables
        }
        self.truths = {
            table: stack.enter_context(Sink(root / truth.FOLDER, table, "parquet")) for table in TRUTH_TABLES
        }

    def month(self, month: Month) -> None:
        """Live a month, then write its calls and bills."""
        self.turn(month)
        self.weeks_until(month.end, month)
        if month.is_written:
            minutes = self.calls(month, month.name)
            if month.is_whole:
                self.bills(month, minutes)

    def turn(self, month: Month) -> None:
        """Let ``month`` begin."""
        self.versions.append(self.course.turn(month))
        self._is_hazard_due = month.is_written

    def weeks_until(self, end: int, month: Month) -> None:
        """Live the weeks that begin before day ``end``; all of them begin in ``month``."""
        while self.weeks and self.weeks[0] < end:
            day = self.weeks.pop(0)
            at_risk = self.course.arrive(day)
            if self._is_hazard_due:
                rows = truth.hazard_rows(self.course, day, self.clock, at_risk, self.ids)
                begins = day if self.settings.weekly_truth else month.start
                self.truths["hazard"].write(rows, f"{month.name}-{begins:05d}")
                self._is_hazard_due = self.settings.weekly_truth
            self._week(day, at_risk, month)

    def _week(self, day: int, at_risk: np.ndarray[Any, np.dtype[np.int64]], month: Month) -> None:
        if self.team is not None and month.is_written:
            done = self.team.act(self.course, day, self.ids)
            if done is not None:
                self.sinks["treatments"].write(done, f"{month.name}-{day:05d}")
            at_risk = np.flatnonzero(self.course.is_customer(day) & (self.course.decided == NEVER))
        week = self.course.step(day, at_risk)
        if self.team is not None:
            self.team.hear(week.incidents)
        if not month.is_written:
            return
        contacts = self.dealings.contacts(self.course, week)
        part = f"{month.name}-{day:05d}"
        self.sinks["interactions"].write(self.dealings.contact_rows(contacts, self.ids), part)
        self.sinks["events"].write(self.dealings.event_rows(self.course, week, self.ids), part)
        self.surveying.ask(self.course, week, contacts)
        self.surveys(day, part)

    def surveys(self, day: int, part: str) -> None:
        """Write the invitations whose answers were all due by ``day``."""
        for number, asked in enumerate(self.surveying.settled(self.course, day)):
            self.sinks["surveys"].write(self.surveying.rows(asked, self.ids), f"{part}-{number:02d}")

    def calls(self, month: Month, name: str) -> Floats:
        """Write the calls of ``month``, or of a part of one, to parts called ``name``; return everybody's minutes."""
        minutes = np.zeros(len(self.people))
        for number, block in enumerate(self.calling.blocks(self.course, month)):
            self.sinks["calls"].write(self.calling.rows(block, self.ids), f"{name}-{number:04d}")
            minutes += self.calling.minutes(block)
        return minutes

    def bills(self, month: Month, minutes: Floats) -> None:
        """Write the bills of a whole month."""
        self.sinks["usage"].write(self.billing.rows(self.course, month, minutes, self.ids), month.name)

    def finish(self) -> None:
        """Write what can only be written at the end: late answers, the customer base, offers, the truth."""
        self.surveys(self.clock.days * 2, "last")
        course, people, clock, ids = self.course, self.people, self.clock, self.ids
        self.customers(self.sinks["customers"], clock)
        self.sinks["offers"].write(crm.offer_rows(), "offers")
        self.truths["people"].write(truth.people_rows(course, people, clock, ids), "people")
        is_known = crm.ever_customers(course, people, clock)
        per_day = self.calling.strengths()[0]
        for number, rows in enumerate(truth.tie_rows(self.ties, per_day, is_known, ids)):
            self.truths["ties"].write(rows, f"part-{number:04d}")
        truth.write_parameters(self.root / truth.FOLDER / truth.PARAMETERS, self._parameters())

    def customers(self, sink: Sink, clock: Clock) -> None:
        """Write the customer base to ``sink`` as it is known at the end of the days of ``clock``."""
        columns = ("who", "day", "plan", "value")
        together = Versions(
            *(np.concatenate([getattr(rows, name) for rows in self.versions]) for name in columns)
        )
        for number, rows in enumerate(crm.customer_rows(self.course, self.people, clock, together, self.ids)):
            sink.write(rows, f"part-{number:04d}")

    def rows(self) -> dict[str, int]:
        """Return the rows written so far, by table."""
        return {table: sink.n_rows for table, sink in self.sinks.items()}

    def summary(self) -> dict[str, Any]:
        """Return the truth in numbers."""
        toll = truth.Toll.of(self.course, self.people, self.clock)
        tally = self.surveying.tally
        return {
            "monthly_churn": toll.monthly_churn,
            "leavers": toll.leavers,
            "leavers_in_notice": toll.in_notice,
            "customers_ever": int(crm.ever_customers(self.course, self.people, self.clock).sum()),
            "customers_at_end": int(self.course.is_customer(self.clock.days - 1).sum()),
            "customer_days": toll.customer_days,
            "invited": tally.invited,
            "answered": tally.answered,
            "response_rate": tally.answered / tally.invited if tally.invited else None,
            "nps": tally.nps,
            "nps_asked": tally.asked_nps,
            "nps_answered": tally.answered_nps,
            "calls_per_customer_day": self.sinks["calls"].n_rows / toll.customer_days,
        }

    def _parameters(self) -> dict[str, Any]:
        return {
            "settings": self.settings.as_plain(),
            "first_day": self.clock.first_day.isoformat(),
            "log_base": self.course.log_base,
            "contagion_log_hazard": float(np.log(self.settings.contagion)),
            "overpay_sd": OVERPAY_SD,
            "outage_on": self.clock.day(self.course.outage_day).isoformat(),
            "rows": self.rows(),
            "realised": self.summary(),
        }
