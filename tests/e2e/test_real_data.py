"""Real data, end to end, with the committed configurations."""

from __future__ import annotations

import shutil
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import churnrisk
from churnrisk.metrics import auc
from tests.bench.askubuntu import AS_OF, data_file, workspace_in

from .conftest import Command

pytestmark = pytest.mark.e2e

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def copenhagen(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DATA / "copenhagen", tmp_path / "copenhagen"))


def test_copenhagen_missed_calls_are_kept_and_every_row_is_accounted_for(
    copenhagen: Path, command: Command
) -> None:
    said = command("-q", "-w", copenhagen, "check", "--as-of", "2014-03-01", "--json")
    assert said.code == 0
    calls = next(source for source in said.plain["sources"] if source["source"] == "calls")
    assert calls["n_read"] == 3600 + 24333
    assert calls["n_kept"] + calls["n_quarantined"] == calls["n_read"]
    (path,) = copenhagen.glob("lake/tables/calls/*/part-0.parquet")
    assert pl.read_parquet(path)["is_missed"].sum() == 366
    assert set(calls["faults"]) == {"duplicate_row"}


def test_copenhagen_strength_tells_which_ties_persist(copenhagen: Path) -> None:
    """science.md: days 0-20 against any contact in days 21-27; bar 0.785, standard error 0.016."""
    ties = churnrisk.open(copenhagen).ties("2014-02-22")
    assert ties is not None
    (path,) = copenhagen.glob("lake/tables/calls/*/part-0.parquet")
    split = datetime(2014, 2, 23)
    keys = pl.read_parquet(copenhagen / "lake" / "keys.parquet")
    ids = dict(keys.select("customer_key", "customer_id").iter_rows())
    later = pl.read_parquet(path).filter(
        (pl.col("started_at") >= split) & (pl.col("started_at") < split + timedelta(days=7))
    )
    pairs = {
        frozenset((ids.get(one, one), ids.get(other, other)))
        for one, other in later["caller_key", "callee_key"].iter_rows()
    }
    persists = [frozenset(pair) in pairs for pair in ties.edges]
    found = auc(persists, ties.ties["strength"].to_numpy())
    assert abs(sum(persists) / len(persists) - 0.443) < 0.02
    assert found >= 0.785


def test_one_labelled_extract_is_learned_from_and_scored(tmp_path: Path, command: Command) -> None:
    root = Path(shutil.copytree(DATA / "ibm_telco", tmp_path / "ibm"))
    trained = command("-q", "-w", root, "train", "--json")
    assert trained.code == 0
    assert trained.plain["judged"] == "cross-validated, not out of time"
    assert trained.plain["figures"]["auc"] >= 0.8436
    assert trained.plain["figures"]["log_loss"] <= 0.420
    night = command("-q", "-w", root, "nightly", "--as-of", "2026-06-30", "--json")
    assert night.code == 0
    assert night.plain["rows"]["scores"] == 7043 - 1869
    page = (root / "reports" / "2026-06-30" / "index.html").read_text("utf-8")
    assert "cross-validated" in page.lower()


@pytest.mark.skipif(
    data_file() is None, reason="sx-askubuntu-a2q.txt.gz is not in the repository: see real-data.md"
)
def test_askubuntu_goes_from_a_list_of_answers_to_a_report(tmp_path: Path, command: Command) -> None:
    root = workspace_in(tmp_path / "askubuntu")
    config = root / "churnrisk.toml"
    config.write_text(config.read_text("utf-8").replace("n_snapshots = 4", "n_snapshots = 1"), "utf-8")
    trained = command("-q", "-w", root, "train", "--as-of", AS_OF, "--json")
    assert trained.code == 0
    assert trained.plain["figures"]["auc_low"] > 0.7
    assert trained.plain["ablations"]["auc_without_network"] < trained.plain["figures"]["auc"]
    night = command("-q", "-w", root, "nightly", "--as-of", AS_OF, "--json")
    assert night.code == 0
    assert night.plain["rows"]["scores"] > 10_000
