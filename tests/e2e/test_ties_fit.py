"""Tie strength learned from a simulated telco's own ties: logged, stored, carried to the night."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from churnrisk.api import open_workspace
from churnrisk.bundle import TIE_WEIGHTS, Bundle
from churnrisk.cli import run
from churnrisk.registry.tracking import Tracking
from churnrisk.simulate import WorldSettings, simulate, workspace_config
from churnrisk.store import Workspace
from churnrisk.tie_strength import learned_weights, rules_of
from features.ties.blend import DEFAULT_WEIGHTS
from tests.drawn_models import drawn_bundle

pytestmark = pytest.mark.e2e

SETTINGS = WorldSettings(customers=400, days=150, calls_per_day=1.0, end_on=date(2026, 6, 30))


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("telco")
    simulate(folder / "data", SETTINGS)
    (folder / "churnrisk.toml").write_text(workspace_config(SETTINGS), "utf-8")
    return folder


def test_ties_fit_logs_and_stores_what_is_better_and_nothing_else(
    telco: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workspace = Workspace.open(telco)
    workspace.tie_weights.parent.mkdir(exist_ok=True)
    workspace.tie_weights.write_text(json.dumps({"weights": {"active_days": 9.0}}), "utf-8")
    assert (
        run(["-q", "-w", str(telco), "ties", "fit", "--as-of", "2026-06-30", "--days", "21", "--json"]) == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert (said["judged_as_of"], said["days"]) == ("2026-06-09", 21)
    assert set(said["weights"]) == set(DEFAULT_WEIGHTS)
    assert learned_weights(workspace) == (said["weights"] if said["is_better"] else None)
    with Tracking(workspace.config.mlflow, telco, {}).opened() as (_, client):
        logged = client.get_run(said["tracking_run_id"])
        assert client.get_experiment(logged.info.experiment_id).name == "churnrisk-ties"
        assert logged.data.metrics["auc_default"] == pytest.approx(said["figures"]["auc_default"])
        assert logged.data.params["days"] == "21"


def test_a_model_takes_its_tie_strength_along(telco: Path, tmp_path: Path) -> None:
    plain = drawn_bundle()
    weights = {**DEFAULT_WEIGHTS, "silence": -0.5}
    learned = replace(plain, provenance=replace(plain.provenance, parameters={TIE_WEIGHTS: weights}))
    assert (plain.tie_weights, learned.tie_weights) == (None, weights)
    assert plain.identity != learned.identity
    learned.save(tmp_path)
    assert Bundle.load(tmp_path).tie_weights == weights
    workspace = Workspace.open(telco)
    assert rules_of(workspace, learned).weights == weights
    assert rules_of(workspace).weights is None
    assert rules_of(workspace).max_partners == workspace.config.ties.max_partners


def test_the_strength_of_the_champion_is_that_of_the_ties(telco: Path) -> None:
    workspace = Workspace.open(telco)
    before = open_workspace(telco).ties("2026-06-30")
    learned = drawn_bundle()
    weights = {**DEFAULT_WEIGHTS, "silence": -1.0}
    replace(learned, provenance=replace(learned.provenance, parameters={TIE_WEIGHTS: weights})).save(
        workspace.champion
    )
    after = open_workspace(telco).ties("2026-06-30")
    assert before is not None
    assert after is not None
    assert not after.ties["strength"].equals(before.ties["strength"])
    assert after.ties.drop("strength", "attention_ab", "attention_ba").equals(
        before.ties.drop("strength", "attention_ab", "attention_ba")
    )
