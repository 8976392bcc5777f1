"""Decisions of which a table would break its published contract: none of them counts, and mended they are taken."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from churnrisk.deciding import ledger_rows
from churnrisk.ledger import Decisions, Ledger
from churnrisk.ledger.facts import whole
from churnrisk.ledger.schema import (
    CONTACTS,
    DECISION_SETS,
    DECISIONS,
    HOLDOUTS,
    INVITATIONS,
    OUTBOX,
    TREATMENTS,
)
from churnrisk.store import Workspace

from .conftest import Command
from .test_first_night import fingerprints, parquet

pytestmark = pytest.mark.e2e

NEXT = "2026-07-01"
TABLES = (DECISION_SETS, DECISIONS, INVITATIONS, TREATMENTS, CONTACTS, HOLDOUTS, OUTBOX)


def on_record(root: Path) -> dict[str, pl.DataFrame]:
    with Ledger.open(Workspace.open(root), {}) as ledger, ledger.reading() as db:
        return {table.name: whole(db, table) for table in TABLES}


def test_nobody_rests_for_contacts_of_a_night_whose_tables_break_their_contracts(
    own_telco: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    published, before = fingerprints(own_telco), on_record(own_telco)

    def spoilt(*arguments: object, **more: object) -> Decisions:
        """Let each offer that is made have been drawn with a chance of 2."""
        rows = ledger_rows(*arguments, **more)  # type: ignore[arg-type]
        chance = pl.when(pl.col("decision") == "offer").then(2.0).otherwise("propensity")
        return replace(rows, decisions=rows.decisions.with_columns(propensity=chance))

    monkeypatch.setattr("churnrisk.nightly.decided.ledger_rows", spoilt)
    for arguments in (("nightly",), ("decide", "--dry-run")):
        said = command("-q", "-w", own_telco, *arguments, "--as-of", NEXT, "--json")
        assert said.code == 14
        assert [(each["code"], each["where"]) for each in said.plain["faults"]] == [
            ("audit_range", "offers_ranked.propensity")
        ]
        after = on_record(own_telco)
        assert {name for name in before if not after[name].equals(before[name])} == set()
    assert fingerprints(own_telco) == published

    monkeypatch.undo()
    assert command("-q", "-w", own_telco, "nightly", "--as-of", NEXT).code == 0
    after = on_record(own_telco)
    assert {name for name in before if after[name].height > before[name].height} >= {
        "decision_sets", "decisions", "invitations", "treatments", "contacts",
    }  # fmt: skip
    made = parquet(own_telco, "offers_ranked", NEXT).filter(decision="offer")
    treated = after["treatments"].join(before["treatments"], on="treatment_id", how="anti")
    assert set(made["treatment_id"]) == set(treated.filter(pl.col("offer_id") != "control")["treatment_id"])
