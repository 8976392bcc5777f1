"""What became of customers later: when they left, and how far they were followed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from tests.spec.features.drawn import lake
from training.fates import FATE_COLUMNS, fates
from training.snapshots import Snapshot

KNOWN_BY = AsOf(date(2026, 6, 30))
CUSTOMERS = """
customer_key | left_at | left_known_at
0 | |
1 | 2026-03-20 | 2026-03-20
2 | 2026-06-14 | 2026-06-14
3 | 2026-06-14 | 2026-08-01
4 | 2026-06-14 | 2026-06-14
5 | 2026-08-14 | 2026-06-14
"""
TREATMENTS = """
customer_key | at | offer_id | propensity
0 | 2026-05-15 | discount | 0.9
4 | 2026-05-30 | control | 0.1
2 | 2026-07-15 | discount | 0.9
"""


@dataclass(frozen=True)
class Seen:
    snapshot: Snapshot
    features: pl.DataFrame


def look(day: date, use: str) -> Seen:
    as_of = AsOf(day)
    begins = as_of.days_before(-14)
    who = pl.DataFrame({"customer_key": range(6), "customer_id": [f"c{key}" for key in range(6)]})
    window = Snapshot(as_of, begins, as_of.days_before(-44), use, is_shipped=True)  # type: ignore[arg-type]
    return Seen(window, who)


@pytest.fixture(name="found")
def _found(tmp_path: Path) -> pl.DataFrame:
    tables = lake(tmp_path, customers=CUSTOMERS, treatments=TREATMENTS)
    with Engine() as engine:
        tables.register(engine)
        looks = [look(date(2026, 5, 16), "test"), look(date(2026, 2, 28), "train")]
        return fates(engine, tables, looks, ChurnSettings(), KNOWN_BY)


def test_leaving_and_following_are_counted_from_the_beginning_of_the_outcome_window(
    found: pl.DataFrame,
) -> None:
    rows = {row["customer_id"]: row for row in found.filter(as_of="2026-02-28").iter_rows(named=True)}
    # the window begins on 15 March, the training ends with 30 June, the first test date with 16 May
    followed, taught = 108.0, 63.0
    assert rows["c1"] == {"customer_id": "c1", "as_of": "2026-02-28", "left_days": 5.0,
                          "followed_days": followed, "taught_days": taught}  # fmt: skip
    assert (rows["c2"]["left_days"], rows["c2"]["followed_days"]) == (91.0, followed)
    assert rows["c3"]["left_days"] is None  # not known yet when training
    assert rows["c5"]["left_days"] == 152.0  # known, and later than anybody is followed


def test_an_action_ends_following_and_being_left_alone_on_purpose_does_not(found: pl.DataFrame) -> None:
    rows = {row["customer_id"]: row for row in found.filter(as_of="2026-02-28").iter_rows(named=True)}
    assert (rows["c0"]["followed_days"], rows["c0"]["taught_days"]) == (61.0, 61.0)
    assert rows["c4"]["followed_days"] == rows["c1"]["followed_days"]


def test_a_tested_look_taught_nobody(found: pl.DataFrame) -> None:
    tested = found.filter(as_of="2026-05-16")
    assert tested["taught_days"].max() == -14.0
    assert tested.filter(customer_id="c1")["left_days"].item() is None  # had left before


def test_silence_has_no_day_and_nobody_is_followed(tmp_path: Path) -> None:
    tables = lake(tmp_path, customers=CUSTOMERS)
    with Engine() as engine:
        tables.register(engine)
        looks = [look(date(2026, 2, 28), "train")]
        assert fates(engine, tables, looks, ChurnSettings(kind="inactive"), KNOWN_BY).is_empty()
        assert fates(engine, tables, [], ChurnSettings(), KNOWN_BY).schema == FATE_COLUMNS


def test_the_window_begins_at_the_instant_the_settings_say() -> None:
    assert look(date(2026, 2, 28), "train").snapshot.outcome_from == datetime(2026, 3, 15)
