"""A training is logged whole, registered without a pickle, and promoted so that the night needs no server."""

from __future__ import annotations

import json
import os
import shutil
import warnings
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from churnrisk import for_model
from churnrisk.bundle import Bundle
from churnrisk.config import MlflowSettings
from churnrisk.errors import ConfigError, GateRefused, ModelUnfit
from churnrisk.metrics import Interval
from churnrisk.registry import CHALLENGER, Forced, ModelVersion, Registry, local_champion, local_versions
from churnrisk.registry.local import pointed_at
from churnrisk.registry.tracking import Tracking
from tests.drawn_models import DrawnGate, DrawnTraining, DrawnTrial
from training.compare import Comparison, Verdict

DAY = date(2026, 6, 30)
PICTURES = {"roc.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>"}
UNFIT = replace(DrawnTraining(), gates=(DrawnGate("enough_leavers", is_passed=False),))
TRIALS = (DrawnTrial(0, "complete", 0.41, is_default=True), DrawnTrial(1, "pruned", None, n_trees=None))


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[ModelVersion]]:
    """One database for all: making its tables takes seconds. Two fit trainings, then an unfit one, none promoted."""
    root = tmp_path_factory.mktemp("моя телеком")
    registry = Registry(MlflowSettings(), root, {})
    results = (DrawnTraining(), replace(DrawnTraining(), trials=TRIALS), UNFIT)
    logged = [
        registry.log_training(result, as_of=DAY, run_id=f"run-{n}", code_version="0.1.0", pictures=PICTURES)
        for n, result in enumerate(results)
    ]
    return root, logged


@pytest.fixture
def root(trained_workspace: tuple[Path, list[ModelVersion]], tmp_path: Path) -> Path:
    """A workspace of one's own: the session's, copied to another folder (as users do)."""
    return Path(shutil.copytree(trained_workspace[0], tmp_path / "moved here"))


def registry_of(root: Path) -> Registry:
    return Registry(MlflowSettings(), root, {})


def run_of(root: Path, version: ModelVersion) -> Any:
    with Tracking(MlflowSettings(), root, {}).opened() as (_, client):
        return client.get_run(version.tracking_run_id)


def test_versions_count_up_and_say_what_they_are(trained_workspace: tuple[Path, list[ModelVersion]]) -> None:
    first, second, unfit = trained_workspace[1]
    assert [each.version for each in (first, second, unfit)] == ["1", "2", "3"]
    assert (first.as_of, first.judged, first.is_fit, first.is_champion) == (
        "2026-06-30",
        "out of time",
        True,
        False,
    )
    assert not unfit.is_fit
    assert first.key_figures == {"auc": 0.8, "empc": 1.5, "empc_treat_all": -0.5}


def test_each_trial_of_a_search_is_a_run_nested_in_the_training(
    root: Path, trained_workspace: tuple[Path, list[ModelVersion]]
) -> None:
    parent = trained_workspace[1][1].tracking_run_id
    with Tracking(MlflowSettings(), root, {}).opened() as (_, client):
        experiment = client.get_run(parent).info.experiment_id
        found = client.search_runs(
            [experiment], f"tags.mlflow.parentRunId = '{parent}' and tags.`churnrisk.kind` = 'trial'"
        )
    nested = sorted(found, key=lambda run: str(run.info.run_name))
    assert [run.info.run_name for run in nested] == ["trial 0 (defaults)", "trial 1"]
    assert [run.info.status for run in nested] == ["FINISHED", "KILLED"]
    assert nested[0].data.metrics == {"loss": 0.41, "n_trees": 120, "seconds": 1.5}
    assert nested[1].data.metrics == {"seconds": 1.5}  # given up: no loss, and not 0
    assert nested[0].data.params == {"learning_rate": "0.05"}
    assert nested[0].data.tags["churnrisk.search"] == "a search"


