"""What makes a whole source impossible: each its own code and message, and all of them in one error."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import polars as pl
import pytest

from churnrisk.errors import ContractError, SourceMissing
from churnrisk.tables.faults import SOURCE_FAULTS
from tests.spec.sources.drawn import HEAD, PEOPLE, drawn, drawn_workspace, faults_of, refusal

CALLS = "caller_id,callee_id,started_at\nann,bob,2026-01-01T10:00:00\n"
HERE = '[sources.calls]\npath = "calls.csv"\n'
NO_CONSENT = '[time]\nzone = "UTC"\n'
NO_ZONE = "[privacy]\nmissing_consent = true\n"


def only_fault(
    root: Path, settings: str, files: dict[str, str | bytes], head: str = HEAD
) -> tuple[str, str, str]:
    """Return code, place and what was found of the one fault."""
    faults = faults_of(root, settings, files, head)
    assert len(faults) == 1, faults
    return faults[0].code, faults[0].where, faults[0].found


def test_a_missing_file_names_the_nearest_one_there(tmp_path: Path) -> None:
    workspace = drawn_workspace(
        tmp_path, '[sources.calls]\npath = "data/cals.csv"\n', {"data/calls.csv": CALLS}
    )
    error = refusal(workspace)
    assert isinstance(error, SourceMissing)
    assert [(fault.code, fault.remedy, fault.available) for fault in error.faults] == [
        ("file_missing", "Did you mean 'calls.csv'?", ("calls.csv",))
    ]


def test_a_glob_that_fits_nothing_is_a_missing_file(tmp_path: Path) -> None:
    assert only_fault(tmp_path, '[sources.calls]\npath = "data/*.csv"\n', {})[0] == "file_missing"


def test_missing_columns_are_told_together_with_what_the_file_has(tmp_path: Path) -> None:
    settings = HERE + 'columns = { caller_id = "Callr", duration_s = "Secs" }\n'
    faults = faults_of(tmp_path, settings, {"calls.csv": "Caller,Callee,started_at\n1,2,2026-01-01\n"})
    assert [fault.code for fault in faults] == ["column_missing"] * 3
    assert faults[0].remedy == "Did you mean 'Caller'?"
    assert faults[0].available == ("Caller", "Callee", "started_at")
    assert {fault.where for fault in faults} == {"calls.csv"}


def test_a_column_position_beyond_the_last_is_missing(tmp_path: Path) -> None:
    settings = HERE + "header = false\ncolumns = { caller_id = 1, callee_id = 2, started_at = 4 }\n"
    assert only_fault(tmp_path, settings, {"calls.csv": "a,b,2026-01-01\n"})[0] == "column_missing"


def test_a_misspelt_exclude_is_told_since_it_might_let_a_leak_in(tmp_path: Path) -> None:
    settings = '[sources.customers]\npath = "p.csv"\nexclude = ["Scroe"]\nconstant = ["Score"]'
    code, _, found = only_fault(tmp_path, settings, {"p.csv": "customer_id,Score\nann,5\n"})
    assert (code, found) == ("column_missing", "none of that name")


def test_a_column_to_carry_that_no_file_has_is_told(tmp_path: Path) -> None:
    code, where, _ = only_fault(tmp_path, '[lists]\ncarry = ["phone"]\n', {})
    assert (code, where) == ("column_missing", "churnrisk.toml [lists] carry")


def test_a_mapping_of_a_column_that_no_contract_has_is_told(tmp_path: Path) -> None:
    settings = HERE + 'columns = { caler_id = "caller_id" }\n'
    faults = faults_of(tmp_path, settings, {"calls.csv": CALLS})
    assert [(fault.code, fault.remedy) for fault in faults] == [
        ("mapping_unknown", "Did you mean caller_id?")
    ]


@pytest.mark.parametrize(
    ("mapped", "meant"),
    [("may_contcat", "may_contact"), ("joind_on", "joined_on"), ("May_Contact", "may_contact")],
)
def test_a_misspelt_column_of_a_table_with_attributes_is_told_and_never_made_an_attribute(
    mapped: str, meant: str, tmp_path: Path
) -> None:
    settings = (
        f'[sources.customers]\npath = "p.csv"\nextracted_on = 2026-01-01\ncolumns = {{ {mapped} = "X" }}\n'
    )
    faults = faults_of(tmp_path, settings, {"p.csv": "customer_id,X\nann,0\n"})
    assert [fault.code for fault in faults] == ["mapping_unknown"]
    assert faults[0].remedy.startswith(f"Did you mean {meant}? If it is another attribute")


def test_a_misspelt_consent_of_the_file_is_told_and_fills_nobody(tmp_path: Path) -> None:
    settings = '[sources.customers]\npath = "p.csv"\nextracted_on = 2026-01-01\n'
    code, where, found = only_fault(tmp_path, settings, {"p.csv": "customer_id,may_contct\nann,no\n"})
    assert (code, where, found) == ("column_unknown", "p.csv", "'may_contct'")


def test_a_column_may_be_renamed_to_an_attribute_that_resembles_none_of_ours(tmp_path: Path) -> None:
    settings = '[sources.customers]\npath = "p.csv"\nextracted_on = 2026-01-01\ncolumns = { tariff = "X" }\n'
    found = drawn(tmp_path, settings, {"p.csv": "customer_id,X,language_2\nann,S,en\n"})
    assert found.reports["customers"].attributes == ("tariff", "language_2")


def test_values_that_mean_missing_in_a_column_that_is_not_there_are_told(tmp_path: Path) -> None:
    settings = HERE + 'missing = { nix = ["3"], started_at = ["-"] }\n'
    faults = faults_of(tmp_path, settings, {"calls.csv": CALLS})
    assert [(fault.code, fault.expected) for fault in faults] == [
        ("column_missing", "a column 'nix', named in missing")
    ]


def test_customers_that_are_all_bad_are_refused_with_every_row_kept_in_quarantine(tmp_path: Path) -> None:
    settings = HERE + '[sources.customers]\npath = "p.csv"\n'
    files: dict[str, str | bytes] = {
        "p.csv": "customer_id,joined_on\nann,soon\nbob,later\n",
        "calls.csv": CALLS,
    }
    faults = faults_of(tmp_path, settings, files)
    assert [(fault.code, fault.where) for fault in faults] == [("all_rows_bad", "source customers")]
    assert ".." not in faults[0].sentence()
    kept = Path(faults[0].remedy.split(" is in ")[1].rstrip("."))
    assert pl.read_parquet(kept)["row"].to_list() == [1, 2]


def test_customers_from_calls_that_are_all_bad_are_refused_as_the_calls_are(tmp_path: Path) -> None:
    settings = HERE + '[sources.customers]\nfrom = "calls"\n'
    files: dict[str, str | bytes] = {"calls.csv": "caller_id,callee_id,started_at\nann,bob,soon\n"}
    assert [fault.code for fault in faults_of(tmp_path, settings, files)] == ["all_rows_bad"]


def test_a_table_without_rows_is_empty(tmp_path: Path) -> None:
    assert only_fault(tmp_path, HERE, {"calls.csv": "caller_id,callee_id,started_at\n"})[0] == "table_empty"


def test_a_file_of_no_bytes_has_no_header(tmp_path: Path) -> None:
    assert only_fault(tmp_path, HERE, {"calls.csv": ""})[0] == "header_missing"


def test_a_header_with_a_name_twice_is_refused(tmp_path: Path) -> None:
    code, where, found = only_fault(
        tmp_path, HERE, {"calls.csv": "caller_id,callee_id,callee_id ,started_at\n"}
    )
    assert (code, where, found) == ("header_duplicate", "calls.csv", "twice: callee_id")


def test_a_table_that_is_all_bad_says_why_and_where_the_rows_are(tmp_path: Path) -> None:
    faults = faults_of(
        tmp_path, HERE, {"calls.csv": "caller_id,callee_id,started_at\nann,bob,soon\nann,bob,later\n"}
    )
    assert [fault.code for fault in faults] == ["all_rows_bad"]
    assert "2 x date_unreadable (first: calls.csv row 1)" in faults[0].found
    kept = Path(faults[0].remedy.split(" is in ")[1].rstrip("."))
    assert pl.read_parquet(kept)["row"].to_list() == [1, 2]


def test_more_bad_rows_than_allowed_stop_the_run_and_repeats_do_not_count(tmp_path: Path) -> None:
    good = "".join(f"ann,bob,2026-01-01T10:00:{second:02}\n" for second in range(20))
    head = "caller_id,callee_id,started_at\n"
    assert (
        drawn(tmp_path / "ok", HERE, {"calls.csv": head + good * 2 + "ann,ann,2026-01-01\n"})
        .reports["calls"]
        .n_kept
        == 20
    )
    bad = head + good + "ann,ann,2026-01-01\nann,ann,2026-01-02\n"
    assert only_fault(tmp_path / "bad", HERE, {"calls.csv": bad})[0] == "too_many_bad_rows"
    drawn(tmp_path / "allowed", HERE + "max_bad_share = 0.1\n", {"calls.csv": bad})


def test_the_rows_told_are_those_that_the_share_counts(tmp_path: Path) -> None:
    good = "ann,bob,2026-01-01T10:00:00\n"
    given = "caller_id,callee_id,started_at\n" + good * 7 + "ann,ann,2026-01-01\n"
    _, _, found = only_fault(tmp_path, HERE, {"calls.csv": given})
    assert found.startswith("12.5% of 8: 1 x call_to_oneself")
    assert found.endswith("; 6 repeated rows not counted")
    assert "duplicate_row" not in found


@pytest.mark.parametrize(
    "cut", ["ann,bob\nbob,cid,2026-01-0", "bob,ci", '"bob,cid,2026-01-02', 'bob,cid,"2026-01-0']
)
def test_a_text_file_that_stops_in_a_record_is_cut(cut: str, tmp_path: Path) -> None:
    text = CALLS + (cut if not cut.startswith("ann,bob\n") else "bob,cid")
    code, where, _ = only_fault(tmp_path, HERE, {"calls.csv": text})
    assert code == "file_cut"
    assert where.startswith("calls.csv")


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('cid,"bob,2026-01-02\nbob,ann,2026-01-03\n', 3),
        ('cid,bob,"2026-01-02\nbob,ann,2026-01-03\nbob,cid,2026-01-04\n', 3),
        ('"cid",bob,2026-01-02\nbob,"ann,2026-01-03\nbob,"cid",2026-01-04\n', 4),
    ],
)
def test_a_quote_that_is_not_closed_swallows_no_rows_in_silence(rows: str, line: int, tmp_path: Path) -> None:
    code, where, _ = only_fault(tmp_path, HERE, {"calls.csv": CALLS + rows})
    assert (code, where) == ("quote_open", f"calls.csv line {line}")


def test_an_odd_mark_within_a_text_is_no_open_quote(tmp_path: Path) -> None:
    found = drawn(tmp_path, HERE, {"calls.csv": CALLS + 'cid 5",bob,2026-01-02T10:00:00\n'})
    assert found.reports["calls"].n_kept == 2


def test_a_last_line_without_a_line_end_is_not_cut(tmp_path: Path) -> None:
    assert drawn(tmp_path, HERE, {"calls.csv": CALLS.rstrip("\n")}).reports["calls"].n_kept == 1


def test_a_gzip_file_that_stops_early_is_cut(tmp_path: Path) -> None:
    packed = gzip.compress(CALLS.encode() * 50)
    settings = '[sources.calls]\npath = "data/calls.csv.gz"\n'
    code, where, _ = only_fault(tmp_path, settings, {"data/calls.csv.gz": packed[:-20]})
    assert (code, where) == ("file_cut", "data/calls.csv.gz")


def test_a_parquet_file_without_its_footer_is_cut(tmp_path: Path) -> None:
    whole = io.BytesIO()
    pl.DataFrame({"caller_id": ["a"] * 500}).write_parquet(whole)
    settings = '[sources.calls]\npath = "calls.parquet"\n'
    assert only_fault(tmp_path / "a", settings, {"calls.parquet": whole.getvalue()[:-30]})[0] == "file_cut"
    assert only_fault(tmp_path / "b", settings, {"calls.parquet": b"no table"})[0] == "file_unreadable"


def test_an_unknown_character_set_is_told(tmp_path: Path) -> None:
    code, where, found = only_fault(tmp_path, HERE + 'encoding = "cp1521"\n', {"calls.csv": CALLS})
    assert (code, where, found) == ("encoding_unknown", "calls.csv", "'cp1521'")


def test_local_times_need_a_zone_and_dates_or_offsets_do_not(tmp_path: Path) -> None:
    assert only_fault(tmp_path / "a", HERE, {"calls.csv": CALLS}, NO_ZONE)[0] == "zone_undeclared"
    dated = "caller_id,callee_id,started_at\nann,bob,2026-01-01\nann,bob,2026-01-02T10:00:00+03:00\n"
    assert drawn(tmp_path / "b", HERE, {"calls.csv": dated}, NO_ZONE).reports["calls"].n_kept == 2
    counted = HERE + "time_origin = 2014-02-02T00:00:00\n"
    seconds = "caller_id,callee_id,started_at\nann,bob,5\n"
    assert only_fault(tmp_path / "c", counted, {"calls.csv": seconds}, NO_ZONE)[0] == "zone_undeclared"


def test_a_missing_consent_is_an_error_until_its_meaning_is_declared(tmp_path: Path) -> None:
    faults = faults_of(tmp_path, "", {}, NO_CONSENT)
    assert [fault.code for fault in faults] == ["consent_undeclared"] * 4
    assert "missing in 3 of 3 rows" in faults[0].found


def test_attributes_of_an_undated_extract_are_refused_with_three_ways_out(tmp_path: Path) -> None:
    customers = '[sources.customers]\npath = "p.csv"\n'
    files: dict[str, str | bytes] = {"p.csv": "customer_id,plan,gender\nann,S,f\n"}
    faults = faults_of(tmp_path / "no", customers, files)
    assert [fault.code for fault in faults] == ["extract_undated"]
    assert all(word in faults[0].remedy for word in ("extracted_on", "constant", "accept_current_attributes"))
    assert drawn(tmp_path / "a", customers + "extracted_on = 2026-01-01", files).warnings == ()
    assert drawn(tmp_path / "b", customers + 'constant = ["plan", "gender"]', files).warnings == ()
    warned = drawn(tmp_path / "c", customers + "accept_current_attributes = true", files).warnings
    assert ["accept_current_attributes" in warning for warning in warned] == [True]


def test_a_positive_value_that_never_occurs_is_told(tmp_path: Path) -> None:
    settings = (
        '[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "l.csv"\npositive = "Yes"\n'
    )
    assert only_fault(tmp_path, settings, {"l.csv": "customer_id,churned\n1,yes\n2,no\n"})[0] == "no_positive"


def test_an_extract_of_nobodys_leaving_is_taken_once_it_is_said_how_many_are_expected(tmp_path: Path) -> None:
    settings = (
        '[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "l.csv"\npositive = "Yes"\n'
    )
    files: dict[str, str | bytes] = {"l.csv": "customer_id,churned\n1,No\n2,No\n"}
    (fault,) = faults_of(tmp_path / "a", settings, files)
    assert (fault.code, "[churn] expected_rate" in fault.remedy) == ("no_positive", True)
    loaded = drawn(tmp_path / "b", settings + "[churn]\nexpected_rate = 0.02\n", files)
    assert loaded.reports["labelled"].n_kept == 2


def test_a_database_that_cannot_be_read_is_told_without_its_address(tmp_path: Path) -> None:
    settings = '[sources.calls]\ndatabase = "env:CRM"\nquery = "select * from nothing"\n'
    workspace = drawn_workspace(tmp_path, settings, {})
    error = refusal(workspace, environment={"CONTACT_KEY": "k", "CRM": f"sqlite:///{tmp_path}/secret.db"})
    assert error.codes == ("database_unreadable",)
    assert "secret" not in str(error)


def test_a_frame_that_is_no_table_is_told(tmp_path: Path) -> None:
    error = refusal(drawn_workspace(tmp_path, "", {}), frames={"calls": 17})
    assert error.codes == ("frame_unreadable",)


def test_a_workspace_without_customers_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text(CALLS)
    workspace = drawn_workspace(tmp_path / "w", '[sources.customers]\nfrom = "calls"\n', {})
    assert refusal(workspace).codes == ("source_missing",)


def test_all_faults_of_all_sources_come_in_one_error(tmp_path: Path) -> None:
    settings = (
        HERE
        + '[sources.events]\npath = "events.csv"\n[sources.usage]\npath = "usage.csv"\n'
        + '[sources.surveys]\npath = "none.csv"\n'
    )
    workspace = drawn_workspace(
        tmp_path,
        settings,
        {
            "calls.csv": "caller_id,callee_id,started_at\nann,bob,soon\n",
            "events.csv": "customer,at,event\n",
            "usage.csv": "customer_id,period_start,revenue\nann,2026-01-01,1\n",
            "people.csv": PEOPLE.replace("customer_id", "id"),
        },
    )
    error = refusal(workspace)
    assert isinstance(error, ContractError)
    assert sorted(error.codes) == ["all_rows_bad", "column_missing", "file_missing"]
    assert {fault.where for fault in error.faults} >= {"people.csv", "events.csv", "source calls"}


def test_every_code_of_a_refused_source_stands_in_a_test_here() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    readiness = (Path(__file__).parent / "test_readiness.py").read_text(encoding="utf-8")
    assert [code for code in SOURCE_FAULTS if f'"{code}"' not in text + readiness] == []
