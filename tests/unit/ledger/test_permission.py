"""Who may be contacted: the word on a consent in force, suppressions always, and both again at the door."""

from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import parsed_config
from churnrisk.dates import AsOf
from churnrisk.ledger import Ledger, crm_consents, standing_of, still_allowed
from churnrisk.ledger.entries import add
from churnrisk.ledger.permission import CONSENTS, consents_in_force, suppress, unsaid
from churnrisk.ledger.rules import ContactRules
from churnrisk.ledger.rules.refusals import probed
from churnrisk.ledger.schema import ANSWERS, CONTACTS, INVITATIONS, SUPPRESSIONS
from churnrisk.ledger.schema import CONSENTS as SAID
from churnrisk.tables.lake import LakeTables

NOW = datetime(2026, 5, 2)


def crm(**said: bool) -> pl.DataFrame:
    """What the customers' file says of each since NOW."""
    told = unsaid(pl.Series(list(said), dtype=pl.String))
    for name in CONSENTS:
        told = told.with_columns(
            pl.Series(name, list(said.values()), dtype=pl.Boolean),
            pl.lit(value=True).alias(f"said_{name}"),
            pl.lit(NOW).alias(f"{name}_at"),
        )
    return told


def word(customer: str, at: datetime, *, value: bool, consent: str = "may_contact") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": [customer],
            "consent": [consent],
            "at": [at],
            "known_at": [at],
            "value": [value],
            "source": ["file"],
        }
    )


@pytest.mark.parametrize(("hours", "value"), [(-1, True), (0, False), (1, False)])
def test_of_two_words_on_a_consent_the_newer_one_counts(hours: int, value: bool) -> None:
    said = word("a", NOW + timedelta(hours=hours), value=False)
    found = consents_in_force(crm(a=True, b=True), said, "UTC")
    assert found.rows() == [("a", True, value), ("b", True, True)]


def test_the_version_of_the_customers_system_in_force_counts(tmp_path: Path) -> None:
    """Of a the second of three versions is known; b came later than the instant and counts as it will be."""
    versions = pl.DataFrame(
        {
            "customer_key": [1, 1, 1, 2, 3],
            "version": [0, 1, 2, 3, 4],
            "known_at": [NOW - timedelta(days=n) for n in (9, 5, -3, -4, 9)],
            "valid_from": [NOW - timedelta(days=9), NOW - timedelta(days=5), NOW, None, None],
            "may_survey": [True, False, True, True, True],
            "may_contact": [True, True, False, None, True],
        }
    )
    versions.write_parquet(tmp_path / "customers.parquet")
    keys = pl.DataFrame({"customer_key": [1, 2, 3], "customer_id": ["a", "b", None]})
    keys.write_parquet(tmp_path / "keys.parquet")
    tables = LakeTables({name: tmp_path / f"{name}.parquet" for name in ("customers", "keys")})
    found = crm_consents(tables, NOW)
    assert found.select("customer_id", "may_survey", "may_contact").rows() == [
        ("a", False, True),
        ("b", True, None),
    ]
    assert found["may_survey_at"].to_list() == [NOW - timedelta(days=5), None]
    assert found["may_contact_at"].to_list() == [NOW - timedelta(days=9), None], "when that was first said"
    assert found["said_may_contact"].to_list() == [True, False]


