"""What passed between each pair in the window of an as-of date, put together from stretches of days that are kept.

It decides which stretches make up a window, when a kept one may be used again and when one is thrown away. It refuses
to know what ties are made of the facts. A stretch is named by what it holds: the days, and marks of the calls in them
that were known at the as-of instant. A call that comes late, or is corrected, changes the mark: its stretch is counted
again, and nothing that is kept can be stale. A kept file that a disk or a hand has damaged is seen by its sums, thrown
away and counted again. Refusals are not in it: they are applied when it is read.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from churnrisk.dates import AsOf, local_midnight, zone_named
from churnrisk.store import Engine, Statement
from churnrisk.tables.marks import QUARTER_US, call_marks

from .ties.contract import DECAY_ONE_CONTACT, HALF_LIVES_DAYS, RECENT_DAYS, TRAIN_GAP_HOURS
from .ties.decay import as_of_base, base_of, newest_weight, weights

if TYPE_CHECKING:
    from .ties.kernels import IntArray

LONGEST_STRETCH_DAYS = 32
"""A window is cut into days and powers of two of days, up to this: few stretches to put together each night, and the
oldest is not so long that splitting it, when its first day leaves the window, takes long."""

UNSETTLED_DAYS = 2
"""The latest days stand alone: a call over midnight is known on the day after, and changes its day once more."""

STREAM_ROWS = 122_880
"""Calls counted at a time: room is made for as many new pairs."""

_N_AT_ONCE = 2
"""Stretches counted or put together at a time; more would take more memory than a small machine has."""

_FORMAT = 2
"""Raised when facts are counted or written otherwise: what was kept before is then counted again."""

_OURS = re.compile(r"\d{4}-\d\d-\d\d-\d+-[0-9a-f]{32}\.(parquet|half)")
"""Names of our files: what else is in the folder is left alone."""

_SUMS = "churnrisk_sums"
"""Key in the metadata of a file: its number of rows and the sum of each column."""

_NARROW = ("n_ab", "n_ba", "n_timed", "active_days", "trains")


class DamagedStretchError(Exception):
    """A kept file cannot be read, or does not hold what was written."""


@dataclass(frozen=True, order=True)
class Stretch:
    """So many local days from the one with number ``first`` (`date.toordinal`)."""

    first: int
    n_days: int

    @property
    def end(self) -> int:
        """Number of the day after the last."""
        return self.first + self.n_days

    def __str__(self) -> str:
        """Give its days in words."""
        first, last = date.fromordinal(self.first), date.fromordinal(self.end - 1)
        return f"{first}" if self.n_days == 1 else f"{first} to {last}"

    def halves(self) -> tuple[Stretch, Stretch]:
        """Cut it in the middle."""
        half = self.n_days // 2
        return Stretch(self.first, half), Stretch(self.first + half, half)


def stretches(first: int, end: int) -> Iterator[Stretch]:
    """Cut the days from ``first`` to before ``end`` into powers of two that begin at multiples of themselves.

    >>> [(stretch.first, stretch.n_days) for stretch in stretches(5, 16)]
    [(5, 1), (6, 2), (8, 8)]
    """
    while first < end:
        n_days = LONGEST_STRETCH_DAYS
        while first % n_days or first + n_days > end:
            n_days //= 2
        yield Stretch(first, n_days)
        first += n_days


@dataclass(frozen=True)
class PairWindow:
    """The days whose contacts make a tie as of a date.

    ``beside`` are other dates that are asked for with the same store, in any order: windows that overlap are then cut
    at each other's borders, so that what is counted for one serves all, and is kept for them.
    """

    as_of: AsOf
    n_days: int
    beside: tuple[AsOf, ...] = ()

    @property
    def last(self) -> int:
        """Number of the as-of day."""
        return self.as_of.day.toordinal()

    @property
    def first(self) -> int:
        """Number of the oldest day."""
        return self.last - self.n_days + 1

    @property
    def recent_from(self) -> int:
        """Number of the oldest day whose contacts are recent."""
        return max(self.first, self.last - RECENT_DAYS + 1)

    @cached_property
    def cover(self) -> list[Stretch]:
        """The stretches that make up the window, oldest first: none reaches over a day where counting changes."""
        inner = {border for window in (self, *self.others) for border in window.borders()}
        cuts = [self.first, *sorted(day for day in inner if self.first < day <= self.last), self.last + 1]
        return [part for first, end in pairwise(cuts) for part in stretches(first, end)]

    @property
    def others(self) -> list[PairWindow]:
        """The windows of the dates beside, each of which has all the others, and this one, beside it."""
        dates = {self.as_of, *self.beside}
        return [
            PairWindow(date, self.n_days, tuple(dates - {date})) for date in self.beside if date != self.as_of
        ]

    def borders(self) -> set[int]:
        """Give the days with which something changes: the window begins or ends, contacts count otherwise."""
        horizons = (as_of_base(self.last, days) * days for days in HALF_LIVES_DAYS)
        return {
            self.first,
            self.recent_from,
            self.last - UNSETTLED_DAYS + 1,
            self.last + 1,
            *(day for day in horizons if day > self.first),
        }

    def shifts(self, stretch: Stretch) -> tuple[int, ...]:
        """How much more the decayed sums of a stretch count as of the date, as powers of two; -1 = nothing."""
        bases = ((stretch.first, as_of_base(self.last, days), days) for days in HALF_LIVES_DAYS)
        return tuple(max(base_of(first, days) - base, -1) for first, base, days in bases)


class PairStore:
    """Pair facts of stretches of days, kept as Parquet in a folder.

    Parameters
    ----------
    folder
        Where stretches are kept; made when needed. Any file in it may be deleted or damaged at any time.
    engine
        Reads the calls.
    statement
        `contacts_between`: the calls of ``stretch_from`` to ``stretch_to`` as known at the as-of instant.
    parameters
        All other parameters of the statement.
    calls
        The validated table of calls.
    """

    def __init__(
        self,
        folder: Path,
        engine: Engine,
        statement: Statement,
        parameters: Mapping[str, object],
        calls: Path,
    ) -> None:
        self._folder, self._engine, self._statement = folder, engine, statement
        self._parameters, self._calls = parameters, calls
        self.n_counted_days = 0
        """Days whose calls were read by this store, for those who measure."""
        self.damaged: list[Stretch] = []
        """Stretches whose kept files were thrown away because they were damaged; all are counted again."""

    def call_pairs(self, window: PairWindow, refused: Sequence[int] = ()) -> pl.DataFrame:
        """Return the table `call_pairs` of a window, but for pairs of customers who refuse; in no particular order.

        What the window needs and is not kept is counted; afterwards only what this and the next night, or the dates
        beside, can use stays.
        """
        ledger = self.ledger(window)
        self.fold(ledger)
        frame = self.folded(ledger, refused)
        self._tidy(ledger)
        return frame

    def ledger(self, window: PairWindow) -> Ledger:
        """Name what the window is made of, from the marks of the calls."""
        return Ledger(window, self._marks)

    @cached_property
    def _marks(self) -> pl.DataFrame:
        return call_marks(self._calls)

    def fold(self, ledger: Ledger) -> None:
        """Count every stretch of the window that is not kept."""
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = [
            stretch for stretch in ledger.window.cover if not (self._folder / ledger.name(stretch)).is_file()
        ]
        missing.sort(key=lambda stretch: stretch.n_days, reverse=True)
        with ThreadPoolExecutor(max_workers=_N_AT_ONCE) as pool:
            for _ in pool.map(lambda stretch: self._make(stretch, ledger), missing):
                pass

    def folded(self, ledger: Ledger, refused: Sequence[int] = ()) -> pl.DataFrame:
        """Put the window together from stretches that are kept: the columns of `call_pairs`.

        A stretch that turns out damaged, or went missing, is counted again, once.
        """
        return _window_frame(ledger.window, self._window_facts(ledger.window, ledger), refused)

    def _window_facts(self, window: PairWindow, ledger: Ledger) -> tuple[IntArray, IntArray]:
        """Facts of the whole window, decays against its base, and of its recent part."""
        from .ties.pair_facts import merged_facts

        older = [stretch for stretch in window.cover if stretch.end <= window.recent_from]
        recent = [stretch for stretch in window.cover if stretch.end > window.recent_from]
        with ThreadPoolExecutor(max_workers=_N_AT_ONCE) as pool:
            early, late = pool.map(lambda parts: self._together(parts, window, ledger), (older, recent))
        return merged_facts(early, late, (0, 0)), late

    def _together(self, parts: Sequence[Stretch], window: PairWindow, ledger: Ledger) -> IntArray:
        """Facts of neighbouring stretches, with decays as of the date; halved, so that each is copied seldom."""
        from .ties.pair_facts import merged_facts, no_facts

        if not parts:
            return no_facts()
        if len(parts) == 1:
            return self._kept(parts[0], window, ledger)
        middle = len(parts) // 2
        early = self._together(parts[:middle], window, ledger)
        return merged_facts(early, self._together(parts[middle:], window, ledger), (0, 0))

    def _kept(self, stretch: Stretch, window: PairWindow, ledger: Ledger) -> IntArray:
        """Read a stretch, with decays as of the date."""
        path = self._folder / ledger.name(stretch)
        try:
            return _read(path, window.shifts(stretch))
        except DamagedStretchError:
            self._throw_away(stretch, path)
        self._make(stretch, ledger)
        return _read(path, window.shifts(stretch))

    def _throw_away(self, stretch: Stretch, path: Path) -> None:
        if path.is_file():
            path.unlink(missing_ok=True)
            self.damaged.append(stretch)

    @property
    def notes(self) -> tuple[str, ...]:
        """A warning for run_log with the days that were counted again, if any were."""
        days = ", ".join(str(stretch) for stretch in sorted(self.damaged))
        again = "thrown away and counted again from the calls; look at the disk if it comes back"
        return (f"kept pairs of {days} were damaged: {again}",) if days else ()

    def _make(self, stretch: Stretch, ledger: Ledger) -> IntArray:
        """Read a stretch, or put it together from what is kept of it, or count it; keep it."""
        path = self._folder / ledger.name(stretch)
        if path.is_file():
            try:
                return _read(path)
            except DamagedStretchError:
                self._throw_away(stretch, path)
        if stretch.n_days > 1 and any(self._has_parts(half, ledger) for half in stretch.halves()):
            from .ties.pair_facts import merged_facts

            early, late = stretch.halves()
            shifts = [base_of(late.first, days) - base_of(early.first, days) for days in HALF_LIVES_DAYS]
            facts = merged_facts(self._make(early, ledger), self._make(late, ledger), shifts)
        else:
            facts = self._counted(stretch, ledger)
        _write(facts, path)
        return facts

    def _has_parts(self, stretch: Stretch, ledger: Ledger) -> bool:
        if (self._folder / ledger.name(stretch)).is_file():
            return True
        return stretch.n_days > 1 and any(self._has_parts(half, ledger) for half in stretch.halves())

    def _counted(self, stretch: Stretch, ledger: Ledger) -> IntArray:
        """Read the calls of a stretch once, in order of time."""
        from .ties.pair_facts import ContactCounter, UnorderedContactsError

        midnights = _midnights_us(stretch, ledger.window.as_of.zone)
        days = np.arange(stretch.first, stretch.end)
        short, long = (weights(days, half, base_of(stretch.first, half)) for half in HALF_LIVES_DAYS)
        bounds = {"stretch_from": _instant(midnights[0]), "stretch_to": _instant(midnights[-1])}
        self.n_counted_days += stretch.n_days
        parameters = {**self._parameters, **bounds}
        try:
            counter = ContactCounter(midnights, (short, long), ledger.n_calls(stretch))
            for batch in self._engine.batches(self._statement, parameters, STREAM_ROWS):
                counter.add(pl.DataFrame(batch))
        except UnorderedContactsError:
            # Loading leaves calls in order of time; a table that came otherwise is sorted here.
            counter = ContactCounter(midnights, (short, long))
            batches = self._engine.batches(self._statement, parameters, STREAM_ROWS)
            counter.add(pl.concat([pl.DataFrame(batch) for batch in batches]).sort("started_us"))
        return counter.facts()

    def _tidy(self, ledger: Ledger) -> None:
        """Delete our files that neither this window, the next nor one beside is made of: other contents, days past."""
        days = (Stretch(day, 1) for day in range(ledger.window.first, ledger.window.last + 1))
        kept = {ledger.name(stretch) for stretch in (*ledger.window.cover, *days)}
        for window in ledger.window.others:
            beside = self.ledger(window)
            kept |= {beside.name(stretch) for stretch in window.cover}
        for path in self._folder.iterdir():
            if _OURS.fullmatch(path.name) and path.name not in kept and path.is_file():
                path.unlink(missing_ok=True)


class Ledger:
    """Names the stretches of a window by what they hold."""

    def __init__(self, window: PairWindow, marks: pl.DataFrame) -> None:
        self.window = window
        whole = Stretch(window.first, window.n_days)
        self._midnights = _midnights_us(whole, window.as_of.zone).tolist()
        self._marks = _day_marks(np.array(self._midnights), marks)

    def n_calls(self, stretch: Stretch) -> int:
        """Give the number of calls of a stretch that are known."""
        start, stop = self._places(stretch)
        return sum(n for n, _ in self._marks[start:stop])

    def _places(self, stretch: Stretch) -> tuple[int, int]:
        return stretch.first - self.window.first, stretch.end - self.window.first

    def name(self, stretch: Stretch) -> str:
        """Give the file name of a stretch of the window."""
        start, stop = self._places(stretch)
        holds = {
            "format": [_FORMAT, DECAY_ONE_CONTACT, *HALF_LIVES_DAYS, TRAIN_GAP_HOURS],
            "midnights": self._midnights[start : stop + 1],
            "calls": self._marks[start:stop],
        }
        digest = hashlib.sha256(json.dumps(holds).encode()).hexdigest()[:32]
        return f"{date.fromordinal(stretch.first)}-{stretch.n_days}-{digest}.parquet"


def _day_marks(midnights: np.ndarray, marks: pl.DataFrame) -> list[tuple[int, int]]:
    """Number of calls of each day that were known at its end's as-of instant, and the sum of their marks."""
    begins = midnights // QUARTER_US
    inside = marks.filter(
        pl.col("quarter").is_between(begins[0], begins[-1], closed="left"),
        pl.col("known_quarter") < begins[-1],
    )
    day = np.searchsorted(begins, inside["quarter"].to_numpy(), side="right") - 1
    totals = (
        inside.select(pl.Series("day", day, dtype=pl.Int64), "n", "mark")
        .group_by("day")
        .agg(pl.col("n").sum(), pl.col("mark").sum())
    )
    found = {row[0]: (row[1], row[2]) for row in totals.iter_rows()}
    return [found.get(number, (0, 0)) for number in range(len(midnights) - 1)]


