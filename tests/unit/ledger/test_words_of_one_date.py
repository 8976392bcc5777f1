"""Two words of one date: neither is lost, and the refusal is the one that holds, whichever file came first."""

from __future__ import annotations

import tempfile
from datetime import datetime
from itertools import count
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from churnrisk.ledger import Ledger, database, still_allowed
from churnrisk.ledger.consent import newest
from churnrisk.ledger.facts import consents, frame_of, whole
from churnrisk.ledger.schema import CONSENTS, SUPPRESSIONS
from churnrisk.store import Workspace
from tests.unit.ledger.desk import NOW, Desk, codes
from tests.unit.ledger.drawn_workspace import BY_URL, PLAIN, drawn

WORDS = "customer_id,consent,value,at\n"
STOPS = "customer_id,channel,since,until\n"
YES, NO = "a,may_contact,yes,2026-05-03\n", "a,may_contact,no,2026-05-03\n"
JUNE, JULY, FOR_EVER = (f"a,sms,2026-05-03,{until}\n" for until in ("2026-06-01", "2026-07-01", ""))
NUMBERS = count(1)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, PLAIN + BY_URL)


def may_be_contacted(ledger: Ledger, now: datetime = NOW, channel: str = "sms") -> bool:
    rows = pl.DataFrame({"customer_id": ["a"], "channel": [channel]})
    return not still_allowed(rows, ledger, now).allowed.is_empty()


@pytest.mark.parametrize("files", [[YES, NO], [NO, YES], [YES + NO], [NO + YES]])
def test_a_no_dated_like_a_yes_is_new_and_counts(ledger: Ledger, desk: Desk, files: list[str]) -> None:
    assert sum(desk.record("consents", WORDS + rows).n_new for rows in files) == 2
    with ledger.reading() as db:
        assert whole(db, CONSENTS)["value"].to_list() == [False, True]
        assert newest(consents(db), "UTC")["value"].to_list() == [False]
    assert not may_be_contacted(ledger)
    assert [desk.record("consents", WORDS + rows).n_new for rows in files] == [0] * len(files)


def test_a_yes_of_a_later_date_counts_again(ledger: Ledger, desk: Desk) -> None:
    desk.record("consents", WORDS + YES + NO + "a,may_contact,yes,2026-05-04\n")
    assert may_be_contacted(ledger)


def test_the_same_word_twice_in_a_file_is_one(desk: Desk) -> None:
    found = desk.record("consents", WORDS + NO + NO)
    assert (found.n_new, codes(found)) == (1, {"duplicate_row": 1})


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        ([JUNE, FOR_EVER], 1),
        ([FOR_EVER, JUNE], 0),
        ([JUNE + FOR_EVER], 0),
        ([FOR_EVER + JUNE], 0),
        ([JUNE, JULY, FOR_EVER], 2),
    ],
)
def test_of_suppressions_from_one_instant_the_longest_holds(
    ledger: Ledger, desk: Desk, files: list[str], changed: int
) -> None:
    found = [desk.record("suppressions", STOPS + rows) for rows in files]
    assert (sum(each.n_new for each in found), sum(each.n_changed for each in found)) == (1, changed)
    assert not may_be_contacted(ledger, datetime(2030, 1, 1))
    again = [desk.record("suppressions", STOPS + rows) for rows in files]
    assert [(each.n_new, each.n_changed, each.n_rejected) for each in again] == [(0, 0, 0)] * len(files)


def test_a_suppression_that_ends_sooner_is_told(ledger: Ledger, desk: Desk) -> None:
    assert not desk.record("suppressions", STOPS + FOR_EVER).warnings
    (warning,) = desk.record("suppressions", STOPS + JUNE).warnings
    assert "holds longer, and stands: 1 row." in warning
    assert may_be_contacted(ledger, datetime(2026, 7, 2), channel="email")


def test_the_reason_is_that_of_the_longest(ledger: Ledger, desk: Desk) -> None:
    head = "customer_id,channel,since,until,reason\n"
    desk.record("suppressions", head + "a,sms,2026-05-03,2026-06-01,bounced\n")
    desk.record("suppressions", head + "a,sms,2026-05-03,,asked\n")
    with ledger.reading() as db:
        assert frame_of(db, SUPPRESSIONS.select()).select("until", "reason").rows() == [(None, "asked")]


UNTIL = st.sampled_from(["2026-06-01", "2026-07-01", ""])


@settings(max_examples=15, deadline=None)
@given(
    said=st.lists(st.tuples(st.sampled_from(["yes", "no"]), st.integers(1, 2), UNTIL), min_size=1, max_size=5)
)
def test_files_in_any_order_leave_the_same_word(said: list[tuple[str, int, str]]) -> None:
    last = max(day for _, day, _ in said)
    means_no = any(value == "no" for value, day, _ in said if day == last)
    ends = [until or "9999" for *_, until in said]
    for order in (said, said[::-1]):
        with tempfile.TemporaryDirectory() as root:
            workspace = drawn(Path(root))
            desk = Desk(workspace, {})
            for value, day, until in order:
                desk.record("consents", f"{WORDS}a,may_contact,{value},2026-05-0{day}\n")
                desk.record("suppressions", f"{STOPS}b,,2026-05-03,{until}\n")
            with Ledger.open(workspace, {}) as ledger, ledger.reading() as db:
                assert newest(consents(db), "UTC")["value"].to_list() == [not means_no]
                (until,) = frame_of(db, SUPPRESSIONS.select())["until"]
            assert (str(until)[:10] if until else "9999") == max(ends)


def test_a_ledger_of_before_keeps_its_words_and_takes_another_of_the_date(
    workspace: Workspace, environment: dict[str, str], desk: Desk
) -> None:
    engine = database.opened_engine(environment["LEDGER_URL"])
    with engine.connect().execution_options(writes_alone=True) as db, db.begin():
        database._upgrade(db, "0004")
        db.execute(
            text(
                "insert into consents (customer_id, consent, at, known_at, value, source) "
                "values ('a', 'may_contact', '2026-05-03 00:00:00.000000', '2026-05-03 00:00:00.000000', true, 'file')"
            )
        )
    found = desk.record("consents", WORDS + YES + NO)
    assert (found.n_new, found.n_known) == (1, 1)
    with Ledger.open(workspace, environment) as ledger:
        assert not may_be_contacted(ledger)
