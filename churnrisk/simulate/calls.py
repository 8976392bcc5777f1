"""Calls and texts, a month at a time and in blocks of ties, so that memory does not grow with days or customers.

Contacts come in trains: a tie wakes up, a few contacts follow within the hour, then silence. It knows ties and who is
a customer when; it refuses to know why they leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from .clock import DAY_S, NEVER, WEEK, Clock, Month
from .course import SILENT, Course
from .draws import Bools, Floats, Ints, cumulated, repeated_ranges, stream
from .population import People
from .settings import WorldSettings
from .social import Ties

if TYPE_CHECKING:
    import polars as pl

KINDS = ("voice", "sms", "message")
KIND_SHARES = (0.62, 0.18, 0.2)
MISSED = -1
MISSED_SHARE = 0.14
CONTACTS_PER_TRAIN = 1.8
GAP_MEAN_S = 1_500
ONNET_SHARE = 0.75
MONTHLY_BURST = 1.5
"""Shape of the gamma by which a tie's months differ; smaller is burstier."""
QUIET_SHARE, QUIET_LEVEL = 0.03, 0.35
"""Share of customers who are quiet for a month without meaning to leave, and how much of their contacts remains."""
SILENT_LEVEL = 0.3
"""What remains of the contacts of silent leavers between deciding and leaving. All of these are guesses."""
BLOCK_CONTACTS = 1_000_000
DAY_RHYTHM = (1, 0.5, 0.3, 0.2, 0.2, 0.4, 1.2, 3, 5, 6, 6.5, 7, 7.5, 7, 6.5, 6.5, 7, 8, 9, 9, 8, 6, 4, 2)
WEEKEND_RHYTHM = (
    2,
    1.2,
    0.7,
    0.4,
    0.3,
    0.3,
    0.6,
    1.2,
    2.5,
    4,
    5.5,
    6.5,
    7,
    7,
    6.5,
    6,
    6,
    6.5,
    7,
    7.5,
    7.5,
    6.5,
    5,
    3.5,
)
WEEKEND_LEVEL = 0.92
"""Contacts by hour of day (UTC), Monday to Friday and at the weekend; guessed after the usual shape of call records."""


@dataclass(frozen=True)
class Block:
    """Contacts of some ties in one month, in order of time. Ends at or above the number of people are off-net."""

    caller: Ints
    callee: Ints
    at_s: Ints
    duration_s: Ints
    kind: Ints


