# ruff: noqa: E501 - a case is a line
"""Every reason a row can be rejected, each with the smallest table that shows it."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from churnrisk.tables.contracts.table import AGAINST_THE_LEDGER
from churnrisk.tables.faults import ROW_FAULTS
from tests.spec.sources.drawn import PEOPLE, drawn, rejected

LOOSE = "\n[quality]\nmax_bad_share = 1\n"


@dataclass(frozen=True)
class Case:
    """One source, its file, and the row, column and code that must be rejected."""

    code: str
    source: str
    text: str | bytes
    row: int
    column: str = ""
    settings: str = ""
    more: str = ""

    def __str__(self) -> str:
        return f"{self.code}-{self.source}"


CALLS = "caller_id,callee_id,started_at,duration_s\nann,bob,2026-01-01T10:00:00,60\n"
SURVEYS = "invitation_id,customer_id,metric,invited_at,answered_at,score,comment\ni1,ann,nps,2026-01-01,2026-01-02,9,\n"
USAGE = "customer_id,period_start,revenue\nann,2026-01-01,10\n"
EVENTS = "customer_id,at,event\nann,2026-01-01T10:00:00,login\n"
TREATMENTS = "treatment_id,customer_id,offer_id,at,propensity\nt1,ann,o1,2026-01-01,0.5\n"
INSTEAD = "treatment_id,customer_id,offer_id,instead_of,at\nt1,ann,control,o1,2026-01-01\n"
OFFERS = '\n[sources.offers]\npath = "offers.csv"\n'

CASES = [
    Case("malformed_line", "calls", CALLS + "bob,ann\n", 2),
    Case("malformed_line", "calls", CALLS + "bob,ann,2026-01-02,3,4\nann,cid,2026-01-03,5\n", 2),
    Case(
        "bad_characters",
        "events",
        "customer_id,at,event\nann,2026-01-01T10:00:00,вход на сайт и просмотр счёта и выход с него через кнопку\n".encode()
        + b"bob,2026-01-01T11:00:00,\xd0\xff\n",
        2,
        "event",
    ),
    Case("date_unreadable", "calls", CALLS + "ann,bob,31.12.2026,5\n", 2, "started_at"),
    Case("date_unreadable", "calls", CALLS + "ann,bob,2026-02-30T10:00:00,5\n", 2, "started_at"),
    Case("time_nonexistent", "calls", CALLS + "ann,bob,2026-03-29T02:30:00,5\n", 2, "started_at", 'zone = "Europe/Berlin"'),
    Case("number_unreadable", "usage", USAGE + "bob,2026-01-01,much\n", 2, "revenue"),
    Case("number_unreadable", "usage", USAGE + "bob,2026-01-01,inf\n", 2, "revenue"),
    Case("not_whole", "calls", CALLS + "ann,bob,2026-01-02T10:00:00,1.5\n", 2, "duration_s"),
    Case("boolean_unreadable", "interactions", "customer_id,at,resolved\nann,2026-01-01,yes\nbob,2026-01-01,perhaps\n", 2, "resolved"),
    Case("required_missing", "calls", CALLS + ",bob,2026-01-02T10:00:00,5\n", 2, "caller_id"),
    Case("required_missing", "customers", PEOPLE + ",2020-01-01\n", 4, "customer_id"),
    Case("out_of_range", "treatments", TREATMENTS + "t2,bob,o1,2026-01-01,1.5\n", 2, "propensity", more=OFFERS),
    Case("out_of_range", "usage", USAGE + "bob,2026-01-01,1e16\n", 2, "revenue"),
    Case("out_of_range", "calls", CALLS + "ann,bob,2026-01-02T10:00:00,99999999\n", 2, "duration_s"),
    Case("time_out_of_range", "calls", CALLS + "ann,bob,9999-12-31,5\n", 2, "started_at"),
    Case("time_out_of_range", "calls", CALLS + "ann,bob,24-01-05T10:00:00,5\n", 2, "started_at"),
    Case("unknown_metric", "surveys", SURVEYS + "i2,bob,stars,2026-01-01,2026-01-02,5,\n", 2, "metric"),
    Case("unknown_kind", "calls", "caller_id,callee_id,started_at,kind\nann,bob,2026-01-01,SMS\nann,bob,2026-01-02,fax\n", 2, "kind"),
    Case("negative_duration", "calls", CALLS + "ann,bob,2026-01-02T10:00:00,-1\nann,bob,2026-01-03T10:00:00,-7\n", 3, "duration_s"),
    Case("score_off_scale", "surveys", SURVEYS + "i2,bob,nps,2026-01-01,2026-01-02,11,\n", 2),
    Case("score_off_scale", "surveys", SURVEYS + "i2,bob,csat,2026-01-01,2026-01-02,0,\n", 2),
    Case("score_off_scale", "surveys", SURVEYS + "i2,bob,ces,2026-01-01,2026-01-02,8,\n", 2),
    Case("score_not_whole", "surveys", SURVEYS + "i2,bob,nps,2026-01-01,2026-01-02,7.5,\n", 2),
    Case("score_without_answer_date", "surveys", SURVEYS + "i2,bob,nps,2026-01-01,,7,\n", 2),
    Case("asked_at_missing", "surveys", SURVEYS + "i2,bob,nps,,,,\n", 2),
    Case("answer_before_invitation", "surveys", SURVEYS + "i2,bob,nps,2026-01-03,2026-01-02,7,\n", 2),
    Case("call_to_oneself", "calls", CALLS + "ann,ann,2026-01-02T10:00:00,5\n", 2),
    Case("left_before_joined", "customers", "customer_id,joined_on,left_on\nann,2020-01-01,\nbob,2020-01-02,2020-01-01\n", 2),
    Case("known_before_happened", "events", "customer_id,at,event,known_at\nann,2026-01-02,x,2026-01-01\nbob,2026-01-01,x,2026-01-01\n", 1),
    Case("offer_called_control", "offers", "offer_id,name\no1,Ten off\nControl,Nothing\n", 2),
    Case("duplicate_row", "calls", CALLS + "ann,bob,2026-01-01T10:00:00,60\n", 2),
    Case("duplicate_key", "calls", CALLS + "ann,bob,2026-01-01T10:00:00,61\n", 2),
    Case("superseded", "surveys", SURVEYS + "i1,ann,nps,2026-01-01,,,\n", 2),
    Case("unknown_customer", "events", EVENTS + "zoe,2026-01-01T10:00:00,login\n", 2, "customer_id"),
    Case("unknown_offer", "treatments", TREATMENTS + "t2,bob,o9,2026-01-01,0.5\nt3,cid,control,2026-01-01,0.5\n", 2, "offer_id", more=OFFERS),
    Case("unknown_instead_of", "treatments", INSTEAD + "t2,bob,control,o9,2026-01-01\nt3,cid,control,,2026-01-01\n", 2, "instead_of", more=OFFERS),
    Case("instead_of_no_control", "treatments", INSTEAD + "t2,bob,o1,o1,2026-01-01\n", 2),
    Case("instead_of_no_control", "treatments", INSTEAD + "t2,bob,control,control,2026-01-01\n", 2),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_bad_row_goes_to_quarantine_with_its_place_and_code(case: Case, tmp_path: Path) -> None:
    settings = f'[sources.{case.source}]\npath = "given.csv"\n{case.settings}\n{case.more}{LOOSE}'
    loaded = drawn(tmp_path, settings, {"given.csv": case.text, "offers.csv": "offer_id,name\no1,Ten off\n"})

    assert rejected(loaded, case.source) == [(case.row, case.column, case.code)]
    report = loaded.reports[case.source]
    assert report.n_kept + report.n_quarantined == report.n_read
    assert report.n_quarantined == 1


def test_an_id_with_decimals_is_no_id(tmp_path: Path) -> None:
    """Only typed sources can have it: in a text file 7.5 is a text like any other."""
    pl.DataFrame({"customer_id": [1.0, 7.5], "joined_on": ["2020-01-01"] * 2}).write_parquet(
        tmp_path / "p.parquet"
    )
    loaded = drawn(tmp_path, '[sources.customers]\npath = "p.parquet"' + LOOSE, {})
    assert rejected(loaded, "customers") == [(2, "customer_id", "id_unreadable")]


def test_every_code_has_a_case() -> None:
    shown = {case.code for case in CASES} | {"id_unreadable"}
    # of what is recorded, not of sources: tests/unit/ledger/test_recording.py
    recorded = {"nothing_said", "unknown_consent", "ends_before_it_begins", "control_accepted"}
    # tests/unit/ledger/test_against.py
    recorded |= {each for codes in AGAINST_THE_LEDGER.values() for each in codes}
    assert shown | recorded == set(ROW_FAULTS)


def test_a_row_with_several_faults_is_one_row_with_the_worst_first(tmp_path: Path) -> None:
    loaded = drawn(
        tmp_path,
        '[sources.calls]\npath = "calls.csv"' + LOOSE,
        {"calls.csv": CALLS + "cid,cid,never,-9\n"},
    )
    found = pl.read_parquet(loaded.quarantine["calls"]).row(0, named=True)
    assert found["codes"] == ["date_unreadable", "negative_duration", "call_to_oneself"]
    assert (found["file"], found["row"], found["code"], found["column"], found["value"]) == (
        "calls.csv", 2, "date_unreadable", "started_at", "never",
    )  # fmt: skip


def test_quarantine_names_the_users_column_and_keeps_no_id_and_no_text(tmp_path: Path) -> None:
    loaded = drawn(
        tmp_path,
        '[sources.surveys]\npath = "s.csv"\ncolumns = { invitation_id = "Nr", customer_id = "Kunde", score = "Note" }\n'
        'values = { metric = "nps" }' + LOOSE,
        {
            "s.csv": "Nr,Kunde,answered_at,Note,comment\n1,ann,2026-01-01,5,\n2,secret person,2026-01-01,many,call me\n"
        },
    )
    text = pl.read_parquet(loaded.quarantine["surveys"])
    assert text.row(0, named=True)["column"] == "Note"
    assert text.row(0, named=True)["value"] == "many"
    assert "secret" not in str(text.to_dicts())
    assert "call me" not in str(text.to_dicts())


def test_rows_after_a_malformed_line_keep_their_numbers(tmp_path: Path) -> None:
    text = CALLS + "bad\n" + 'bob,ann,"2026-01-02T10:00:00",5\n' + "bad,bad\n" + "ann,bob,oops,1\n"
    loaded = drawn(tmp_path, '[sources.calls]\npath = "calls.csv"' + LOOSE, {"calls.csv": text})
    assert rejected(loaded, "calls") == [
        (2, "", "malformed_line"),
        (4, "", "malformed_line"),
        (5, "started_at", "date_unreadable"),
    ]


def test_values_declared_missing_are_null_and_no_faults(tmp_path: Path) -> None:
    loaded = drawn(
        tmp_path,
        '[sources.usage]\npath = "u.csv.gz"\nmissing = { revenue = ["NA", -999], minutes = "?" }',
        {
            "u.csv.gz": gzip.compress(
                b"customer_id,period_start,revenue,minutes\nann,2026-01-01,NA,5\nbob,2026-01-01,-999,?\n"
            )
        },
    )
    assert rejected(loaded, "usage") == []
    assert loaded.reports["usage"].n_kept == 2
    assert loaded.reports["usage"].n_rows == 1
