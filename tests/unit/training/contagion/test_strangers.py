"""Who stands in for the friends of a leaver: people of the same circle, never tied to them."""

from __future__ import annotations

import numpy as np
import pytest

from churnrisk.metrics import Contagion
from tests.light_worlds import LightWorld
from training.contagion import NEVER, Sighting, StudySettings, contagion_study
from training.contagion.panel import CLOSE, Departures, Sets
from training.contagion.strangers import circles, strangers_who_left


def studied(world: LightWorld) -> Contagion:
    return contagion_study(*world.drawn(), StudySettings(seed=1, n_shuffles=19))


def ints(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def test_the_circle_of_a_leaver_shares_friends_with_them_and_is_not_tied_to_them() -> None:
    # 0 knows 1, 2 and 3; 4 knows all three of them, 5 two, 6 one; 1 and 2 know each other.
    ties = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (1, 5), (2, 5), (3, 6), (1, 2)]
    a, b = (ints(*side) for side in zip(*ties, strict=True))
    person, leaver = circles(a, b, ints(0))
    assert (person.tolist(), leaver.tolist()) == ([4, 5], [0, 0])


def test_whoever_is_less_embedded_than_the_usual_friend_is_no_part_of_the_circle() -> None:
    # The friends 1, 2, 3, 4 of 0 all know one another, three friends in common each; 5 shares two of them only.
    friends = [(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]
    a, b = (ints(*side) for side in zip(*friends, (1, 5), (2, 5), strict=True))
    assert circles(a, b, ints(0))[0].tolist() == []


def test_nobody_has_a_circle_without_ties_or_without_leavers() -> None:
    none = ints()
    for found in (circles(none, none, ints(1)), circles(ints(0, 1), ints(1, 2), none)):
        assert [part.tolist() for part in found] == [[], []]


def look(beside: list[int], around: list[int]) -> Sighting:
    """Four of a community at day 0; 0 and 9 were close friends."""
    people, tie = np.arange(4), np.array([CLOSE], np.int8)
    return Sighting(
        0,
        people,
        ints(0, 0, 0, 0),
        ints(1, 1, 3, 3),
        ints(0),
        ints(9),
        tie,
        beside=ints(*beside),
        around=ints(*around),
    )


@pytest.mark.parametrize(
    ("beside", "around", "counted"),
    [
        ([2, 3], [9, 9], [0, 0, 1, 1]),  # the circle of the leaver
        ([2, 3], [8, 8], [0, 1, 0, 0]),  # nobody shares friends with 9: person 1 has as many ties as 0
    ],
)
def test_leavings_go_to_the_circle_or_else_to_somebody_alike(
    beside: list[int], around: list[int], counted: list[int]
) -> None:
    seen = Departures(ints(0), ints(9), ints(20), np.array([CLOSE], np.int8), ints(0))
    everybody = Sets(ints(0, 0, 0, 0), np.arange(4), np.full(4, 60), np.arange(4) == 0, ints(4), ints(0))
    found = strangers_who_left([look(beside, around)], seen, everybody, 10)
    assert found.tolist() == counted


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_spreading_is_found_where_friends_form_cliques(seed: int) -> None:
    found = studied(LightWorld(ratio=2.5, clique=5, n_people=9000, seed=seed))
    assert found.verdict == "spreads"
    assert found.ratio is not None
    assert found.ratio.low < 2.5 < found.ratio.high


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("clique_alike", [0.0, 1.5])
def test_cliques_without_spreading_are_never_taken_for_it(clique_alike: float, seed: int) -> None:
    found = studied(LightWorld(clique=5, clique_alike=clique_alike, n_people=9000, seed=seed))
    assert found.verdict != "spreads"


def test_ties_are_counted_without_knowing_who_will_leave() -> None:
    """Matched by a count of those who will leave, strangers would be people whose own friends stay."""
    world = LightWorld(n_people=600, n_looks=2, monthly=0.02)
    sightings, left_day = world.drawn()
    assert (left_day == NEVER).mean() > 0.8
    first = sightings[0]
    assert first.n_ties.mean() > 0.8 * world.n_friends