def test_a_refusal_that_the_file_holds_by_now_is_heeded_and_a_later_yes_waits(tmp_path: Path) -> None:
    """Of a the no came after the instant, of b the yes; c says no from tomorrow on; d was left out of the new rows."""
    before, later, ahead = NOW - timedelta(days=9), NOW + timedelta(days=2), NOW + timedelta(days=9)
    rows = [
        (1, 0, before, True), (1, 1, later, False), (2, 2, before, False), (2, 3, later, True),
        (3, 4, before, True), (3, 5, ahead, False), (4, 6, before, True),
    ]  # fmt: skip
    versions = pl.DataFrame(
        rows, schema=["customer_key", "version", "valid_from", "may_contact"], orient="row"
    ).with_columns(known_at="valid_from", may_survey=pl.lit(value=True))
    versions.write_parquet(tmp_path / "customers.parquet")
    keys = pl.DataFrame({"customer_key": [1, 2, 3, 4], "customer_id": ["a", "b", "c", "d"]})
    keys.write_parquet(tmp_path / "keys.parquet")
    tables = LakeTables({name: tmp_path / f"{name}.parquet" for name in ("customers", "keys")})
    then = crm_consents(tables, NOW)
    by_now = crm_consents(tables, NOW, NOW + timedelta(days=5))
    assert then["may_contact"].to_list() == [True, False, True, True]
    assert by_now["may_contact"].to_list() == [False, False, True, True]
    assert by_now["may_contact_at"].to_list() == [later, before, before, before]
    assert by_now.columns == then.columns
    assert by_now["may_survey"].all()


def test_suppressions_are_kept_without_the_name(ledger: Ledger) -> None:
    with ledger.writing() as db:
        assert suppress(ledger, db, ["a", "Ольга"], reason="asked", now=NOW) == 2
        assert suppress(ledger, db, ["a"], reason="asked", now=NOW) == 0
        assert suppress(ledger, db, ["b"], reason="bounced", now=NOW, channel="email") == 1
        tokens = [
            token for (token,) in db.execute(SUPPRESSIONS.select().with_only_columns(SUPPRESSIONS.c.token))
        ]
    assert "a" not in tokens
    assert all(len(token) == 32 for token in tokens)


def test_at_the_door_consent_and_suppressions_are_looked_at_again(ledger: Ledger) -> None:
    rows = pl.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d", "e", "e"],
            "channel": ["email", "email", "sms", "email", "email", "email"],
            "purpose": ["survey", "survey", "survey", "offer", "offer", "survey"],
        }
    )
    with ledger.writing() as db:
        suppress(ledger, db, ["a"], reason="asked", now=NOW)
        suppress(ledger, db, ["b", "c"], reason="bounced", now=NOW, channel="email")
        add(db, SAID, word("e", NOW, value=False))
    found = still_allowed(rows, ledger, NOW)
    assert found.allowed.select("customer_id", "purpose").rows() == [
        ("c", "survey"),
        ("d", "offer"),
        ("e", "survey"),
    ]
    assert found.refused.select("customer_id", "reason_code").rows() == [
        ("a", "do_not_contact"),
        ("b", "suppressed"),
        ("e", "no_consent"),
    ]
    strict = still_allowed(rows, ledger, NOW, crm=crm(d=False, e=True))
    assert strict.allowed.select("customer_id", "purpose").rows() == [("e", "survey")]


def test_contacts_in_another_spelling_count_for_the_caps_of_their_channel(ledger: Ledger) -> None:
    """They were recorded before spellings were looked at, or stand so in the source of surveys."""
    config = parsed_config(
        "[contacts]\nquiet_days = 0\ncaps = [{ days = 30, most = 1, channel = 'email' }]\n"
        "[surveys]\ncaps = []\nholdout_share = 0\n"
        "[holdout]\nshare = 0"
    )
    made = pl.DataFrame(
        [("a", "Email", "mailing"), ("b", "EMAIL ", "mailing"), ("c", "sms", "Survey")],
        schema=["customer_id", "channel", "purpose"],
        orient="row",
    ).with_columns(
        contact_id="customer_id",
        at=pl.lit(NOW - timedelta(days=9)),
        known_at=pl.lit(NOW),
        is_transactional=pl.lit(value=False),
        source=pl.lit("file"),
        source_id=pl.lit(None, dtype=pl.String),
        written_at=pl.lit(NOW),
    )
    columns = ["customer_id", "at", "channel", "purpose", "is_transactional", "source_id"]
    elsewhere = made.filter(customer_id="b").select(columns).with_columns(customer_id=pl.lit("d"))
    people = pl.Series(["a", "b", "c", "d"])
    with ledger.writing() as db:
        add(db, CONTACTS, made)
        found = standing_of(ledger, db, config, unsaid(people), NOW, elsewhere=elsewhere)
    told = probed(
        people,
        "survey",
        "email",
        standing=found,
        rules=ContactRules.of(config),
        as_of=AsOf(NOW.date() - timedelta(days=1)),
    )
    assert told.sort("customer_id")["reason"].to_list() == ["cap_reached", "cap_reached", None, "cap_reached"]
    assert found.contacts.filter(customer_id="c")["purpose"].to_list() == ["survey"]


