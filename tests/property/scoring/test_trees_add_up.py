"""Reasons and changes of trees add up to the risks shown, for any two rows, gaps and unseen categories included."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import lightgbm
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.bundle import (
    Beta,
    Bundle,
    Calibrated,
    Calibrator,
    Feature,
    Knots,
    Platt,
    Segments,
    Trees,
)
from churnrisk.dates import AsOf
from churnrisk.messages import Sentences
from scoring import LastNight, changes, reasons
from tests.drawn_models import drawn_bundle

NUMBERS = ("tenure_days", "n_contacts_90d", "monthly_value", "nps_last_score")
PLANS = ("basic", "gold", "silver")
ENGLISH, AS_OF = Sentences.of("en"), AsOf(date(2026, 6, 30))
CALIBRATORS: tuple[Calibrator, ...] = (
    Platt(1.3, -0.4),
    Beta(0.8, 1.4, 0.2),
    Knots((-2.0, -1.9, 0.0, 1.0), (-4.0, -2.0, -1.9, 3.0), 0.3),
)

APART: tuple[Segments | None, ...] = (
    None,
    Segments(
        "attribute_plan",
        {
            name: Calibrated(calibrator, drawn_bundle().intervals)
            for name, calibrator in zip(("gold", "silver"), CALIBRATORS[1:], strict=True)
        },
    ),
)
"""No segment is calibrated apart; or two of the three plans are."""

ROWS = st.fixed_dictionaries(
    {
        **{name: st.one_of(st.none(), st.floats(-3, 3), st.just(0.0)) for name in NUMBERS},
        "attribute_plan": st.one_of(st.none(), st.sampled_from((*PLANS, "never seen"))),
    }
)


@cache
def grown() -> Bundle:
    """Forty trees over four numbers and a category."""
    draws = np.random.default_rng(5)
    rows = np.column_stack([draws.normal(size=(3000, len(NUMBERS))), draws.integers(0, len(PLANS), 3000)])
    rows[draws.random(rows.shape) < 0.15] = np.nan
    lean = np.nan_to_num(rows[:, 0] * rows[:, 1]) + np.nan_to_num(rows[:, 2]) - (rows[:, 4] == 1)
    left = (lean + draws.logistic(size=3000) > 2).astype(float)
    grow = {"objective": "binary", "num_leaves": 15, "num_threads": 1, "seed": 1, "verbose": -1}
    booster = lightgbm.train(grow, lightgbm.Dataset(rows, left, categorical_feature=[4]), num_boost_round=40)
    features = (
        *(Feature(name, "number", group) for name, group in zip(NUMBERS, "abcd", strict=True)),
        Feature("attribute_plan", "category", "e", PLANS),
    )
    return replace(drawn_bundle(), features=features, learner=Trees(booster.model_to_string()))


def frame(row: dict[str, object]) -> pl.DataFrame:
    kinds = dict.fromkeys(NUMBERS, pl.Float64) | {"attribute_plan": pl.String}
    return pl.DataFrame(
        {"customer_id": ["a"], **{name: [value] for name, value in row.items()}}, schema_overrides=kinds
    )


def scored(bundle: Bundle, one: pl.DataFrame) -> pl.DataFrame:
    risk = bundle.predict(one)["risk"]
    return pl.DataFrame(
        {
            "customer_id": ["a"],
            "risk": risk,
            "risk_before_survey": [None],
            "model_version": [bundle.model_version],
        },
        schema_overrides={"risk_before_survey": pl.Float64},
    )


@settings(max_examples=60)
@given(ROWS, ROWS, *[st.tuples(st.sampled_from(CALIBRATORS), st.sampled_from(APART))] * 2)
def test_lines_add_up(
    before: dict[str, object],
    now: dict[str, object],
    then: tuple[Calibrator, Segments | None],
    tonight: tuple[Calibrator, Segments | None],
) -> None:
    earlier = replace(grown(), calibrator=then[0], segments=then[1], model_version="6")
    version = "6" if then == tonight else "7"
    later = replace(grown(), calibrator=tonight[0], segments=tonight[1], model_version=version)
    was, is_ = frame(before), frame(now)
    risk_then, risk = scored(earlier, was), scored(later, is_)
    told = reasons(is_, later, ENGLISH, as_of=AS_OF, run_id="r", scored=risk)
    assert told["effect_pp"].sum() == pytest.approx(100 * risk["risk"][0], abs=1e-9)
    last = LastNight(date(2026, 6, 29), risk_then, was)
    moved = changes(is_, risk, later, ENGLISH, last, as_of=AS_OF, run_id="r")
    assert moved["effect_pp"].sum() == pytest.approx(100 * (risk["risk"][0] - risk_then["risk"][0]), abs=1e-9)
    same = {name for name in before if before[name] == now[name]}
    assert not same & set(moved["feature"])


def test_who_came_into_another_segment_was_moved_by_the_input_that_names_it() -> None:
    one = dict.fromkeys(NUMBERS, 0.5)
    model = replace(grown(), segments=APART[1])
    was, now = frame({**one, "attribute_plan": "gold"}), frame({**one, "attribute_plan": "silver"})
    last = LastNight(date(2026, 6, 29), scored(model, was), was)
    moved = changes(now, scored(model, now), model, ENGLISH, last, as_of=AS_OF, run_id="r")
    (line,) = moved.filter(pl.col("feature") == "attribute_plan").iter_rows(named=True)
    risk, before = scored(model, now)["risk"][0], scored(model, was)["risk"][0]
    assert abs(risk - before) > 0.01
    assert line["effect_pp"] == pytest.approx(100 * (risk - before), abs=1e-9)
