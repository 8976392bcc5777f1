"""Plays a world from its lead-in to its last day, month by month, and writes what a company would have of it.

It decides the order of things and where files lie; each part of the world decides for itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Fault, UsageError
from . import crm, truth
from .calls import Calling
from .clock import NEVER, Clock, Month
from .contacts import Dealings
from .course import Course, week_starts
from .population import OVERPAY_SD, population
from .prices import Versions
from .programme import Retention
from .settings import DEFAULT_FORMATS, WorldSettings
from .sinks import Sink
from .social import strong_friends, ties_between_customers, ties_off_net
from .surveys import Surveying
from .usage import Billing

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[str, int, int], None]
"""Called with what is being made, how many months are done, and how many there are."""

TRUTH_TABLES = ("hazard", "people", "ties")
PARAMETERS = "parameters.json"
UNFINISHED = "unfinished"
"""Lies in the truth's folder while a world is being written: a world that was cut off can be made again."""


@dataclass(frozen=True)
class World:
    """A written world: the file or glob of each table, the rows in it, and the truth in numbers."""

    directory: Path
    settings: WorldSettings
    paths: Mapping[str, Path]
    rows: Mapping[str, int]
    truth: Mapping[str, Any]
    truth_paths: Mapping[str, Path]


def simulate(directory: str | Path, settings: WorldSettings, progress: Progress | None = None) -> World:
    """Write a simulated telco to ``directory``, its truth to ``truth/`` in it; replace an earlier world there.

    Time and files grow with customers x days; memory with customers and ties only.

    Raises
    ------
    UsageError
        When files of these names lie there that no earlier simulation wrote.
    """
    root = Path(directory)
    _clear(root)
    marker = root / truth.FOLDER / UNFINISHED
    marker.parent.mkdir(parents=True)
    marker.touch()
    with ExitStack() as stack:
        play = _Play(root, settings, stack)
        months = list(play.clock.months())
        for number, month in enumerate(months):
            if progress is not None:
                progress(month.name, number, len(months))
            play.month(month)
        play.finish()
        marker.unlink()
        if progress is not None:
            progress("done", len(months), len(months))
    return play.world()


