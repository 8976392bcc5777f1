"""What is recorded against what is on record: a decision stands, and what contradicts it is told."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.cli import run
from churnrisk.errors import ContractError
from churnrisk.ledger import Ledger, still_allowed
from churnrisk.ledger.facts import answers, contacts, outcomes, treatments
from churnrisk.ledger.permission import suppress, suppressed
from churnrisk.ledger.withdrawn import withdraw
from churnrisk.store import Workspace
from tests.unit.ledger.desk import DECIDED_ON, INSTANT, NOW, Desk, codes, decide_offers
from tests.unit.ledger.drawn_workspace import WHOLE, drawn, invite

HEAD = "treatment_id,customer_id,offer_id,at,propensity,campaign_id,accepted,root_cause\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, WHOLE, ids=("a", "b", "c"), offers=("discount", "upgrade"))


def test_a_treatment_on_record_of_another_customer_or_offer_is_rejected_with_a_remedy(
    ledger: Ledger, desk: Desk
) -> None:
    decide_offers(ledger, a="discount", b="discount", c="control")
    found = desk.record(
        "treatments",
        f"{HEAD}t-a,b,discount,2026-05-03,,,yes,\nt-b,b,upgrade,2026-05-03,,,yes,\nt-c,c,control,2026-05-03,,,,price\n",
    )
    assert (found.n_changed, codes(found)) == (
        1,
        {"treatment_of_another_customer": 1, "treatment_of_another_offer": 1},
    )
    assert found.quarantine is not None
    reasons = pl.read_parquet(found.quarantine)["reason"].to_list()
    assert any("correct customer_id or treatment_id" in reason for reason in reasons)
    with ledger.reading() as db:
        assert treatments(db).select("customer_id", "offer_id", "accepted").rows() == [
            ("a", "discount", None),
            ("b", "discount", None),
            ("c", "control", None),
        ]


def test_the_chance_date_and_campaign_that_a_night_decided_stand_and_that_is_told(
    ledger: Ledger, desk: Desk
) -> None:
    decide_offers(ledger, a="discount")
    row = f"{HEAD}t-a,a,discount,2026-05-08,0.01,spring,yes,price\n"
    found, again = desk.record("treatments", row), desk.record("treatments", row)
    assert (found.n_changed, again.n_changed, again.n_known) == (1, 0, 1)
    assert "than is on record was given and passed over: 1 row." in found.text()
    with ledger.reading() as db:
        told = treatments(db).select("propensity", "campaign_id", "at", "accepted", "root_cause").row(0)
    assert told == (0.8727, "retention", INSTANT, True, "price")


def test_a_chance_that_nobody_had_written_is_filled_in_once(ledger: Ledger, desk: Desk) -> None:
    desk.record("treatments", f"{HEAD}t1,a,discount,2026-05-03,,,,\n")
    assert desk.record("treatments", f"{HEAD}t1,a,discount,2026-05-03,0.5,spring,,\n").n_changed == 1
    assert desk.record("treatments", f"{HEAD}t1,a,discount,2026-05-03,0.7,summer,,\n").n_changed == 0
    with ledger.reading() as db:
        assert treatments(db).select("propensity", "campaign_id").row(0) == (0.5, "spring")


def test_a_control_cannot_have_taken_the_offer_it_never_got(ledger: Ledger, desk: Desk) -> None:
    decide_offers(ledger, a="control")
    rows = f"{HEAD}t-a,a,control,2026-05-03,,,yes,\nt2,b,control,2026-05-03,,,no,\n"
    found = desk.record("treatments", rows)
    assert (found.n_new, codes(found)) == (1, {"control_accepted": 1})
    with ledger.reading() as db:
        assert treatments(db)["accepted"].to_list() == [None, False]
        assert contacts(db).is_empty()


OUTCOMES = "customer_id,treatment_id,at,outcome\n"


def test_an_outcome_belongs_to_a_treatment_of_its_customer_that_was_made_before(
    ledger: Ledger, desk: Desk
) -> None:
    """The treatment was made as the second of May ended: the third, known as a day alone, is not before it."""
    decide_offers(ledger, a="discount", b="discount")
    rows = (
        "a,t-a,2026-05-03,kept\n"
        "a,,2026-05-01,reached\n"
        "a,t-b,2026-05-04,kept\n"
        "a,nobodys,2026-05-04,kept\n"
        "b,t-b,2026-05-02T18:00:00,kept\n"
        "b,t-b,2026-05-11,kept\n"
    )
    found = desk.record("outcomes", OUTCOMES + rows)
    assert (found.n_new, codes(found)) == (
        2,
        {
            "treatment_of_another_customer": 1,
            "unknown_treatment": 1,
            "outcome_before_treatment": 1,
            "outcome_in_the_future": 1,
        },
    )
    with ledger.reading() as db:
        assert sorted(outcomes(db)["outcome"]) == ["kept", "reached"]


def test_an_outcome_may_be_that_of_a_treatment_which_the_sources_tell_of(
    workspace: Workspace, desk: Desk
) -> None:
    toml = workspace.root / "churnrisk.toml"
    toml.write_text(toml.read_text() + '[sources.treatments]\npath = "treatments.csv"\n')
    (workspace.root / "treatments.csv").write_text(
        "treatment_id,customer_id,offer_id,at\ns1,a,discount,2026-04-01\n"
    )
    theirs = Desk(Workspace.open(workspace.root), desk.environment)
    found = theirs.record("outcomes", OUTCOMES + "a,s1,2026-04-02,kept\nb,s1,2026-04-02,kept\n")
    assert (found.n_new, codes(found)) == (1, {"treatment_of_another_customer": 1})


def test_answers_that_have_not_been_given_yet_are_rejected_as_the_console_does(
    ledger: Ledger, desk: Desk
) -> None:
    invite(ledger, "a1", "b1")
    soon, later = NOW + timedelta(minutes=59), NOW + timedelta(minutes=61)
    found = desk.record(
        "answers", f"invitation_id,score,answered_at\na1,3,{soon.isoformat()}\nb1,3,{later.isoformat()}\n"
    )
    assert (found.n_new, codes(found)) == (1, {"answer_in_the_future": 1})
    with ledger.reading() as db:
        assert answers(db)["invitation_id"].to_list() == ["a1"]


@pytest.mark.parametrize("kind", ["consents", "contacts"])
def test_a_file_of_which_no_row_can_be_recorded_ends_with_the_exit_code_of_bad_data(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{workspace.root / 'operations.db'}")
    path = workspace.root / "words.csv"
    rows = {
        "consents": "customer_id,consent,value,at\nzz,may_contact,no,2026-05-03\na,may_call,no,2026-05-03\n",
        "contacts": "customer_id,at,channel,purpose\nzz,2026-05-03,call,offer\n",
    }
    path.write_text(rows[kind])
    assert run(["-w", str(workspace.root), "record", kind, str(path)]) == ContractError.exit_code
    said = capsys.readouterr().err
    assert "of which not one can be recorded" in said
    assert "customer_id is not in customers" in said
    assert run(["-w", str(workspace.root), "record", kind, str(path), "--json"]) == ContractError.exit_code
    told = json.loads(capsys.readouterr().out)
    assert told["faults"][0]["code"] == "all_rows_bad"


def test_a_file_that_only_repeats_or_is_empty_is_no_failure(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{workspace.root / 'operations.db'}")
    path = workspace.root / "words.csv"
    path.write_text("customer_id,consent,value,at\n")
    assert run(["-w", str(workspace.root), "record", "consents", str(path)]) == 0
    path.write_text("customer_id,consent,value,at\na,may_contact,no,2026-05-03\n")
    assert [run(["-w", str(workspace.root), "record", "consents", str(path)]) for _ in range(2)] == [0, 0]


def test_a_column_that_a_file_lacks_is_asked_for_in_the_file_not_in_the_settings(desk: Desk) -> None:
    with pytest.raises(ContractError) as caught:
        desk.record("consents", "who,what,said,on\na,may_contact,no,2026-05-03\n")
    assert "[sources" not in str(caught.value)
    assert "churnrisk schema recorded_consents" in str(caught.value)


def test_what_is_dated_is_read_on_the_clock_of_the_one_who_records(desk: Desk) -> None:
    row = "a,,2026-05-12,reached\n"
    assert codes(desk.record("outcomes", OUTCOMES + row)) == {"outcome_in_the_future": 1}
    assert desk.record("outcomes", OUTCOMES + row, datetime(2026, 5, 13)).n_new == 1


def test_a_stray_is_no_answer_to_an_invitation_that_came_after_it(ledger: Ledger, desk: Desk) -> None:
    """a1 was answered the day before it was sent, b1 on that day, known as a day alone."""
    rows = "invitation_id,score,answered_at\na1,3,2026-04-30\nb1,3,2026-05-01\n"
    assert desk.record("answers", rows).n_stray == 2
    invite(ledger, "a1", "b1", at=datetime(2026, 5, 1, 9))
    later = desk.record("answers", "invitation_id,score,answered_at\n")
    assert later.n_matched == 1
    with ledger.reading() as db:
        assert answers(db)["invitation_id"].to_list() == ["b1"]


def test_what_came_back_of_a_withdrawn_offer_needs_an_id_of_its_own(ledger: Ledger, desk: Desk) -> None:
    decide_offers(ledger, a="discount")
    stopped = pl.DataFrame({"reference": ["t-a"], "reason_code": ["do_not_contact"]})
    with ledger.writing() as db:
        withdraw(db, stopped, "offer", DECIDED_ON, NOW)
    found = desk.record(
        "treatments", f"{HEAD}t-a,a,discount,2026-05-04,,,yes,\nshop1,a,discount,2026-05-04,,,yes,\n"
    )
    assert (found.n_new, codes(found)) == (1, {"treatment_withdrawn": 1})


def test_a_suppression_holds_however_its_channel_is_spelled_and_an_unknown_one_is_rejected(
    ledger: Ledger, desk: Desk
) -> None:
    rows = "customer_id,channel,since\na, SMS ,2026-05-01\nb,Emial,2026-05-01\nb,pigeon,2026-05-01\nc,,2026-05-01\n"
    found = desk.record("suppressions", rows)
    assert (found.n_new, codes(found)) == (2, {"unknown_channel": 2})
    assert any("Did you mean 'email'?" in fault.reason for fault in found.faults)
    assert any("There are: email, sms, call." in fault.reason for fault in found.faults)
    tried = pl.DataFrame({"customer_id": ["a", "a", "b", "c"], "channel": ["sms", "email", "email", "call"]})
    assert still_allowed(tried, ledger, NOW).allowed.rows() == [("a", "email"), ("b", "email")]


def test_a_suppression_that_was_recorded_in_another_spelling_holds_all_the_same(ledger: Ledger) -> None:
    with ledger.writing() as db:
        suppress(ledger, db, ["a"], reason="asked", now=NOW, channel="SMS ")
        assert suppressed(ledger, db, pl.Series(["a"]), NOW, channels=("email", "Sms")).rows() == [
            ("a", "Sms")
        ]
        assert suppressed(ledger, db, pl.Series(["a"]), NOW, channels=()).rows() == [("a", "SMS")]


def test_ids_to_be_left_alone_that_are_no_customers_are_taken_and_counted(
    workspace: Workspace, desk: Desk
) -> None:
    found = desk.record("suppressions", "customer_id,since\na,2026-05-01\n1956,2026-05-01\n")
    assert found.n_new == 2
    assert "Warning: 1 row with an id that is no customer's today" in found.text()
    (workspace.root / "customers.csv").unlink()
    again = desk.record("suppressions", "customer_id,since\nb,2026-05-01\n")
    assert again.n_new == 1
    assert "The customers cannot be read" in again.warnings[0]


def test_where_the_sources_run_ahead_of_the_clock_so_may_what_is_recorded(
    workspace: Workspace, desk: Desk
) -> None:
    toml = workspace.root / "churnrisk.toml"
    sources = '[sources.events]\npath = "events.csv"\n[sources.usage]\npath = "usage.csv"\n'
    toml.write_text(toml.read_text() + sources)
    (workspace.root / "usage.csv").write_text("customer_id,period_start,revenue\na,2026-07-01,9\n")
    (workspace.root / "events.csv").write_text("customer_id,at,event\na,2026-07-01T10:00:00,login\n")
    simulated = Desk(Workspace.open(workspace.root), desk.environment)
    assert simulated.record("outcomes", OUTCOMES + "a,,2026-07-02,kept\n").n_new == 1
    assert (
        simulated.record("contacts", "customer_id,at,channel,purpose\na,2026-07-02,sms,mailing\n").n_new == 1
    )
    assert not simulated.record("suppressions", "customer_id,since\na,2026-07-02\n").warnings
    assert desk.record("outcomes", OUTCOMES + "a,,2026-07-03,kept\n").n_rejected == 1
