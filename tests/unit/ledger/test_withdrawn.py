"""What was stopped before it left the house is not on record as done: marked once, and passed over everywhere."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from churnrisk.ledger import Decisions, Ledger, facts, merged, record_decisions
from churnrisk.ledger.entries import add
from churnrisk.ledger.identity import stable_ids
from churnrisk.ledger.outbox import claimed, message, messages, note_try, waiting_messages
from churnrisk.ledger.outbox import withdraw as give_up
from churnrisk.ledger.replay import contacted_by
from churnrisk.ledger.schema import ANSWERS, INVITATIONS, OUTBOX, TREATMENTS
from churnrisk.ledger.standing import waiting
from churnrisk.ledger.withdrawn import decided_contacts, withdraw

DAY = date(2026, 5, 2)
INSTANT = datetime(2026, 5, 3)
NOW = datetime(2026, 5, 3, 3)
NEXT_NIGHT = datetime(2026, 5, 4)
KINDS = {"survey": "i", "offer": "t", "proactive": "p"}


def decide(ledger: Ledger, day: date = DAY, customers: str = "ab") -> None:
    """Write a night that asks everybody, offers everybody something and approaches everybody, with messages."""
    instant = datetime(day.year, day.month, day.day) + timedelta(days=1)
    rows = pl.concat(
        pl.DataFrame({"customer_id": list(customers)}).with_columns(
            kind=pl.lit(kind), reference=pl.concat_str(pl.lit(f"{prefix}{day.day}-"), "customer_id")
        )
        for kind, prefix in KINDS.items()
    )
    decisions = rows.with_columns(
        subject=pl.col("kind"), position=pl.int_range(1, pl.len() + 1), decision=pl.lit("ask"),
        reason_code=pl.lit("chosen"), why=pl.lit(""), value=pl.lit(1.0), cost=pl.lit(1.0), channel=pl.lit("email"),
        purpose=pl.col("kind"), propensity=pl.lit(0.5), is_random=pl.lit(value=False), details=pl.lit("{}"),
    )  # fmt: skip
    asked = rows.filter(kind="survey").select("customer_id", invitation_id="reference").with_columns(
        metric=pl.lit("nps"), occasion=pl.lit("relationship"), purpose=pl.lit("relationship"),
        invited_at=pl.lit(instant), state=pl.lit("invited"),
    )  # fmt: skip
    treated = (
        rows.filter(kind="offer")
        .select("customer_id", treatment_id="reference")
        .with_columns(
            offer_id=pl.lit("discount"), at=pl.lit(instant), propensity=pl.lit(0.5), source=pl.lit("decide")
        )
    )
    made = rows.select("customer_id", source="kind", source_id="reference", purpose="kind").with_columns(
        contact_id=stable_ids("contact", rows, ["kind", "reference"]),
        at=pl.lit(instant), channel=pl.lit("email"), is_transactional=pl.lit(value=False),
    )  # fmt: skip
    out = messages(
        message("offer.decided", name, {}, endpoint="https://x.example", now=instant, customer_id=name[-1])
        for name in treated["treatment_id"]
    )
    wanted = Decisions(
        "run", "settings", "{}", decisions, invitations=asked, treatments=treated, contacts=made, outbox=out
    )
    record_decisions(ledger, day, instant, wanted, instant)


def stop(ledger: Ledger, kind: str, *references: str, now: datetime = NOW) -> int:
    stopped = pl.DataFrame({"reference": references}).with_columns(reason_code=pl.lit("do_not_contact"))
    with ledger.writing() as db:
        return withdraw(db, stopped, kind, DAY, now)


def test_a_stopped_invitation_is_neither_asked_nor_waited_for_nor_a_contact(ledger: Ledger) -> None:
    decide(ledger)
    assert (stop(ledger, "survey", "i2-a"), stop(ledger, "survey", "i2-a")) == (1, 0)
    keys = pl.DataFrame({"customer_key": [0, 1], "customer_id": ["a", "b"]})
    with ledger.reading() as db:
        asked = facts.whole(db, INVITATIONS)
        assert dict(asked.select("invitation_id", "state").iter_rows()) == {
            "i2-a": "withdrawn",
            "i2-b": "invited",
        }
        assert facts.asked(db, NEXT_NIGHT)["invitation_id"].to_list() == ["i2-b"]
        assert merged.survey_rows(db, keys, NEXT_NIGHT)["invitation_id"].to_list() == ["i2-b"]
        assert waiting(db, datetime(2026, 5, 1))["customer_id"].to_list() == ["b"]
        assert sorted(facts.contacts(db)["source_id"]) == ["i2-b", "p2-a", "p2-b", "t2-a", "t2-b"]
        assert decided_contacts(db, DAY, "survey").filter("is_withdrawn")["reference"].to_list() == ["i2-a"]


def test_a_stopped_offer_is_no_treatment_and_its_message_is_given_up(ledger: Ledger) -> None:
    decide(ledger)
    assert stop(ledger, "offer", "t2-a") == 1
    with ledger.reading() as db:
        assert facts.treatments(db, NEXT_NIGHT)["treatment_id"].to_list() == ["t2-b"]
        assert facts.contacts(db, known_before=NEXT_NIGHT).filter(source_id="t2-a").is_empty()
    assert waiting_messages(ledger) == {"waiting": 1, "sent": 0, "failed": 1}
    assert [each.reference for each in claimed(ledger, NOW, sender="s")] == ["t2-b"]


def test_whoever_was_stopped_was_not_approached_by_the_rule(ledger: Ledger) -> None:
    decide(ledger)
    stop(ledger, "proactive", "p2-a")
    with ledger.reading() as db:
        found = contacted_by(db, "proactive", "proactive", date(2026, 5, 1), date(2026, 5, 3))
    assert found["customer_id"].to_list() == ["b"]


@pytest.mark.parametrize("evidence", ["sent", "answered"])
def test_what_has_gone_out_all_the_same_stays_on_record(ledger: Ledger, evidence: str) -> None:
    decide(ledger)
    kind, name = ("offer", "t2-a") if evidence == "sent" else ("survey", "i2-a")
    if evidence == "sent":
        (first,) = (each for each in claimed(ledger, NOW, sender="s") if each.reference == name)
        assert note_try(ledger, first.message_id, NOW, sender="s")
    else:
        answer = pl.DataFrame({"answer_id": ["x"], "invitation_id": [name], "customer_id": ["a"]}).with_columns(
            metric=pl.lit("nps"), score=pl.lit(3.0), answered_at=pl.lit(NOW), known_at=pl.lit(NOW),
            source=pl.lit("file"), is_late=pl.lit(value=False), written_at=pl.lit(NOW),
        )  # fmt: skip
        with ledger.writing() as db:
            add(db, ANSWERS, answer)
    assert stop(ledger, kind, name) == 0
    with ledger.reading() as db:
        table = TREATMENTS if evidence == "sent" else INVITATIONS
        assert facts.whole(db, table)["withdrawn_at"].null_count() == 2


def test_an_answer_to_what_was_withdrawn_counts_all_the_same(ledger: Ledger) -> None:
    decide(ledger)
    stop(ledger, "survey", "i2-a")
    answer = pl.DataFrame({"answer_id": ["x"], "invitation_id": ["i2-a"], "customer_id": ["a"]}).with_columns(
        metric=pl.lit("nps"), score=pl.lit(3.0), answered_at=pl.lit(NOW), known_at=pl.lit(NOW),
        source=pl.lit("file"), is_late=pl.lit(value=False), written_at=pl.lit(NOW),
    )  # fmt: skip
    with ledger.writing() as db:
        add(db, ANSWERS, answer)
        assert facts.asked(db, NEXT_NIGHT)["invitation_id"].to_list() == ["i2-a", "i2-b"]


def test_a_later_date_that_saw_it_as_done_sees_it_so_again(ledger: Ledger) -> None:
    """The night of the third took the offer for made; it was stopped on the fifth, so only then is it gone."""
    decide(ledger)
    decide(ledger, date(2026, 5, 3), "c")
    stop(ledger, "offer", "t2-a", now=datetime(2026, 5, 5, 9))
    with ledger.reading() as db:
        assert facts.treatments(db, NEXT_NIGHT)["treatment_id"].to_list() == ["t2-a", "t2-b"]
        assert facts.treatments(db, datetime(2026, 5, 6))["treatment_id"].to_list() == ["t2-b", "t3-c"]


def test_giving_up_a_message_withdraws_what_it_is_about(ledger: Ledger) -> None:
    decide(ledger)
    (first, _) = claimed(ledger, NOW, sender="s")
    for _ in range(2):
        give_up(ledger, first.message_id, NOW, reason_code="no_consent")
    with ledger.reading() as db:
        gone = facts.whole(db, TREATMENTS).filter(pl.col("withdrawn_at").is_not_null())
        assert gone.select("treatment_id", "withdrawn_at").rows() == [(first.reference, INSTANT)]
        assert facts.whole(db, OUTBOX).filter(message_id=first.message_id)["last_error"].to_list() == [
            "no_consent"
        ]
