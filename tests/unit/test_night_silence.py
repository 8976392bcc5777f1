"""A night asks what lies beside the champion about those who were not heard, and never fails for it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from churnrisk.bundle import NpsFindings, NpsModel, PredictedNps
from churnrisk.dates import AsOf
from churnrisk.night_silence import SilentTonight, kinds_beside, silent_tonight
from churnrisk.store import Engine, Workspace
from churnrisk.tables.lake import LakeTables
from features import FeatureSet
from tests.drawn_models import drawn_bundle
from tests.spec.features.drawn import lake

AS_OF = AsOf(date(2026, 6, 30))
CUSTOMERS = """
customer_key | may_use_answers
0 | yes
1 | yes
2 | no
"""
SURVEYS = """
customer_key | invited_at | answered_at | score
0 | 2026-05-01 | 2026-05-02 | 9
1 | 2026-05-01 | |
2 | 2026-05-01 | |
"""
FEATURES = FeatureSet(
    pl.DataFrame(
        {
            "customer_key": [0, 1, 2],
            "customer_id": ["c0", "c1", "c2"],
            "wait_s": [1.0, 2.0, 3.0],
            "tenure_days": [1, 2, 3],
        }
    ),
    {"wait_s": "number", "tenure_days": "number"},
)
MADE = PredictedNps(
    NpsFindings(n_answers=300),
    NpsModel(
        drawn_bundle(wait_s="service").with_version(""), drawn_bundle(tenure_days="profile").with_version("")
    ),
)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text("[team]\ndaily_capacity = 3\n")
    (tmp_path / "models/7").mkdir(parents=True)
    (tmp_path / "models/champion").symlink_to("7", target_is_directory=True)
    drawn_bundle().save(tmp_path / "models/7")
    return Workspace.open(tmp_path)


def tonight(
    workspace: Workspace, features: FeatureSet = FEATURES, surveys: str | None = SURVEYS
) -> SilentTonight:
    drawn = {"customers": CUSTOMERS} | ({} if surveys is None else {"surveys": surveys})
    tables: LakeTables = lake(workspace.root / "drawn", **drawn)
    with Engine(threads=1) as engine:
        return silent_tonight(
            workspace, drawn_bundle(), features, engine=engine, tables=tables, as_of=AS_OF, run_id="r"
        )


def test_the_silent_who_let_answers_be_used_are_predicted_under_the_champions_version(
    workspace: Workspace,
) -> None:
    MADE.save(workspace.champion)
    found = tonight(workspace)
    assert found.predicted is not None
    assert found.predicted.select("customer_id", "model_version", "run_id").rows() == [("c1", "7", "r")]
    assert (found.silence.n_silent, found.silence.n_heard) == (1, 1)
    assert found.silence.measured["promoter"] == 1.0
    assert found.silence.predicted["detractor"] == found.predicted["detractor"][0]
    assert kinds_beside(workspace) == {"wait_s": "number", "tenure_days": "number"}


def test_a_model_trained_before_there_were_predictions_says_nothing(workspace: Workspace) -> None:
    found = tonight(workspace)
    assert found.predicted is None
    assert found.silence.findings is None
    assert found.warnings == ()
    assert kinds_beside(workspace) == {}


def test_a_training_that_abstained_leaves_measured_shares_alone(workspace: Workspace) -> None:
    PredictedNps(NpsFindings(reason="12 answers are known")).save(workspace.champion)
    found = tonight(workspace)
    assert found.predicted is None
    assert found.silence.predicted == {}
    assert found.silence.n_heard == 1


def test_a_feature_that_is_gone_is_a_warning_and_no_table(workspace: Workspace) -> None:
    MADE.save(workspace.champion)
    found = tonight(workspace, FeatureSet(FEATURES.frame.drop("wait_s"), FEATURES.kinds))
    assert found.predicted is None
    (warning,) = found.warnings
    assert warning.startswith("what silent customers would answer was not predicted: ")
    assert "wait_s" in warning
    assert found.silence.note in warning


def test_without_survey_answers_nobody_is_silent(workspace: Workspace) -> None:
    MADE.save(workspace.champion)
    found = tonight(workspace, surveys=None)
    assert found.predicted is None
    assert found.silence.note == "there are no survey answers"
