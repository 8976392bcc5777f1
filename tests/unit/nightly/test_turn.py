"""A date decided out of its turn: a dry run of a decided one, and one that is decided after a later one, say so."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, datetime

import polars as pl

from churnrisk.ledger import Decided, Decisions, Ledger, newest_decided, record_decisions
from churnrisk.nightly.basis import Basis
from churnrisk.nightly.turn import out_of_turn
from tests.unit.nightly.test_lists import DAY, basis, ledger

__all__ = ["basis", "ledger"]

LATER = date(2026, 7, 3)


def decided(day: date) -> Decided:
    return Decided(day, datetime(2026, 7, 1, 3, 7), "r", "{}", pl.DataFrame(), is_replay=True)


def test_a_dry_run_of_a_decided_date_says_when_it_was_decided() -> None:
    (told,) = out_of_turn(DAY, decided(DAY), DAY, is_dry=True)
    assert told.startswith("2026-06-30 was decided at 2026-07-01 03:07 UTC, and those decisions stand")
    assert out_of_turn(DAY, None, None, is_dry=True) == ()


def test_a_date_decided_with_other_budgets_says_so_once_the_settings_have_changed() -> None:
    before = replace(decided(DAY), figures=json.dumps({"budget": {"survey": 0.0, "offer": 200.0}}))
    (told,) = out_of_turn(DAY, before, DAY, is_dry=False, budgets={"survey": 5.0, "offer": 200.0})
    assert "with a budget of 0.00 for surveys (now 5.00), and a date is decided once" in told
    assert out_of_turn(DAY, before, DAY, is_dry=False, budgets={"survey": 0.0, "offer": 200.0}) == ()


def test_a_date_older_than_the_newest_decided_one_is_decided_with_a_warning() -> None:
    for is_dry in (True, False):
        (told,) = out_of_turn(DAY, None, LATER, is_dry=is_dry)
        assert told.startswith("2026-07-03 was decided before 2026-06-30")
    assert out_of_turn(LATER, None, DAY, is_dry=False) == ()
    # it is shown as it was decided
    assert out_of_turn(DAY, decided(DAY), LATER, is_dry=False) == ()


def test_the_ledger_knows_the_newest_date_decided(basis: Basis, ledger: Ledger) -> None:
    with ledger.reading() as db:
        assert newest_decided(db) is None
    for day in (LATER, DAY):
        nothing = Decisions("r", "s", "{}", pl.DataFrame())
        record_decisions(ledger, day, basis.as_of.instant, nothing, datetime(2026, 7, 4))
    with ledger.reading() as db:
        assert newest_decided(db) == LATER
