"""A desk that records texts as files into a ledger, and checks that every row read is accounted for."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl

from churnrisk.inputs import Inputs
from churnrisk.ledger import Decisions, Ledger, record_decisions
from churnrisk.recording import Recorded, record
from churnrisk.store import Workspace

NOW = datetime(2026, 5, 10, 8)
DECIDED_ON = date(2026, 5, 2)
INSTANT = datetime(2026, 5, 3)
"""The end of that day."""


class Desk:
    """Records texts as files."""

    def __init__(self, workspace: Workspace, environment: dict[str, str]) -> None:
        self.workspace, self.environment = workspace, environment

    def record(self, kind: str, text: str | pl.DataFrame, now: datetime = NOW) -> Recorded:
        given: object = text
        if isinstance(text, str):
            given = self.workspace.root / f"{kind}.csv"
            Path(str(given)).write_text(text, "utf-8")
        found = record(self.workspace, Inputs({}, self.environment, interactive=False), kind, given, now=now)
        parts = (found.n_new, found.n_changed, found.n_known, found.n_stray, found.n_rejected)
        assert sum(parts) == found.n_read
        return found


def decide_offers(ledger: Ledger, **offers: str) -> None:
    """Write a night that offered customers something: ``a="discount"`` is treatment ``t-a`` with chance 0.8727."""
    named = pl.DataFrame({"customer_id": list(offers), "offer_id": list(offers.values())})
    treatments = named.with_columns(
        treatment_id="t-" + pl.col("customer_id"),
        campaign_id=pl.lit("retention"),
        at=pl.lit(INSTANT),
        propensity=pl.lit(0.8727),
        source=pl.lit("decide"),
    )
    decisions = pl.DataFrame(schema={"kind": pl.String, "customer_id": pl.String, "subject": pl.String})
    made = Decisions("run", "settings", "{}", decisions, treatments=treatments)
    record_decisions(ledger, DECIDED_ON, INSTANT, made, INSTANT)


def codes(found: Recorded) -> dict[str, int]:
    """Return how many rows were rejected for each reason."""
    told = {fault.code for fault in found.faults}
    return {code: sum(fault.n_rows for fault in found.faults if fault.code == code) for code in told}
