"""A model judged through the command line: page, tables, names apart, artifacts in MLflow, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

import mlflow
import polars as pl
import pytest

from churnrisk import open as open_workspace
from churnrisk.evaluating import HEADS

from .conftest import AS_OF, Command

pytestmark = pytest.mark.e2e


def artifacts(root: Path, run_id: str) -> list[Path]:
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{root / 'mlflow.db'}")
    place = Path(client.get_run(run_id).info.artifact_uri.removeprefix("file://"))
    return sorted(path for path in place.rglob("*") if path.is_file())


def test_evaluate_judges_a_twin_and_writes_page_tables_names_and_artifacts(
    own_telco: Path, command: Command
) -> None:
    settings = own_telco / "churnrisk.toml"
    text = settings.read_text("utf-8")
    settings.write_text(
        f'{text}\n[training]\nleave_out = ["age_band"]\n\n[evaluation]\nby = ["region"]\ntest_snapshots = 2\n'
    )
    before = sorted(path.name for path in (own_telco / "published").iterdir())
    said = command("-w", own_telco, "evaluate", "--as-of", AS_OF, "--by", "age_band", "--json")
    assert said.code == 0, said.err
    plain = said.plain
    assert plain["judged"] == "twin"
    assert plain["kind"] == "out of time"
    assert len(plain["looks"]) == 2
    assert set(plain["sentences"]) == set(HEADS)
    assert not [note for note in plain["notes"] if "customers' file" in note]

    page = Path(plain["page"]).read_text("utf-8")
    assert Path(plain["page"]) == own_telco / "reports" / AS_OF / "evaluation" / "index.html"
    assert all(title in page for title in HEADS.values())
    tables = Path(plain["folder"])
    assert {path.stem for path in tables.glob("*.csv")} == set(plain["tables"])
    assert pl.read_parquet(tables / "gain.parquet").height == 100
    fairness = pl.read_csv(tables / "fairness.csv")
    assert set(fairness["attribute"]) == {"region", "age_band"}

    # age_band is there to judge by and was not learned from
    importance = pl.read_csv(tables / "importance.csv")["feature"].to_list()
    assert "attribute_age_band" not in importance
    named = pl.read_csv(plain["named"], schema_overrides={"customer_id": pl.String})
    assert set(named["kind"]) <= {"satisfied leaver", "dissatisfied stayer"}
    assert Path(plain["named"]).is_relative_to(own_telco / "restricted")
    assert sorted(path.name for path in (own_telco / "published").iterdir()) == before

    logged = artifacts(own_telco, plain["tracking_run_id"])
    names = {path.name for path in logged}
    assert {"index.html", "gain.csv", "bands.csv", "lift.png", "gain.svg"} <= names
    ids = set(named["customer_id"])
    for path in (path for path in logged if path.suffix in {".csv", ".html", ".svg"}):
        content = path.read_text("utf-8")
        assert "age_band" not in content
        assert not any(f">{each}<" in content or f",{each}," in content for each in ids)
    assert (tables / "lead_time.csv").is_file()
    lead = pl.read_csv(tables / "lead_time.csv")
    assert lead["days_from"].to_list()[:1] == [0]


def test_an_unknown_column_is_refused_with_the_columns_that_are_there(
    own_telco: Path, command: Command
) -> None:
    said = command("-w", own_telco, "evaluate", "--as-of", AS_OF, "--by", "shoe_size", "--json")
    assert said.code == 10
    fault = json.loads(said.out)["faults"][0]
    assert fault["code"] == "column_unknown"
    assert "region" in fault["available"]


def test_a_leave_out_that_names_nothing_stops_a_training_too(own_telco: Path, command: Command) -> None:
    settings = own_telco / "churnrisk.toml"
    settings.write_text(settings.read_text("utf-8") + '\n[training]\nleave_out = ["gendr"]\n')
    said = command("-w", own_telco, "train", "--as-of", AS_OF, "--json")
    assert said.code == 10
    assert "gendr" in said.out
    assert open_workspace(own_telco).models() == []


def test_a_customers_file_that_ends_before_the_date_looked_from_is_told_by_train_and_evaluate(
    own_telco: Path, command: Command
) -> None:
    """Of the same customers, what a file of 10 June knew; the file as it is says nothing of the kind."""
    assert "customers' file" not in (own_telco / "models" / "champion" / "card.md").read_text("utf-8")
    path, end = own_telco / "data" / "customers.csv", "2026-06-11"
    table = pl.read_csv(path, infer_schema=False)
    is_known = pl.col("left_known_at").str.slice(0, 10) < end
    then = table.filter(pl.col("valid_from").str.slice(0, 10) < end, pl.col("joined_on") < end).with_columns(
        pl.when(is_known).then(pl.col("left_on", "left_known_at", "left_reason"))
    )
    assert 0 < then["left_on"].drop_nulls().len() < table["left_on"].drop_nulls().len()
    then.write_csv(path)
    words = "the customers' file: nothing in it changed after 2026-06-09, 21 days before 2026-06-30"
    trained = command("-w", own_telco, "train", "--as-of", AS_OF)
    assert f"Warning: {words}" in trained.out
    cards = [path.read_text("utf-8") for path in own_telco.glob("mlartifacts/**/card.md")]
    assert cards
    assert all(words in card.partition("## Remarks")[2] for card in cards)
    judged = command("-w", own_telco, "evaluate", "--as-of", AS_OF)
    assert judged.code == 0, judged.err
    assert f"Note: {words}" in judged.out
    page = own_telco / "reports" / AS_OF / "evaluation" / "index.html"
    assert "nothing in it changed after 2026-06-09" in page.read_text("utf-8")
