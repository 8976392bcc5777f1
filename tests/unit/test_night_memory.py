"""A night keeps what the next one needs to say what moved: by key, briefly, and only what is published nowhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from churnrisk.bundle import Bundle, Platt
from churnrisk.night_memory import (
    N_NIGHTS_KEPT,
    forget_older,
    kept_changes,
    last_night,
    last_run_id,
    remembered,
    staged_memory,
    told_by,
)
from churnrisk.store import Workspace
from churnrisk.store.publish import Edition, publish, staged_edition
from churnrisk.tables.published import RULES
from features import FeatureSet, catalogue
from tests.drawn_models import drawn_bundle

MONDAY, TUESDAY = date(2026, 6, 29), date(2026, 6, 30)
MODEL = drawn_bundle(tenure_days="profile", churn_exposure_spread="network")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text("[team]\ndaily_capacity = 3\n")
    (tmp_path / "lake").mkdir()
    pl.DataFrame({"customer_key": [0, 1], "customer_id": ["anna", "bo"]}).write_parquet(
        tmp_path / "lake/keys.parquet"
    )
    return Workspace.open(tmp_path)


SEEN = pl.DataFrame(
    {
        "customer_key": [0, 1],
        "customer_id": ["anna", "bo"],
        "tenure_days": [10.0, 20.0],
        "n_ties": [6, 7],
        "churn_exposure_spread": [0.25, None],
    }
)
REFUSING = pl.DataFrame({"customer_id": ["anna"], "may_use_calls": [True], "may_use_answers": [False]})


def night(workspace: Workspace, day: date, run_id: str = "monday", bundle: Bundle = MODEL) -> None:
    """Publish what a night does, as far as the next one reads it."""
    stamps = [pl.lit(day).alias("as_of"), pl.lit(run_id).alias("run_id")]
    published = SEEN.select("customer_id", "tenure_days").with_columns(*stamps)
    scores = SEEN.select("customer_id").with_columns(
        *stamps,
        *(pl.lit(each).alias(name) for name, each in (("risk", 0.3), ("risk_low", 0.2), ("risk_high", 0.4))),
        band=pl.lit("high"),
        model_version=pl.lit("7"),
        is_hindsight=pl.lit(value=False),
    )
    unknown = [column for column in RULES["scores"].columns if column.name not in scores.columns]
    scores = scores.with_columns(
        pl.lit(None, pl.String if column.kind == "text" else pl.Float64).alias(column.name)
        for column in unknown
    )
    frames = {"scores": scores, "features": published}
    kept = staged_memory(
        workspace,
        day,
        features=FeatureSet(SEEN, {}),
        published=published,
        consents=REFUSING,
        words=catalogue(),
        bundle=bundle,
        run_id=run_id,
    )
    edition = staged_edition(workspace, RULES, frames, run_id=run_id, as_of=day)
    files = {place.relative_to(workspace.root).as_posix(): staged for place, staged in kept.items()}
    publish(workspace, Edition(run_id, day, edition.tables, files), RULES)
    forget_older(workspace)


def test_what_is_published_and_what_is_kept_are_together_what_the_model_saw(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    found = remembered(workspace, MONDAY, ["anna", "bo"])
    assert found is not None
    assert found.frame.sort("customer_id").to_dicts() == [
        {"customer_id": "anna", "tenure_days": 10.0, "n_ties": 6, "churn_exposure_spread": 0.25,
         "may_use_calls": True, "may_use_answers": False},
        {"customer_id": "bo", "tenure_days": 20.0, "n_ties": 7, "churn_exposure_spread": None,
         "may_use_calls": False, "may_use_answers": False},
    ]  # fmt: skip


def test_nothing_kept_names_a_customer_or_stands_in_the_published_table_too(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    (path,) = workspace.kept_inputs.glob("*/*.parquet")
    kept = pl.read_parquet(path, hive_partitioning=False)
    assert kept.columns == [
        "customer_key",
        "n_ties",
        "churn_exposure_spread",
        "may_use_calls",
        "may_use_answers",
    ]


def test_who_was_forgotten_is_not_remembered(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    pl.DataFrame({"customer_key": [0, 1], "customer_id": [None, "bo"]}).write_parquet(
        workspace.lake / "keys.parquet"
    )
    found = remembered(workspace, MONDAY, ["anna", "bo"])
    assert found is not None
    assert found.frame["customer_id"].to_list() == ["bo"]


def test_the_latest_nights_are_kept_and_older_ones_forgotten(workspace: Workspace) -> None:
    days = [date(2026, 6, day) for day in range(1, N_NIGHTS_KEPT + 3)]
    for day in days:
        night(workspace, day, f"run {day}")
    assert [path.name for path in sorted(workspace.kept_inputs.iterdir())] == [
        f"as_of={day}" for day in days[-N_NIGHTS_KEPT:]
    ]
    assert remembered(workspace, days[0], ["anna"]) is None


def test_inputs_of_another_run_than_the_one_published_are_not_taken_for_its(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    (path,) = workspace.kept_inputs.glob("*/model.json")
    path.write_text(path.read_text().replace("monday", "another"))
    assert remembered(workspace, MONDAY, ["anna"]) is None


def test_the_night_before_is_the_latest_published_one(workspace: Workspace) -> None:
    assert last_night(workspace, TUESDAY, MODEL, ["anna"]) is None
    assert last_run_id(workspace, TUESDAY) is None
    night(workspace, MONDAY)
    assert last_run_id(workspace, TUESDAY) == "monday"
    assert last_run_id(workspace, MONDAY) is None
    last = last_night(workspace, TUESDAY, MODEL, ["anna", "nobody"])
    assert last is not None
    assert (last.as_of, last.scores["customer_id"].to_list(), last.is_recalibrated) == (
        MONDAY,
        ["anna"],
        False,
    )
    assert last.inputs is not None
    assert set(last.inputs.columns) == {"customer_id", "tenure_days", "n_ties", "churn_exposure_spread"}


def test_the_same_trees_under_another_calibration_are_known_as_such(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    recalibrated = replace(MODEL, calibrator=Platt(1.3, 0.0))
    other = drawn_bundle(tenure_days="profile", wait_s="service", churn_exposure_spread="network")
    for bundle, is_recalibrated in (
        (recalibrated, True),
        (replace(other, calibrator=Platt(1.3, 0.0)), False),
    ):
        last = last_night(workspace, TUESDAY, bundle, ["anna"])
        assert last is not None
        assert last.is_recalibrated == is_recalibrated


def test_without_what_was_kept_the_scores_are_still_there(workspace: Workspace) -> None:
    night(workspace, MONDAY)
    for path in workspace.kept_inputs.glob("*/*.parquet"):
        path.unlink()
    last = last_night(workspace, TUESDAY, MODEL, ["anna"])
    assert last is not None
    assert last.inputs is None
    assert last.scores.height == 1


def test_what_changed_is_told_again_where_it_still_adds_up_to_the_risk(workspace: Workspace) -> None:
    """On Monday both were at .3; Tuesday's night found anna at .35 and bo at .28."""
    night(workspace, MONDAY)
    scores = pl.DataFrame({"customer_id": ["anna", "bo"], "risk": [0.35, 0.28]})
    assert kept_changes(workspace, TUESDAY, scores) is None
    lines = pl.DataFrame(
        {
            "as_of": TUESDAY,
            "customer_id": ["anna", "anna", "bo"],
            "position": [1, 2, 1],
            "since": MONDAY,
            "feature": ["tenure_days", "(other)", "tenure_days"],
            "value_before": None,
            "value_now": None,
            "effect_pp": [6.0, -1.0, -2.0],
            "sentence": "stayed",
            "run_id": "tuesday",
        },
        schema_overrides={"value_before": pl.String, "value_now": pl.String},
    )
    edition = staged_edition(workspace, RULES, {"changes": lines}, run_id="tuesday", as_of=TUESDAY)
    publish(workspace, Edition("tuesday", TUESDAY, edition.tables, {}), RULES)
    told = kept_changes(workspace, TUESDAY, scores)
    assert told is not None
    assert told.equals(lines)
    by_another_model = scores.with_columns(risk=pl.Series([0.35, 0.4]))
    told = kept_changes(workspace, TUESDAY, by_another_model)
    assert told is not None
    assert told["customer_id"].to_list() == ["anna", "anna"]
    assert told_by(workspace, TUESDAY, is_night=False) == ["monday", "tuesday"]
    assert told_by(workspace, TUESDAY, is_night=True) == ["monday"]
