"""The compiled count of contacts gives what a plain dict gives; parts put together are the whole, to the last bit."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import polars as pl
import pytest

from features.ties import pair_facts
from features.ties.contract import HALF_LIVES_DAYS
from features.ties.decay import base_of, weights
from features.ties.pair_facts import (
    CONTACT_COLUMNS,
    PAIR_FACTS,
    ContactCounter,
    UnorderedContactsError,
    merged_facts,
    no_facts,
)

DAY_US = 86_400_000_000
HOUR_US = DAY_US // 24
FIRST_DAY = 20_000
N_DAYS = 70
"""More than two half-lives of the longer decay: bases of later stretches differ."""

MASK = (1 << 64) - 1
SPREAD_A, SPREAD_B = 0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F

Contact = tuple[int, int, int, int]
Facts = list[list[int]]


class Days(NamedTuple):
    """So many days from the one of a number."""

    first: int
    end: int

    @property
    def midnights_us(self) -> list[int]:
        return [day * DAY_US for day in range(self.first, self.end + 1)]

    def weights(self, half_life: int) -> list[int]:
        numbers = np.arange(self.first, self.end)
        found: list[int] = weights(numbers, half_life, base_of(self.first, half_life)).tolist()
        return found


WHOLE = Days(FIRST_DAY, FIRST_DAY + N_DAYS)


def mixed(key_a: int) -> int:
    first = (key_a * SPREAD_A) & MASK
    return first ^ (first >> 32)


def place(key_a: int, key_b: int) -> int:
    """Where a pair comes among pairs, in Python's whole numbers."""
    second = ((mixed(key_a) + key_b) * SPREAD_B) & MASK
    third = ((second ^ (second >> 29)) * SPREAD_A) & MASK
    return third ^ (third >> 32)


def same_place(key_a: int, key_b: int, other_a: int) -> int:
    """The key that makes a pair with ``other_a`` of the place of another pair."""
    other_b = (mixed(key_a) + key_b - mixed(other_a)) & MASK
    return other_b - (1 << 64) if other_b >> 63 else other_b


