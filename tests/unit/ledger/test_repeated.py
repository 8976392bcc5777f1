"""An id that is on record with other content is told, never taken for known: the row would be lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.ledger import Ledger
from churnrisk.ledger.facts import answers, contacts, every_answer, outcomes
from churnrisk.ledger.taking import AnswerRules, adopt_answers
from churnrisk.recording import Recorded
from churnrisk.store import Workspace
from tests.unit.ledger.desk import NOW, Desk, codes
from tests.unit.ledger.drawn_workspace import WHOLE, drawn, invite

ANSWERED = "answer_id,invitation_id,score,comment,answered_at\n"
CONTACTED = "contact_id,customer_id,at,channel,purpose\n"
CAME = "outcome_id,customer_id,at,outcome,root_cause,note\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, WHOLE)


def is_rejected(found: Recorded) -> bool:
    return (found.n_new, found.n_known, codes(found)) == (0, 0, {"id_taken": 1})


@pytest.mark.parametrize(
    ("kind", "head", "first", "others"),
    [
        (
            "answers",
            ANSWERED,
            "A1,a1,3,dear,2026-05-03\n",
            [
                "A1,b1,3,dear,2026-05-03\n",
                "A1,a1,4,dear,2026-05-03\n",
                "A1,a1,3,slow,2026-05-03\n",
                "A1,a1,3,dear,2026-05-04\n",
                "A1,nobody,3,dear,2026-05-03\n",
            ],
        ),
        (
            "contacts",
            CONTACTED,
            "C1,a,2026-05-03,call,offer\n",
            ["C1,b,2026-05-03,call,offer\n", "C1,a,2026-05-04,call,offer\n", "C1,a,2026-05-03,sms,offer\n"],
        ),
        (
            "outcomes",
            CAME,
            "O1,a,2026-05-03,kept,,\n",
            ["O1,a,2026-05-03,left,,\n", "O1,b,2026-05-03,kept,,\n", "O1,a,2026-05-03,kept,price,\n"],
        ),
    ],
)
def test_an_id_with_other_content_is_rejected_and_the_same_row_is_known(
    ledger: Ledger, desk: Desk, kind: str, head: str, first: str, others: list[str]
) -> None:
    invite(ledger, "a1", "b1")
    assert desk.record(kind, head + first).n_new == 1
    for other in others:
        found = desk.record(kind, head + other)
        assert is_rejected(found)
        assert found.is_refused
        assert f"{kind[:-1]}_id" in found.text()
    assert desk.record(kind, head + first).n_known == 1
    with ledger.reading() as db:
        assert [every_answer(db).height, contacts(db).height, outcomes(db).height].count(1) == 1


def test_case_and_blanks_of_a_channel_make_no_other_contact(desk: Desk) -> None:
    desk.record("contacts", CONTACTED + "C1,a,2026-05-03,SMS,offer\n")
    assert desk.record("contacts", CONTACTED + "C1,a,2026-05-03,sms ,Offer\n").n_known == 1


def test_a_row_that_says_less_is_known(desk: Desk, ledger: Ledger) -> None:
    invite(ledger, "a1")
    desk.record("answers", ANSWERED + "A1,a1,3,dear,2026-05-03\n")
    assert desk.record("answers", ANSWERED + "A1,a1,3,,2026-05-03\n").n_known == 1


def test_an_answer_without_an_id_that_comes_again_with_a_comment_is_told(desk: Desk, ledger: Ledger) -> None:
    invite(ledger, "a1")
    head = "invitation_id,score,comment,answered_at\n"
    desk.record("answers", head + "a1,3,,2026-05-03\n")
    found = desk.record("answers", head + "a1,3,too dear,2026-05-03\n")
    assert (found.n_new, found.n_known, codes(found)) == (0, 0, {"comment_came_later": 1})
    assert desk.record("answers", head + "a1,,too dear,2026-05-04\n").n_new == 1, "as the reason says"
    with ledger.reading() as db:
        assert answers(db).select("score", "comment").rows() == [(3.0, None)], "the first given counts"
        assert every_answer(db)["comment"].to_list().count("too dear") == 1


@pytest.mark.parametrize(
    "row", ["A1,a1,4,dear,2026-05-03", "A1,a1,3,dear,2026-05-04", "A1,b1,3,dear,2026-05-03"]
)
def test_a_comment_beside_which_something_else_differs_is_another_answer(
    desk: Desk, ledger: Ledger, row: str
) -> None:
    invite(ledger, "a1", "b1")
    desk.record("answers", ANSWERED + "A1,a1,3,,2026-05-03\n")
    assert is_rejected(desk.record("answers", f"{ANSWERED}{row}\n"))


def test_an_answer_kept_apart_holds_its_id_too(desk: Desk, ledger: Ledger) -> None:
    rows = ANSWERED + "A1,a1,3,,2026-05-03\n"
    assert desk.record("answers", rows).n_stray == 1
    assert codes(desk.record("answers", ANSWERED + "A1,a1,9,,2026-05-03\n")) == {"id_taken": 1}
    invite(ledger, "a1")
    found = desk.record("answers", rows)
    assert (found.n_matched, found.n_known) == (1, 1)


@pytest.mark.parametrize("metric", ["csat", "ces"])
def test_an_answer_to_another_question_than_was_asked_is_rejected(
    ledger: Ledger, desk: Desk, metric: str
) -> None:
    invite(ledger, "a1", "b1")
    rows = f"invitation_id,metric,score,answered_at\na1,{metric},2,2026-05-03\nb1,nps,2,2026-05-03\n"
    found = desk.record("answers", rows)
    assert (found.n_new, codes(found)) == (1, {"metric_not_asked": 1})
    assert found.quarantine is not None
    assert pl.read_parquet(found.quarantine).select("column", "value").rows() == [("metric", metric)]


def test_an_answer_to_another_question_stays_apart_and_is_not_taken_from_an_export(
    ledger: Ledger, desk: Desk
) -> None:
    desk.record("answers", "invitation_id,metric,score,answered_at\na1,csat,2,2026-05-03\n")
    invite(ledger, "a1")
    exported = pl.DataFrame({"invitation_id": ["a1"], "customer_key": [0]}).with_columns(
        metric=pl.lit("csat"),
        score=pl.lit(2.0),
        comment=pl.lit(None, dtype=pl.String),
        answered_at=pl.datetime(2026, 5, 3),
        answer_known_at=pl.datetime(2026, 5, 4),
    )
    keys = pl.DataFrame({"customer_key": [0], "customer_id": ["a"]})
    with ledger.writing() as db:
        assert adopt_answers(db, exported.lazy(), keys, AnswerRules((0, 6), 7), now=NOW).n_new == 0
    assert desk.record("answers", "invitation_id,score,answered_at\n").n_matched == 0


def test_quarantine_holds_every_rejected_row_with_the_value_and_no_text_of_people(
    ledger: Ledger, desk: Desk
) -> None:
    invite(ledger, "a1", "b1", "b2")
    rows = """invitation_id,score,comment,answered_at
a1,11,Anna is angry,2026-05-03
b1,3.5,,2026-05-03
b2,3,call 555-0100,2026-04-03T10:00:00
b2,three,,2026-05-03
"""
    found = desk.record("answers", rows)
    assert found.quarantine is not None
    kept = pl.read_parquet(found.quarantine)
    assert kept.height == found.n_rejected == found.n_read == 4
    assert kept.select("row", "column", "value").rows() == [
        (1, "score", "11"),
        (2, "score", "3.5"),
        (3, "answered_at", f"{datetime(2026, 4, 3, 10)}.000000"),
        (4, "score", "three"),
    ]
    assert "Anna" not in str(kept.to_dicts())


@pytest.mark.parametrize("kind", ["outcomes", "contacts", "consents"])
def test_who_is_no_customer_is_told_with_a_hint_at_lost_zeros(desk: Desk, kind: str) -> None:
    rows = {
        "outcomes": "customer_id,at,outcome\n7,2026-05-03,kept\n",
        "contacts": "customer_id,at,purpose\n7,2026-05-03,offer\n",
        "consents": "customer_id,consent,value,at\n7,may_contact,no,2026-05-03\n",
    }
    assert "lost zeros in front" in desk.record(kind, rows[kind]).text()