def test_everything_about_a_training_is_logged(
    root: Path, trained_workspace: tuple[Path, list[ModelVersion]]
) -> None:
    version = trained_workspace[1][0]
    run = run_of(root, version)
    assert run.data.params["n_trees"] == "20"
    assert run.data.params["churn.horizon_days"] == "30"
    assert run.data.metrics["auc_without_network"] == 0.78
    assert "brier" not in run.data.metrics  # undefined is not 0
    assert (run.data.tags["churnrisk.contagion"], run.data.metrics["contagion_ratio_low"]) == ("spreads", 1.5)
    assert run.data.metrics["contagion_z_own_risk_before"] == 0.4
    assert "contagion_z_strangers" not in run.data.metrics
    assert run.data.metrics["network_gain_auc_high"] == 0.05
    assert run.data.metrics["nps_auc_detractor_low"] == 0.6
    assert "nps_auc_passive" not in run.data.metrics  # undefined
    assert run.data.tags["churnrisk.run_id"] == "run-0"
    assert [(each.dataset.name, each.dataset.digest) for each in run.inputs.dataset_inputs] == [
        ("customers", "ab" * 18)
    ]
    with Tracking(MlflowSettings(), root, {}).opened() as (mlflow, _):
        folder = Path(
            mlflow.artifacts.download_artifacts(run_id=version.tracking_run_id, dst_path=str(root / "out"))
        )
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "card.md",
        "comparison.json",
        "contagion.json",
        "dropped.json",
        "features.json",
        "figures.json",
        "fingerprints.json",
        "gates.json",
        "notes.json",
        "pictures/roc.svg",
        "tables/contagion.csv",
        "tables/gain.csv",
        "tables/importance.csv",
        "tables/lifetime.csv",
        "tables/survival.csv",
    ]
    assert json.loads((folder / "figures.json").read_text("utf-8"))["brier"] is None


def test_each_look_is_a_run_below_the_training(
    root: Path, trained_workspace: tuple[Path, list[ModelVersion]]
) -> None:
    parent = trained_workspace[1][0].tracking_run_id
    with Tracking(MlflowSettings(), root, {}).opened() as (_, client):
        experiment = client.get_experiment_by_name("churnrisk")
        assert experiment is not None
        below = client.search_runs(
            [experiment.experiment_id],
            f"tags.`mlflow.parentRunId` = '{parent}' and tags.`churnrisk.kind` = 'snapshot'",
        )
    runs = {run.data.tags["churnrisk.as_of"]: run for run in below}
    assert sorted(runs) == ["2026-03-17", "2026-05-17"]
    test, train = runs["2026-05-17"], runs["2026-03-17"]
    assert (test.data.tags["churnrisk.use"], test.info.status) == ("test", "FINISHED")
    assert (test.data.metrics["n_rows"], test.data.metrics["n_in_notice"], test.data.metrics["auc"]) == (
        100,
        3,
        0.8,
    )
    assert "auc" not in train.data.metrics
    assert test.inputs is not None
    (given,) = test.inputs.dataset_inputs
    assert given.dataset.name == "customers as of 2026-05-17"
    assert [(tag.key, tag.value) for tag in given.tags] == [("mlflow.data.context", "testing")]


def test_nothing_registered_is_a_pickle_or_a_row_of_data(root: Path) -> None:
    registry_of(root).models()
    names = {path.name for path in (root / "mlartifacts" / "models").rglob("*") if path.is_file()}
    assert names == {
        "MLmodel",
        "bundle.json",
        "model.txt",
        "conda.yaml",
        "python_env.yaml",
        "requirements.txt",
    }


def test_a_registered_model_predicts_through_mlflow(root: Path) -> None:
    import pandas as pd

    registry_of(root).promote("2")
    with Tracking(MlflowSettings(), root, {}).opened() as (mlflow, _):
        model = mlflow.pyfunc.load_model("models:/churnrisk@champion")
    risk = model.predict(pd.DataFrame({"tenure_days": [1.0, None], "wait_s": [1.0, 1.5]}))
    assert risk["risk"].tolist() == pytest.approx([0.5, 0.5])  # log-odds -2 + 1 + 1, and -2 + 0.5 + 1.5
    assert [each.name for each in model.metadata.signature.outputs] == ["risk", "risk_low", "risk_high"]
    # counts without a gap are whole numbers: MLflow itself refuses them where numbers are declared (once it takes
    # them, for_model is needed no more), so they go in through for_model
    whole = pd.DataFrame({"wait_s": [1, 2], "tenure_days": [1, 0], "customer_id": ["a", "b"]})
    with pytest.raises(Exception, match="int64 to float64"):
        model.predict(whole)
    assert model.predict(for_model(whole, model))["risk"].tolist() == pytest.approx([0.5, 0.5])