def slow_facts(contacts: list[Contact], days: Days) -> Facts:
    """Count with a dict, one contact after the other."""
    short, long = (days.weights(half_life) for half_life in HALF_LIVES_DAYS)
    by_pair: dict[tuple[int, int], list[Contact]] = {}
    for contact in contacts:
        by_pair.setdefault((min(contact[:2]), max(contact[:2])), []).append(contact)
    rows = []
    for pair in sorted(by_pair, key=lambda keys: (place(*keys), keys)):
        found = by_pair[pair]
        begun = [at for _, _, at, _ in found]
        timed = [seconds for *_, seconds in found if seconds >= 0]
        n_ab = sum(caller == pair[0] for caller, *_ in found)
        rows.append(
            [
                *pair,
                n_ab,
                len(found) - n_ab,
                len(timed),
                sum(timed),
                len({at // DAY_US for at in begun}),
                1 + sum(at - before > 4 * HOUR_US for before, at in pairwise(begun)),
                sum((at // 10**6 - before // 10**6) ** 2 for before, at in pairwise(begun)),
                begun[0],
                begun[-1],
                sum(short[at // DAY_US - days.first] for at in begun),
                sum(long[at // DAY_US - days.first] for at in begun),
            ]
        )
    return rows


def pairs_of_one_place(rng: np.random.Generator, n: int) -> list[tuple[int, int]]:
    """Pairs of which three each have the same place."""
    found: list[tuple[int, int]] = []
    while len(found) < 3 * n:
        a, b, *others = (int(key) for key in rng.integers(-(1 << 40), 1 << 62, 4))
        triple = [(a, b), *((other, same_place(a, b, other)) for other in others)]
        if all(one < two for one, two in triple):
            assert len({place(*pair) for pair in triple}) == 1
            found += triple
    return found


def pairs_at_the_end(rng: np.random.Generator, n: int) -> list[tuple[int, int]]:
    """Pairs whose slot is the last of tables of up to 2^15 slots: more than one has to go on at the first."""
    found: list[tuple[int, int]] = []
    hub = -3
    while len(found) < n:
        # Only so many keys are tried because the place can be turned back: key_b from the place that is wanted.
        third = (1 << 64) - 1 - int(rng.integers(0, 1 << 49))
        third ^= third >> 32
        second = (third * pow(SPREAD_A, -1, 1 << 64)) & MASK
        second ^= (second >> 29) ^ (second >> 58)
        key_b = (second * pow(SPREAD_B, -1, 1 << 64) - mixed(hub)) & MASK
        if not key_b >> 63:
            assert place(hub, key_b) >> 49 == (1 << 15) - 1
            found.append((hub, key_b))
    return found


def drawn(seed: int, n_contacts: int) -> list[Contact]:
    """Contacts in order of time: hubs, pairs that collide, keys large and negative, gaps of exactly four hours."""
    rng = np.random.default_rng(seed)
    keys = np.concatenate([rng.integers(0, 1 << 62, n_contacts // 8), np.arange(40), [-1, -2, -3]])
    odd = pairs_of_one_place(rng, 8) + pairs_at_the_end(rng, 6)
    begin, end = WHOLE.first * DAY_US, WHOLE.end * DAY_US
    chosen: list[tuple[int, int, int]] = []
    for at in rng.integers(begin, begin + DAY_US, 4 * len(odd)).tolist():
        chosen.append((*odd[len(chosen) % len(odd)], at))
    some_times = rng.integers(begin, end, 6 * len(odd)).tolist()
    chosen.extend((*odd[int(rng.integers(len(odd)))], at) for at in some_times)
    while len(chosen) < n_contacts:
        caller = int(rng.choice(keys[-43:] if rng.random() < 0.4 else keys))
        callee = int(rng.choice(keys))
        at = int(rng.integers(begin, end))
        chosen.append((caller, callee, at))
        kind = int(rng.integers(8))
        if kind == 0:  # exactly four hours, and a microsecond more or less
            chosen += [(callee, caller, at + 4 * HOUR_US + step) for step in (0, 1, 4 * HOUR_US)]
        elif kind == 1:  # exactly four hours, over a midnight
            midnight = at // DAY_US * DAY_US
            chosen += [(caller, callee, midnight - 2 * HOUR_US), (callee, caller, midnight + 2 * HOUR_US)]
        elif kind == 2:  # less than a second apart, in two seconds; over a midnight too
            second = at // 10**6 * 10**6 if rng.random() < 0.5 else at // DAY_US * DAY_US
            chosen += [(caller, callee, second - 100_000), (callee, caller, second + 200_000)]
    kept = sorted(
        (row for row in chosen if row[0] != row[1] and begin <= row[2] < end), key=lambda row: row[2]
    )
    seconds = rng.integers(-1, 900, len(kept)).tolist()
    flipped = (rng.random(len(kept)) < 0.5).tolist()
    return [
        (b, a, at, s) if flip else (a, b, at, s)
        for (a, b, at), s, flip in zip(kept, seconds, flipped, strict=True)
    ]


def counted(contacts: list[Contact], days: Days, batch: int, n_expected: int = 0) -> np.ndarray:
    frame = pl.DataFrame(contacts, schema=dict.fromkeys(CONTACT_COLUMNS, pl.Int64), orient="row")
    short, long = (np.array(days.weights(half_life)) for half_life in HALF_LIVES_DAYS)
    counter = ContactCounter(np.array(days.midnights_us), (short, long), n_expected)
    for rows in frame.iter_slices(batch):
        counter.add(rows)
    return counter.facts()


def within(contacts: list[Contact], days: Days) -> list[Contact]:
    return [row for row in contacts if days.first <= row[2] // DAY_US < days.end]


def together(early: np.ndarray, late: np.ndarray, days: Days, cut: int) -> np.ndarray:
    return merged_facts(
        early, late, [base_of(cut, half) - base_of(days.first, half) for half in HALF_LIVES_DAYS]
    )


def same_rows(found: list[list[int]], wanted: list[list[int]]) -> None:
    """Show the first row that differs: a difference of thousands of rows takes minutes to draw."""
    assert len(found) == len(wanted)
    other = next((row for row in range(len(found)) if found[row] != wanted[row]), None)
    assert other is None, (other, found[other or 0], wanted[other or 0])


def check_pair_facts(contacts: list[Contact], cuts: list[int], batch: int = 700) -> None:
    """Whole and parts against the dict, the parts put together against the whole."""
    whole = counted(contacts, WHOLE, batch)
    same_rows(whole.tolist(), slow_facts(contacts, WHOLE))
    for cut in cuts:
        first, second = Days(WHOLE.first, cut), Days(cut, WHOLE.end)
        late_contacts = within(contacts, second)
        late = counted(late_contacts, second, batch)
        early = counted(within(contacts, first), first, batch)
        same_rows(together(early, late, WHOLE, cut).tolist(), whole.tolist())
        n_late = {(row[0], row[1]): row[2:4] for row in slow_facts(late_contacts, second)}
        wanted = [n_late.get((row[0], row[1]), [0, 0]) for row in whole[:, :2].tolist()]
        same_rows(pair_facts.recent_counts(whole, late).tolist(), wanted)


SMALL = drawn(1, 12_000)
"""For kernels in plain Python, too."""
SMALL_CUTS = [FIRST_DAY + 31]


def test_the_drawn_world_holds_what_is_hard() -> None:
    facts = slow_facts(SMALL, WHOLE)
    places = [place(row[0], row[1]) for row in facts]
    assert len(facts) > pair_facts._MOST_FULL**-1 * pair_facts._n_slots(pair_facts._FIRST_CAPACITY), (
        "it grows"
    )
    assert len(set(places)) < len(places), "two pairs of one place"
    assert sum(found >> 50 == (1 << 14) - 1 for found in places) > 1, "over the end of the table"
    assert any(row[0] < 0 for row in facts)
    assert any(row[1] > 1 << 60 for row in facts)
    by_pair: dict[tuple[int, int], list[int]] = {}
    for caller, callee, at, _ in SMALL:
        by_pair.setdefault((min(caller, callee), max(caller, callee)), []).append(at)
    gaps = [(before, at) for begun in by_pair.values() for before, at in pairwise(begun)]
    exact = [(before, at) for before, at in gaps if at - before == 4 * HOUR_US]
    cut = SMALL_CUTS[0] * DAY_US
    assert any(before // DAY_US == at // DAY_US for before, at in exact)
    assert any(before < cut <= at for before, at in exact), "over the cut"
    assert any(before < cut <= at and at - before < 10**6 for before, at in gaps), "a moment over the cut"


def test_the_count_of_a_small_world_is_that_of_a_dict() -> None:
    check_pair_facts(SMALL, SMALL_CUTS)


@pytest.mark.parametrize("seed", range(2, 5))
def test_any_cut_of_a_larger_world_gives_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    contacts = drawn(seed, 25_000)
    cuts = rng.integers(WHOLE.first + 1, WHOLE.end, 3).tolist()
    check_pair_facts(contacts, cuts, batch=int(rng.integers(1, 5_000)))


@pytest.mark.parametrize("seed", range(3))
def test_many_parts_put_together_in_any_nesting_are_the_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def cut_up(days: Days) -> np.ndarray:
        n_days = days.end - days.first
        if n_days == 1 or rng.random() < 0.1:
            return counted(within(SMALL, days), days, 1_000, n_expected=int(rng.integers(0, 20_000)))
        cut = int(rng.integers(days.first + 1, days.end))
        return together(cut_up(Days(days.first, cut)), cut_up(Days(cut, days.end)), days, cut)

    assert cut_up(WHOLE).tolist() == counted(SMALL, WHOLE, len(SMALL)).tolist()


def test_nothing_before_or_after_changes_nothing() -> None:
    whole = counted(SMALL, WHOLE, 5_000)
    assert merged_facts(no_facts(), whole, (0, 0)).tolist() == whole.tolist()
    assert merged_facts(whole, no_facts(), (3, 1)).tolist() == whole.tolist()
    assert no_facts().shape == (0, len(PAIR_FACTS))


@pytest.mark.parametrize("batch", [1, 2, 300])
def test_contacts_out_of_order_are_refused_in_a_batch_and_between_two(batch: int) -> None:
    contacts = SMALL[:299] + SMALL[:1]
    with pytest.raises(UnorderedContactsError):
        counted(contacts, WHOLE, batch)