class Calling:
    """Makes the contacts of every tie, month by month."""

    def __init__(
        self, settings: WorldSettings, clock: Clock, people: People, networks: tuple[Ties, Ties]
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._people = people
        self._networks = networks
        self._per_day: tuple[float, float] | None = None
        hours = np.array([*[DAY_RHYTHM] * 5, *[WEEKEND_RHYTHM] * 2], dtype=np.float64)
        # Weekends bring a tenth less; one unit is an average day.
        hours *= np.repeat([1.0, WEEKEND_LEVEL], (5, 2))[:, None] / np.asarray(DAY_RHYTHM).sum()
        self._hours = hours * WEEK / hours.sum()

    def strengths(self) -> tuple[float, float]:
        """Return the contacts a day per unit of strength, on-net and off-net; known once a month has been made."""
        if self._per_day is None:
            message = "no month has been made yet"
            raise RuntimeError(message)
        return self._per_day

    def blocks(self, course: Course, month: Month) -> Iterator[Block]:
        """Yield all contacts of ``month``, each block sorted by time."""
        if self._per_day is None:
            self._per_day = self._scales(course, month)
        spells = stream(self._settings.seed, "quiet", month.start)
        level = np.where(spells.random(len(self._people)) < QUIET_SHARE, QUIET_LEVEL, 1.0)
        days = [self._clock.day(day).weekday() for day in range(month.start, month.end)]
        air = _Air(month, cumulated(self._hours[days]), np.append(level, 1.0))
        for network, (ties, per_day) in enumerate(zip(self._networks, self._per_day, strict=True)):
            for number, part in enumerate(_parts(ties, per_day * (month.end - month.start))):
                rng = stream(self._settings.seed, "calls", month.start, network, number)
                yield self._block(rng, course, air, _Part(ties, part, per_day))

    def _scales(self, course: Course, month: Month) -> tuple[float, float]:
        """Return the scales with which customers start ``calls_per_day`` contacts in the first month."""
        customers = self._people.joined < month.end
        customers &= course.left > month.start
        begins = np.maximum(self._people.joined[customers], month.start)
        ends = np.minimum(course.left[customers], month.end)
        started = float((ends - begins).sum()) * self._settings.calls_per_day
        scales = []
        # An off-net contact starts half of the contacts with a customer, so those count half.
        for ties, share in zip(self._networks, (ONNET_SHARE, 2 * (1 - ONNET_SHARE)), strict=True):
            first, last = self._window(course, month, ties, slice(None))
            lived = float(((last - first) * ties.strength).sum())
            scales.append(share * started / lived if lived > 0 else 0.0)
        return scales[0], scales[1]

    def _window(self, course: Course, month: Month, ties: Ties, part: slice) -> tuple[Ints, Ints]:
        """Return the days ``[first, last)`` of ``month`` on which both ends of each tie can be reached."""
        n = len(self._people)
        a, b = ties.a[part], ties.b[part]
        known = np.minimum(b, n - 1)
        joined_b = np.where(b < n, self._people.joined[known], -NEVER)
        left_b = np.where(b < n, course.left[known], NEVER)
        first = np.maximum.reduce(
            [np.full(a.size, month.start), ties.first[part], self._people.joined[a], joined_b]
        )
        last = np.minimum.reduce([np.full(a.size, month.end), ties.last[part], course.left[a], left_b])
        first = np.minimum(first, month.end)
        return first.astype(np.int64), np.maximum(last, first).astype(np.int64)

    def _block(self, rng: np.random.Generator, course: Course, air: _Air, lines: _Part) -> Block:
        month, ties, part = air.month, lines.ties, lines.part
        first, last = self._window(course, month, ties, part)
        low, high = air.rhythm[(first - month.start) * 24], air.rhythm[(last - month.start) * 24]
        mean = ties.strength[part] * (lines.per_day / CONTACTS_PER_TRAIN) * (high - low)
        mean = mean * rng.gamma(MONTHLY_BURST, 1 / MONTHLY_BURST, mean.size)
        mean *= air.level[ties.a[part]] * air.level[np.minimum(ties.b[part], len(self._people))]
        n_trains = rng.poisson(mean)
        tie = np.repeat(np.arange(mean.size), n_trains)
        place = low[tie] + rng.random(tie.size) * (high - low)[tie]
        hour = np.minimum(np.searchsorted(air.rhythm, place, side="right") - 1, air.rhythm.size - 2)
        start_s = month.start * DAY_S + hour * 3_600 + rng.integers(0, 3_600, tie.size)
        awake = self._awake(rng, course, ties, part.start + tie, start_s // DAY_S)
        tie, start_s = tie[awake], start_s[awake]
        n_contacts = rng.geometric(1 / CONTACTS_PER_TRAIN, tie.size)
        tie = np.repeat(tie, n_contacts)
        gaps = rng.exponential(GAP_MEAN_S, tie.size).astype(np.int64) + 20
        at_s = np.repeat(start_s, n_contacts) + repeated_ranges(n_contacts) * gaps
        keep = at_s < last[tie] * DAY_S
        return self._contacts(rng, ties, part.start + tie[keep], at_s[keep])

    def _awake(self, rng: np.random.Generator, course: Course, ties: Ties, tie: Ints, day: Ints) -> Bools:
        """Say which trains happen: silent leavers have gone quiet."""
        keep = np.ones(tie.size)
        n = len(self._people)
        for end in (ties.a[tie], ties.b[tie]):
            person = np.minimum(end, n - 1)
            quiet = (course.style[person] == SILENT) & (course.decided[person] <= day) & (end < n)
            keep = np.where(quiet, keep * SILENT_LEVEL, keep)
        return np.asarray(rng.random(tie.size) < keep)

    @staticmethod
    def _contacts(rng: np.random.Generator, ties: Ties, tie: Ints, at_s: Ints) -> Block:
        order = np.lexsort((tie, at_s))
        tie, at_s = tie[order], at_s[order]
        # Two people do not begin two contacts with each other in the same second: that would look like a duplicate.
        anew = np.ones(tie.size, dtype=np.bool_)
        anew[1:] = (tie[1:] != tie[:-1]) | (at_s[1:] != at_s[:-1])
        tie, at_s = tie[anew], at_s[anew]
        forward = rng.random(tie.size) < ties.forward_share[tie]
        a, b = ties.a[tie].astype(np.int64), ties.b[tie].astype(np.int64)
        draw = rng.random(tie.size)
        kind = np.searchsorted(np.cumsum(KIND_SHARES)[:-1], draw, side="right")
        # Close ties talk longer.
        mean_log = 4.3 + 0.25 * np.log(ties.strength[tie])
        duration_s = np.exp(mean_log + 1.1 * rng.standard_normal(tie.size)).astype(np.int64) + 1
        duration_s = np.minimum(duration_s, 4 * 3_600)
        duration_s[rng.random(tie.size) < MISSED_SHARE] = MISSED
        return Block(np.where(forward, a, b), np.where(forward, b, a), at_s, duration_s, kind)

    def rows(self, block: Block, ids: pl.Series) -> pl.DataFrame:
        """Return a block as rows of the source ``calls``; texts have no duration."""
        import polars as pl

        frame = pl.DataFrame(
            {
                "caller_id": ids.gather(block.caller),
                "callee_id": ids.gather(block.callee),
                "started_at": self._clock.instants_of(block.at_s),
                "duration_s": block.duration_s.astype(np.int32),
                "kind": pl.Series(KINDS).gather(block.kind),
            }
        )
        return frame.with_columns(
            pl.col("started_at").dt.replace_time_zone("UTC"),
            pl.when(pl.col("kind") == KINDS[0]).then("duration_s").alias("duration_s"),
        )

    def minutes(self, block: Block) -> Floats:
        """Return the seconds each person has spoken in calls of the block that they started, in minutes."""
        counts = (block.kind == 0) & (block.duration_s > 0) & (block.caller < len(self._people))
        n = len(self._people)
        return np.bincount(block.caller[counts], block.duration_s[counts], minlength=n) / 60.0


@dataclass(frozen=True)
class _Air:
    """What all ties of a month share: its rhythm, cumulated over the hours, and who is quiet (off-net comes last)."""

    month: Month
    rhythm: Floats
    level: Floats


@dataclass(frozen=True)
class _Part:
    """Some of the ties of a network, and the contacts a day per unit of strength in it."""

    ties: Ties
    part: slice
    per_day: float


def _parts(ties: Ties, contacts_per_strength: float) -> Iterator[slice]:
    """Yield slices of ties that make about `BLOCK_CONTACTS` contacts each."""
    if not len(ties):
        return
    made = np.cumsum(ties.strength, dtype=np.float64) * contacts_per_strength
    n_parts = max(1, int(np.ceil(made[-1] / BLOCK_CONTACTS)))
    inner = np.searchsorted(made, made[-1] * np.arange(1, n_parts) / n_parts)
    for low, high in pairwise([0, *inner.tolist(), len(ties)]):
        yield slice(low, high)