def test_promotion_moves_alias_and_local_champion_together(root: Path) -> None:
    registry = registry_of(root)
    assert registry.champion_version() is None
    assert local_champion(root / "models") is None
    registry.promote("1")
    registry.promote(
        "2", prepare=lambda folder, version: Bundle.load(folder).with_version(version).save(folder)
    )
    assert registry.champion_version() == local_champion(root / "models") == "2"
    assert local_versions(root / "models") == ("1", "2")
    assert Bundle.load(root / "models" / "champion").model_version == "2"
    assert [(each.version, each.is_champion) for each in registry.models()] == [
        ("3", False),
        ("2", True),
        ("1", False),
    ]


def test_the_local_champion_follows_when_the_workspace_moves(root: Path, tmp_path: Path) -> None:
    registry_of(root).promote("1")
    root.rename(tmp_path / "again")
    assert local_champion(tmp_path / "again" / "models") == "1"
    assert registry_of(tmp_path / "again").promote("2").name == "2"


def test_a_copy_that_cannot_be_prepared_changes_nothing(root: Path) -> None:
    registry = registry_of(root)
    registry.promote("1")

    def refuse(folder: Path, version: str) -> None:
        raise ValueError(version, folder.name)

    with pytest.raises(ValueError, match="2"):
        registry.promote("2", prepare=refuse)
    assert registry.champion_version() == local_champion(root / "models") == "1"
    assert local_versions(root / "models") == ("1",)


def test_an_unfit_or_unknown_version_is_not_promoted(root: Path) -> None:
    with pytest.raises(GateRefused, match="version 3"):
        registry_of(root).promote("3")
    with pytest.raises(ModelUnfit, match=r"no version '9'.*Available: 1, 2, 3") as unknown:
        registry_of(root).promote("9")
    assert unknown.value.exit_code == 13
    assert local_champion(root / "models") is None


def compared(verdict: Verdict, champion: str = "1") -> DrawnTraining:
    """A fit training that was compared with a champion."""
    gains = {"auc": Interval(-0.02, -0.03, -0.01), "log_loss": Interval(-0.01, float("nan"), 0.01)}
    return replace(DrawnTraining(), comparison=Comparison(champion, verdict, gains=gains, n_rows=10))


def log(root: Path, result: DrawnTraining) -> ModelVersion:
    return registry_of(root).log_training(result, as_of=DAY, run_id="r", code_version="0.1.0")


FORCED = Forced("the old one reads a source that ends tonight", datetime(2026, 7, 1, 9))


def test_a_version_worse_than_the_champion_is_promoted_by_force_only_and_the_reason_stays(root: Path) -> None:
    registry = registry_of(root)
    registry.promote("1")
    worse = log(root, compared("worse"))
    assert (worse.version, worse.verdict, worse.compared_with) == ("4", "worse", "1")
    run = run_of(root, worse)
    assert (run.data.tags["churnrisk.verdict"], run.data.metrics["over_champion_auc_low"]) == ("worse", -0.03)
    assert "over_champion_log_loss_low" not in run.data.metrics
    with pytest.raises(GateRefused, match="worse than the champion, version 1") as refusal:
        registry.promote("4")
    assert (refusal.value.exit_code, refusal.value.codes) == (14, ("model_worse",))
    assert registry.champion_version() == local_champion(root / "models") == "1"
    registry.promote("4", forced=FORCED)
    assert registry.champion_version() == "4"
    with Tracking(MlflowSettings(), root, {}).opened() as (_, client):
        tags = client.get_model_version("churnrisk", "4").tags
    assert tags["churnrisk.forced_by_reason"] == FORCED.reason
    assert (tags["churnrisk.forced_at"], tags["churnrisk.forced_against"]) == (
        "2026-07-01T09:00:00Z",
        "model_worse",
    )


def test_an_unfit_version_is_promoted_by_force_only(root: Path) -> None:
    registry_of(root).promote("3", forced=FORCED)
    assert local_champion(root / "models") == "3"


@pytest.mark.parametrize("verdict", ["better", "no difference", "not comparable"])
def test_a_version_with_nothing_against_it_is_promoted(root: Path, verdict: Verdict) -> None:
    registry_of(root).promote("1")
    registry_of(root).promote(log(root, compared(verdict)).version)
    assert registry_of(root).champion_version() == "4"


def test_a_comparison_with_another_version_than_the_champion_does_not_count(root: Path) -> None:
    registry_of(root).promote("2")
    assert log(root, compared("better", champion="1")).version == "4"
    with pytest.raises(GateRefused, match="the champion, version 2, found one with version 1"):
        registry_of(root).promote("4")


