"""Whatever the customer and the calibrator, effects add up to the risk, keep their sign, and do not mind order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import Additive, Beta, Bundle, Calibrator, Effect, Feature, Knots, Platt
from features import catalogue
from scoring import effects_pp, explained, parts_of
from scoring.points import in_points
from scoring.reasons import effects_of
from tests.drawn_models import drawn_bundle

POINTS = st.lists(st.floats(-9, 9), min_size=3, max_size=3)
NAMES = ("tenure_days", "wait_s", "n_ties")
STEEP = st.floats(0.01, 20)


@st.composite
def knots(draw: st.DrawFn) -> Knots:
    """Knots at any places, rising by any steps, with kinks as sharp as can be."""
    steps = draw(st.lists(st.tuples(st.floats(0.01, 3), st.floats(0.001, 8)), min_size=0, max_size=6))
    scores = np.cumsum([draw(st.floats(-4, 1)), *(step for step, _ in steps)])
    values = np.cumsum([draw(st.floats(-6, 1)), *(rise for _, rise in steps)])
    return Knots(tuple(scores.tolist()), tuple(values.tolist()), draw(st.floats(0.01, 2)))


CALIBRATORS: st.SearchStrategy[Calibrator] = st.one_of(
    st.builds(Platt, STEEP, st.floats(-3, 3)),
    st.builds(Beta, STEEP, st.floats(0, 3), st.floats(-3, 3)),
    knots(),
)


def drawn(calibrator: Calibrator) -> Bundle:
    return replace(drawn_bundle(**dict.fromkeys(NAMES, "profile")), calibrator=calibrator)


def row(values: list[float]) -> pl.DataFrame:
    return pl.DataFrame(
        {"customer_id": ["a"], **{name: [value] for name, value in zip(NAMES, values, strict=True)}}
    )


@given(POINTS, CALIBRATORS)
def test_effects_add_up_and_keep_their_sign(values: list[float], calibrator: Calibrator) -> None:
    bundle = drawn(calibrator)
    found = effects_of(bundle, row(values))
    risk = bundle.predict(row(values))["risk"][0]
    assert abs(found.points.sum() + found.average[0] + found.survey[0] - 100 * risk) < 1e-9
    assert all(
        np.sign(effect) in (np.sign(value), 0.0) or abs(value) < 1e-12
        for effect, value in zip(found.points[0], values, strict=True)
    )


@given(POINTS, CALIBRATORS, st.floats(0.001, 0.999))
def test_a_survey_answer_takes_the_rest_of_the_risk_shown(
    values: list[float], calibrator: Calibrator, after: float
) -> None:
    bundle = drawn(calibrator)
    before = bundle.predict(row(values))["risk"]
    scored = pl.DataFrame({"customer_id": ["a"], "risk": [after], "risk_before_survey": before})
    found = effects_of(bundle, row(values), scored)
    assert abs(found.points.sum() + found.average[0] + found.survey[0] - 100 * after) < 1e-9
    assert found.points[0].tolist() == pytest.approx(effects_pp(bundle, row(values))[0].tolist(), abs=1e-9)


@given(POINTS, CALIBRATORS, st.permutations(range(3)))
def test_the_order_of_the_models_inputs_does_not_matter(
    values: list[float], calibrator: Calibrator, order: list[int]
) -> None:
    bundle = drawn(calibrator)
    assert isinstance(bundle.learner, Additive)
    turned = replace(
        bundle,
        features=tuple(bundle.features[k] for k in order),
        learner=replace(bundle.learner, effects=tuple(bundle.learner.effects[k] for k in order)),
    )
    one, other = effects_pp(bundle, row(values))[0], effects_pp(turned, row(values))[0]
    assert other.tolist() == pytest.approx(one[order].tolist(), rel=1e-5, abs=1e-9)


@given(
    st.floats(-5, 5),
    st.sampled_from([Platt(0.7, 0.3), Beta(0.9, 1.2, -0.1), Knots((-3.0, 9.0), (-4.0, 3.0), 0.5)]),
)
def test_the_ratio_runs_into_its_limit_without_a_step(size: float, calibrator: Calibrator) -> None:
    """Contributions +size and -size, and a third that goes to nothing through the place where the limit takes over."""
    bundle = drawn(calibrator)
    slope = 100 * bundle.calibration_of(row([0.0] * 3)).slope(np.array([-2.0]))[0]
    for rest in (1e-6, 2e-9, 9e-10, 1e-12, 0.0, -1e-12, -2e-9, -1e-6):
        found = effects_pp(bundle, row([size, -size, rest]))[0]
        assert found.tolist() == pytest.approx(
            [slope * size, -slope * size, slope * rest], rel=1e-4, abs=1e-8
        )


@given(CALIBRATORS, st.floats(-6, 6))
def test_the_slope_of_a_calibrator_is_what_two_near_scores_say(calibrator: Calibrator, score: float) -> None:
    step = 1e-6
    near = np.array([score - step, score + step])
    if isinstance(calibrator, Knots) and any(abs(score - knot) < 2 * step for knot in calibrator.scores):
        return
    low, high = calibrator.log_odds(near)
    assert calibrator.steepness(np.array([score]))[0] == pytest.approx(
        (high - low) / (2 * step), rel=1e-3, abs=1e-6
    )
    assert high > low


def test_at_a_knot_the_slope_is_the_mean_of_both_sides() -> None:
    bent = Knots((-1.0, 0.0, 1.0), (-2.0, 0.0, 1.0), 0.5)
    at = np.array([-2.0, -1.0, -0.5, 0.0, 1.0, 3.0])
    assert bent.steepness(at).tolist() == [0.5, 1.25, 2.0, 1.5, 0.75, 0.5]


def test_nothing_contributes_and_nothing_is_shared_out() -> None:
    still = in_points(np.zeros((2, 3)), np.zeros(2), np.full(2, 0.1))
    assert still.tolist() == [[0.0] * 3] * 2


def test_a_category_of_the_logistic_contributes_what_it_was_taught() -> None:
    bundle = replace(
        drawn_bundle(),
        features=(
            Feature("attribute_plan", "category", "profile", ("basic", "gold")),
            Feature("wait_s", "number", "service"),
        ),
        learner=Additive(
            -1.0,
            (
                Effect(missing=0.25, by_code=(-0.5, 0.75)),
                Effect(missing=0.0, slope=0.5, low=0, high=4),
            ),
        ),
    )
    frame = pl.DataFrame(
        {"attribute_plan": ["gold", "basic", "silver", None], "wait_s": [2.0, 9.0, None, 0.0]}
    )
    expected = [[0.75, 1.0], [-0.5, 2.0], [0.25, 0.0], [0.25, 0.0]]
    assert bundle.contributions(frame)[:, :2].tolist() == expected
    risk = 1 / (1 + np.exp(-(-1.0 + np.sum(expected, axis=1))))
    base = 1 / (1 + np.exp(1.0))
    for found, parts, p in zip(effects_pp(bundle, frame), expected, risk, strict=True):
        shared = [100 * part * (p - base) / sum(parts) for part in parts]
        assert found.tolist() == pytest.approx(shared)


FRIENDS = ("churn_exposure_n_30d", "churn_exposure_share_30d", "churn_exposure_spread")
OWN = tuple(f"own_{n}" for n in range(9))


@given(
    st.lists(st.floats(-2, 2), min_size=9, max_size=9),
    st.lists(st.floats(0, 4), min_size=3, max_size=3),
    st.lists(st.floats(0, 4), min_size=3, max_size=3),
    st.integers(0, 4),
)
def test_which_lines_stand_there_does_not_depend_on_what_may_not_be_told(
    own: list[float], doing: list[float], otherwise: list[float], n_ties: int
) -> None:
    """In a circle of four or fewer, whatever the friends did: the same inputs are told, in the same order."""
    bundle = drawn_bundle(**dict.fromkeys(FRIENDS, "network"), **{name: name for name in OWN})
    bundle = replace(bundle, ignored=("n_ties",))
    told = []
    for friends in (doing, otherwise):
        values = {**dict(zip(FRIENDS, friends, strict=True)), **dict(zip(OWN, own, strict=True))}
        frame = pl.DataFrame(
            {"customer_id": ["a"], **{k: [v] for k, v in values.items()}, "n_ties": [n_ties]}
        )
        found = explained(frame, bundle, catalogue())
        told.append(
            (found.told, [part.groups for part in sorted(parts_of(found, 0), key=lambda part: part.groups)])
        )
    assert told[0] == told[1]
