"""Nights that are watched: what is published, what refuses a night, and predictions whose time is up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from churnrisk.bundle import Bundle

from .conftest import AS_OF, Command
from .test_first_night import fingerprints, parquet

pytestmark = pytest.mark.e2e

NEXT = "2026-07-01"


def set_up(root: Path, more: str) -> None:
    """Add to churnrisk.toml."""
    config = root / "churnrisk.toml"
    config.write_text(f"{config.read_text('utf-8')}\n{more}\n", "utf-8")


def without_surveys(root: Path) -> None:
    """Let the export of the surveys hold nothing that is known by the night."""
    file = root / "data" / "surveys.csv"
    survey = pl.read_csv(file, infer_schema=False).head(1)
    dates = [name for name in survey.columns if name.endswith(("_at", "_on"))]
    survey.with_columns(pl.lit("2026-12-01 10:00:00").alias(name) for name in dates).write_csv(file)


def outcomes(root: Path, day: str) -> list[tuple[str, list[str]]]:
    rows = parquet(root, "run_log", day).sort("started_at")
    return [(row["outcome"], json.loads(row["warnings"])) for row in rows.iter_rows(named=True)]


def test_a_first_night_is_compared_with_the_training_alone(telco: Path) -> None:
    found = parquet(telco, "monitoring")
    assert set(found["baseline"]) == {"training", "test"}
    assert {"source", "input", "score", "performance"} <= set(found["kind"])
    assert set(found.filter(pl.col("kind") == "source")["verdict"]) == {"there"}
    assert found.filter(pl.col("kind") == "input")["p_value"].null_count() == 0
    page = (telco / "reports" / AS_OF / "index.html").read_text("utf-8")
    assert "Can tonight be trusted?" in page
    assert "No published prediction has matured yet" in page


def test_an_empty_source_refuses_the_night_and_leaves_every_table_as_it_was(
    own_telco: Path, command: Command
) -> None:
    without_surveys(own_telco)
    before = fingerprints(own_telco)
    said = command("-q", "-w", own_telco, "nightly", "--as-of", NEXT, "--json")
    assert said.code == 14
    assert [fault["code"] for fault in said.plain["faults"]] == ["source_missing"]
    assert "surveys" in said.plain["faults"][0]["found"]
    assert fingerprints(own_telco) == before
    assert not (own_telco / "reports" / NEXT).exists()
    ((outcome, warnings),) = outcomes(own_telco, NEXT)
    assert outcome == "failed"
    assert "Look at source surveys" in warnings[0]


def test_without_the_refusal_the_night_is_published_with_the_alarm(own_telco: Path, command: Command) -> None:
    without_surveys(own_telco)
    set_up(own_telco, "[monitoring]\nrefuse_on = []\n")
    assert command("-q", "-w", own_telco, "nightly", "--as-of", NEXT).code == 0
    found = parquet(own_telco, "monitoring", NEXT)
    row = found.filter(pl.col("kind") == "source", pl.col("name") == "surveys").to_dicts()[0]
    assert (row["verdict"], row["observed"]) == ("missing", 0)
    assert row["expected"] > 100
    ((outcome, warnings),) = outcomes(own_telco, NEXT)
    assert outcome == "published"
    assert warnings[0].startswith("Source surveys is missing or empty tonight")
    page = (own_telco / "reports" / NEXT / "index.html").read_text("utf-8")
    assert "Source surveys is missing or empty tonight" in page


def test_successive_nights_are_paired_and_the_same_night_twice_gives_the_same_bytes(
    own_telco: Path, command: Command
) -> None:
    strict = (
        '[monitoring]\nrefuse_on = ["source_missing", "source_shrunk", "population_changed", "score_drift"]\n'
    )
    set_up(own_telco, strict + "drift_from = 0.2\nstrong_drift_from = 0.5\n" + "false_discoveries = 0.01\n")
    assert command("-q", "-w", own_telco, "nightly", "--as-of", NEXT).code == 0
    first = fingerprints(own_telco)
    found = parquet(own_telco, "monitoring", NEXT)
    paired = found.filter(pl.col("kind") == "input", pl.col("baseline") == "last_night")
    assert paired.height > 50
    assert paired["n"].n_unique() == 1
    # features that tell of others are not published, so they are compared with the training only
    names = set(found.filter(pl.col("kind") == "input", pl.col("baseline") == "training")["name"])
    assert set(paired["name"]) < names
    assert command("-q", "-w", own_telco, "nightly", "--as-of", NEXT).code == 0
    assert fingerprints(own_telco) == first


def test_predictions_whose_time_is_up_are_judged_on_the_untreated(own_telco: Path, command: Command) -> None:
    champion = own_telco / "models" / "champion"
    bundle = Bundle.load(champion)
    seen = replace(bundle.provenance, trained_until="2026-05-01T00:00:00")
    replace(bundle, provenance=seen).save(champion.resolve())
    assert command("-q", "-w", own_telco, "score", "--as-of", "2026-05-10").code == 0
    made = parquet(own_telco, "scores", "2026-05-10")
    assert not made["is_hindsight"].any()
    set_up(own_telco, "[monitoring]\ncalibration_factor = 1.5\n")
    assert command("-q", "-w", own_telco, "score", "--as-of", AS_OF).code == 0
    found = parquet(own_telco, "monitoring").filter(pl.col("kind") == "calibration")
    everybody = found.filter(pl.col("name") == "all").to_dicts()[0]
    assert str(everybody["baseline_on"]) == "2026-05-10"
    assert 0.9 * made.height < everybody["n"] <= made.height
    assert everybody["low"] < everybody["value"] < everybody["high"]
    bands = found.filter(pl.col("name").str.starts_with("band"))
    assert bands["observed"].sum() == everybody["observed"]
    treat(own_telco, made["customer_id"].sort().head(200).to_list())
    assert command("-q", "-w", own_telco, "score", "--as-of", AS_OF).code == 0
    untreated = (
        parquet(own_telco, "monitoring")
        .filter(pl.col("kind") == "calibration", pl.col("name") == "all")
        .to_dicts()[0]
    )
    assert everybody["n"] - 200 <= untreated["n"] < everybody["n"] - 150


def treat(root: Path, customers: list[str]) -> None:
    """Give an offer to these customers inside the outcome window, and leave some others as controls."""
    offer = pl.read_csv(root / "data" / "offers.csv", infer_schema=False)["offer_id"][0]
    rows = [
        {
            "treatment_id": f"t{number}",
            "customer_id": customer,
            "offer_id": offer,
            "at": "2026-06-01 10:00:00",
        }
        for number, customer in enumerate(customers)
    ]
    pl.DataFrame(rows).write_csv(root / "data" / "treatments.csv")
    set_up(root, '[sources.treatments]\npath = "data/treatments.csv"\n')
