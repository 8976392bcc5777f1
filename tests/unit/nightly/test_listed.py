"""The list of a decided date: who is on it says the ledger, whoever would be on it now."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

import polars as pl

from churnrisk.ledger import Decisions, Ledger, record_decisions
from churnrisk.nightly.basis import Basis
from churnrisk.nightly.decided import taken_before
from churnrisk.nightly.extent import BACKFILL, DRY_RUN, SCORE
from churnrisk.nightly.listed import as_decided
from scoring import RankedList
from tests.unit.nightly.test_lists import DAY, PEOPLE, basis, ledger

__all__ = ["basis", "ledger"]

SCORES = pl.DataFrame(
    {
        "as_of": [DAY] * 5,
        "customer_id": PEOPLE,
        "risk": [0.5, 0.4, 0.3, 0.2, 0.1],
        "band": ["high"] * 5,
        "value": [10.0] * 5,
    }
)


def ranked_now() -> RankedList:
    """Return the list as it would be made now: of the last two."""
    frame = SCORES.tail(2).select(
        "as_of",
        "customer_id",
        "risk",
        "band",
        "value",
        position=pl.int_range(1, 3),
        spillover_value=pl.lit(None, dtype=pl.Float64),
        may_contact=pl.lit(value=True),
        left_out_for=pl.lit(None, dtype=pl.String),
    )
    return RankedList(frame, ("a note",))


def record_calls(ledger: Ledger, basis: Basis) -> None:
    codes = {
        "cho": "chosen",
        "anna": "with_offer",
        "dmitri": "waiting_for_answer",
        "bo": "quiet_days",
        "gone": "chosen",
    }
    called = {"chosen", "with_offer"}
    details = [
        {"position": place, "may_contact": code != "quiet_days", "stake": 1.0}
        for place, code in enumerate(codes.values(), start=1)
    ]
    rows = pl.DataFrame(
        {
            "customer_id": list(codes),
            "position": range(3, 8),
            "reason_code": list(codes.values()),
            "decision": ["call" if code in called else "refused" for code in codes.values()],
            "details": [json.dumps(each) for each in details],
        }
    ).with_columns(
        why=pl.lit(""), value=pl.lit(1.0), cost=pl.lit(0.0), propensity=pl.lit(1.0), is_random=pl.lit(value=False),
        campaign_id=pl.lit(None, dtype=pl.String), reference=pl.concat_str(pl.lit("touch"), "customer_id"),
        **dict.fromkeys(("kind", "subject", "purpose", "channel"), pl.lit("call")),
    )  # fmt: skip
    record_decisions(
        ledger,
        DAY,
        basis.as_of.instant,
        Decisions("r", "s", json.dumps({"notes": ["decided then"]}), rows),
        datetime(2026, 7, 1, 3),
    )


def test_of_a_decided_date_the_list_is_the_one_that_was_decided(basis: Basis, ledger: Ledger) -> None:
    assert as_decided(basis, ranked_now(), SCORES, None).frame.equals(ranked_now().frame)
    record_calls(ledger, basis)
    found = as_decided(basis, ranked_now(), SCORES, None)
    # who has left since is scored no more
    assert found.frame.select("position", "customer_id", "risk", "may_contact", "left_out_for").rows() == [
        (1, "cho", 0.3, True, None),
        (2, "anna", 0.5, True, None),
        (3, "dmitri", 0.2, True, "asked_first"),
        (4, "bo", 0.4, False, "quiet_days"),
    ]
    assert found.frame.columns == ranked_now().frame.columns
    assert found.notes == ("a note",)


def test_a_past_date_that_was_decided_keeps_its_list_and_a_dry_run_makes_it_anew(
    basis: Basis, ledger: Ledger
) -> None:
    backfilled = replace(basis, extent=BACKFILL)
    assert as_decided(backfilled, ranked_now(), SCORES, None).frame.equals(ranked_now().frame)
    record_calls(ledger, basis)
    assert as_decided(backfilled, ranked_now(), SCORES, None).frame.equals(
        as_decided(basis, ranked_now(), SCORES, None).frame
    )
    tried = as_decided(replace(basis, extent=DRY_RUN), ranked_now(), SCORES, None)
    assert tried.frame.equals(ranked_now().frame)


def test_a_run_that_decides_nothing_reads_the_decisions_of_the_date(basis: Basis, ledger: Ledger) -> None:
    for extent in (SCORE, BACKFILL):
        assert taken_before(replace(basis, extent=extent), ledger) is None
    record_calls(ledger, basis)
    for extent in (SCORE, BACKFILL):
        found = taken_before(replace(basis, extent=extent), ledger)
        assert found is not None
        assert (found.night, found.decided.is_replay, found.notes) == (None, True, ("decided then",))
        assert sorted(found.tables) == ["approaches", "offers_ranked", "survey_requests"]
