"""Columns of a file to record: misspelt ones stop it, others are told, and no cell of it is ever in an error."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import churnrisk
from churnrisk.cli import run
from churnrisk.errors import ChurnriskError, ContractError
from churnrisk.inputs import Inputs
from churnrisk.nightly.lists import SHEETS
from churnrisk.recording import KINDS, RecordedWarning, record
from churnrisk.sources.columnar import ParquetTable
from churnrisk.sources.further import LISTS, further_columns
from churnrisk.sources.header import FirstRow, is_header, nearest
from churnrisk.store import Workspace
from churnrisk.tables.contracts import RECORDED_TABLES
from scoring.lists import _FILE_COLUMNS
from tests.unit.ledger.desk import NOW, Desk
from tests.unit.ledger.drawn_workspace import PLAIN, drawn

SETTINGS = (
    PLAIN
    + """
[lists]
carry = ["phone", "acceptd"]
"""
)
CUSTOMERS = "customer_id,joined_on,phone,acceptd\na,2024-01-01,555-0100,x\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, SETTINGS, customers=CUSTOMERS)


@pytest.fixture
def desk(workspace: Workspace) -> Desk:
    return Desk(workspace, {})


@pytest.mark.parametrize(
    ("kind", "head", "wrong", "meant"),
    [
        ("answers", "invitation_id,scoore,answered_at", "scoore", "score"),
        ("treatments", "treatment_id,customer_id,offer_id,at,acepted", "acepted", "accepted"),
        ("treatments", "treatment_id,customer_id,offer_id,at,Accepted", "Accepted", "accepted"),
        ("suppressions", "customer_id,since,untill", "untill", "until"),
        ("suppressions", "customer_id,since,reasons", "reasons", "reason"),
    ],
)
def test_a_misspelt_column_stops_the_file_and_names_the_one_that_is_meant(
    desk: Desk, kind: str, head: str, wrong: str, meant: str
) -> None:
    with pytest.raises(ContractError) as caught:
        desk.record(kind, head + "\n" + ",".join("x" for _ in head.split(",")) + "\n")
    (fault,) = caught.value.faults
    assert (fault.code, fault.where, fault.found) == ("column_unknown", f"{kind}.csv", repr(wrong))
    assert f"Did you mean {meant!r}?" in fault.remedy
    assert fault.available == tuple(RECORDED_TABLES[f"recorded_{kind}"].columns)


def test_every_misspelt_and_every_missing_column_is_told_at_once(desk: Desk) -> None:
    with pytest.raises(ContractError) as caught:
        desk.record("contacts", "customer_id,att,purpos,chanel\na,2026-05-03,bill,sms\n")
    assert sorted(caught.value.codes) == ["column_missing", "column_unknown"]


def test_a_further_column_is_passed_over_and_told(desk: Desk) -> None:
    rows = "customer_id,at,purpose,weather,purpose_text\na,2026-05-03,bill,fine,the bill\n"
    found = desk.record("contacts", rows)
    assert found.n_new == 1
    assert "passed over: 'weather', 'purpose_text'." in found.text()


def test_carried_columns_and_those_of_our_lists_are_expected(desk: Desk) -> None:
    """Those carried are named by the settings, however alike to ours; ``reasons`` stands in a list that came back."""
    contacted = "phone,acceptd,crm_phone,customer_id,at,purpose,band\n555,x,y,a,2026-05-03,bill,low\n"
    assert desk.record("contacts", contacted).warnings == ()
    head = "customer_id,position,band,risk,value,at_stake,treatment_id,reasons,as_of,since"
    listed = f"{head}\na,1,low,0.1,10,1,,Contract.,2026-05-02,2026-05-03\n"
    assert desk.record("suppressions", listed).warnings == ()


def test_the_lists_that_may_come_back_are_those_handed_out() -> None:
    assert {sheet.name: frozenset(sheet.columns) for sheet in SHEETS}.items() <= LISTS.items()
    assert LISTS["at_risk"] == {*_FILE_COLUMNS}
    assert LISTS["promoters"] >= {
        "customer_id",
        "position",
        "promoter_influence",
        "programme",
        "channel",
        "as_of",
    }


def test_programs_get_a_warning_and_the_command_tells_it_once(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / "made.csv"
    path.write_text("customer_id,at,purpose,weather\na,2026-05-03,bill,fine\n")
    with pytest.warns(RecordedWarning, match="'weather'"):
        churnrisk.open(workspace.root).record("contacts", path)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert run(["-w", str(workspace.root), "record", "contacts", str(path)]) == 0
    told = capsys.readouterr()
    assert (told.out + told.err).count("'weather'") == 1


ROWS = {
    "answers": "ask-1,nps,3,Rose says no,2026-05-03",
    "outcomes": "Rose Sutton,offer-1,2026-05-03,kept,price,called twice",
    "treatments": "offer-1,Rose Sutton,sms100,2026-05-03,yes,price",
    "contacts": "Rose Sutton,Ольга Петрова,+999 006684,call,offer",
    "consents": "Rose Sutton,may_contact,no,2026-05-03",
    "suppressions": "Rose Sutton,call,asked,rose@example.org",
    "liftings": "Rose Sutton,call,asked again,rose@example.org",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_file_without_a_header_is_refused_and_no_cell_of_it_is_told(
    workspace: Workspace, capsys: pytest.CaptureFixture[str], kind: str, n_rows: int
) -> None:
    path = workspace.root / "given.csv"
    path.write_text(f"{ROWS[kind]}\n" * n_rows, "utf-8")
    assert run(["-w", str(workspace.root), "record", kind, str(path)]) == 11
    shown = capsys.readouterr()
    text = shown.out + shown.err
    assert "a first row that does not look like a header" in text
    assert all(name in text for name in RECORDED_TABLES[f"recorded_{kind}"].required)
    logs = "".join(each.read_text("utf-8") for each in workspace.root.rglob("*.log"))
    cells = [cell for cell in ROWS[kind].split(",") if cell not in {"nps", "may_contact", "call", "no", "3"}]
    assert not any(cell in text + logs for cell in cells)


def test_a_file_with_an_open_quote_records_nothing_and_says_where(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    path = workspace.root / "given.csv"
    rows = 'a,,2026-05-02,"asked by phone\nb,,2026-05-02,asked\nc,,2026-05-02,asked\n'
    path.write_text("customer_id,channel,since,reason\n" + rows, "utf-8")
    assert run(["-w", str(workspace.root), "record", "suppressions", str(path)]) == 11
    shown = capsys.readouterr()
    assert "line 2" in shown.out + shown.err
    assert "asked by phone" not in shown.out + shown.err
    path.write_text("customer_id,channel,since,reason\n" + rows.replace('"', ""), "utf-8")
    assert run(["-w", str(workspace.root), "record", "suppressions", str(path)]) == 0
    assert "3 rows read: 3 new" in capsys.readouterr().out


CELL = st.one_of(
    st.from_regex(r"Zq[a-z]{4,8} Zq[a-z]{4,8}", fullmatch=True),
    st.from_regex(r"\+999 \d{6}", fullmatch=True),
    st.dates().map(str),
    st.from_regex(r"zq-[0-9a-f]{12}", fullmatch=True),
)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=3), kind=st.sampled_from(KINDS)
)
def test_no_error_holds_a_cell_of_the_file(
    rows: list[list[str]], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    workspace = drawn(tmp_path_factory.mktemp("given"), SETTINGS, customers=CUSTOMERS)
    path = workspace.root / "given.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    with pytest.raises(ChurnriskError) as caught:
        record(workspace, Inputs({}, {}, interactive=False), kind, path, now=NOW)
    text = json.dumps(caught.value.as_dict(), ensure_ascii=False)
    assert not any(cell in text for row in rows for cell in row)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), kind=st.sampled_from(KINDS))
def test_no_error_holds_a_cell_of_rows_whose_first_holds_a_name_of_ours(
    data: st.DataObject, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whether the file is refused, or recorded with warnings, as a treatment_id alone may be."""
    rows = data.draw(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=3))
    name = data.draw(st.sampled_from(list(RECORDED_TABLES[f"recorded_{kind}"].columns)))
    place = data.draw(st.integers(0, 2))
    rows[0][place] = name
    workspace = drawn(tmp_path_factory.mktemp("given"), SETTINGS, customers=CUSTOMERS)
    path = workspace.root / "given.csv"
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    try:
        found = record(workspace, Inputs({}, {}, interactive=False), kind, path, now=NOW)
        text = found.text()
    except ChurnriskError as error:
        text = json.dumps(error.as_dict(), ensure_ascii=False)
    assert not any(cell in text for row in rows for cell in row if cell != name)


