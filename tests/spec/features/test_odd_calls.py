"""Calls as they should not be, in validated tables: what is made of them is defined. As of 2026-03-31, UTC."""

from pathlib import Path

import polars as pl
import pytest

from churnrisk.store import Engine
from tests.spec.features.drawn import completed, features_of, lake, shown

CUSTOMERS = "customer_key\n0\n1\n2"


def test_a_clock_in_the_future_is_not_believed_before_its_time(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at       | known_at
    0          | 1          | 2026-03-31 23:59 | 2026-03-31 23:59
    1          | 2          | 2026-04-01 00:00 | 2026-03-30 12:00
    0          | 2          | 2031-01-01       | 2026-03-30 12:00
    """
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=calls))
    assert shown(found, "n_ties", "n_partners_90d") == [("c0", 1, 1), ("c1", 1, 1), ("c2", 0, 0)]


def test_missed_calls_and_calls_of_no_length_are_contacts(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at       | duration_s | is_missed
    0          | 1          | 2026-03-30 10:00 |            | yes
    0          | 1          | 2026-03-30 11:00 | 0          | no
    0          | 2          | 2026-03-30 11:00 |            | no
    """
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=calls))
    assert found.ties is not None
    assert found.ties.graph.ties.select("n_contacts", "seconds").rows() == [(2, 0), (1, None)]


def test_contacts_outside_the_base_are_partners_and_no_ties(engine: Engine, tmp_path: Path) -> None:
    calls = """
    caller_key | callee_key | started_at
    0          | -7         | 2026-03-30
    -7         | -8         | 2026-03-30
    """
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=calls))
    assert shown(found, "n_ties", "n_partners_90d", "share_calls_offnet_90d") == [
        ("c0", 0, 1, 1.0),
        ("c1", 0, 0, None),
        ("c2", 0, 0, None),
    ]


@pytest.mark.parametrize("calls", ["", "0 | 1 | 2020-01-01"], ids=["no call", "none in the window"])
def test_without_a_contact_of_anybody_nothing_is_known_of_ties(
    engine: Engine, tmp_path: Path, calls: str
) -> None:
    drawn = f"caller_key | callee_key | started_at\n{calls or '0 | 1 | 2026-03-30'}"
    tables = lake(tmp_path, customers=CUSTOMERS, calls=drawn)
    if not calls:
        none = pl.read_parquet(tables.paths["calls"]).clear()
        tables = lake(tmp_path, customers=CUSTOMERS, calls=none)
    found = features_of(engine, tables)
    assert found.ties is not None
    assert found.ties.graph.n_ties == 0
    names = ("n_ties", "tie_strength_sum", "tie_reciprocity_mean", "ties_lost_30d", "tie_loss_share_30d")
    assert [row[1:] for row in shown(found, *names)] == [(None,) * len(names)] * 3


def test_two_ends_that_both_log_a_message_the_other_way_round_are_two_contacts(
    engine: Engine, tmp_path: Path
) -> None:
    """The same call logged twice alike is dropped while loading; messages that cross are two."""
    calls = completed(
        "calls",
        pl.DataFrame(
            [
                {"caller_key": 0, "callee_key": 1, "started_at": "2026-03-30", "kind": "sms"},
                {"caller_key": 1, "callee_key": 0, "started_at": "2026-03-30", "kind": "sms"},
            ]
        ),
    )
    found = features_of(engine, lake(tmp_path, customers=CUSTOMERS, calls=calls))
    assert found.ties is not None
    (row,) = found.ties.graph.ties.rows(named=True)
    assert (row["n_contacts"], row["reciprocity"], row["trains"], row["silence_ratio"]) == (2, 1.0, 1, None)