def _midnights_us(stretch: Stretch, zone: str) -> IntArray:
    """Begin of each day and the end of the last, microseconds since 1970 UTC."""
    clock = zone_named(zone)
    begins = (local_midnight(date.fromordinal(day), clock) for day in range(stretch.first, stretch.end + 1))
    return np.array([int(begin.replace(tzinfo=UTC).timestamp()) * 1_000_000 for begin in begins], np.int64)


def _instant(at_us: np.int64) -> datetime:
    return datetime.fromtimestamp(int(at_us) / 1_000_000, UTC).replace(tzinfo=None)


def _window_frame(
    window: PairWindow, facts: tuple[IntArray, IntArray], refused: Sequence[int]
) -> pl.DataFrame:
    """The columns of `call_pairs`, computed from the sums as it computes them."""
    from .ties.pair_facts import PAIR_FACTS, recent_counts

    whole, recent = facts
    counts = recent_counts(whole, recent)
    columns = {name: np.ascontiguousarray(whole[:, place]) for place, name in enumerate(PAIR_FACTS)}
    columns |= {"n_recent_ab": counts[:, 0].copy(), "n_recent_ba": counts[:, 1].copy()}
    for days in HALF_LIVES_DAYS:
        name, newest = f"decayed_{days}", newest_weight(window.last, days)
        columns[name] = np.floor(float(DECAY_ONE_CONTACT) * columns[name] / newest).astype(np.int64)
    frame = pl.DataFrame(columns).select(CALL_PAIRS_COLUMNS)
    if not refused:
        return frame
    gone = pl.Series(refused, dtype=pl.Int64).implode()
    return frame.filter(~pl.col("key_a").is_in(gone), ~pl.col("key_b").is_in(gone))


