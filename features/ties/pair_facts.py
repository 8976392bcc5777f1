"""Compiled loops over contacts: what passed between each pair, counted in one pass; two stretches of time put together.

It knows arrays of contacts and of pair facts, and refuses to know files, dates and who the people are. Facts are whole
numbers: however the days are cut into stretches, putting the stretches together gives the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .contract import TRAIN_GAP_HOURS
from .kernels import IntArray, compiled, frozen

PAIR_FACTS = (
    "key_a",
    "key_b",
    "n_ab",
    "n_ba",
    "n_timed",
    "seconds",
    "active_days",
    "trains",
    "gap_squares",
    "first_contact_us",
    "last_contact_us",
    "decayed_14",
    "decayed_30",
)
"""Columns of a matrix of pair facts (int64): one row per pair, ``key_a < key_b``, in the order of `_place`."""

(A, B, N_AB, N_BA, N_TIMED, SECONDS, DAYS, TRAINS, GAP_SQUARES, FIRST, LAST, DECAY_SHORT, DECAY_LONG) = range(
    13
)
N_FACTS = len(PAIR_FACTS)
LAST_DAY, HASH = N_FACTS, N_FACTS + 1
_WIDTH = 16
"""Room of one pair while counting: two cache lines."""

CONTACT_COLUMNS = ("caller_key", "callee_key", "started_us", "timed_s")

SECOND_US = 1_000_000
TRAIN_GAP_US = TRAIN_GAP_HOURS * 3600 * SECOND_US

_FIRST_CAPACITY = 1 << 12
_CHUNK = 256
_ROWS_AT_ONCE = 4096
_MOST_FULL = 1.5
"""Slots per row at least."""
LAST_LINE = 15
_SPREAD_A, _SPREAD_B = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
_SHIFT = np.uint64(29)
_HALF = np.uint64(32)

WritableInts = NDArray[np.int64]
Slots = NDArray[np.int32]


class UnorderedContactsError(Exception):
    """Contacts came out of the order of time."""


@compiled
def _place(key_a: int, key_b: int) -> np.uint64:
    """Spread a pair evenly over 64 bits: pairs are kept in this order, whatever keys they have."""
    first = np.uint64(key_a) * _SPREAD_A
    second = ((first ^ (first >> _HALF)) + np.uint64(key_b)) * _SPREAD_B
    third = (second ^ (second >> _SHIFT)) * _SPREAD_A
    return third ^ (third >> _HALF)


@compiled
def _shift(n_slots: int) -> np.uint64:
    """How far to shift a place so that it is a slot, one of a power of two of them."""
    n_bits = 0
    while (1 << n_bits) < n_slots:
        n_bits += 1
    return np.uint64(64 - n_bits)


@compiled
def _refill(slots: Slots, facts: WritableInts, n_rows: int) -> None:
    slots[:] = -1
    shift = _shift(len(slots))
    for row in range(n_rows):
        slot: Any = np.int64(np.uint64(facts[row, HASH]) >> shift)
        while slots[slot] >= 0:
            slot += 1
            if slot == len(slots):
                slot = 0
        slots[slot] = row


@compiled
def _count(
    slots: Slots,
    facts: WritableInts,
    n_rows: int,
    contacts: tuple[IntArray, IntArray, IntArray, IntArray],
    days: tuple[IntArray, IntArray, IntArray],
    train_gap_us: int,
) -> tuple[int, int]:
    """Add contacts, in order of time; return how many pairs there are now, or -1 when time runs backwards.

    Contacts of a chunk are looked up before any is counted: the processor then waits for their memory all at once.
    (The sum of what was touched is returned so that the look-up is not left out.)
    """
    caller, callee, at_us, duration_s = contacts
    midnight_us, weight_short, weight_long = days
    shift = _shift(len(slots))
    places = np.empty(_CHUNK, np.uint64)
    day, touched = 0, 0
    before = at_us[0]
    for start in range(0, len(caller), _CHUNK):
        stop = min(start + _CHUNK, len(caller))
        for contact in range(start, stop):
            sender, receiver = caller[contact], callee[contact]
            place = _place(min(sender, receiver), max(sender, receiver))
            places[contact - start] = place
            touched += slots[np.int64(place >> shift)]
        for contact in range(start, stop):
            row = slots[np.int64(places[contact - start] >> shift)]
            if row >= 0:
                touched += facts[row, A] ^ facts[row, LAST_LINE]
        for contact in range(start, stop):
            at = at_us[contact]
            if at < before:
                return -1, touched
            before = at
            while at >= midnight_us[day + 1]:
                day += 1
            sender, receiver = caller[contact], callee[contact]
            is_ab = sender < receiver
            key_a, key_b = min(sender, receiver), max(sender, receiver)
            place = places[contact - start]
            slot: Any = np.int64(place >> shift)
            row = slots[slot]
            while row >= 0 and (facts[row, A] != key_a or facts[row, B] != key_b):
                slot += 1
                if slot == len(slots):
                    slot = 0
                row = slots[slot]
            if row < 0:
                row = n_rows
                slots[slot] = row
                n_rows += 1
                facts[row, :] = 0
                facts[row, A], facts[row, B], facts[row, HASH] = key_a, key_b, np.int64(place)
                facts[row, FIRST], facts[row, LAST] = at, at
                facts[row, DAYS], facts[row, TRAINS], facts[row, LAST_DAY] = 1, 1, day
            else:
                gap = at - facts[row, LAST]
                gap_s = at // SECOND_US - facts[row, LAST] // SECOND_US
                facts[row, GAP_SQUARES] += gap_s * gap_s
                facts[row, TRAINS] += gap > train_gap_us
                facts[row, DAYS] += facts[row, LAST_DAY] != day
                facts[row, LAST], facts[row, LAST_DAY] = at, day
            facts[row, N_AB] += is_ab
            facts[row, N_BA] += not is_ab
            if duration_s[contact] >= 0:
                facts[row, N_TIMED] += 1
                facts[row, SECONDS] += duration_s[contact]
            facts[row, DECAY_SHORT] += weight_short[day]
            facts[row, DECAY_LONG] += weight_long[day]
    return n_rows, touched


@compiled
def _comes_before(
    place: np.uint64, key_a: int, key_b: int, other: np.uint64, other_a: int, other_b: int
) -> bool:
    if place != other:
        return bool(place < other)
    if key_a != other_a:
        return key_a < other_a
    return key_b < other_b


@compiled
def recent_counts(window: IntArray, recent: IntArray) -> WritableInts:
    """Contacts each way of the pairs of ``window`` that passed in ``recent``, a part of it; one row per pair. O(n)."""
    counts = np.zeros((len(window), 2), np.int64)
    row = 0
    for place in range(len(recent)):
        while window[row, A] != recent[place, A] or window[row, B] != recent[place, B]:
            row += 1
        counts[row, 0], counts[row, 1] = recent[place, N_AB], recent[place, N_BA]
    return counts


@compiled
def _ordered(slots: Slots, facts: WritableInts, n_rows: int) -> WritableInts:
    """Give the facts pair by pair in their order. Slots are nearly in it: a short insertion puts each in its place."""
    order = np.empty(n_rows, np.int32)
    found = 0
    for slot in range(len(slots)):
        row = slots[slot]
        if row < 0:
            continue
        place = np.uint64(facts[row, HASH])
        position = found
        while position > 0:
            other = order[position - 1]
            if not _comes_before(
                place,
                facts[row, A],
                facts[row, B],
                np.uint64(facts[other, HASH]),
                facts[other, A],
                facts[other, B],
            ):
                break
            order[position] = other
            position -= 1
        order[position] = row
        found += 1
    ordered = np.empty((n_rows, N_FACTS), np.int64)
    for position in range(n_rows):
        row = order[position]
        for column in range(N_FACTS):
            ordered[position, column] = facts[row, column]
    return ordered


@compiled
def _merge(
    earlier: IntArray, later: IntArray, shifts: IntArray, train_gap_us: int
) -> tuple[WritableInts, int]:
    """Facts of two stretches, the second after the first; its decayed sums count 2^shift as much."""
    n_earlier, n_later = len(earlier), len(later)
    merged = np.empty((n_earlier + n_later, N_FACTS), np.int64)
    one, two, found = 0, 0, 0
    place_one = _place(earlier[0, A], earlier[0, B]) if n_earlier else np.uint64(0)
    place_two = _place(later[0, A], later[0, B]) if n_later else np.uint64(0)
    while one < n_earlier or two < n_later:
        takes_one, takes_two = two == n_later, one == n_earlier
        if not takes_one and not takes_two:
            takes_one = takes_two = earlier[one, A] == later[two, A] and earlier[one, B] == later[two, B]
            if not takes_one:
                takes_one = _comes_before(
                    place_one, earlier[one, A], earlier[one, B], place_two, later[two, A], later[two, B]
                )
                takes_two = not takes_one
        if takes_one:
            for column in range(N_FACTS):
                merged[found, column] = earlier[one, column]
        else:
            for column in range(N_FACTS):
                merged[found, column] = later[two, column]
            merged[found, DECAY_SHORT] = later[two, DECAY_SHORT] << shifts[0]
            merged[found, DECAY_LONG] = later[two, DECAY_LONG] << shifts[1]
        if takes_one and takes_two:
            gap = later[two, FIRST] - earlier[one, LAST]
            gap_s = later[two, FIRST] // SECOND_US - earlier[one, LAST] // SECOND_US
            for column in range(N_AB, FIRST):
                merged[found, column] += later[two, column]
            merged[found, GAP_SQUARES] += gap_s * gap_s
            merged[found, TRAINS] -= gap <= train_gap_us
            merged[found, LAST] = later[two, LAST]
            merged[found, DECAY_SHORT] += later[two, DECAY_SHORT] << shifts[0]
            merged[found, DECAY_LONG] += later[two, DECAY_LONG] << shifts[1]
        found += 1
        if takes_one:
            one += 1
            if one < n_earlier:
                place_one = _place(earlier[one, A], earlier[one, B])
        if takes_two:
            two += 1
            if two < n_later:
                place_two = _place(later[two, A], later[two, B])
    return merged, found


class ContactCounter:
    """Counts contacts into pair facts as they come by, in order of time.

    Parameters
    ----------
    midnights_us
        Begin of each local day of the stretch and the end of the last, microseconds since 1970 UTC; ascending.
    weights
        Per half-life, the whole-numbered weight of a contact of each day.
    n_contacts
        About how many will come: room is made for a third as many pairs, more when they come.
    """

    def __init__(
        self, midnights_us: IntArray, weights: tuple[IntArray, IntArray], n_contacts: int = 0
    ) -> None:
        short, long = weights
        self._days = (frozen(midnights_us, np.int64), frozen(short, np.int64), frozen(long, np.int64))
        self._facts = np.empty((max(n_contacts // 3, _FIRST_CAPACITY), _WIDTH), np.int64)
        self._slots = np.full(_n_slots(len(self._facts)), -1, np.int32)
        self._n_rows, self._last_us = 0, -(1 << 62)

    def add(self, batch: pl.DataFrame) -> None:
        """Count contacts of the stretch: ``caller_key, callee_key, started_us, timed_s`` (-1 = not known), none null.

        Raises UnorderedContactsError when a contact began before one that was counted already.
        """
        if batch.is_empty():
            return
        columns = [frozen(batch[name].to_numpy(), np.int64) for name in CONTACT_COLUMNS]
        at_us = columns[2]
        if at_us[0] < self._last_us:
            raise UnorderedContactsError
        self._last_us = int(at_us[-1])
        self._make_room(len(at_us))
        contacts = (columns[0], columns[1], at_us, columns[3])
        n_rows, _ = _count(self._slots, self._facts, self._n_rows, contacts, self._days, TRAIN_GAP_US)
        if n_rows < 0:
            raise UnorderedContactsError
        self._n_rows = n_rows

    def facts(self) -> IntArray:
        """Give the facts of every pair seen, one column each, in the order of pairs."""
        return frozen(_ordered(self._slots, self._facts, self._n_rows), np.int64)

    def _make_room(self, n_more: int) -> None:
        needed = self._n_rows + n_more
        if needed > len(self._facts):
            grown = np.empty((max(needed, len(self._facts) * 3 // 2), _WIDTH), np.int64)
            grown[: self._n_rows] = self._facts[: self._n_rows]
            self._facts = grown
        if _MOST_FULL * needed > len(self._slots):
            self._slots = np.empty(_n_slots(needed), np.int32)
            _refill(self._slots, self._facts, self._n_rows)


def _n_slots(n_rows: int) -> int:
    return 1 << int(2 * n_rows - 1).bit_length()


def merged_facts(earlier: IntArray, later: IntArray, shifts: Sequence[int]) -> IntArray:
    """Put the facts of two stretches together, ``later`` after ``earlier``; its decayed sums count 2^shift as much."""
    merged, n_rows = _merge(earlier, later, frozen(np.array(shifts), np.int64), TRAIN_GAP_US)
    return frozen(merged[:n_rows], np.int64)


def no_facts() -> IntArray:
    """Give the facts of no pair."""
    return frozen(np.empty((0, N_FACTS), np.int64), np.int64)


def facts_of(frame: pl.DataFrame, shifts: Sequence[int] = (0, 0)) -> IntArray:
    """Give the matrix of a table with the columns of `PAIR_FACTS`.

    Its decayed sums count 2^shift as much; a shift of -1 = nothing is left of them.
    """
    matrix = np.empty((frame.height, N_FACTS), np.int64)
    columns = [frame[name].to_numpy() for name in PAIR_FACTS]
    for place, shift in zip((DECAY_SHORT, DECAY_LONG), shifts, strict=True):
        if shift:
            columns[place] = columns[place] << shift if shift > 0 else np.zeros_like(columns[place])
    # Some rows at a time: whole columns at a stride of a row would go through memory once for each of them.
    for start in range(0, frame.height, _ROWS_AT_ONCE):
        rows = matrix[start : start + _ROWS_AT_ONCE]
        for place, column in enumerate(columns):
            rows[:, place] = column[start : start + _ROWS_AT_ONCE]
    return frozen(matrix, np.int64)
