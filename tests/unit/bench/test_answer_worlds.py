"""The drawn worlds of the benchmark `answers` are what they say: planted truth that adds up."""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench.answer_worlds import KINDS as ALL_KINDS
from tests.bench.answer_worlds import MONTHLY_CHURN, RESPONSE, answer_world

KINDS = {name: kind for name, kind in ALL_KINDS.items() if not kind.is_played}


@pytest.mark.parametrize("name", KINDS)
def test_a_world_has_its_churn_its_response_and_its_past(name: str) -> None:
    world = answer_world(KINDS[name], 3, n=20_000)
    assert world.now.truth.mean() == pytest.approx(MONTHLY_CHURN, rel=0.1)
    assert world.now.left.mean() == pytest.approx(MONTHLY_CHURN, rel=0.2)
    assert world.risk.mean() == pytest.approx(MONTHLY_CHURN, rel=0.2)
    assert (world.now.place < 3).mean() == pytest.approx(RESPONSE, abs=0.03)
    assert world.asked["is_random"].sum() == 3_000
    drawn, chosen = (world.asked.filter(is_random=flag)["risk"].mean() for flag in (True, False))
    assert chosen > drawn  # type: ignore[operator]
    if world.chances is not None:
        np.testing.assert_allclose(world.chances.sum(axis=1), 1.0)


def test_true_chances_are_those_by_which_answers_are_drawn() -> None:
    now = answer_world(KINDS["mood hidden"], 5, n=20_000).now
    np.testing.assert_allclose(now.true_chances.sum(axis=1), 1.0)
    counts = np.bincount(now.place, minlength=4) / len(now.place)
    np.testing.assert_allclose(now.true_chances.mean(axis=0), counts, atol=0.01)


def test_detractors_leave_more_often_unless_answers_tell_nothing() -> None:
    for name, kind in KINDS.items():
        now = answer_world(kind, 7, n=20_000).now
        rates = [now.truth[now.place == place].mean() for place in (0, 2)]
        assert (rates[0] > 1.3 * rates[1]) == kind.tells, name
