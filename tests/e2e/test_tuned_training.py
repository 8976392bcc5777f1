"""Training with a search for settings and with an own objective, through the command line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.config import MlflowSettings
from churnrisk.registry.tracking import Tracking

from .conftest import Command

pytestmark = pytest.mark.e2e

SETTINGS = """
[churn]
kind = "label"

[sources.customers]
from = "labelled"

[sources.labelled]
path = "rows.csv"
positive = "yes"

[training]
n_folds = 2
n_trials = 2
tune_minutes = 0.0
objective = {objective}

[privacy]
missing_consent = true
"""

OWN = """
import numpy as np


def asymmetric(score, left):
    p = 1 / (1 + np.exp(-score))
    return np.where(left > 0, 2.0, 1.0) * (p - left), np.maximum(p * (1 - p), 1e-3)
"""


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    """1400 customers of towns, a third leavers; an own objective that is not switched on."""
    rng = np.random.default_rng(8)
    wait, town = rng.exponential(5, 1400), rng.integers(0, 40, 1400)
    leaves = rng.random(1400) < 1 / (1 + np.exp(1.6 - 0.2 * (wait - 1) - 0.8 * (town % 3 == 0)))
    frame = pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(1400)],
            "churned": np.where(leaves, "yes", "no"),
            "wait": wait.round(1),
            "town": [f"town {k}" for k in town],
        }
    )
    frame.write_csv(tmp_path / "rows.csv")
    settings = SETTINGS.replace("objective = {objective}\n", "")
    (tmp_path / "churnrisk.toml").write_text(settings, "utf-8")
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "mine.py").write_text(OWN, "utf-8")
    return tmp_path


def test_a_search_is_told_of_kept_for_the_next_run_and_each_trial_is_in_mlflow(
    extract: Path, command: Command
) -> None:
    said = command("-q", "-w", extract, "train", "--as-of", "2026-06-30", "--tune-minutes", "1", "--json")
    assert said.code == 0
    assert any(warning.startswith("tuned in 2 trials") for warning in said.plain["warnings"])
    assert (extract / "lake" / "tuning.db").is_file()
    with Tracking(MlflowSettings(), extract, {}).opened() as (_, client):
        (experiment,) = (each for each in client.search_experiments() if each.name == "churnrisk")
        runs = client.search_runs([experiment.experiment_id])
        parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        nested = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    # the shipped model and two folds that judge: each searched on rows of its own
    assert len({run.data.tags["churnrisk.search"] for run in nested}) == 3
    assert len(nested) == 6
    assert {run.data.tags["mlflow.parentRunId"] for run in nested} == {parents[0].info.run_id}
    assert {run.data.params["tuning_trials"] for run in parents} == {"2"}


def test_an_own_objective_learns_and_scores_through_the_command_line(extract: Path, command: Command) -> None:
    settings = SETTINGS.format(objective='"mine:asymmetric"')
    (extract / "churnrisk.toml").write_text(settings, "utf-8")
    assert command("-q", "-w", extract, "train", "--as-of", "2026-06-30").code == 0
    (extract / "features" / "mine.py").unlink()
    assert command("-q", "-w", extract, "score", "--as-of", "2026-06-30").code == 0
    said = command("-q", "-w", extract, "train", "--as-of", "2026-06-30")
    assert said.code == 10
    assert "a file mine.py in features/" in said.err
