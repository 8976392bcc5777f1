"""``record``: what came back goes into the ledger once; every row read is accounted for."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import churnrisk
from churnrisk.cli import run
from churnrisk.errors import ContractError, SourceMissing, UsageError
from churnrisk.inputs import Inputs
from churnrisk.ledger import Ledger, still_allowed
from churnrisk.ledger.facts import answers, consents, contacts, every_answer, outcomes, treatments, whole
from churnrisk.ledger.outbox import claimed
from churnrisk.ledger.schema import ALERTS, STRAYS
from churnrisk.ledger.taking import AnswerRules, adopt_answers, contact_id
from churnrisk.recording import KINDS, record
from churnrisk.store import Workspace
from churnrisk.tables.contracts import RECORDED_TABLES
from tests.unit.ledger.desk import NOW, Desk
from tests.unit.ledger.drawn_workspace import WHOLE, drawn, invite


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, WHOLE, ids=("a", "b", "007"))


ANSWERS = """invitation_id,score,comment,answered_at
a1,3,слишком дорого,2026-05-03T10:00:00
b1,9,,2026-05-03T11:00:00
"""


def test_answers_are_written_once_with_alerts_for_the_low_ones(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1", "b1")
    first, second = desk.record("answers", ANSWERS), desk.record("answers", ANSWERS)
    assert (first.n_read, first.n_new, first.n_alerts) == (2, 2, 1)
    assert (second.n_known, second.n_new, second.n_alerts) == (2, 0, 0)
    assert "Nothing has changed" in second.text()
    with ledger.reading() as db:
        found = answers(db)
        assert found.select("customer_id", "metric", "score", "comment").rows() == [
            ("a", "nps", 3.0, "слишком дорого"),
            ("b", "nps", 9.0, None),
        ]
        assert found["known_at"].to_list() == [NOW, NOW]
        (alert,) = whole(db, ALERTS).to_dicts()
    assert (alert["customer_id"], alert["score"], alert["comment"], alert["state"]) == (
        "a",
        3.0,
        "слишком дорого",
        "open",
    )
    (message,) = claimed(ledger, NOW, sender="s")
    assert (message.kind, message.endpoint) == ("alert.raised", "https://platform.example")
    assert "слишком дорого" in message.body


def test_known_at_is_that_of_the_file_where_it_says_so(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1")
    desk.record("answers", "invitation_id,score,answered_at,known_at\na1,3,2026-05-03T10:00:00,2026-05-04\n")
    with ledger.reading() as db:
        assert answers(db)["known_at"].to_list() == [datetime(2026, 5, 4, 23, 59, 59, 999999)]


def test_late_answers_are_marked(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1", "b1")
    desk.record(
        "answers", "invitation_id,score,answered_at\na1,3,2026-05-07T10:00:00\nb1,3,2026-05-09T10:00:00\n"
    )
    with ledger.reading() as db:
        assert answers(db)["is_late"].to_list() == [False, True]


def test_answers_to_unknown_invitations_wait_apart_until_somebody_knows_them(
    ledger: Ledger, desk: Desk
) -> None:
    first = desk.record("answers", ANSWERS)
    assert (first.n_stray, first.n_new, first.n_alerts) == (2, 0, 0)
    assert desk.record("answers", ANSWERS).n_stray == 2
    invite(ledger, "a1")
    later = desk.record("answers", ANSWERS, NOW + timedelta(days=1))
    assert (later.n_known, later.n_stray, later.n_matched, later.n_alerts) == (1, 1, 1, 1)
    with ledger.reading() as db:
        assert answers(db)["invitation_id"].to_list() == ["a1"]
        assert answers(db)["known_at"].to_list() == [NOW]
        assert whole(db, STRAYS)["matched_at"].null_count() == 1


def test_answers_that_cannot_be_are_rejected_with_a_reason(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, *(f"a{number}" for number in range(1, 8)))
    rows = """invitation_id,metric,score,comment,answered_at
