"""Whom a call may reach tonight, and of everybody else why not: who refuses is told so, also while they rest."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.dates import AsOf
from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.permission import suppress
from churnrisk.ledger.schema import CONSENTS as SAID
from churnrisk.ledger.schema import CONTACTS
from churnrisk.reachable import reachable
from churnrisk.store import Workspace
from churnrisk.tables.lake import LakeTables

AS_OF = AsOf(date(2026, 6, 30), "UTC")
PEOPLE = ["anna", "bo", "cho", "dmitri", "eva"]
REFUSING = ["cho", "eva"]
SETTINGS = """
[holdout]
share = 0
[contacts]
quiet_days = 3
caps = [{ days = 30, most = 2 }]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "churnrisk.toml").write_text(SETTINGS)
    return Workspace.open(tmp_path)


@pytest.fixture
def tables(tmp_path: Path) -> LakeTables:
    long_ago = datetime(2026, 1, 1)
    pl.DataFrame(
        {
            "customer_key": range(5),
            "version": [1] * 5,
            "known_at": [long_ago] * 5,
            "valid_from": [long_ago] * 5,
            "may_survey": [True] * 5,
            "may_contact": [name not in REFUSING for name in PEOPLE],
        }
    ).write_parquet(tmp_path / "customers.parquet")
    pl.DataFrame({"customer_key": range(5), "customer_id": PEOPLE}).write_parquet(tmp_path / "keys.parquet")
    return LakeTables({name: tmp_path / f"{name}.parquet" for name in ("customers", "keys")})


CONSENTS = pl.DataFrame({"customer_id": PEOPLE, "may_contact": [True, True, False, True, None]})


def contacts(*made: tuple[str, int]) -> pl.DataFrame:
    """Contacts, each so many days before the as-of date."""
    at = [AS_OF.instant - timedelta(days=days) for _, days in made]
    return pl.DataFrame(
        {"contact_id": [f"k{n}" for n in range(len(made))], "customer_id": [who for who, _ in made], "at": at}
    ).with_columns(
        known_at="at",
        channel=pl.lit("email"),
        purpose=pl.lit("offer"),
        is_transactional=pl.lit(value=False),
        source=pl.lit("file"),
        source_id=pl.lit(None, dtype=pl.String),
        written_at="at",
    )


def test_it_says_of_each_why_not(workspace: Workspace, tables: LakeTables) -> None:
    with Ledger.open(workspace, {}) as ledger:
        with ledger.writing() as db:
            add(db, CONTACTS, contacts(("anna", 1), ("cho", 1), ("dmitri", 9), ("dmitri", 8)))
            suppress(ledger, db, ["bo"], reason="asked", now=AS_OF.instant - timedelta(days=1))
        found = reachable(workspace, tables, ledger, AS_OF, CONSENTS)
    assert found.select("customer_id", "may_contact", "left_out_for").rows() == [
        ("anna", False, "quiet_days"),
        ("bo", False, "do_not_contact"),
        ("cho", False, "no_consent"),
        ("dmitri", False, "cap_reached"),
        ("eva", False, "no_consent"),
    ]


def test_a_word_recorded_counts_for_the_list_as_for_all_else(
    workspace: Workspace, tables: LakeTables
) -> None:
    """Anna took it back after the file was written, eva gave it, and cho gave it before."""
    said = pl.DataFrame(
        [("anna", False, 9), ("cho", True, 300), ("eva", True, 9)],
        schema={"customer_id": pl.String, "value": pl.Boolean, "days": pl.Int64},
        orient="row",
    ).select(
        "customer_id",
        "value",
        at=pl.lit(AS_OF.instant) - pl.duration(days="days"),
        known_at=pl.lit(AS_OF.instant),
        consent=pl.lit("may_contact"),
        source=pl.lit("file"),
    )
    with Ledger.open(workspace, {}) as ledger:
        with ledger.writing() as db:
            add(db, SAID, said)
        found = reachable(workspace, tables, ledger, AS_OF, CONSENTS)
    assert found["left_out_for"].to_list() == ["no_consent", None, "no_consent", None, None]


def test_without_a_ledger_only_consent_and_the_permanent_hold_out_count(
    workspace: Workspace, tables: LakeTables, tmp_path: Path
) -> None:
    found = reachable(workspace, tables, None, AS_OF, CONSENTS)
    assert found["left_out_for"].to_list() == [None, None, "no_consent", None, "no_consent"]
    (tmp_path / "churnrisk.toml").write_text("[holdout]\nshare = 0.5\n")
    many = pl.DataFrame({"customer_id": [f"c{n}" for n in range(200)]}).with_columns(
        may_contact=pl.lit(value=True)
    )
    half = reachable(Workspace.open(tmp_path), tables, None, AS_OF, many)
    counted = dict(half["left_out_for"].value_counts().iter_rows())
    assert set(counted) == {None, "permanent_hold_out"}
    assert 70 < counted["permanent_hold_out"] < 130
