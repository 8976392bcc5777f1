"""What moved since the night before, and why one customer's risk is what it is: through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from churnrisk.cli import run

from .conftest import AS_OF

pytestmark = pytest.mark.e2e

THEN = "2026-06-29"


def table(root: Path, name: str, day: str = AS_OF) -> pl.DataFrame:
    return pl.read_parquet(
        root / "published" / name / f"as_of={day}" / "part-0.parquet", hive_partitioning=False
    )


@pytest.fixture(scope="module")
def two_nights(telco: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The telco with the night before published too; tests only read it."""
    root = tmp_path_factory.mktemp("two") / "workspace"
    shutil.copytree(telco, root, symlinks=True, ignore=shutil.ignore_patterns("mlflow.db", "mlartifacts"))
    for day in (THEN, AS_OF):
        assert run(["-q", "-w", str(root), "nightly", "--as-of", day]) == 0
    return root


def test_the_first_night_has_nothing_to_compare_with(telco: Path) -> None:
    made = table(telco, "changes")
    assert set(made["feature"]) == {"not scored before"}
    assert made["effect_pp"].null_count() == made.height == table(telco, "at_risk").height
    assert table(telco, "at_risk")["changed"].null_count() == made.height


def test_changes_add_up_to_the_difference_of_the_two_nights(two_nights: Path) -> None:
    made = table(two_nights, "changes").filter(pl.col("since").is_not_null())
    risks = table(two_nights, "scores").join(
        table(two_nights, "scores", THEN), on="customer_id", suffix="_then"
    )
    whole = made.group_by("customer_id").agg(pl.col("effect_pp").sum()).join(risks, on="customer_id")
    assert whole.height >= 5
    difference = 100 * (whole["risk"] - whole["risk_then"])
    assert whole["effect_pp"].to_list() == pytest.approx(difference.to_list(), abs=1e-9)
    told = made.filter(pl.col("value_now").is_not_null())
    assert told.height > whole.height
    assert (told["value_before"] != told["value_now"]).fill_null(value=True).all()
    assert not [name for name in made["feature"] if "exposure" in name or "churn" in name]
    assert {"another model", "later data", "inputs not kept"}.isdisjoint(made["feature"])


def test_what_moved_is_on_the_list_and_in_the_report(two_nights: Path) -> None:
    listed = table(two_nights, "at_risk").filter("may_contact", pl.col("changed").is_not_null())
    assert listed.height
    assert listed["changed"].str.contains(f"points since {THEN}").all()
    page = (two_nights / "reports" / AS_OF / "index.html").read_text("utf-8")
    assert "Since the night before" in page
    assert "changed" in (two_nights / "lists" / AS_OF / "at_risk.csv").read_text("utf-8-sig").splitlines()[0]


def test_what_a_night_keeps_holds_no_id(two_nights: Path) -> None:
    ids = {*table(two_nights, "scores")["customer_id"]}
    kept = list((two_nights / "lake" / "inputs").rglob("part-0.parquet"))
    assert len(kept) == 2
    for path in kept:
        frame = pl.read_parquet(path, hive_partitioning=False)
        texts = [frame[name] for name in frame.columns if frame.schema[name] == pl.String]
        assert not any(ids & set(column) for column in texts)
        model = json.loads((path.parent / "model.json").read_text())
        assert set(model) == {"run_id", "model", "learner", "calibrator"}
