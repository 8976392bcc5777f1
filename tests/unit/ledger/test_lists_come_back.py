"""A list that was handed out comes back with a column added: the ledger knows the rest."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.cli import run
from churnrisk.errors import ContractError
from churnrisk.ledger import Ledger
from churnrisk.ledger.facts import answers, contacts, treatments
from churnrisk.nightly.lists import SHEETS
from churnrisk.store import Workspace
from scoring.lists import _FILE_COLUMNS
from tests.unit.ledger.desk import INSTANT, Desk, codes, decide_offers
from tests.unit.ledger.drawn_workspace import WHOLE, drawn, invite

CUSTOMERS = """customer_id,joined_on,name,phone,owner
a,2024-01-01,Rose,555,Ana
b,2024-01-01,Bo,556,Ana
c,2024-01-01,Cho,557,Ana
"""
CARRY = '[lists]\ncarry = ["name", "phone", "owner"]\n'


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, WHOLE + CARRY, customers=CUSTOMERS, offers=("discount", "upgrade"))


def told(ledger: Ledger) -> list[tuple[object, ...]]:
    with ledger.reading() as db:
        return treatments(db).select("customer_id", "offer_id", "at", "accepted", "root_cause").rows()


def listed(name: str, rows: list[dict[str, str]], **more: str) -> str:
    """Return a list as it was handed out, with columns added."""
    columns = next((sheet.columns for sheet in SHEETS if sheet.name == name), _FILE_COLUMNS)
    head = ["name", "phone", "owner", *columns, *more]
    whole = [{**dict.fromkeys(head, ""), "as_of": "2026-05-02", "name": "Rose", **row} for row in rows]
    return "\ufeff" + pl.DataFrame(whole, schema=head).write_csv()


def test_an_id_and_whether_it_was_taken_are_enough(ledger: Ledger, desk: Desk) -> None:
    decide_offers(ledger, a="discount", b="discount")
    rows = "treatment_id,accepted\nt-a,yes\nt-b,no\n"
    found = desk.record("treatments", rows)
    assert (found.n_changed, found.n_rejected, found.warnings) == (2, 0, ())
    assert told(ledger) == [("a", "discount", INSTANT, True, None), ("b", "discount", INSTANT, False, None)]
    assert desk.record("treatments", rows).n_known == 2
    with ledger.reading() as db:
        assert sorted(contacts(db)["customer_id"]) == ["a", "b"]


@pytest.mark.parametrize("name", ["at_risk", "offers"])
def test_a_list_is_recorded_as_it_comes_back(ledger: Ledger, desk: Desk, name: str) -> None:
    """b is not answered yet, c stands in the list without an offer."""
    decide_offers(ledger, a="discount", b="discount")
    rows = [
        {
            "customer_id": "a",
            "offer_id": "discount",
            "treatment_id": "t-a",
            "accepted": "yes",
            "root_cause": "price",
        },
        {"customer_id": "b", "offer_id": "discount", "treatment_id": "t-b"},
        {"customer_id": "c"},
    ]
    found = desk.record("treatments", listed(name, rows, accepted="", root_cause=""))
    assert (found.n_changed, found.n_known, codes(found)) == (1, 1, {"nothing_filled_in": 1})
    assert (found.is_refused, found.warnings) == (False, ())
    assert told(ledger)[0] == ("a", "discount", INSTANT, True, "price")


def test_what_came_of_a_call_without_an_offer_is_recorded_as_an_outcome_and_the_reason_says_so(
    ledger: Ledger, desk: Desk
) -> None:
    decide_offers(ledger, a="discount")
    rows = [
        {"customer_id": "a", "offer_id": "discount", "treatment_id": "t-a", "accepted": "yes"},
        {"customer_id": "c", "accepted": "no", "root_cause": "price"},
        {"customer_id": "b", "offer_id": "discount", "accepted": "no"},
    ]
    found = desk.record("treatments", listed("at_risk", rows, accepted="", root_cause=""))
    assert codes(found) == {"no_offer_made": 1, "required_missing": 1}
    (reason,) = [each.reason for each in found.faults if each.code == "no_offer_made"]
    assert "`churnrisk record outcomes` (customer_id, at, outcome, root_cause)" in reason
    remedied = "customer_id,at,outcome,root_cause\nc,2026-05-04,refused,price\n"
    assert desk.record("outcomes", remedied).n_new == 1


def test_survey_requests_come_back_with_score_and_date(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1", "b1", "c1")
    rows = [
        {
            "invitation_id": "a1",
            "customer_id": "a",
            "metric": "nps",
            "score": "3",
            "answered_at": "2026-05-03",
        },
        {"invitation_id": "b1", "customer_id": "b", "metric": "nps"},
        {
            "invitation_id": "c1",
            "customer_id": "a",
            "metric": "nps",
            "score": "9",
            "answered_at": "2026-05-03",
        },
    ]
    found = desk.record("answers", listed("survey_requests", rows, score="", answered_at=""))
    assert (found.n_new, found.warnings) == (1, ())
    assert codes(found) == {"nothing_filled_in": 1, "invitation_of_another_customer": 1}
    with ledger.reading() as db:
        assert answers(db).select("customer_id", "score").rows() == [("a", 3.0)]


def test_a_list_in_which_nobody_filled_anything_in_is_no_refusal(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1")
    found = desk.record("answers", "invitation_id,score,answered_at\na1,,\n")
    assert (codes(found), found.is_refused) == ({"nothing_filled_in": 1}, False)


def test_an_answer_without_its_date_is_rejected(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1")
    assert codes(desk.record("answers", "invitation_id,score,answered_at\na1,3,\n")) == {
        "required_missing": 1
    }
    with pytest.raises(ContractError, match="answered_at"):
        desk.record("answers", "invitation_id,score\na1,3\n")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("t-a,b,discount,2026-05-02,yes", "treatment_of_another_customer"),
        ("t-a,a,upgrade,2026-05-02,yes", "treatment_of_another_offer"),
        ("t-a,a,discount,2026-05-01,yes", "treatment_before_record"),
        ("t-zz,,,,yes", "treatment_not_on_record"),
        ("t-zz,b,,2026-05-02,yes", "treatment_not_on_record"),
        (",a,discount,2026-05-02,yes", "required_missing"),
        ("t-c,,,,yes", "control_accepted"),
    ],
)
def test_what_contradicts_the_ledger_or_is_not_in_it_is_rejected(
    ledger: Ledger, desk: Desk, row: str, code: str
) -> None:
    decide_offers(ledger, a="discount", c="control")
    before = told(ledger)
    found = desk.record("treatments", f"treatment_id,customer_id,offer_id,at,accepted\n{row}\n")
    assert (codes(found), told(ledger)) == ({code: 1}, before)


@pytest.mark.parametrize("day", ["2026-05-02", "2026-05-03", "2026-05-06"])
def test_the_day_decided_and_days_after_it_fit(ledger: Ledger, desk: Desk, day: str) -> None:
    decide_offers(ledger, a="discount")
    assert desk.record("treatments", f"treatment_id,at,accepted\nt-a,{day},yes\n").n_changed == 1
    assert told(ledger)[0][2] == INSTANT, "the date on record stands"


def test_a_word_that_was_known_before_the_offer_was_made_is_rejected(ledger: Ledger, desk: Desk) -> None:
    decide_offers(ledger, a="discount")
    found = desk.record("treatments", "treatment_id,accepted,known_at\nt-a,yes,2026-05-01\n")
    assert codes(found) == {"known_before_happened": 1}


def test_words_told_later_complete_the_record_one_after_the_other(ledger: Ledger, desk: Desk) -> None:
    decide_offers(ledger, a="discount")
    desk.record("treatments", "treatment_id,accepted\nt-a,no\n", datetime(2026, 5, 10))
    desk.record("treatments", "treatment_id,root_cause\nt-a,price\n", datetime(2026, 5, 11))
    desk.record("treatments", "treatment_id,accepted\nt-a,yes\n", datetime(2026, 5, 12))
    assert told(ledger) == [("a", "discount", INSTANT, True, "price")]


def test_new_treatments_still_need_all_of_it(desk: Desk) -> None:
    head = "treatment_id,customer_id,offer_id,at\n"
    found = desk.record("treatments", f"{head}t1,a,discount,2026-05-03\nt2,b,discount,\n")
    assert (found.n_new, codes(found)) == (1, {"treatment_not_on_record": 1})
    assert desk.record("treatments", "treatment_id\nt1\n").n_known == 1


def test_the_command_takes_the_file_of_the_docs(
    workspace: Workspace,
    ledger: Ledger,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    decide_offers(ledger, a="discount", b="discount")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    path = workspace.root / "taken.csv"
    path.write_text("treatment_id,accepted,root_cause\nt-a,yes,\nt-b,no,price\n")
    assert run(["-w", str(workspace.root), "record", "treatments", str(path)]) == 0
    assert "2 rows read: 0 new, 2 changed." in capsys.readouterr().out
