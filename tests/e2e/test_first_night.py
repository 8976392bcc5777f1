"""The first night, from files to lists, through the command line."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
from datetime import date
from pathlib import Path

import fastexcel
import polars as pl
import pytest

import churnrisk
from churnrisk.cli import run
from churnrisk.errors import UsageError
from churnrisk.store import Engine
from churnrisk.tables.published import PUBLISHED

from .conftest import AS_OF, Command

pytestmark = pytest.mark.e2e


def parquet(root: Path, table: str, day: str = AS_OF, top: str = "published") -> pl.DataFrame:
    return pl.read_parquet(root / top / table / f"as_of={day}" / "part-*.parquet", hive_partitioning=False)


def fingerprints(root: Path) -> dict[str, str]:
    """Content of everything that the same night must write again byte by byte."""
    wanted = [
        *root.glob("published/*/*/*.parquet"),
        *root.glob("restricted/*/*/*.parquet"),
        *root.glob("lists/*/*"),
    ]
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in wanted
        if "run_log" not in path.parts
    }


def test_everybody_scored_is_a_customer_who_has_not_left(telco: Path) -> None:
    scores = parquet(telco, "scores")
    customers = pl.read_csv(telco / "data" / "customers.csv", infer_schema=False)
    left = customers.filter(pl.col("left_on") <= AS_OF)["customer_id"]
    assert scores.height > 1000
    assert set(scores["customer_id"]) <= set(customers["customer_id"])
    assert not set(scores["customer_id"]) & set(left)
    assert scores["customer_id"].is_unique().all()
    assert all(identity.startswith("0") for identity in scores["customer_id"].head(5))


def test_customers_in_notice_are_neither_scored_nor_listed(telco: Path) -> None:
    customers = pl.read_csv(telco / "data" / "customers.csv", infer_schema=False)
    in_notice = customers.filter((pl.col("left_known_at") <= AS_OF) & (pl.col("left_on") > AS_OF))
    assert not set(parquet(telco, "scores")["customer_id"]) & set(in_notice["customer_id"])


def test_the_list_is_ranked_by_risk_times_value_and_value_around_within_capacity_and_consent(
    telco: Path,
) -> None:
    listed = parquet(telco, "at_risk").sort("position")
    capacity = churnrisk.open(telco)._folder.config.team.daily_capacity
    called, left = (
        listed.filter(pl.col("left_out_for").is_null()),
        listed.filter("may_contact", ~pl.col("left_out_for").is_null()),
    )
    # those asked first and those left alone to measure by stand in it, and the next take their places
    assert called.height == capacity
    assert left.height > 0
    assert set(left["left_out_for"]) <= {
        "asked_first",
        "offered_instead",
        "campaign_hold_out",
        "trial_hold_out",
    }
    made = pl.read_csv(telco / "lists" / AS_OF / "at_risk.csv", infer_schema=False)
    assert made["customer_id"].to_list() == called["customer_id"].to_list()
    assert listed["spillover_value"].null_count() < listed.height
    loss = (listed["risk"] * (listed["value"] + listed["spillover_value"].fill_null(0.0))).to_list()
    assert loss == sorted(loss, reverse=True)
    assert listed["reasons"].null_count() == 0


def test_reasons_add_up_in_order_and_name_no_other_customer(telco: Path) -> None:
    reasons, scores = parquet(telco, "reasons"), parquet(telco, "scores")
    ids = set(scores["customer_id"])
    whole = reasons.group_by("customer_id").agg(pl.col("effect_pp").sum()).join(scores, on="customer_id")
    assert set(whole["customer_id"]) == set(parquet(telco, "at_risk")["customer_id"])
    assert whole["effect_pp"].to_list() == pytest.approx((100 * whole["risk"]).to_list(), abs=1e-9)
    orders = reasons.group_by("customer_id").agg(
        is_counted=(pl.col("position") == pl.int_range(1, pl.len() + 1)).all(), last=pl.col("feature").tail(2)
    )
    assert orders["is_counted"].all()
    assert orders["last"].to_list() == [["other inputs", "average customer"]] * orders.height
    for sentence in reasons["sentence"]:
        assert not any(word.strip(".,") in ids for word in sentence.split())


def test_the_files_hold_only_those_to_call_and_open_as_they_are(telco: Path) -> None:
    folder = telco / "lists" / AS_OF
    with (folder / "at_risk.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    table = parquet(telco, "at_risk").filter(pl.col("left_out_for").is_null()).sort("position")
    assert [row["customer_id"] for row in rows] == table["customer_id"].to_list()
    assert list(rows[0])[:3] == ["name", "phone", "owner"]
    sheet = fastexcel.read_excel(folder / "at_risk.xlsx").load_sheet(0).to_polars()
    assert sheet["customer_id"].cast(pl.String).to_list() == table["customer_id"].to_list()
    names = "".join(row["name"] + row["owner"] for row in rows)
    assert any("\u4e00" <= letter <= "\u9fff" for letter in names)
    assert any("\u0400" <= letter <= "\u04ff" for letter in names)
    assert "".join(sheet["name"]) + "".join(sheet["owner"]) == "".join(r["name"] for r in rows) + "".join(
        r["owner"] for r in rows
    )
    assert zipfile.is_zipfile(folder / "at_risk.xlsx")


def test_promoters_are_listed_by_their_influence_as_csv_and_as_a_workbook(telco: Path) -> None:
    folder = telco / "lists" / AS_OF
    with (folder / "promoters.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    network = parquet(telco, "network")
    known = dict(network.select("customer_id", "promoter_influence").iter_rows())
    assert rows
    assert list(rows[0])[:3] == ["name", "phone", "owner"]
    amounts = [known[row["customer_id"]] for row in rows]
    assert all(amount is not None and amount >= 0 for amount in amounts)
    assert amounts == sorted(amounts, reverse=True)
    assert {row["is_long_tenured"] for row in rows} <= {"true", "false", ""}
    sheet = fastexcel.read_excel(folder / "promoters.xlsx").load_sheet(0).to_polars()
    assert sheet["customer_id"].cast(pl.String).to_list() == [row["customer_id"] for row in rows]


def test_influence_in_money_is_filled_and_of_the_right_kind_of_customer(telco: Path) -> None:
    network = parquet(telco, "network")
    listed = parquet(telco, "at_risk").join(network, on="customer_id")
    assert listed["spillover_value"].equals(listed["churn_influence"], null_equal=True)
    both = network.filter((pl.col("detractor_influence") > 0) & (pl.col("promoter_influence") > 0))
    assert both.is_empty()
    assert (network["detractor_influence"] > 0).any()
    assert network.filter(pl.col("n_ties") == 0)["churn_influence"].sum() == 0


def test_no_published_figure_says_what_one_neighbour_did(telco: Path) -> None:
    network = parquet(telco, "network")
    few = network.filter(pl.col("n_ties").fill_null(0) < 5)
    exposures = [name for name in network.columns if name.endswith("_exposure")]
    assert exposures
    assert few.height
    for name in exposures:
        assert few[name].null_count() == few.height
        steps = network[name].drop_nulls() / 0.05
        assert steps.len()
        assert ((steps - steps.round()).abs() < 1e-9).all()
    assert not [name for name in parquet(telco, "features").columns if "exposure" in name]


def test_carried_columns_are_on_lists_only(telco: Path) -> None:
    with (telco / "lists" / AS_OF / "at_risk.csv").open(encoding="utf-8-sig", newline="") as file:
        row = next(csv.DictReader(file))
    assert row["name"]
    page = (telco / "reports" / AS_OF / "index.html").read_text("utf-8")
    assert row["phone"] not in page
    assert row["name"] not in page
    for path in telco.glob("published/*/*/*.parquet"):
        rows = pl.read_parquet(path)
        # "name" in monitoring is what was looked at
        of_people = {"phone"} | ({"name"} if path.parts[-3] != "monitoring" else set())
        of_people |= {"owner"} if path.parts[-3] != "alerts" else set()  # a colleague, who must be told
        assert not of_people & {column.removeprefix("attribute_") for column in rows.columns}
        told = {text for column in rows.select(pl.col(pl.String)) for text in column}
        assert not {row["name"], row["phone"]} & told


def test_the_duckdb_copy_holds_the_latest_date_of_every_open_table(telco: Path) -> None:
    with Engine() as engine:
        engine.execute(f"attach '{telco / 'published' / 'churnrisk.duckdb'}' as latest (read_only)")
        for table in ("scores", "reasons", "at_risk", "network", "features", "run_log"):
            rows = engine.frame(
                f"select count(*) as n, min(as_of) as first, max(as_of) as last from latest.{table}"
            )
            assert rows["n"][0] > 0
            assert rows["first"][0] == rows["last"][0] == date.fromisoformat(AS_OF)


def test_published_tables_have_the_columns_of_their_contract(telco: Path) -> None:
    for name in ("scores", "reasons", "at_risk", "network", "run_log"):
        assert parquet(telco, name).columns == [column.name for column in PUBLISHED[name].columns]
    assert parquet(telco, "ties", top="restricted").height > 0


def test_the_same_night_twice_gives_the_same_bytes(own_telco: Path) -> None:
    before = fingerprints(own_telco)
    assert len(before) >= 7
    assert run(["-q", "-w", str(own_telco), "nightly", "--as-of", AS_OF]) == 0
    assert fingerprints(own_telco) == before


def test_a_night_on_one_thread_gives_the_same_bytes_as_on_two(own_telco: Path) -> None:
    before = fingerprints(own_telco)
    config = own_telco / "churnrisk.toml"
    limits = {"threads": "1", "memory_limit": '"1GB"'}
    lines = "\n".join(f"{key} = {value}" for key, value in limits.items())
    config.write_text(f"{config.read_text('utf-8')}\n[engine]\n{lines}\n", "utf-8")
    assert run(["-q", "-w", str(own_telco), "nightly", "--as-of", AS_OF]) == 0
    assert fingerprints(own_telco) == before


def test_a_failed_night_leaves_yesterdays_tables_and_says_so(own_telco: Path, command: Command) -> None:
    before = fingerprints(own_telco)
    calls = max((own_telco / "data" / "calls").glob("*.parquet"))
    content = calls.read_bytes()
    calls.write_bytes(content[: len(content) // 2])
    said = command("-q", "-w", own_telco, "nightly", "--as-of", "2026-07-01", "--json")
    assert said.code == 11
    assert said.plain["faults"][0]["code"] == "file_cut"
    assert fingerprints(own_telco) == before


def test_a_night_with_a_stale_source_stops_with_its_own_code(own_telco: Path, command: Command) -> None:
    config = own_telco / "churnrisk.toml"
    text = config.read_text("utf-8").replace("[sources.calls]\n", "[sources.calls]\nmax_age_days = 3\n")
    config.write_text(text, "utf-8")
    said = command("-q", "-w", own_telco, "nightly", "--as-of", "2026-07-20")
    assert said.code == 12
    assert "calls" in said.err
    assert pl.read_parquet(own_telco / "published/run_log/as_of=2026-07-20/*.parquet")[
        "outcome"
    ].to_list() == ["failed"]
    config.write_text(f"{text}\n[quality]\n{'publish_despite_stale'} = true\n", "utf-8")
    assert command("-q", "-w", own_telco, "nightly", "--as-of", "2026-07-20").code == 0


def test_backfill_publishes_marked_tables_and_nothing_else(own_telco: Path, command: Command) -> None:
    lists, latest = (
        set(own_telco.glob("lists/*")),
        (own_telco / "published" / "churnrisk.duckdb").read_bytes(),
    )
    said = command(
        "-q",
        "-w",
        own_telco,
        "backfill",
        "--from",
        "2026-05-01",
        "--to",
        "2026-05-15",
        "--every",
        "14",
        "--json",
    )
    assert said.code == 0
    assert [night["as_of"] for night in said.plain] == ["2026-05-01", "2026-05-15"]
    assert parquet(own_telco, "scores", "2026-05-01")["is_hindsight"].all()
    assert not parquet(own_telco, "scores")["is_hindsight"].any()
    assert set(own_telco.glob("lists/*")) == lists
    assert not (own_telco / "reports" / "2026-05-01").exists()
    assert (own_telco / "published" / "churnrisk.duckdb").read_bytes() == latest


def ledger_rows(root: Path) -> list[str]:
    with sqlite3.connect(root / "operations.db") as db:
        return list(db.iterdump())


def tables_of(root: Path, day: str) -> dict[str, pl.DataFrame]:
    """All published tables of a date but for who made them, those that name pairs of customers included."""
    places = [*root.glob(f"published/*/as_of={day}"), *root.glob(f"restricted/*/as_of={day}")]
    return {
        place.parent.name: parquet(root, place.parent.name, day, place.parents[1].name).drop("run_id")
        for place in places
        if place.parent.name != "run_log"
    }


def test_a_date_that_was_decided_is_scored_and_backfilled_as_it_was_decided(
    own_telco: Path, command: Command
) -> None:
    decided = tables_of(own_telco, AS_OF)
    kept = ledger_rows(own_telco)
    files = {path: digest for path, digest in fingerprints(own_telco).items() if path.startswith("lists/")}
    assert {"at_risk", "survey_requests", "offers_ranked", "approaches", "changes", "network"} < set(decided)
    assert {"campaign_hold_out", "trial_hold_out"} & set(decided["at_risk"]["left_out_for"])
    for told in (("backfill", "--from", AS_OF, "--to", AS_OF), ("score", "--as-of", AS_OF)):
        assert command("-q", "-w", own_telco, *told).code == 0
        again = tables_of(own_telco, AS_OF)
        assert set(again) == set(decided)
        for name, frame in decided.items():
            assert again[name].equals(frame, null_equal=True), (told[0], name)
        assert fingerprints(own_telco).items() >= files.items()
    with Engine() as engine:
        engine.execute(f"attach '{own_telco / 'published' / 'churnrisk.duckdb'}' as bi (read_only)")
        left = engine.frame("select left_out_for from bi.at_risk order by position")["left_out_for"]
    assert left.to_list() == decided["at_risk"].sort("position")["left_out_for"].to_list()
    assert ledger_rows(own_telco) == kept


def test_what_is_recorded_after_a_date_was_decided_changes_nothing_that_is_published_of_it(
    own_telco: Path, command: Command
) -> None:
    """The second night: some rest after the first, and of all it is told what changed since."""
    day = "2026-07-01"
    assert command("-q", "-w", own_telco, "nightly", "--as-of", day).code == 0
    decided = tables_of(own_telco, day)
    assert "quiet_days" in set(decided["at_risk"]["left_out_for"])
    assert decided["at_risk"]["changed"].null_count() == 0
    called = decided["at_risk"].filter(pl.col("left_out_for").is_null())["customer_id"]
    for kind, head, row in (
        ("suppressions", "customer_id,since", f"{called[0]},2026-06-01"),
        ("consents", "customer_id,consent,value,at", f"{called[1]},may_contact,no,2026-06-25"),
        ("contacts", "customer_id,at,channel,purpose", f"{called[2]},2026-06-29,call,offer"),
    ):
        path = own_telco / f"{kind}.csv"
        path.write_text(f"{head}\n{row}\n", "utf-8")
        said = command("-q", "-w", own_telco, "record", kind, path, "--json")
        assert (said.code, said.plain["n_new"]) == (0, 1), said
    for told in (("backfill", "--from", day, "--to", day), ("score", "--as-of", day)):
        assert command("-q", "-w", own_telco, *told).code == 0
        again = tables_of(own_telco, day)
        assert set(again) == set(decided)
        for name, frame in decided.items():
            assert again[name].equals(frame, null_equal=True), (told[0], name)


def test_a_column_that_the_model_left_aside_is_not_published(own_telco: Path, command: Command) -> None:
    config = own_telco / "churnrisk.toml"
    text = config.read_text("utf-8")
    assert "carry = " in text
    config.write_text(text.replace("carry = ", "# carry = "), "utf-8")
    assert command("-q", "-w", own_telco, "nightly", "--as-of", AS_OF).code == 0
    columns = parquet(own_telco, "features").columns
    assert not {"attribute_phone", "attribute_name", "attribute_owner"} & set(columns)
    assert "tenure_days" in columns


def test_ties_are_published_only_when_asked_for(own_telco: Path, command: Command) -> None:
    assert parquet(own_telco, "ties", top="restricted").height > 0
    config = own_telco / "churnrisk.toml"
    text = config.read_text("utf-8")
    assert "publish_ties = true" in text
    config.write_text(text.replace("publish_ties = true", "publish_ties = false"), "utf-8")
    assert command("-q", "-w", own_telco, "nightly", "--as-of", AS_OF).code == 0
    assert not list(own_telco.glob("restricted/ties/*/*"))
    assert not list(own_telco.rglob("published/**/ties*"))


def test_a_source_that_did_not_exist_in_training_stops_the_night_by_name(
    own_telco: Path, command: Command
) -> None:
    config = own_telco / "churnrisk.toml"
    text = config.read_text("utf-8")
    config.write_text(text.replace('[sources.usage]\npath = "data/usage.csv"\n', ""), "utf-8")
    said = command("-q", "-w", own_telco, "nightly", "--as-of", AS_OF)
    assert said.code == 13
    assert "usage_" in said.err


def test_a_date_before_anybody_joined_is_refused_in_plain_words(own_telco: Path, command: Command) -> None:
    before = fingerprints(own_telco)
    said = command("-q", "-w", own_telco, "nightly", "--as-of", "1999-01-01")
    assert said.code == 2
    assert "when the data begin" in said.err
    assert fingerprints(own_telco) == before


def test_score_publishes_tables_and_lists_without_a_report(own_telco: Path, command: Command) -> None:
    assert command("-q", "-w", own_telco, "score", "--as-of", "2026-06-29").code == 0
    assert (own_telco / "lists" / "2026-06-29" / "at_risk.csv").is_file()
    assert not (own_telco / "reports" / "2026-06-29").exists()


def test_no_log_line_and_no_table_in_the_lake_holds_a_customers_id(own_telco: Path) -> None:
    ids = parquet(own_telco, "scores")["customer_id"].to_list()
    done = subprocess.run(
        [sys.executable, "-m", "churnrisk", "-w", str(own_telco), "nightly", "--as-of", AS_OF],
        capture_output=True,
        text=True,
        check=True,
        cwd=own_telco,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert "event=publish" in done.stderr
    assert not set(done.stderr.replace("=", " ").split()) & set(ids)
    inside = [path for path in own_telco.rglob("lake/**/*.parquet") if path.name != "keys.parquet"]
    assert len(inside) >= 7
    for path in inside:
        assert "customer_id" not in pl.read_parquet_schema(path)


def test_the_workspace_moves_with_its_models(own_telco: Path, command: Command) -> None:
    moved = own_telco.rename(own_telco.with_name("moved"))
    assert command("-q", "-w", moved, "nightly", "--as-of", AS_OF).code == 0


def test_features_are_shown_and_written(telco: Path, tmp_path: Path, command: Command) -> None:
    said = command("-q", "-w", telco, "features", "--as-of", AS_OF, "--output", tmp_path / "f.parquet")
    assert said.code == 0
    assert pl.read_parquet(tmp_path / "f.parquet").height == parquet(telco, "scores").height


def test_a_place_that_cannot_be_written_is_named(telco: Path, tmp_path: Path, command: Command) -> None:
    said = command(
        "-q", "-w", telco, "features", "--as-of", AS_OF, "--output", tmp_path / "none" / "f.parquet"
    )
    assert said.code == 2
    assert "expected a folder that exists" in said.err


def test_python_reads_what_the_command_line_published(telco: Path) -> None:
    workspace = churnrisk.open(telco)
    assert workspace.table("scores").equals(parquet(telco, "scores"))
    assert workspace.table("scores", AS_OF).height == workspace.table("scores").height
    ties = workspace.ties(AS_OF)
    assert ties is not None
    assert ties.number_of_edges() == ties.to_networkx().number_of_edges() > 1000
    customer, other, facts = next(iter(ties.edges(data=True)))
    assert ties[customer][other]["weight"] == facts["strength"] > 0
    assert ties.contacts().out_degree(customer) + ties.contacts().in_degree(customer) >= ties.degree(customer)


@pytest.mark.parametrize("name", ["nothing", "scores"])
def test_a_table_that_is_not_there_is_answered_with_what_is(telco: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        churnrisk.open(telco).table(name, "1999-01-01")
    assert caught.value.faults[0].available


def test_schema_describes_one_table_or_all(command: Command) -> None:
    assert "risk_low" in command("schema", "scores").out
    everything = command("schema", "--json").plain
    assert {"customers", "calls"} <= set(everything["sources"])
    assert set(PUBLISHED) == set(everything["published"])
    assert command("schema", "scorse").code == 2


def test_init_writes_a_workspace_once(tmp_path: Path, command: Command) -> None:
    assert command("init", tmp_path / "new").code == 0
    assert command("init", tmp_path / "new").code == 2
    said = command("-w", tmp_path / "new", "check", "--as-of", AS_OF, "--json")
    assert said.code == 12
    assert {fault["code"] for fault in said.plain["faults"]} == {"file_missing"}
    assert len(said.plain["faults"]) >= 3


def test_without_a_model_the_night_says_how_to_get_one(own_telco: Path, command: Command) -> None:
    (own_telco / "models" / "champion").unlink()
    said = command("-q", "-w", own_telco, "nightly", "--as-of", AS_OF)
    assert said.code == 13
    assert "churnrisk train" in said.err


def test_another_run_in_the_workspace_is_refused(own_telco: Path, command: Command) -> None:
    with churnrisk.open(own_telco)._folder.held("other"):
        assert command("-q", "-w", own_telco, "nightly", "--as-of", AS_OF).code == 15


def test_a_wrong_setting_is_exit_10_with_all_faults(tmp_path: Path, command: Command) -> None:
    (tmp_path / "churnrisk.toml").write_text("[tim]\n[team]\ndaily_capacity = 0\n", "utf-8")
    said = command("-w", tmp_path, "check", "--json")
    assert said.code == 10
    assert [fault["code"] for fault in said.plain["faults"]] == ["setting_invalid", "setting_unknown"]


def test_a_mistyped_command_is_exit_2(command: Command) -> None:
    assert command("nigthly").code == 2


def test_an_unreadable_day_is_exit_2(telco: Path, command: Command) -> None:
    assert command("-w", telco, "nightly", "--as-of", "30.06.2026").code == 2


def test_models_are_listed_and_promoted(telco: Path, command: Command) -> None:
    listed = command("-w", telco, "models", "--json").plain
    assert [row["use"] for row in listed] == ["champion"]
    said = command("-w", telco, "promote", "1", "--json")
    assert said.plain["champion"] == "1"
    assert json.loads((telco / "models" / "champion" / "bundle.json").read_text("utf-8"))
    assert command("-w", telco, "promote", "7").code == 13