a1,,11,,2026-05-03T10:00:00
a2,,3.5,,2026-05-03T10:00:00
a3,csat,5,,2026-05-03T10:00:00
a4,,3,,2026-04-03T10:00:00
a5,,,,2026-05-03T10:00:00
a6,,three,,2026-05-03T10:00:00
a7,,7,good,yesterday
,,7,,2026-05-03T10:00:00
a1,nps,7,,2026-05-03T10:00:00
"""
    found = desk.record("answers", rows)
    assert found.n_new == 1
    assert {fault.code: fault.n_rows for fault in found.faults} == {
        "metric_not_asked": 1,
        "score_off_scale": 1,
        "score_not_whole": 1,
        "answer_before_invitation": 1,
        "nothing_said": 1,
        "number_unreadable": 1,
        "date_unreadable": 1,
        "required_missing": 1,
    }
    assert found.quarantine is not None
    kept = pl.read_parquet(found.quarantine)
    assert kept.height == 8
    assert "good" not in str(kept.to_dicts())
    assert str(found.quarantine) in found.text()
    assert desk.record("answers", rows).quarantine == found.quarantine


def test_a_row_twice_in_a_file_counts_once(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1")
    rows = "answer_id,invitation_id,score,answered_at\n" + "e1,a1,3,2026-05-03\n" * 2 + "e1,a1,4,2026-05-03\n"
    found = desk.record("answers", rows)
    assert (found.n_new, {fault.code: fault.n_rows for fault in found.faults}) == (
        1,
        {"duplicate_row": 1, "duplicate_key": 1},
    )


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_order_in_which_answers_come_changes_nothing(
    ledger: Ledger, desk: Desk, order: tuple[int, ...]
) -> None:
    invite(ledger, "a1")
    head = "answer_id,invitation_id,score,answered_at\n"
    rows = ["e1,a1,3,2026-05-03T10:00:00\n", "e2,a1,8,2026-05-03T12:00:00\n", "e2,a1,8,2026-05-03T12:00:00\n"]
    alerts = sum(desk.record("answers", head + rows[place]).n_alerts for place in order)
    with ledger.reading() as db:
        assert answers(db)["score"].to_list() == [3.0]
        assert every_answer(db).height == 2
    assert alerts == 1


def test_treatments_are_written_and_completed_later(ledger: Ledger, desk: Desk) -> None:
    head = "treatment_id,customer_id,offer_id,at,accepted,root_cause\n"
    first = desk.record("treatments", f"{head}t1,a,discount,2026-05-03,,\nt2,b,control,2026-05-03,,\n")
    again = desk.record(
        "treatments", f"{head}t1,a,discount,2026-05-03,yes,price\nt2,b,control,2026-05-03,,\n"
    )
    assert (first.n_new, first.n_changed) == (2, 0)
    assert (again.n_new, again.n_changed, again.n_known) == (0, 1, 1)
    with ledger.reading() as db:
        assert treatments(db).select("accepted", "root_cause").rows() == [(True, "price"), (None, None)]
        made = contacts(db)
    assert made.select("contact_id", "customer_id", "purpose").rows() == [
        (contact_id("offer", "t1"), "a", "offer")
    ]


def test_of_a_control_the_offer_it_would_have_been_made_is_recorded(ledger: Ledger, desk: Desk) -> None:
    head = "treatment_id,customer_id,offer_id,at,instead_of\n"
    desk.record("treatments", f"{head}t1,a,control,2026-05-03,\nt2,b,discount,2026-05-03,\n")
    found = desk.record(
        "treatments",
        f"{head}t1,a,control,2026-05-03,discount\nt2,b,discount,2026-05-03,\nt3,b,discount,2026-05-04,discount\n"
        "t4,a,control,2026-05-04,gift\n",
    )
    assert (found.n_new, found.n_changed, found.n_known, found.n_rejected) == (0, 1, 1, 2)
    assert sorted(fault.code for fault in found.faults) == ["instead_of_no_control", "unknown_instead_of"]
    with ledger.reading() as db:
        assert treatments(db).select("treatment_id", "instead_of").rows() == [
            ("t1", "discount"),
            ("t2", None),
        ]


def test_customers_and_offers_that_nobody_knows_are_rejected(desk: Desk) -> None:
    head = "treatment_id,customer_id,offer_id,at\n"
    rows = f"{head}t1,zz,discount,2026-05-03\nt2,a,gift,2026-05-03\nt3,007,control,2026-05-03\n"
    found = desk.record("treatments", rows)
    assert found.n_new == 1
    assert sorted(fault.code for fault in found.faults) == ["unknown_customer", "unknown_offer"]


def test_outcomes_and_contacts_without_an_id_are_the_same_when_they_say_the_same(
    ledger: Ledger, desk: Desk
) -> None:
    told = (
        "customer_id,at,outcome,note\na,2026-05-03T10:00:00,kept,\na,2026-05-03T10:00:00,kept,called twice\n"
    )
    made = "customer_id,at,channel,purpose\na,2026-05-03,call,offer\nb,2026-05-03,email,bill\n"
    for n_new in (2, 0):
        assert desk.record("outcomes", told).n_new == n_new
        assert desk.record("contacts", made).n_new == n_new
    with ledger.reading() as db:
        assert outcomes(db).height == 2
        assert dict(contacts(db).select("purpose", "is_transactional").iter_rows()) == {
            "offer": False,
            "bill": True,
        }


def test_a_consent_taken_back_and_a_suppression_hold_at_the_door(ledger: Ledger, desk: Desk) -> None:
    """a takes the consent back, b is left alone by email until June, and zz, who is no customer, for ever."""
    words = """customer_id,consent,value,at