@pytest.mark.parametrize(
    ("first", "hidden"),
    [
        ("customer_id,Rose Sutton,gold", ("Rose", "gold")),
        ("customer_id,Rose Sutton,+999 006684", ("Rose", "006684")),
        ("Rose Sutton,joined_on,rose@example.org", ("Rose", "example")),
    ],
)
def test_a_source_whose_first_row_of_data_holds_a_name_of_ours_tells_no_cell(
    tmp_path: Path, first: str, hidden: tuple[str, ...]
) -> None:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS.replace("extracted_on = 2026-04-01", ""))
    (tmp_path / "customers.csv").write_text(f"{first}\n{first.replace('Rose', 'Bo').replace('84', '85')}\n")
    with pytest.raises(ChurnriskError) as caught:
        churnrisk.open(tmp_path).check()
    assert not any(cell in str(caught.value) for cell in hidden)


def test_the_columns_of_a_source_with_names_of_its_own_are_told_as_the_rows_beneath_are_unlike_them(
    tmp_path: Path,
) -> None:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS)
    (tmp_path / "customers.csv").write_text("Cust ID,Plan,Monthly\na,gold,20.50\nb,silver,9.90\n")
    with pytest.raises(ChurnriskError, match="Plan, Monthly"):
        churnrisk.open(tmp_path).check()


