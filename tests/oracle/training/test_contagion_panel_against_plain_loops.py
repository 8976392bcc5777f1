"""The panel of the contagion study, row by row in plain loops: exposures, who is compared with whom, carried labels."""

from __future__ import annotations

import numpy as np
import polars as pl
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
    matched_sets,
)
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