a,may_contact,no,2026-05-03
b,may_call,no,2026-05-03
zz,may_contact,no,2026-05-03
"""
    stopped = """customer_id,channel,since,until
b,email,2026-05-01,2026-06-01
zz,,2026-05-01,
zz,sms,2026-05-01,2026-04-01
"""
    found = desk.record("consents", words)
    assert (found.n_new, sorted(fault.code for fault in found.faults)) == (
        1,
        ["unknown_consent", "unknown_customer"],
    )
    found = desk.record("suppressions", stopped)
    assert (found.n_new, [fault.code for fault in found.faults]) == (2, ["ends_before_it_begins"])
    assert desk.record("consents", words).n_known == 1
    assert desk.record("suppressions", stopped).n_known == 2
    rows = pl.DataFrame({"customer_id": ["a", "b", "b", "zz"], "channel": ["email", "email", "sms", "sms"]})
    checked = still_allowed(rows, ledger, NOW)
    assert checked.allowed.rows() == [("b", "sms")]
    assert checked.refused["reason_code"].to_list() == ["no_consent", "suppressed", "do_not_contact"]
    assert still_allowed(rows, ledger, datetime(2026, 6, 2)).allowed.height == 2
    sooner = "customer_id,channel,since,until\nzz,,2026-05-01,2026-06-01\n"
    assert desk.record("suppressions", sooner).n_known == 1
    assert still_allowed(rows, ledger, datetime(2026, 6, 2)).allowed.height == 2


def test_the_use_of_answers_can_be_taken_back(ledger: Ledger, desk: Desk) -> None:
    words = "customer_id,consent,value,at\na,may_use_answers,no,2026-05-03\n"
    assert desk.record("consents", words).n_new == 1
    with ledger.reading() as db:
        assert consents(db, NOW).is_empty(), "known when recorded: at that instant, not before it"
        assert consents(db).select("consent", "value").rows() == [("may_use_answers", False)]


def test_a_frame_is_recorded_like_a_file(ledger: Ledger, desk: Desk) -> None:
    invite(ledger, "a1")
    frame = pl.DataFrame({"invitation_id": ["a1"], "score": [5], "answered_at": [datetime(2026, 5, 3)]})
    assert desk.record("answers", frame).n_new == 1
    frame.write_parquet(desk.workspace.root / "answers.parquet")
    again = record(
        desk.workspace,
        Inputs({}, desk.environment, interactive=False),
        "answers",
        str(desk.workspace.root / "answers.parquet"),
        now=NOW,
    )
    assert again.n_known == 1


def test_answers_that_a_platform_exports_belong_to_the_invitations_they_answer(ledger: Ledger) -> None:
    """a1 is taken, b1 has its answer, c1 is nobody's invitation, a2 somebody else's, a3 was answered too early."""
    invite(ledger, "a1", "b1", "a2")
    invite(ledger, "a3", at=datetime(2026, 5, 4))
    rows = pl.DataFrame(
        {"invitation_id": ["a1", "b1", "c1", "a2", "a3"], "customer_key": [0, 1, 2, 1, 0]}
    ).with_columns(
        metric=pl.lit("nps"),
        score=pl.lit(2.0),
        comment=pl.lit(None, dtype=pl.String),
        answered_at=pl.datetime(2026, 5, 3),
        answer_known_at=pl.datetime(2026, 5, 4),
    )
    keys = pl.DataFrame({"customer_key": [0, 1, 2], "customer_id": ["a", "b", "c"]})
    rules = AnswerRules((0, 6), 7)
    with ledger.writing() as db:
        first = rows.filter(pl.col("invitation_id") == "b1").with_columns(score=pl.lit(9.0))
        assert adopt_answers(db, first.lazy(), keys, rules, now=NOW).n_new == 1
        taken = adopt_answers(db, rows.lazy(), keys, rules, now=NOW)
        assert (taken.n_new, taken.n_stray, taken.n_alerts) == (1, 0, 1)
        assert adopt_answers(db, rows.lazy(), keys, rules, now=NOW).n_new == 0
        found = answers(db)
    assert found.select("invitation_id", "score", "known_at", "source").rows() == [
        ("a1", 2.0, datetime(2026, 5, 4), "source"),
        ("b1", 9.0, datetime(2026, 5, 4), "source"),
    ]


def test_what_cannot_be_read_is_told(desk: Desk) -> None:
    with pytest.raises(UsageError, match="answers, outcomes, treatments, contacts"):
        desk.record("answer", ANSWERS)
    with pytest.raises(ContractError, match="invitation_id"):
        desk.record("answers", "score\n3\n")
    with pytest.raises(SourceMissing, match="no-such"):
        record(
            desk.workspace, Inputs({}, desk.environment, interactive=False), "answers", "no-such.csv", now=NOW
        )


def test_a_file_without_rows_changes_nothing(desk: Desk) -> None:
    assert desk.record("answers", "invitation_id,score,answered_at\n").n_read == 0


def test_the_command_tells_what_became_of_the_rows(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEDGER_URL", f"sqlite:///{workspace.root / 'operations.db'}")
    path = workspace.root / "made.csv"
    path.write_text("customer_id,at,channel,purpose\na,2026-05-03,call,offer\nzz,2026-05-03,call,offer\n")
    assert run(["-w", str(workspace.root), "record", "contacts", str(path)]) == 0
    assert "contacts: 2 rows read: 1 new, 1 rejected." in capsys.readouterr().out
    assert run(["-w", str(workspace.root), "record", "contacts", str(path), "--json"]) == 0
    assert '"n_known": 1' in capsys.readouterr().out
    assert churnrisk.open(workspace.root).record("contacts", path).n_known == 1


def test_every_kind_has_a_contract() -> None:
    tables = ("recorded_answers", "recorded_outcomes", "recorded_treatments", "recorded_contacts")
    assert set(RECORDED_TABLES) == {
        *tables,
        "recorded_consents",
        "recorded_suppressions",
        "recorded_liftings",
    }
    assert set(RECORDED_TABLES) == {f"recorded_{kind}" for kind in KINDS}
