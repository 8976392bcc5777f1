"""Words and dates of what is recorded: channels and purposes are written as ours, and nothing has happened tomorrow."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.ledger import Ledger, still_allowed
from churnrisk.ledger.entries import add
from churnrisk.ledger.facts import consents, contacts
from churnrisk.ledger.identity import stable_ids
from churnrisk.ledger.schema import CONSENTS
from churnrisk.ledger.schema import CONTACTS as LEDGER_CONTACTS
from churnrisk.store import Workspace
from tests.unit.ledger.desk import NOW, Desk, codes
from tests.unit.ledger.drawn_workspace import WHOLE, drawn

HEAD = "treatment_id,customer_id,offer_id,at,propensity,campaign_id,accepted,root_cause\n"
CONTACTS = "customer_id,at,channel,purpose\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, WHOLE)


def test_contacts_are_written_as_caps_spell_them_and_an_unknown_channel_is_rejected(
    ledger: Ledger, desk: Desk
) -> None:
    rows = (
        "a,2026-05-01,Email,Offer\na,2026-05-02,EMAIL ,promoter:Referral\nb,2026-05-01,emial,mailing\n"
        "b,2026-05-02,pigeon,mailing\nb,2026-05-03,,Bill\n"
    )
    found = desk.record("contacts", CONTACTS + rows)
    assert (found.n_new, codes(found)) == (3, {"unknown_channel": 2})
    told = " ".join(fault.reason for fault in found.faults)
    assert "Did you mean 'email'?" in told
    with ledger.reading() as db:
        made = contacts(db).sort("at")
    assert made.select("channel", "purpose", "is_transactional").rows() == [
        ("email", "offer", False),
        ("email", "promoter:referral", False),
        (None, "bill", True),
    ]
    again = desk.record(
        "contacts", CONTACTS + "a,2026-05-01,email,offer\na,2026-05-02,eMail,promoter:referral\n"
    )
    assert (again.n_new, again.n_known) == (0, 2), "the same contacts, otherwise written"
    remedy = desk.record("contacts", CONTACTS + "b,2026-05-02,pigeon,mailing\n").faults[0].reason
    assert "There are: email, sms, call. A channel of its own is named in [contacts] channels." in remedy


def test_a_contact_recorded_before_channels_were_spelled_alike_is_not_recorded_twice(
    ledger: Ledger, desk: Desk
) -> None:
    row = {"customer_id": "a", "at": datetime(2026, 5, 1), "channel": "Email", "purpose": "mailing"}
    before = pl.DataFrame([row]).with_columns(
        contact_id=stable_ids("contact", pl.DataFrame([row]), tuple(row)),
        known_at="at",
        is_transactional=pl.lit(value=False),
        source=pl.lit("file"),
        written_at="at",
    )
    with ledger.writing() as db:
        add(db, LEDGER_CONTACTS, before)
    assert desk.record("contacts", CONTACTS + "a,2026-05-01,Email,mailing\n").n_known == 1


def test_a_purpose_that_is_nearly_one_of_ours_is_told_and_one_of_others_is_not(desk: Desk) -> None:
    found = desk.record("contacts", CONTACTS + "a,2026-05-01,sms,offers\na,2026-05-02,sms,newsletter\n")
    assert found.n_new == 2
    (warning,) = found.warnings
    assert warning.startswith("1 row for a purpose that is nearly one of ours")


@pytest.mark.parametrize(
    ("kind", "row", "code"),
    [
        ("consents", "customer_id,consent,value,at\na,may_contact,yes,2036-07-01\n", "consent_in_the_future"),
        ("contacts", CONTACTS + "a,2036-07-01,sms,mailing\n", "contact_in_the_future"),
        ("treatments", HEAD + "s1,a,discount,2036-07-01,,,yes,\n", "treatment_in_the_future"),
    ],
)
def test_what_is_dated_ahead_is_rejected_and_leaves_nothing(
    ledger: Ledger, desk: Desk, kind: str, row: str, code: str
) -> None:
    found = desk.record(kind, row)
    assert codes(found) == {code: 1}
    with ledger.reading() as db:
        assert contacts(db).is_empty()
        assert consents(db).is_empty()
    assert desk.record(kind, row.replace("2036-07-01", "2026-05-10T08:30:00Z")).n_new == 1, "clocks differ"


def test_a_suppression_may_begin_later_and_that_is_told(ledger: Ledger, desk: Desk) -> None:
    found = desk.record("suppressions", "customer_id,since\na,2026-08-01\nb,2026-05-01\n")
    assert found.n_new == 2
    assert found.warnings == (
        "1 row whose since has not come yet, recorded: until then nothing is held back by them.",
    )
    tried = pl.DataFrame({"customer_id": ["a", "b"]})
    assert still_allowed(tried, ledger, NOW)[0]["customer_id"].to_list() == ["a"]
    assert still_allowed(tried, ledger, datetime(2026, 8, 2)).allowed.is_empty()


def test_a_yes_dated_ahead_that_is_on_record_does_not_outlive_a_refusal(ledger: Ledger, desk: Desk) -> None:
    """It was recorded when nobody looked at dates."""
    said = pl.DataFrame({"customer_id": ["a"], "at": [datetime(2036, 7, 1)]}).with_columns(
        consent=pl.lit("may_contact"), known_at="at", value=pl.lit(value=True), source=pl.lit("file")
    )
    with ledger.writing() as db:
        add(db, CONSENTS, said)
    desk.record("consents", "customer_id,consent,value,at\na,may_contact,no,2026-05-09\n")
    assert still_allowed(said.select("customer_id"), ledger, NOW).allowed.is_empty()
