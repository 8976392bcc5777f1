"""What moved since the night before, and why one customer's risk is what it is: through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from churnrisk.cli import run

from .conftest import AS_OF, Command

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


def added_up(plain: dict[str, Any]) -> None:
    risk, then = plain["risk"], plain["changes"]["risk_then"]
    assert sum(line["effect_pp"] for line in plain["reasons"]) == pytest.approx(100 * risk, abs=1e-9)
    apart = {line["feature"]: line["effect_pp"] for line in plain["reasons"]}
    groups = sum(group["effect_pp"] for group in plain["groups"])
    assert groups + apart["average customer"] == pytest.approx(100 * risk, abs=1e-9)
    if then is not None:
        moved = sum(line["effect_pp"] for line in plain["changes"]["lines"])
        assert moved == pytest.approx(100 * (risk - then), abs=1e-9)


def test_explain_tells_a_listed_customer_what_the_tables_tell(two_nights: Path, command: Command) -> None:
    customer = table(two_nights, "at_risk")["customer_id"][0]
    said = command("-w", two_nights, "explain", customer, "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    plain = said.plain
    added_up(plain)
    score = table(two_nights, "scores").row(by_predicate=pl.col("customer_id") == customer, named=True)
    assert {name: plain[name] for name in ("risk", "risk_low", "risk_high", "band", "value")} == {
        name: score[name] for name in ("risk", "risk_low", "risk_high", "band", "value")
    }
    for name, told in (("reasons", plain["reasons"]), ("changes", plain["changes"]["lines"])):
        own = table(two_nights, name).filter(pl.col("customer_id") == customer).sort("position")
        assert own["sentence"].to_list() == [line["sentence"] for line in told]
        assert own["effect_pp"].to_list() == pytest.approx([line["effect_pp"] for line in told])
    assert plain["changes"]["since"] == THEN
    assert plain["band_realised"]["n"] >= 0
    assert plain["published"] is None


def test_explain_works_for_anybody_scored_and_names_nobody_else(two_nights: Path, command: Command) -> None:
    scores = table(two_nights, "scores")
    listed = table(two_nights, "at_risk")["customer_id"]
    others = scores.filter(~pl.col("customer_id").is_in(listed.implode()))["customer_id"]
    for customer in (others[0], others[-1]):
        said = command("-w", two_nights, "explain", customer, "--as-of", AS_OF)
        assert said.code == 0, said.err
        assert f"Customer {customer}, as of {AS_OF}" in said.out
        assert f"What moved since {THEN}" in said.out
        words = {word.strip(".,:;()") for word in said.out.split()}
        assert not words & (set(scores["customer_id"]) - {customer})


def test_explain_computes_what_no_night_has_kept(two_nights: Path, tmp_path: Path, command: Command) -> None:
    customer = table(two_nights, "at_risk")["customer_id"][0]
    before = command("-w", two_nights, "explain", customer, "--as-of", AS_OF, "--json").plain
    root = tmp_path / "workspace"
    shutil.copytree(two_nights, root, symlinks=True)
    shutil.rmtree(root / "lake" / "inputs")
    said = command("-q", "-w", root, "explain", customer, "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    added_up(said.plain)
    assert said.plain["risk"] == pytest.approx(before["risk"])
    assert said.plain["reasons"] == before["reasons"]
    # the night before is built again from the same sources: the same inputs moved by the same points
    assert [line["feature"] for line in said.plain["changes"]["lines"]] == [
        line["feature"] for line in before["changes"]["lines"]
    ]
    assert said.plain["influence"]["churn_influence"] == pytest.approx(before["influence"]["churn_influence"])


def test_explain_speaks_the_language_of_the_settings(
    two_nights: Path, tmp_path: Path, command: Command
) -> None:
    root = tmp_path / "workspace"
    shutil.copytree(two_nights, root, symlinks=True)
    customer = table(two_nights, "at_risk")["customer_id"][0]
    config = root / "churnrisk.toml"
    plain = config.read_text("utf-8")
    for language, words in (("ru", "Откуда берётся риск"), ("zh", "风险的来源")):
        config.write_text(plain.replace("[lists]", f'[lists]\nlanguage = "{language}"'), "utf-8")
        said = command("-w", root, "explain", customer, "--as-of", AS_OF)
        assert said.code == 0, said.err
        assert words in said.out


def test_a_customer_nobody_knows_or_who_left_is_refused_in_plain_words(
    two_nights: Path, command: Command
) -> None:
    left = pl.read_csv(two_nights / "data" / "customers.csv", infer_schema=False).filter(
        pl.col("left_on") < THEN
    )["customer_id"][0]
    for customer, found in (("nobody", "none with this id"), (left, "one who had left")):
        said = command("-w", two_nights, "explain", customer, "--as-of", AS_OF)
        assert said.code == 2
        assert found in said.err
        plain = command("-w", two_nights, "explain", customer, "--as-of", AS_OF, "--json").plain
        assert plain["faults"][0]["code"] == "customer_not_scored"


def test_without_a_model_explain_says_how_to_get_one(tmp_path: Path, command: Command) -> None:
    assert command("init", tmp_path).code == 0
    said = command("-w", tmp_path, "explain", "00001")
    assert said.code == 13
    assert "train" in said.err
