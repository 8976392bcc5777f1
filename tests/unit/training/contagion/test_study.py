"""The study of contagion says "spreads" where it does, and only there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from churnrisk.metrics import Contagion
from tests.light_worlds import LightWorld
from training.contagion import Sighting, StudySettings, contagion_study
from training.contagion.study import _verdict, _widened

QUICK = StudySettings(seed=1, n_shuffles=19)


def studied(world: LightWorld) -> Contagion:
    return contagion_study(*world.drawn(), QUICK)


@pytest.mark.parametrize("alike", [0.0, 1.0])
def test_planted_contagion_is_found_with_its_size_whether_friends_are_alike_or_not(alike: float) -> None:
    found = studied(LightWorld(ratio=2.5, alike=alike, seed=2))
    assert found.verdict == "spreads"
    assert found.ratio is not None
    assert found.ratio.low < 2.5 < found.ratio.high
    assert found.ratio.low > 1.8
    assert found.causal_effect is not None
    assert found.causal_effect.value == pytest.approx(found.ratio.value - 1)
    assert found.shuffle_p == 0.05  # one of twenty: none of the shuffles came near
    assert found.shuffled is not None
    assert found.shuffled < found.ratio.value


def test_friends_who_are_merely_alike_fool_the_naive_figure_and_not_the_study() -> None:
    found = studied(LightWorld(alike=1.4, n_people=12_000, seed=3))
    assert found.verdict == "no_evidence"
    assert found.naive is not None
    assert found.ratio is not None
    assert found.naive.low > 1
    assert found.ratio.low < 1 < found.ratio.high
    assert found.causal_effect is None


def test_where_nothing_spreads_and_nobody_is_alike_there_is_no_evidence() -> None:
    found = studied(LightWorld(seed=3))
    assert found.verdict == "no_evidence"
    assert found.naive is not None
    assert found.naive.low < 1 < found.naive.high


def test_with_too_few_leavers_it_says_so_and_how_many_are_needed() -> None:
    found = studied(LightWorld(n_people=400, n_looks=8))
    assert found.verdict == "not_identified"
    assert found.n_needed is not None
    assert found.n_needed > found.n_leavers
    assert f"{found.n_needed:,} leavers are needed" in found.reason
    assert found.ratio is None


def test_some_leavers_that_leave_the_interval_wide_are_no_evidence_of_absence() -> None:
    found = studied(LightWorld(n_people=1600, n_looks=9, seed=15))
    assert found.verdict == "not_identified"
    assert "too few" in found.reason
    assert found.n_needed is not None


def test_without_enough_looks_nothing_is_identified() -> None:
    sightings, left_day = LightWorld(n_people=400).drawn()
    assert contagion_study(sightings[:1], left_day, QUICK).verdict == "not_identified"
    assert contagion_study(sightings[:3], left_day, QUICK).verdict == "not_identified"


def test_a_shock_to_whole_communities_is_not_taken_for_contagion() -> None:
    found = studied(LightWorld(burst=1.0, seed=4))
    assert found.verdict != "spreads"


def test_a_common_cause_known_before_fails_the_control_of_the_past() -> None:
    """People with a bad history whose friends have one too: friends' leaving goes with risk that was there before."""
    sightings, left_day = LightWorld(ratio=2.5, seed=2).drawn()
    leaves_soon = [np.unique(look.ego[left_day[look.friend] < look.day + 60]) for look in sightings]
    spoiled = [
        replace(look, own=look.own.with_columns(own=look.own["own"] + 0.5 * np.isin(look.person, soon)))
        for look, soon in zip(sightings, leaves_soon, strict=True)
        if look.own is not None
    ]
    found = contagion_study(spoiled, left_day, QUICK)
    assert found.verdict == "not_identified"
    assert found.controls["own_risk_before"] is not None
    assert found.controls["own_risk_before"] > 2
    assert "already more" in found.reason