class _Play:
    """One world while it is being made."""

    def __init__(self, root: Path, settings: WorldSettings, stack: ExitStack) -> None:
        self.root, self.settings = root, settings
        self.clock = Clock.of(settings)
        self.people = population(settings)
        self.ties = ties_between_customers(settings, self.people)
        off_net = ties_off_net(settings, self.people)
        n = len(self.people)
        n_offnet = int(off_net.b.max()) + 1 - n if len(off_net) else 0
        self.ids: pl.Series = crm.customer_ids(self.people, n_offnet)
        self.course = Course(settings, self.clock, self.people, strong_friends(self.ties, n))
        self.dealings = Dealings(settings, self.clock, self.people)
        self.surveying = Surveying(settings, self.clock, self.people)
        self.calling = Calling(settings, self.clock, self.people, (self.ties, off_net))
        self.billing = Billing(settings, self.clock, self.people)
        plan = settings.programme
        self.retention = None if plan is None else Retention(settings, plan, self.clock, self.people)
        self.versions: list[Versions] = [self.course.prices.opening()]
        self.weeks = list(week_starts(self.clock))
        self.sinks = {
            table: stack.enter_context(Sink(root, table, settings.format_of(table)))
            for table in settings.tables
        }
        self.truths = {
            table: stack.enter_context(Sink(root / truth.FOLDER, table, "parquet")) for table in TRUTH_TABLES
        }

    def month(self, month: Month) -> None:
        """Live a month, then write its calls and bills."""
        self.versions.append(self.course.turn(month))
        is_first = month.is_written
        while self.weeks and self.weeks[0] < month.end:
            day = self.weeks.pop(0)
            at_risk = self.course.arrive(day)
            if is_first:
                rows = truth.hazard_rows(self.course, day, self.clock, at_risk, self.ids)
                self.truths["hazard"].write(rows, month.name + f"-{month.start:05d}")
                is_first = False
            self._week(day, at_risk, month)
        if month.is_written:
            self._calls_and_bills(month)

    def _week(self, day: int, at_risk: np.ndarray[Any, np.dtype[np.int64]], month: Month) -> None:
        if self.retention is not None and month.is_written:
            actions = self.retention.act(self.course, day)
            self.sinks["treatments"].write(self.retention.rows(actions, self.ids), f"{month.name}-{day:05d}")
            at_risk = np.flatnonzero(self.course.is_customer(day) & (self.course.decided == NEVER))
        week = self.course.step(day, at_risk)
        if self.retention is not None:
            self.retention.hear(week.incidents)
        if not month.is_written:
            return
        contacts = self.dealings.contacts(self.course, week)
        part = f"{month.name}-{day:05d}"
        self.sinks["interactions"].write(self.dealings.contact_rows(contacts, self.ids), part)
        self.sinks["events"].write(self.dealings.event_rows(self.course, week, self.ids), part)
        self.surveying.ask(self.course, week, contacts)
        self._surveys(day, part)

    def _surveys(self, day: int, part: str) -> None:
        for number, asked in enumerate(self.surveying.settled(self.course, day)):
            self.sinks["surveys"].write(self.surveying.rows(asked, self.ids), f"{part}-{number:02d}")

    def _calls_and_bills(self, month: Month) -> None:
        minutes = np.zeros(len(self.people))
        for number, block in enumerate(self.calling.blocks(self.course, month)):
            self.sinks["calls"].write(self.calling.rows(block, self.ids), f"{month.name}-{number:04d}")
            minutes += self.calling.minutes(block)
        if month.is_whole:
            self.sinks["usage"].write(self.billing.rows(self.course, month, minutes, self.ids), month.name)

    def finish(self) -> None:
        """Write what can only be written at the end: late answers, the customer base, offers, the truth."""
        self._surveys(self.clock.days * 2, "last")
        course, people, clock, ids = self.course, self.people, self.clock, self.ids
        columns = ("who", "day", "plan", "value")
        together = Versions(
            *(np.concatenate([getattr(rows, name) for rows in self.versions]) for name in columns)
        )
        for number, rows in enumerate(crm.customer_rows(course, people, clock, together, ids)):
            self.sinks["customers"].write(rows, f"part-{number:04d}")
        self.sinks["offers"].write(crm.offer_rows(), "offers")
        self.truths["people"].write(truth.people_rows(course, people, clock, ids), "people")
        is_known = crm.ever_customers(course, people, clock)
        per_day = self.calling.strengths()[0]
        for number, rows in enumerate(truth.tie_rows(self.ties, per_day, is_known, ids)):
            self.truths["ties"].write(rows, f"part-{number:04d}")
        truth.write_parameters(self.root / truth.FOLDER / PARAMETERS, self._parameters())

    def _rows(self) -> dict[str, int]:
        return {table: sink.n_rows for table, sink in self.sinks.items()}

    def _summary(self) -> dict[str, Any]:
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
            "rows": self._rows(),
            "realised": self._summary(),
        }

    def world(self) -> World:
        """Return what was written."""
        return World(
            directory=self.root,
            settings=self.settings,
            paths={table: sink.path for table, sink in self.sinks.items()},
            rows=self._rows(),
            truth=self._summary(),
            truth_paths={
                **{table: sink.path for table, sink in self.truths.items()},
                "parameters": self.root / truth.FOLDER / PARAMETERS,
            },
        )


def _clear(root: Path) -> None:
    """Remove an earlier world, so that no part of it mixes with the new one; refuse to touch anything else."""
    ours = [root / truth.FOLDER, *(root / f"{table}.csv" for table in DEFAULT_FORMATS)]
    ours += [root / table for table in DEFAULT_FORMATS]
    there = [path for path in ours if path.exists()]
    marks = [root / truth.FOLDER / name for name in (PARAMETERS, UNFINISHED)]
    if there and not any(mark.is_file() for mark in marks):
        raise UsageError(
            Fault(
                code="directory_taken",
                where=str(root),
                expected="an empty folder, or one with an earlier simulated world",
                found=", ".join(sorted(path.name for path in there)),
                remedy="Name another folder; nothing was changed.",
            )
        )
    # The folder with the marks goes last: cut off here, the rest can still be removed.
    for path in reversed(there):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