def test_which_names_of_a_first_row_are_told() -> None:
    known = frozenset({"treatment_id", "accepted", "at"})

    def told(*names: str, beneath: list[list[str]] | None = None, record: bool = True) -> tuple[str, ...]:
        return FirstRow(names, known, beneath, needs_known=record).told

    assert told("treatment_id", "accepted", "name") == ("treatment_id", "accepted", "name")
    assert told("treatment_id", "acepted", "Rose") == ("treatment_id", "acepted", "column 3")
    assert told("treatment_id", "at", "rose@example.org", "+999 006684") == (
        "treatment_id",
        "at",
        "column 3",
        "column 4",
    )
    assert told("at", "Plan", beneath=[["x", "gold"]], record=False) == ("at", "column 2")
    assert told("at", "Plan", beneath=[["x", "17"]], record=False) == ("at", "Plan")
    assert told("at", "+999 006684", beneath=[["x", "+999 006685"]], record=False) == ()


@pytest.mark.parametrize(
    "cell",
    [
        "The call was slow, and nobody rang back",
        "Slow!",
        'the "fast" line',
        "she waited for three weeks and then left us all",
        "12 Elm Row",
        "flat 10115",
        "太慢了。",
        "Rose Sutton",
    ],
)
@pytest.mark.parametrize("record", [True, False])
def test_a_cell_beside_two_names_of_ours_that_is_no_name_is_told_by_its_position(
    cell: str, record: bool
) -> None:
    names = ("invitation_id", "customer_id", cell, "Signup channel", "# user", "Price (EUR)", "plan_2")
    beneath = [["1", "a", "Bo Hill", "web", "7", "1", "gold"]]
    told = FirstRow(
        names, frozenset({"invitation_id", "customer_id", "score"}), beneath, needs_known=record
    ).told
    assert told == (*names[:2], "column 3", *names[3:])