def test_the_order_of_ties_changes_no_bit() -> None:
    sightings, left_day = LightWorld(ratio=2.5, n_people=3000).drawn()
    rng = np.random.default_rng(1)
    stirred = [_stirred(look, rng) for look in sightings]
    assert (
        contagion_study(stirred, left_day, QUICK).as_plain()
        == contagion_study(sightings, left_day, QUICK).as_plain()
    )


def test_other_numbers_for_the_same_people_give_the_same_verdict_and_nearly_the_same_ratio() -> None:
    sightings, left_day = LightWorld(ratio=2.5).drawn()
    number = np.random.default_rng(2).permutation(len(left_day))
    renamed_days = np.empty_like(left_day)
    renamed_days[number] = left_day
    renamed = [_renamed(look, number) for look in sightings]
    one, other = (
        contagion_study(looks, days, QUICK)
        for looks, days in ((sightings, left_day), (renamed, renamed_days))
    )
    assert one.verdict == other.verdict == "spreads"
    assert one.ratio is not None
    assert other.ratio is not None
    # others are drawn as controls, by chance
    assert np.log(one.ratio.value) == pytest.approx(np.log(other.ratio.value), abs=0.1)
    assert (one.n_leavers, one.n_exposed) == (other.n_leavers, other.n_exposed)


def test_the_answer_reads_as_sentences_and_survives_json() -> None:
    found = studied(LightWorld(ratio=2.5, n_people=4000, seed=2))
    assert Contagion.from_plain(found.as_plain()) == found
    said = " ".join(found.sentences())
    assert said.startswith("Churn spreads here")
    assert "without any adjustment" in said


def _stirred(look: Sighting, rng: np.random.Generator) -> Sighting:
    order = rng.permutation(len(look.ego))
    return replace(look, ego=look.ego[order], friend=look.friend[order], closeness=look.closeness[order])


def _renamed(look: Sighting, number: NDArray[np.int64]) -> Sighting:
    person = number[look.person]
    order = np.argsort(person)
    assert look.own is not None
    return replace(
        look,
        person=person[order],
        community=look.community[order],
        n_ties=look.n_ties[order],
        own_row=order,
        ego=number[look.ego],
        friend=number[look.friend],
    )


def test_a_control_that_could_not_be_computed_is_not_passed() -> None:
    shuffled = (0.02, 1.0, 2.0)
    passed: dict[str, float | None] = {"own_risk_before": 0.3, "strangers": -0.4}
    assert _verdict(1.0, 0.1, passed, shuffled, 1000)[0] == "spreads"
    for unknown in (None, math.nan):
        verdict, why, _ = _verdict(1.0, 0.1, {**passed, "strangers": unknown}, shuffled, 1000)
        assert verdict == "not_identified"
        assert "could not be computed" in why


def test_no_figure_is_no_evidence_and_an_interval_below_one_does_not_hold_one() -> None:
    passed: dict[str, float | None] = {"own_risk_before": 0.3, "strangers": -0.4}
    assert _verdict(math.nan, math.nan, passed, (0.5, 1.0, 1.0), 1000)[0] == "not_identified"
    verdict, why, _ = _verdict(-0.6, 0.1, passed, (0.9, 1.0, 0.5), 1000)
    assert (verdict, "leave less" in why) == ("no_evidence", True)


def test_the_interval_is_widened_by_what_leaving_first_hides_and_only_away_from_one() -> None:
    # a variance of 4, 1 % leaving a month, 56 days of exposure: 4 x .01 / 30 x 56 = .0747 per extra ratio of one
    low, high = _widened(math.log(1.5), math.log(2.0), 0.01 / 30)
    assert low == pytest.approx(math.log(1.5))
    assert high == pytest.approx(math.log(2.0) + math.log(1.0747), abs=1e-4)
    low, high = _widened(math.log(0.5), math.log(1.2), 0.01 / 30)
    assert low == pytest.approx(math.log(0.5) - math.log(1 + 0.0747 / 2), abs=1e-4)
    assert high == pytest.approx(math.log(1.2) + math.log(1 + 0.0747 * 0.2), abs=1e-4)
    assert _widened(-0.1, 0.1, 0.0) == (-0.1, 0.1)