def test_where_customers_stand_is_read_from_ledger_and_hash(ledger: Ledger) -> None:
    config = parsed_config(
        "[contacts]\nwait_for_answer_days = 7\n[holdout]\nshare = 0.5\n[surveys]\nholdout_share = 0"
    )
    asked = pl.DataFrame(
        {
            "invitation_id": ["i1", "i2", "i3", "i4"],
            "customer_id": ["a", "b", "c", "d"],
            "metric": ["nps"] * 4,
            "occasion": ["relationship"] * 4,
            "purpose": ["confirm"] * 4,
            "invited_at": [NOW - timedelta(days=days) for days in (1, 1, 8, 1)],
            "known_at": [NOW - timedelta(days=9)] * 4,
            "state": ["decided", "decided", "decided", "withdrawn"],
            "written_at": [NOW] * 4,
        }
    )
    answer = pl.DataFrame(
        {
            "answer_id": ["x"],
            "invitation_id": ["i2"],
            "customer_id": ["b"],
            "metric": ["nps"],
            "score": [3.0],
            "answered_at": [NOW],
            "known_at": [NOW],
            "source": ["file"],
            "is_late": [False],
            "written_at": [NOW],
        }
    )
    contact = pl.DataFrame(
        {
            "contact_id": ["k1", "k2"],
            "customer_id": ["a", "a"],
            "at": [NOW - timedelta(days=1), NOW - timedelta(days=500)],
            "known_at": [NOW, NOW],
            "purpose": ["offer", "offer"],
            "is_transactional": [False, False],
            "source": ["file", "file"],
            "source_id": ["s1", None],
            "written_at": [NOW, NOW],
        }
    )
    elsewhere = pl.DataFrame(
        {
            "customer_id": ["a", "b", "b"],
            "at": [NOW, NOW, NOW - timedelta(days=900)],
            "source_id": ["s1", "s2", "s3"],
        }
    ).with_columns(channel=pl.lit("sms"), purpose=pl.lit("survey"), is_transactional=pl.lit(value=False))
    arms = pl.DataFrame({"campaign_id": ["s", "s"], "customer_id": ["a", "b"], "arm": ["control", "treated"]})
    people = crm(**dict.fromkeys("abcdefghijklmnopqrst", True))
    with ledger.writing() as db:
        for table, frame in ((INVITATIONS, asked), (ANSWERS, answer), (CONTACTS, contact)):
            add(db, table, frame)
        suppress(ledger, db, ["c"], reason="asked", now=NOW - timedelta(days=1))
        found = standing_of(ledger, db, config, people, NOW, arms=arms, elsewhere=elsewhere)
    assert found.waiting["customer_id"].to_list() == ["a"]
    assert found.contacts.select("customer_id", "purpose").rows() == [("a", "offer"), ("b", "survey")]
    assert found.suppressed.rows() == [("c", "")]
    assert found.consents.height == 20
    kinds = dict(found.held_out.group_by("kind").agg(pl.col("customer_id").n_unique()).iter_rows())
    assert kinds["campaign"] == 1
    assert 3 < kinds["permanent"] < 17
    assert "survey" not in kinds