CALL_PAIRS_COLUMNS = (
    "key_a",
    "key_b",
    "n_ab",
    "n_ba",
    "n_recent_ab",
    "n_recent_ba",
    "n_timed",
    "seconds",
    "active_days",
    "trains",
    "gap_squares",
    "decayed_14",
    "decayed_30",
    "first_contact_us",
    "last_contact_us",
)
"""The columns of call_pairs.sql, in its order."""


def _read(path: Path, shifts: Sequence[int] = (0, 0)) -> IntArray:
    """Read facts; raises DamagedStretchError unless they are what was written."""
    from .ties.pair_facts import PAIR_FACTS, facts_of

    try:
        written = pl.read_parquet_metadata(path).get(_SUMS)
        frame = pl.read_parquet(path, columns=list(PAIR_FACTS))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, UnicodeError) as error:
        raise DamagedStretchError(path.name) from error
    sums = [frame.height, *(int(frame[name].cast(pl.Int64).sum()) for name in PAIR_FACTS)]
    if written != json.dumps(sums):
        raise DamagedStretchError(path.name)
    return facts_of(frame, shifts)


def _write(facts: IntArray, path: Path) -> None:
    """Write facts beside, flush to the disk and rename: a file with its name is whole, even after a loss of power."""
    import pyarrow as pa
    from pyarrow import parquet

    from .ties.pair_facts import PAIR_FACTS

    columns = {
        name: facts[:, place].astype(np.int32 if name in _NARROW else np.int64)
        for place, name in enumerate(PAIR_FACTS)
    }
    sums = json.dumps([len(facts), *facts.sum(axis=0).tolist()])
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        parquet.write_table(
            pa.table(columns, metadata={_SUMS: sums}),
            file,
            compression="lz4",
            use_dictionary=False,
            write_statistics=False,
            column_encoding=dict.fromkeys(PAIR_FACTS, "DELTA_BINARY_PACKED"),
        )
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
