"""A world that goes on only as far as it is told, and in which somebody outside asks questions and makes offers.

    world = Played(folder, settings)
    world.live(364)              # a year, with nobody doing anything
    world.extract()              # the sources as the company has them that evening
    world.ask(...); world.offer(...)
    world.live(378)              # two weeks on
    world.answers()              # what came back

It decides what comes of the asking and offering, as ``effects`` plants it, and refuses to know how anybody chose. The
sources grow on disk, calls by the pieces that are lived (so that their bursts are those of pieces, not of months);
answers and treatments come back as frames for ``churnrisk record``, and stand in no source.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Fault, UsageError
from . import crm, truth
from .clock import DAY_S, WEEK, Month
from .course import Course, Incidents
from .draws import Floats, Ints, stream
from .effects import Effects, log_ratio, taken
from .play import Play
from .settings import FileFormat, WorldSettings
from .sinks import Sink
from .surveys import Asked

if TYPE_CHECKING:
    import polars as pl

ANSWER_COLUMNS = ("invitation_id", "customer_id", "metric", "score", "comment", "answered_at", "channel")
OPENS_S, CLOSES_S = 9 * 3_600, 17 * 3_600


class _Hand:
    """Carries out at the start of a week what was ordered before it; nothing of it is written to a source."""

    def __init__(self) -> None:
        self._due: deque[tuple[str, Ints, Floats, int]] = deque()

    def order(self, kind: str, who: Ints, log_ratios: Floats, weeks: int) -> None:
        self._due.append((kind, who, log_ratios, weeks))

    def act(self, course: Course, day: int, ids: pl.Series) -> None:
        """Let what was ordered work from ``day`` on."""
        del ids
        while self._due:
            kind, who, log_ratios, weeks = self._due.popleft()
            course.protect(who, day + weeks * WEEK, np.exp(log_ratios), kind)

    def hear(self, incidents: Incidents) -> None:
        """Nobody listens: whoever acts reads the sources."""


@dataclass(frozen=True)
class Toll:
    """What a stretch of days cost: customers at its beginning, leavers in it, and the customer months lived."""

    customers: int
    leavers: int
    customer_months: float


class Played:
    """One world, open until its block ends; ``day`` is the number of days lived.

    Parameters
    ----------
    directory : where the sources are written, one folder of Parquet parts each; the truth goes to ``truth/`` in it.
    settings : the world; its ``days`` are how long it may live at most. A programme of its own is refused.
    effects : what offers and questions do.
    by_person : everybody's chances are their own (`draws.Chances`): two worlds of one seed part only where what was
        done in them makes a difference, and so a small difference can be seen. Another world than without it.
    """

    def __init__(
        self,
        directory: str | Path,
        settings: WorldSettings,
        effects: Effects | None = None,
        *,
        by_person: bool = False,
    ) -> None:
        if settings.programme is not None:
            raise _refused("settings.programme", "None: somebody outside acts", "a programme")
        formats: dict[str, FileFormat] = dict.fromkeys(settings.tables, "parquet")
        self.settings = replace(settings, file_format=formats)
        self.effects = Effects() if effects is None else effects
        self.root = Path(directory)
        self.day = 0
        self._stack = ExitStack()
        self._hand = _Hand()
        self._play = Play(self.root, self.settings, self._stack, self._hand, by_person=by_person)
        self._months = deque(self._play.clock.months())
        while not self._months[0].is_written:
            self._play.month(self._months.popleft())
        self._minutes: Floats = np.zeros(len(self._play.people))
        self._rng = stream(settings.seed, "played")
        self._numbers: dict[str, int] | None = None
        self._asked: list[tuple[pl.DataFrame, Asked]] = []

    def __enter__(self) -> Played:
        """Give itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._stack.close()

    @property
    def today(self) -> date:
        """The last day lived."""
        return self._play.clock.day(self.day - 1)

    def live(self, until: int) -> None:
        """Live up to day number ``until``, exclusive: whole weeks, so that nothing is written of a day to come.

        Raises UsageError when it is no multiple of 7, or beyond the days of the settings.
        """
        if until % WEEK or not self.day <= until <= self.settings.days:
            raise _refused("live", f"a multiple of 7 from {self.day} to {self.settings.days}", str(until))
        play = self._play
        while self.day < until:
            month = self._months[0]
            if month.start == self.day:
                play.turn(month)
                self._minutes = np.zeros(len(play.people))
            piece = replace(month, start=self.day, end=min(until, month.end))
            play.weeks_until(piece.end, month)
            self._minutes += play.calls(piece, f"{month.name}-{piece.start:05d}")
            if piece.end == month.end:
                self._close(month)
            self.day = piece.end

    def _close(self, month: Month) -> None:
        if month.is_whole:
            self._play.bills(month, self._minutes)
        self._months.popleft()

    def extract(self, offers: pl.DataFrame | None = None) -> None:
        """Write the customer base and the offers as they are known tonight; ``offers``: else those of every world."""
        clock = replace(self._play.clock, days=self.day)
        for table in ("customers", "offers"):
            with Sink(self.root, table, "parquet") as sink:
                if table == "customers":
                    self._play.customers(sink, clock)
                else:
                    sink.write(crm.offer_rows() if offers is None else offers, "offers")

    def ask(self, invitations: pl.DataFrame) -> None:
        """Send an NPS question to each customer of ``invitations`` (invitation_id, customer_id) tomorrow.

        Who has left by then is not reached. Who answers and what depends on mood, as in the waves of the company;
        :meth:`answers` gives it once it has come. Being asked works as ``effects`` says.
        """
        who = self._who(invitations)
        at_s = self.day * DAY_S + self._rng.integers(OPENS_S, CLOSES_S, who.size)
        self._asked.append((invitations, self._play.surveying.asked(self._play.course, who, at_s)))
        if self.effects.asked:
            pressed = np.full(who.size, self.effects.asked)
            self._hand.order("question", who, pressed, self.effects.asked_weeks)

    def answers(self) -> pl.DataFrame:
        """Return the answers that came by today and were not returned before: the columns of ``record answers``."""
        import polars as pl

        until_s = self.day * DAY_S
        found, waiting = [], []
        for invitations, asked in self._asked:
            left_s = self._play.course.left[asked.who] * DAY_S
            is_given = ~np.isnan(asked.score) & (asked.answered_s < left_s)
            has_come = is_given & (asked.answered_s < until_s)
            rows = self._play.surveying.rows(asked.only(has_come), self._play.ids)
            ids = invitations["invitation_id"].filter(pl.Series(has_come))
            # surveys.rows orders by time; the ids go the same way
            order = np.lexsort((asked.metric[has_come], asked.who[has_come], asked.invited_s[has_come]))
            found.append(rows.with_columns(invitation_id=ids.gather(order)))
            rest = is_given & ~has_come
            if rest.any():
                waiting.append((invitations.filter(pl.Series(rest)), asked.only(rest)))
        self._asked = waiting
        schema = dict.fromkeys(ANSWER_COLUMNS, pl.String()) | {
            "score": pl.Int64(), "answered_at": pl.Datetime("us")
        }  # fmt: skip
        return pl.concat([pl.DataFrame(schema=schema), *(rows.select(ANSWER_COLUMNS) for rows in found)])

    def offer(self, made: pl.DataFrame) -> pl.DataFrame:
        """Make tomorrow the offers of ``made`` (treatment_id, customer_id, offer_id); return it with ``accepted``.

        ``control`` and customers who have left get nothing, and accept nothing. The same offer again takes the
        place of the earlier one; different ones multiply. Raises UsageError for an offer without a planted effect.
        """
        import polars as pl

        course, people = self._play.course, self._play.people
        known = (*self.effects.offers, "control")
        if strange := sorted(set(made["offer_id"].to_list()) - set(known)):
            raise _refused("offer", f"one of {', '.join(known)}", strange[0])
        who, offer = self._who(made), made["offer_id"].to_numpy()
        is_here = course.is_customer(self.day)[who]
        accepted = np.zeros(who.size, dtype=np.bool_)
        draw = self._rng.random(who.size)
        for name, effect in self.effects.offers.items():
            mine = np.flatnonzero((offer == name) & is_here)
            if mine.size:
                accepted[mine] = taken(effect, course, people, who[mine], draw[mine])
                ratios = log_ratio(effect, course, people, who[mine], accepted[mine])
                self._hand.order(f"offer {name}", who[mine], ratios, effect.lasting_weeks)
        told = pl.Series(accepted).set(pl.Series(offer == "control"), None)
        return made.with_columns(accepted=told)

    def true_log_ratios(self, customer_ids: pl.Series, offer_id: str) -> Floats:
        """Return, of each customer as things stand, the expected log hazard ratio of an offer (takers and others)."""
        course, people = self._play.course, self._play.people
        effect = self.effects.offers[offer_id]
        who = self._positions(customer_ids)
        ones = np.ones(who.size, dtype=np.bool_)
        share = np.mean(
            [
                taken(effect, course, people, who, np.full(who.size, draw))
                for draw in np.linspace(0.005, 0.995, 100)
            ],
            axis=0,
        )
        with_it = np.exp(log_ratio(effect, course, people, who, ones))
        without = np.exp(log_ratio(effect, course, people, who, ~ones))
        return np.asarray(np.log(share * with_it + (1 - share) * without))

    def monthly_hazard(self, customer_ids: pl.Series) -> Floats:
        """Return the true hazard of deciding to leave within 30 days as things stand, with nothing done about it.

        0 for who has decided already or is no customer.
        """
        course, who = self._play.course, self._positions(customer_ids)
        parts = course.causes(who, self.day)
        weekly = np.exp(course.log_base + sum(parts.values(), np.zeros(who.size)))
        is_open = course.is_customer(self.day)[who] & ~course.is_leaving(who)
        return np.asarray(np.where(is_open, -np.expm1(-weekly * truth.RISK_DAYS / WEEK), 0.0))

    def toll(self, since: int) -> Toll:
        """Return what the days from ``since`` to today cost."""
        course, people = self._play.course, self._play.people
        begins = np.clip(people.joined, since, self.day)
        ends = np.clip(course.left, since, self.day)
        here = course.is_customer(since)
        return Toll(
            customers=int(here.sum()),
            leavers=int(((course.left >= since) & (course.left < self.day)).sum()),
            customer_months=float(np.maximum(ends - begins, 0).sum() / 30.4375),
        )

    def _who(self, frame: pl.DataFrame) -> Ints:
        return self._positions(frame["customer_id"])

    def _positions(self, customer_ids: pl.Series) -> Ints:
        if self._numbers is None:
            self._numbers = {name: place for place, name in enumerate(self._play.ids.to_list())}
        numbers: Any = [self._numbers[name] for name in customer_ids.to_list()]
        return np.asarray(numbers, dtype=np.int64)


def _refused(what: str, expected: str, found: str) -> UsageError:
    return UsageError(
        Fault("world_impossible", f"played world, {what}", expected, found, "Choose another value.")
    )
