"""Segments calibrated apart: the risk is right within each, and what cannot be calibrated apart is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.special import expit

from churnrisk.bundle import Bundle, Feature, Provenance, Segments
from churnrisk.config import Config, parsed_config
from churnrisk.errors import ConfigError
from churnrisk.tables.lake import LakeTables
from features.library import library
from training.fit import FitSettings, fitted_model
from training.folds import customer_folds
from training.mondrian import FEWEST_IN_SEGMENT, SegmentCalibration, segment_calibration
from training.rows import Rows
from training.wanted import fit_settings

SHIFT = {"yearly": -1.2, "monthly": 0.6}
PLAN = (Feature("plan", "category", "profile", ("monthly", "yearly")),)


def drawn(n_rows: int, seed: int, shift: dict[str, float] = SHIFT) -> tuple[np.ndarray, Rows]:
    """Scores that are right on average and wrong within each plan, with what happened."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(list(shift), n_rows)
    score = rng.normal(-1.5, 1.0, n_rows)
    risk = expit(score + np.array([shift[each] for each in plan]))
    left = (rng.random(n_rows) < risk).astype(float)
    who = np.array([f"c{place}" for place in range(n_rows)], dtype=object)
    frame = pl.DataFrame({"plan": plan.tolist(), "score": score})
    return score, Rows(frame, left, np.ones(n_rows), who, np.full(n_rows, "", dtype=object))


def calibrated(score: np.ndarray, rows: Rows, by: str | None = "plan") -> SegmentCalibration:
    folds = customer_folds(rows.customer, rows.left, 5)
    return segment_calibration(score, rows, folds, by=by, features=PLAN)


def over_expected(found: SegmentCalibration, score: np.ndarray, rows: Rows, plan: str) -> float:
    inside = (rows.frame["plan"] == plan).to_numpy()
    return float(rows.left[inside].sum() / found.by_row(rows.frame).risk(score)[inside].sum())


def test_each_segment_is_right_on_customers_that_it_has_not_seen() -> None:
    fresh_score, fresh = drawn(30_000, seed=2)
    apart, together = calibrated(*drawn(20_000, seed=1)), calibrated(*drawn(20_000, seed=1), by=None)
    for plan in SHIFT:
        assert over_expected(apart, fresh_score, fresh, plan) == pytest.approx(1.0, abs=0.1)
    assert over_expected(together, fresh_score, fresh, "yearly") < 0.6
    assert over_expected(together, fresh_score, fresh, "monthly") > 1.2
    assert apart.notes == ("calibrated by plan: monthly, yearly on rows of their own",)


def test_the_intervals_of_a_segment_rest_on_its_own_rows() -> None:
    score, rows = drawn(20_000, seed=3)
    found, alone = calibrated(score, rows), rows.where((rows.frame["plan"] == "yearly").to_numpy())
    own = calibrated(alone.frame["score"].to_numpy(), alone, by=None)
    at, frame = np.linspace(-4, 2, 25), pl.DataFrame({"plan": ["yearly"] * 25})
    for one, other in zip(found.by_row(frame).interval(at), own.of_all.intervals.interval(at), strict=True):
        assert one.tolist() == other.tolist()


def test_a_segment_with_few_leavers_is_calibrated_with_all_customers_and_says_so() -> None:
    score, rows = drawn(4_000, seed=4, shift={"yearly": -4.0, "monthly": 0.6})
    found = calibrated(score, rows)
    assert list(found.segments.parts if found.segments else ()) == ["monthly"]
    assert found.notes[1] == (
        f"plan yearly: calibrated with all customers, fewer than {FEWEST_IN_SEGMENT} leavers or stayers of their own"
    )
    frame = pl.DataFrame({"plan": ["yearly", None, "never seen"]})
    at = np.array([-1.0, -1.0, -1.0])
    assert found.by_row(frame).risk(at).tolist() == expit(found.of_all.calibrator.log_odds(at)).tolist()


def test_a_column_that_the_model_does_not_read_is_not_used_and_noted() -> None:
    score, rows = drawn(4_000, seed=5)
    found = calibrated(score, rows, by="score")
    assert found.segments is None
    assert found.notes == ("not calibrated by score: the model reads no text column of that name",)


def test_a_model_calibrated_by_segment_predicts_the_same_after_saving(tmp_path: Path) -> None:
    _, rows = drawn(8_000, seed=6)
    plain = fitted_model(rows, FitSettings(seed=1, calibrate_by="plan"))
    bundle = plain.bundle((), Provenance())
    assert bundle.segments is not None
    assert list(bundle.segments.parts) == ["monthly", "yearly"]
    bundle.save(tmp_path)
    again = Bundle.load(tmp_path)
    tested = pl.DataFrame({"plan": ["yearly", "monthly", "other", None], "score": [0.1, 0.2, -1.0, None]})
    assert again.predict(tested).equals(bundle.predict(tested))
    assert again.identity == bundle.identity
    assert replace(bundle, segments=None).identity != bundle.identity
    same = plain.out_of_fold_risk[(rows.frame["plan"] == "yearly").to_numpy()].mean()
    assert same == pytest.approx(rows.left[(rows.frame["plan"] == "yearly").to_numpy()].mean(), rel=0.1)


def test_segments_read_what_they_wrote() -> None:
    found = calibrated(*drawn(8_000, seed=7)).segments
    assert found is not None
    assert Segments.from_dict(found.as_dict()).as_dict() == found.as_dict()


def test_the_users_name_of_a_column_is_resolved_in_calibrate_by(tmp_path: Path) -> None:
    pl.DataFrame({"attribute_plan": ["a"]}).write_parquet(tmp_path / "labelled.parquet")
    tables = LakeTables({"labelled": tmp_path / "labelled.parquet"})
    chosen = parsed_config('[training]\ncalibrate_by = "plan"')
    assert fit_settings(chosen, tables, library(None).catalogue).calibrate_by == "attribute_plan"
    assert fit_settings(Config(), tables, library(None).catalogue).calibrate_by is None
    unknown = parsed_config('[training]\ncalibrate_by = "plam"')
    with pytest.raises(ConfigError, match="calibrate_by"):
        fit_settings(unknown, tables, library(None).catalogue)