def test_an_error_of_surveys_quotes_no_cell_of_a_row_that_is_half_a_header(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS + '[sources.surveys]\npath = "surveys.csv"\n')
    (tmp_path / "customers.csv").write_text("customer_id\na\n")
    row = 'invitation_id,customer_id,"Rose Sutton","Too slow, sorry",10115 Elm Row'
    (tmp_path / "surveys.csv").write_text(f"{row}\n1,a,Bo Hill,Fine.,7 Oak Row\n")
    with pytest.raises(ChurnriskError) as caught:
        churnrisk.open(tmp_path).check()
    assert "column 3, column 4, column 5" in str(caught.value)
    assert not any(cell in str(caught.value) for cell in ("Rose", "slow", "Elm"))


@pytest.mark.parametrize("blank", ["\n\n", "\r\n"])
def test_blank_lines_above_the_header_are_no_rows_and_move_no_number(desk: Desk, blank: str) -> None:
    rows = "customer_id,at,purpose\na,2026-05-03,bill\na,2026-05-03\na,never,bill\na,2026-05-04,bill\n"
    found = desk.record("contacts", blank + rows)
    assert (found.n_read, found.n_new) == (4, 2)
    assert {each.code: each.first_row for each in found.faults} == {
        "malformed_line": 2,
        "date_unreadable": 3,
    }


@pytest.mark.parametrize("path", ["customers.csv", "calls.csv"])
def test_a_source_without_a_header_tells_no_cell_either(tmp_path: Path, path: str) -> None:
    calls = '[sources.calls]\npath = "calls.csv"\n'
    (tmp_path / "churnrisk.toml").write_text(SETTINGS + calls)
    files = {
        "customers.csv": "customer_id,joined_on,phone,acceptd\na,2024-01-01,5,x\n",
        "calls.csv": "caller_id,callee_id,started_at\na,b,2026-01-01\n",
    } | {path: "Rose Sutton,Rose Sutton II,+999 006684,gold\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(ChurnriskError) as caught:
        churnrisk.open(tmp_path).check()
    text = str(caught.value)
    assert "does not look like a header" in text
    assert not any(cell in text for cell in ("Rose", "006684", "gold"))


def test_the_same_text_twice_in_a_first_row_of_data_is_not_told(desk: Desk) -> None:
    with pytest.raises(ContractError) as caught:
        desk.record("contacts", "Rose,Rose,+999006684\n")
    assert "columns 1, 2" in str(caught.value)
    assert "Rose" not in str(caught.value)


def test_what_looks_like_a_header() -> None:
    known = ["treatment_id", "accepted", "at"]
    assert is_header(["treatment_id", "accepted", "2024"], known, needs_known=True)
    assert is_header(["Treatment_ID", "taken"], known, needs_known=True)
    assert is_header(["Cust ID", "Plan"], known)
    assert not is_header(["Cust ID", "Plan"], known, needs_known=True)
    assert not is_header(["Cust ID", "", "Plan"], known)
    assert is_header(["", "Cust ID", "Plan"], known)
    assert nearest("Acepted", known) == "accepted"


def test_a_workbook_is_refused_with_a_remedy(desk: Desk) -> None:
    path = desk.workspace.root / "offers.xlsx"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as book:
        book.writestr("xl/workbook.xml", "<workbook/>")
    path.write_bytes(packed.getvalue())
    with pytest.raises(ContractError, match=r"save it as CSV \(UTF-8\)"):
        record(desk.workspace, Inputs({}, {}, interactive=False), "treatments", path, now=NOW)


def test_frames_are_judged_by_their_columns_too(desk: Desk) -> None:
    frame = pl.DataFrame({"customer_id": ["a"], "at": ["2026-05-03"], "purpose": ["bill"], "chanel": ["sms"]})
    with pytest.raises(ContractError, match="Did you mean 'channel'"):
        desk.record("contacts", frame)


def test_of_a_name_that_is_there_a_like_one_is_no_misspelling(tmp_path: Path) -> None:
    table = RECORDED_TABLES["recorded_answers"]
    frame = pl.DataFrame(schema=["invitation_id", "score", "answered_at", "scores"])
    frame.write_parquet(tmp_path / "f")
    found = further_columns(table, ParquetTable(tmp_path / "f", "f", where="f"), carry=())
    assert (found.faults, len(found.warnings)) == ([], 1)
