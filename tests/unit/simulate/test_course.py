from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from churnrisk.simulate import World, WorldSettings
from churnrisk.simulate.clock import LEAD_IN_DAYS, NEVER, WEEK, Clock
from churnrisk.simulate.course import CAUSES, Course
from churnrisk.simulate.population import population
from churnrisk.simulate.social import Friends, strong_friends, ties_between_customers


def test_the_hazard_is_the_sum_of_its_parts(world: World) -> None:
    hazard = pl.read_parquet(world.truth_paths["hazard"])
    parts = hazard.select("log_base", *CAUSES).sum_horizontal()
    assert np.allclose(parts, hazard["log_hazard"], rtol=0, atol=1e-12)
    level = hazard["log_base"].unique()
    assert level.len() == 1


def test_contagion_is_the_planted_ratio_per_recently_churned_strong_friend(world: World) -> None:
    hazard = pl.read_parquet(world.truth_paths["hazard"])
    counted = hazard["n_recent_strong_leavers"].clip(upper_bound=3)
    assert np.allclose(hazard["contagion"], counted * np.log(2.5), rtol=0, atol=1e-12)
    assert hazard["n_recent_strong_leavers"].max() >= 2  # type: ignore[operator]


def test_recently_churned_strong_friends_equal_those_counted_by_hand(world: World) -> None:
    hazard = pl.read_parquet(world.truth_paths["hazard"])
    day = hazard["day"].max()
    people = pl.read_parquet(world.truth_paths["people"])
    joined = dict(zip(people["customer_id"], people["joined_on"], strict=True))
    left = dict(zip(people["customer_id"], people["left_on"], strict=True))
    slow: dict[str, int] = {}
    for a, b, is_strong in pl.read_parquet(world.truth_paths["ties"])[
        "customer_a", "customer_b", "is_strong"
    ].iter_rows():
        for one, other in ((a, b), (b, a)):
            gone = left[other]
            if is_strong and gone is not None and 0 < (day - gone).days <= 91 and joined[one] < gone:
                slow[one] = slow.get(one, 0) + 1
    latest = hazard.filter(pl.col("day") == day)
    assert latest.height > 1_000
    assert sum(slow.values()) > 50
    for customer, count in latest["customer_id", "n_recent_strong_leavers"].iter_rows():
        assert count == slow.get(customer, 0)


def test_as_many_decide_as_the_hazards_say(world: World) -> None:
    hazard = pl.read_parquet(world.truth_paths["hazard"])
    people = pl.read_parquet(world.truth_paths["people"]).select("customer_id", "decided_on")
    both = hazard.join(people, on="customer_id")
    decided = both.filter(
        (pl.col("decided_on") - pl.col("day")).dt.total_days().is_between(0, WEEK - 1)
    ).height
    expected = float((1 - (-hazard["log_hazard"].exp()).exp()).sum())
    # Independent draws given the state: the variance is below the expectation. 4 standard deviations.
    assert abs(decided - expected) < 4 * np.sqrt(expected)


def test_nobody_decides_twice_or_leaves_before_deciding(world: World) -> None:
    people = pl.read_parquet(world.truth_paths["people"])
    gone = people.filter(pl.col("left_on").is_not_null())
    assert (gone["decided_on"] <= gone["left_known_on"]).all()
    assert (gone["left_known_on"] <= gone["left_on"]).all()
    assert ((gone["left_on"] - gone["decided_on"]).dt.total_days() >= 5).all()
    stayed = people.filter(pl.col("left_on").is_null())
    assert stayed["decided_on"].null_count() == stayed.height


@pytest.fixture
def small_course() -> Course:
    settings = WorldSettings(customers=60, days=60, community_size=30, contagion=2.0)
    people = population(settings)
    friends = strong_friends(ties_between_customers(settings, people), len(people))
    return Course(settings, Clock.of(settings), people, friends)


def test_a_friends_leaving_is_felt_for_thirteen_weeks_from_the_week_after(small_course: Course) -> None:
    course = small_course
    # Person 0 leaves on day 3; persons 1 and 2 are the only strong friends, 2 joined too late to know.
    course._friends = Friends(
        np.array([0, 2, 3, 4, *[4] * (course.n_recent.size - 3)]), np.array([1, 2, 0, 0], dtype=np.int32)
    )
    course._people.joined[:3] = (-500, -500, 10)
    course.left[0] = 3
    course._leaving = np.array([0])
    felt = {}
    for day in range(0, 20 * WEEK, WEEK):
        course.arrive(day)
        felt[day] = course.n_recent[:3].tolist()
    assert felt[0] == [0, 0, 0]
    assert felt[7] == [0, 1, 0]
    assert felt[91] == [0, 1, 0]
    assert felt[98] == [0, 0, 0]


def test_each_cause_moves_the_hazard_in_its_direction(small_course: Course) -> None:
    course, who = small_course, np.array([0])
    before = course.causes(who, 0)
    course.mood[0] -= 1
    course.pain[0] += 1
    course.prices.shock[0] += 1
    course.n_recent[0] += 1
    after = course.causes(who, 0)
    raised = {name for name in CAUSES if after[name][0] > before[name][0]}
    assert raised == {"mood", "service", "price", "contagion"}
    assert after["contagion"][0] == pytest.approx(np.log(2.0))


def test_the_level_is_set_in_the_lead_in_and_fixed_from_then_on(small_course: Course) -> None:
    course = small_course
    levels = []
    for day in range(-LEAD_IN_DAYS, 28, WEEK):
        course.step(day, course.arrive(day))
        levels.append(course.log_base)
    n_before = LEAD_IN_DAYS // WEEK
    assert len(set(levels[:n_before])) == n_before
    assert len(set(levels[n_before - 1 :])) == 1
    assert (course.left[course.left < NEVER] > -LEAD_IN_DAYS).all()
