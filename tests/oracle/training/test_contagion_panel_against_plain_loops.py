"""The panel of the contagion study, row by row in plain loops: exposures, who is compared with whom, carried labels."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.light_worlds import LightWorld
from training.contagion.panel import (
    CLOSE,
    FADED_DAYS,
    MIDDLE,
    NEVER,
    WEAK,
    Draw,
    Sighting,
    Tally,
    carried_labels,
    closeness_of,
    departures,
    leaving_around,
    matched_sets,
)
from training.contagion.strangers import FEWEST_COMMON, MOST_AROUND, circles
from training.contagion.study import StudySettings, _leaving_in


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), n_looks=st.integers(5, 8))
def test_friends_who_left_are_those_of_the_last_look_a_gap_before(seed: int, n_looks: int) -> None:
    sightings, left_day = LightWorld(n_people=120, n_looks=n_looks, monthly=0.1, seed=seed).drawn()
    found = departures(sightings, left_day, 14)
    rows = sorted(
        zip(
            found.ego.tolist(),
            found.friend.tolist(),
            found.day.tolist(),
            found.closeness.tolist(),
            strict=True,
        )
    )
    expected = []
    for friend, day in enumerate(left_day.tolist()):
        looks = [look for look in sightings if look.day + 14 <= day]
        if day < NEVER and looks:
            last = looks[-1]
            for ego, other, close in zip(
                last.ego.tolist(), last.friend.tolist(), last.closeness.tolist(), strict=True
            ):
                if other == friend:
                    expected.append((ego, friend, day, close))
    assert rows == sorted(expected)
    tally = Tally(found.ego, found.day)
    asked = np.arange(120)
    counted = tally.between(asked, np.full(120, 60), np.full(120, 130))
    assert counted.tolist() == [
        sum(row[0] == ego and 60 <= row[2] < 130 for row in expected) for ego in range(120)
    ]


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_set_holds_the_leaver_and_all_of_the_community_who_were_there_that_day(seed: int) -> None:
    sightings, left_day = LightWorld(n_people=150, n_looks=8, monthly=0.1, size=25, seed=seed).drawn()
    windows = StudySettings()
    days = [_leaving_in(look, number, sightings, left_day, windows) for number, look in enumerate(sightings)]
    sets = matched_sets(sightings, days, left_day, Draw(n_controls=1000, most_cases=10**6, seed=1))
    found = []
    starts = np.cumsum(sets.n_in_set) - sets.n_in_set
    for start, size in zip(starts.tolist(), sets.n_in_set.tolist(), strict=True):
        people = sets.person[start : start + size].tolist()
        found.append((int(sets.look[start]), int(sets.day[start]), people[0], tuple(sorted(people[1:]))))
        assert sets.is_case[start : start + size].tolist() == [True] + [False] * (size - 1)
    assert sorted(found) == sorted(_sets_by_hand(sightings, days, left_day))


def _sets_by_hand(
    sightings: list[Sighting], days: list[NDArray[np.int64]], left_day: NDArray[np.int64]
) -> list[tuple[int, int, int, tuple[int, ...]]]:
    expected = []
    for number, (look, day_of) in enumerate(zip(sightings, days, strict=True)):
        seen_before = {
            person
            for earlier in sightings
            if earlier.day <= look.day - FADED_DAYS
            for person, n_ties in zip(earlier.person.tolist(), earlier.n_ties.tolist(), strict=True)
            if n_ties > 0
        }
        fits = [
            place
            for place, person in enumerate(look.person.tolist())
            if look.n_ties[place] > 0 and person in seen_before
        ]
        for case in fits:
            day = int(day_of[case])
            if day >= NEVER:
                continue
            beside = tuple(
                sorted(
                    int(look.person[place])
                    for place in fits
                    if place != case
                    and look.community[place] == look.community[case]
                    and day_of[place] > day
                    and left_day[look.person[place]] >= day
                )
            )
            if beside:
                expected.append((number, day, int(look.person[case]), beside))
    return expected


@settings(max_examples=20, deadline=None)
@given(pairs=st.sets(st.sampled_from([(a, b) for b in range(12) for a in range(b)]), min_size=10))
def test_circles_are_those_of_plain_sets(pairs: set[tuple[int, int]]) -> None:
    friends: dict[int, set[int]] = {node: set() for node in range(12)}
    for a, b in pairs:
        friends[a].add(b)
        friends[b].add(a)
    expected = []
    for leaver in (0, 3, 7):
        own = friends[leaver]
        shared = {node: len(own & friends[node]) for node in range(12) if node != leaver}
        usual = sum(shared[friend] for friend in own) / max(len(own), 1)
        untied = [node for node in shared if node not in own and shared[node] >= FEWEST_COMMON]
        fits = [node for node in untied if shared[node] > usual]
        fits.sort(key=lambda node: (-shared[node], len(friends[node]), node))
        expected += [(leaver, node) for node in fits[:MOST_AROUND]]
    ends = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    found = circles(ends[:, 0], ends[:, 1], np.array([0, 3, 7]))
    assert list(zip(found[1].tolist(), found[0].tolist(), strict=True)) == expected


def test_leaving_around_counts_the_others_of_the_community_by_hand() -> None:
    sightings, left_day = LightWorld(n_people=150, n_looks=8, monthly=0.1, size=25, seed=4).drawn()
    windows = StudySettings()
    days = [_leaving_in(look, number, sightings, left_day, windows) for number, look in enumerate(sightings)]
    sets = matched_sets(sightings, days, left_day, Draw(n_controls=5, most_cases=10**6, seed=1))
    shares = []
    for row in np.flatnonzero(sets.is_case).tolist():
        look, day_of = sightings[sets.look[row]], days[sets.look[row]]
        mine = look.community[look.person == sets.person[row]][0]
        others = (look.community == mine) & (look.person != sets.person[row])
        shares.append(float((day_of[others] < NEVER).mean()))
    assert leaving_around(sightings, days, sets, sets.is_case) == pytest.approx(np.mean(shares))
    assert leaving_around(sightings, days, sets, np.zeros(len(sets.person), np.bool_)) == 0


def test_a_community_keeps_the_number_that_most_of_its_members_had() -> None:
    sightings, _ = LightWorld(n_people=60, n_looks=2, size=20, seed=1).drawn()
    earlier = sightings[0]
    person = earlier.person
    now = np.where(earlier.community == 2, 0, earlier.community + 1)
    carried = carried_labels(earlier, person, now, 10)
    assert carried.tolist() == earlier.community.tolist()
    strangers = carried_labels(None, person, now, 10)
    assert sorted(set(strangers.tolist())) == [10, 11, 12]


def test_close_friends_are_strong_for_one_of_both_and_among_the_strongest_fifth() -> None:
    ties = pl.DataFrame(
        {"node_a": [0, 0, 0, 1, 2], "node_b": [1, 2, 3, 2, 4], "strength": [9.0, 0.5, 1.0, 2.0, 5.0]}
    )
    # four fifths of the way up the strengths lies 5.8, two fifths of the way 1.6
    assert closeness_of(ties).tolist() == [CLOSE, WEAK, WEAK, MIDDLE, MIDDLE]
    assert closeness_of(ties.clear()).tolist() == []
