"""`churnrisk promote`: refuses, is forced with a reason that stays, and takes a former champion back."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from churnrisk.bundle import PRIOR, Bundle, Provenance
from churnrisk.cli import run
from churnrisk.evidence import TWIN_FOLDER, EvidencedBundle
from churnrisk.learning import takes_over
from churnrisk.promotion import champion_to_beat
from churnrisk.registry import Registry, local_champion
from churnrisk.store import Workspace
from tests.drawn_models import DrawnTraining, drawn_bundle
from tests.drawn_trainings import drawn_result
from training import GateFinding
from training.compare import Champion, Comparison


def test_the_first_model_that_learned_takes_the_place_of_a_rule_and_no_other_champions() -> None:
    learned = drawn_result()
    rule = replace(learned.bundle, provenance=Provenance(parameters={"learner": PRIOR}))
    assert takes_over(learned, None)
    assert takes_over(learned, Champion("1", rule))
    assert not takes_over(learned, Champion("1", learned.bundle))
    assert not takes_over(replace(learned, bundle=rule), Champion("1", rule))
    assert not takes_over(replace(learned, comparison=Comparison("1", "worse")), Champion("1", rule))
    unfit = replace(learned, gates=(GateFinding("better_than_chance", False, "more", "less"),))
    assert not takes_over(unfit, None)


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Versions 1 (champion by training), 2 (worse than 1) and 3 (better than 1)."""
    root = tmp_path_factory.mktemp("telco")
    (root / "churnrisk.toml").write_text("[training]\nshadow = true\n", "utf-8")
    workspace = Workspace.open(root)
    registry = Registry(workspace.config.mlflow, root, {})
    verdicts = (None, Comparison("1", "worse"), Comparison("1", "better"))
    for comparison in verdicts:
        registry.log_training(
            replace(DrawnTraining(), comparison=comparison),
            as_of=date(2026, 6, 30),
            run_id="r",
            code_version="0",
        )
    assert run(["-w", str(root), "promote", "1"]) == 0
    return root


@pytest.fixture
def root(registered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(registered, tmp_path / "telco", symlinks=True))


def promoted(root: Path) -> list[dict[str, Any]]:
    """Rows of run_log, in the order of the clock."""
    found = pl.read_parquet(root / "published/run_log/as_of=2026-06-30/*.parquet", hive_partitioning=False)
    return found.sort("started_at").to_dicts()


def test_a_worse_version_is_refused_with_14_and_nothing_moves(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-w", str(root), "promote", "2"]) == 14
    assert "--force and --reason" in capsys.readouterr().err
    assert local_champion(root / "models") == "1"
    assert len(promoted(root)) == 1


@pytest.mark.parametrize("options", [["--force"], ["--reason", "because"], ["--force", "--reason", "  "]])
def test_force_and_reason_go_together_and_the_reason_has_words(root: Path, options: list[str]) -> None:
    assert run(["-w", str(root), "promote", "2", *options]) == 2
    assert local_champion(root / "models") == "1"


def test_a_forced_promotion_leaves_its_reason_in_run_log(root: Path) -> None:
    assert run(["-w", str(root), "promote", "2", "--force", "--reason", "the billing export ends"]) == 0
    assert local_champion(root / "models") == "2"
    assert Bundle.load(root / "models" / "champion").model_version == "2"
    row = promoted(root)[-1]
    assert (row["command"], row["outcome"], row["model_version"]) == ("promote", "promoted", "2")
    assert json.loads(row["warnings"]) == ["promoted by force: the billing export ends"]


def test_rollback_is_promoting_a_former_champion(root: Path) -> None:
    """3 was compared with 1; after it took over, 1 comes back although nothing compared it with 3."""
    for version in ("3", "1"):
        assert run(["-w", str(root), "promote", version]) == 0
    assert local_champion(root / "models") == "1"
    assert [row["model_version"] for row in promoted(root)] == ["1", "3", "1"]


def test_models_say_how_each_did_beside_the_champion_and_which_one_challenges(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert run(["-w", str(root), "models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["version"], row["use"], row["beside champion"]) for row in rows] == [
        ("3", "challenger", "better (version 1)"),
        ("2", "", "worse (version 1)"),
        ("1", "champion", ""),
    ]


def test_models_fit_a_terminal_of_80_columns(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    capsys.readouterr()
    assert run(["-w", str(root), "models"]) == 0
    shown = capsys.readouterr().out
    assert "challenger" in shown
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_champion_to_beat_is_fetched_where_its_copy_is_missing(root: Path) -> None:
    shutil.rmtree(root / "models")
    workspace = Workspace.open(root)
    found = champion_to_beat(Registry(workspace.config.mlflow, root, {}), workspace)
    assert found is not None
    assert (found.version, found.twin, found.shipped.features) == ("1", None, drawn_bundle().features)


def test_without_a_champion_there_is_nobody_to_beat(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text("", "utf-8")
    workspace = Workspace.open(tmp_path)
    assert champion_to_beat(Registry(workspace.config.mlflow, tmp_path, {}), workspace) is None


def test_the_judged_model_travels_beside_the_shipped_one(root: Path, tmp_path: Path) -> None:
    result = drawn_result()
    assert result.twin is not None
    EvidencedBundle(result).save(tmp_path / "saved")
    assert Bundle.load(tmp_path / "saved" / TWIN_FOLDER).identity == result.twin.identity
    # where it lies in models/, it is read with the champion
    shutil.copytree(tmp_path / "saved" / TWIN_FOLDER, root / "models" / "1" / TWIN_FOLDER)
    workspace = Workspace.open(root)
    found = champion_to_beat(Registry(workspace.config.mlflow, root, {}), workspace)
    assert found is not None
    assert found.twin is not None
    assert found.twin.provenance.trained_until == result.twin.provenance.trained_until
