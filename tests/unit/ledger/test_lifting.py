"""A suppression that is lifted before its time: kept with who and why, not brought back by old files, not in the way of
new ones."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from churnrisk.ledger import Ledger, database, still_allowed
from churnrisk.ledger.facts import whole
from churnrisk.ledger.permission import suppress
from churnrisk.ledger.schema import SUPPRESSIONS
from churnrisk.store import Workspace
from tests.unit.ledger.desk import NOW, Desk, codes
from tests.unit.ledger.drawn_workspace import BY_URL, PLAIN, drawn

STOPS = "customer_id,channel,since,until\n"
LIFTS = "customer_id,channel,at,lifted_by,reason\n"
CHANNELS = ("email", "sms", "call")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return drawn(tmp_path, PLAIN + BY_URL)


def reachable(ledger: Ledger, now: datetime = NOW, customer: str = "a") -> set[str]:
    rows = pl.DataFrame({"customer_id": [customer] * len(CHANNELS), "channel": CHANNELS})
    return set(still_allowed(rows, ledger, now).allowed["channel"])


def test_a_lifted_suppression_ends_and_keeps_who_when_and_why(ledger: Ledger, desk: Desk) -> None:
    desk.record("suppressions", STOPS + "a,sms,2026-05-03,\na,,2026-05-04,\nb,,2026-05-04,\n")
    found = desk.record("liftings", LIFTS + "a,,2026-05-08,Ana,asked again\n")
    assert (found.n_new, found.n_rejected, found.warnings) == (1, 0, ())
    assert reachable(ledger) == {*CHANNELS}
    assert reachable(ledger, datetime(2026, 5, 7)) == set(), "it held until then"
    assert reachable(ledger, customer="b") == set()
    with ledger.reading() as db:
        kept = whole(db, SUPPRESSIONS).filter(pl.col("lifted_at").is_not_null())
    assert kept.select("since", "until", "lifted_at", "lifted_by", "lifted_because").sort("since").rows() == [
        (datetime(2026, 5, day), None, datetime(2026, 5, 8), "Ana", "asked again") for day in (3, 4)
    ]


def test_an_old_file_recorded_again_does_not_bring_it_back_and_says_so(ledger: Ledger, desk: Desk) -> None:
    old = STOPS + "a,sms,2026-05-03,2026-08-01\n"
    desk.record("suppressions", old)
    lifting = LIFTS + "a,sms,2026-05-08,Ana,recorded by mistake\n"
    assert [desk.record("liftings", lifting).n_new for _ in range(2)] == [1, 0]
    for again in (old, STOPS + "a,sms,2026-05-03,\n"):
        (warning,) = desk.record("suppressions", again).warnings
        assert "1 row of a suppression that was lifted since, which stays lifted" in warning
        assert "sms" in reachable(ledger)


@pytest.mark.parametrize("since", ["2026-05-09", "2026-05-08", "2026-05-01"])
def test_another_one_holds_also_where_it_begins_earlier(ledger: Ledger, desk: Desk, since: str) -> None:
    desk.record("suppressions", STOPS + "a,sms,2026-05-03,\n")
    desk.record("liftings", LIFTS + "a,,2026-05-08T10:00:00,Ana,asked again\n")
    assert desk.record("suppressions", STOPS + f"a,sms,{since},\n").warnings == ()
    assert reachable(ledger) == {"email", "call"}
    desk.record("liftings", LIFTS + "a,,2026-05-09T12:00:00,Ana,asked again\n")
    assert reachable(ledger) == {*CHANNELS}


def test_one_channel_is_lifted_alone_and_what_holds_on_is_told(ledger: Ledger, desk: Desk) -> None:
    desk.record(
        "suppressions", STOPS + "a,sms,2026-05-03,\na,,2026-05-03,\nb,sms,2026-05-03,\nb,email,2026-05-03,\n"
    )
    found = desk.record("liftings", LIFTS + "a, SMS ,2026-05-08,Ana,x\nb,sms,2026-05-08,Ana,x\n")
    assert found.n_new == 2
    (warning,) = found.warnings
    assert "1 row of customers who are still held back by a suppression of all channels" in warning
    assert (reachable(ledger), reachable(ledger, customer="b")) == (set(), {"sms", "call"})


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("b,,2026-05-08,Ana,x", "nothing_to_lift"),
        ("a,email,2026-05-08,Ana,x", "nothing_to_lift"),
        ("a,sms,2026-05-02,Ana,x", "nothing_to_lift"),
        ("a,smss,2026-05-08,Ana,x", "unknown_channel"),
        ("a,sms,2036-05-08,Ana,x", "lifting_in_the_future"),
        ("a,sms,2026-05-08,,x", "required_missing"),
        ("a,sms,2026-05-08,Ana,", "required_missing"),
    ],
)
def test_what_lifts_nothing_is_rejected_with_its_reason(
    ledger: Ledger, desk: Desk, row: str, code: str
) -> None:
    desk.record("suppressions", STOPS + "a,sms,2026-05-03,\n")
    found = desk.record("liftings", LIFTS + row + "\n")
    assert codes(found) == {code: 1}
    assert "Ana" not in found.text()
    assert "sms" not in reachable(ledger)


def test_one_that_was_kept_in_another_spelling_is_lifted_too(ledger: Ledger, desk: Desk) -> None:
    with ledger.writing() as db:
        suppress(ledger, db, ["a"], reason="asked", now=datetime(2026, 5, 3), channel="SMS ")
    assert desk.record("liftings", LIFTS + "a,sms,2026-05-08,Ana,x\n").n_new == 1
    assert reachable(ledger) == {*CHANNELS}


def test_suppressions_of_a_ledger_before_this_are_kept_and_can_be_lifted(
    workspace: Workspace, environment: dict[str, str]
) -> None:
    engine = database.opened_engine(environment["LEDGER_URL"])
    with engine.connect().execution_options(writes_alone=True) as db, db.begin():
        database._upgrade(db, "0005")
        known = Ledger(engine, key=workspace.contact_hash_key(environment), zone="UTC").tokens(["a"])
        values = "(:token, 'sms', :since, null, 'asked')"
        db.execute(
            text(f"insert into suppressions (token, channel, since, until, reason) values {values}"),
            {"token": known[0], "since": datetime(2026, 5, 3).isoformat(sep=" ", timespec="microseconds")},
        )
    with Ledger.open(workspace, environment) as ledger:
        assert reachable(ledger) == {"email", "call"}
        assert Desk(workspace, environment).record("liftings", LIFTS + "a,sms,2026-05-08,Ana,x\n").n_new == 1
        assert reachable(ledger) == {*CHANNELS}


STEP = st.one_of(
    st.tuples(
        st.just("stop"),
        st.sampled_from(["", "sms", "email"]),
        st.integers(1, 6),
        st.sampled_from([None, 4, 9]),
    ),
    st.tuples(st.just("lift"), st.sampled_from(["", "sms", "email"]), st.integers(1, 9), st.none()),
)


@settings(max_examples=20, deadline=None)
@given(steps=st.lists(STEP, min_size=1, max_size=6), day=st.integers(1, 9))
def test_what_holds_is_what_a_plain_list_says(
    steps: list[tuple[str, str, int, int | None]], day: int
) -> None:
    """The slow twin: a list of rows, each held, lifted, or lengthened by hand."""

    def at(number: int) -> str:
        return (datetime(2026, 5, 1) + timedelta(days=number)).isoformat()

    kept: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        workspace = drawn(Path(folder))
        desk = Desk(workspace, {})
        now = datetime(2026, 5, 12)
        for kind, channel, number, until in steps:
            if kind == "stop":
                end = number + until if until is not None else None
                desk.record(
                    "suppressions", f"{STOPS}a,{channel},{at(number)},{'' if end is None else at(end)}\n", now
                )
                row = kept.setdefault((channel, number), [0.0, float("inf")])
                row[0] = max(row[0], float("inf") if end is None else end)
            else:
                desk.record("liftings", f"{LIFTS}a,{channel},{at(number)},Ana,x\n", now)
                for (theirs, since), row in kept.items():
                    if channel in {"", theirs} and since < number < row[0] and row[1] == float("inf"):
                        row[1] = number
        held = {channel for (channel, since), row in kept.items() if since <= day < min(row)}
        with Ledger.open(workspace, {}) as ledger:
            now = datetime(2026, 5, 1) + timedelta(days=day)
            assert reachable(ledger, now) == (set() if "" in held else {*CHANNELS} - held)