def test_a_former_champion_comes_back_without_a_comparison(root: Path) -> None:
    registry = registry_of(root)
    registry.promote("1")
    log(root, compared("better"))
    registry.promote("4")
    registry.promote("1")
    assert registry.champion_version() == local_champion(root / "models") == "1"
    registry.promote("4")
    assert registry.champion_version() == "4"


def test_the_newest_fit_version_above_the_champion_is_challenger(root: Path) -> None:
    registry, models = registry_of(root), root / "models"
    assert registry.challenge() is None  # nobody to challenge
    registry.promote("1")
    assert registry.challenge() == pointed_at(models, CHALLENGER) == "2"  # 3 is unfit
    assert [each.version for each in registry.models() if each.is_challenger] == ["2"]
    log(root, compared("better"))
    assert registry.challenge() == pointed_at(models, CHALLENGER) == "4"
    assert local_versions(models) == ("1", "4")  # the copy of 2, never champion, is gone
    registry.promote("4")
    assert registry.challenge() is None
    assert pointed_at(models, CHALLENGER) is None
    assert [each.version for each in registry.models() if each.is_challenger] == []
    registry.promote("1")
    assert registry.challenge() == "4"
    assert local_versions(models) == ("1", "4")


def test_a_bundle_is_fetched_with_all_that_lies_beside_it(root: Path) -> None:
    registry_of(root).fetch("2", root / "fetched")
    assert Bundle.load(root / "fetched").features == DrawnTraining().bundle.features


def test_mlflow_says_nothing_and_the_process_points_where_it_did(
    root: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import mlflow

    elsewhere = root / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        registry = registry_of(root)
        registry.log_training(DrawnTraining(), as_of=DAY, run_id="r", code_version="0.1.0")
        registry.promote("4")
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
    assert not mlflow.is_tracking_uri_set()  # type: ignore[no-untyped-call]
    assert "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR" not in os.environ
    assert list(elsewhere.iterdir()) == []


def test_a_workspace_without_trainings_has_no_models(root: Path) -> None:
    empty = Registry(MlflowSettings(model_name="other"), root, {})
    assert empty.models() == []
    assert empty.champion_version() is None


def test_a_relative_database_lies_in_the_workspace_and_a_server_keeps_its_own_artifacts(
    tmp_path: Path,
) -> None:
    relative = Tracking(MlflowSettings(tracking_uri="sqlite:///runs/ml.db"), tmp_path, {})
    assert relative.uri == f"sqlite:///{tmp_path}/runs/ml.db"
    server = Tracking(
        MlflowSettings(tracking_uri="env:TRACKING"), tmp_path, {"TRACKING": "https://user:secret@ml"}
    )
    assert (server.uri, server.artifact_location) == ("https://user:secret@ml", None)


def test_a_store_that_refuses_is_one_message_without_the_password(tmp_path: Path) -> None:
    tracking = Tracking(
        MlflowSettings(tracking_uri="env:TRACKING"), tmp_path, {"TRACKING": "nosuch://u:secret@host/x"}
    )
    with (
        pytest.raises(ConfigError, match="nosuch://host answered") as refusal,
        tracking.opened() as (_, client),
    ):
        client.search_registered_models()
    assert "secret" not in str(refusal.value)


def test_trainings_go_to_the_experiment_that_the_settings_name(root: Path) -> None:
    settings = MlflowSettings(experiment="retention east", model_name="east")
    version = Registry(settings, root, {}).log_training(
        DrawnTraining(), as_of=DAY, run_id="run-east", code_version="0.1.0", pictures=PICTURES
    )
    assert version.version == "1"
    with Tracking(settings, root, {}).opened() as (_, client):
        named = client.get_experiment_by_name("retention east")
        assert named is not None
        assert client.get_run(version.tracking_run_id).info.experiment_id == named.experiment_id


def test_how_long_customers_stay_is_among_the_figures_and_tables(
    trained_workspace: tuple[Path, list[ModelVersion]],
) -> None:
    root, (version, *_) = trained_workspace
    metrics = run_of(root, version).data.metrics
    assert (metrics["lifetime_rho"], metrics["lifetime_rho_low"]) == (0.8, 0.7)
    assert metrics["lifetime_over_expected_out_of_time"] == 1.011
    with Tracking(MlflowSettings(), root, {}).opened() as (_, client):
        found = {file.path for file in client.list_artifacts(version.tracking_run_id, "tables")}
    assert {"tables/survival.csv", "tables/lifetime.csv"} <= found
