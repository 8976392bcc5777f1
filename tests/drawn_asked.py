"""Customers asked to confirm, and published scores, drawn for tests of what comes back."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

import polars as pl

from churnrisk.ledger import Decisions, Ledger, record_decisions
from churnrisk.store import Workspace

ASKED_ON = date(2026, 5, 1)
CHANCES = {"detractor": 0.1, "passive": 0.1, "promoter": 0.2, "silent": 0.6}


def decide(ledger: Ledger, *asked: dict[str, Any]) -> None:
    """Write decisions to ask, as a night does; ``asked``: customer_id, and what is not usual of it."""
    usual: dict[str, Any] = {"purpose": "confirm", "risk": 0.2, "owner": None, "chances": CHANCES}
    rows = [usual | row for row in asked]
    details = [
        {
            "risk": row["risk"],
            "owner": row["owner"],
            "answers": {f"chance_{name}": value for name, value in (row["chances"] or {}).items()},
        }
        for row in rows
    ]
    base = pl.DataFrame({"customer_id": [row["customer_id"] for row in rows]})
    decisions = base.with_columns(
        kind=pl.lit("survey"),
        subject=pl.Series([f"{row['purpose']}:nps" for row in rows]),
        position=pl.int_range(1, pl.len() + 1),
        decision=pl.lit("ask"),
        reason_code=pl.lit("chosen"),
        why=pl.lit(""),
        purpose=pl.lit("survey"),
        is_random=pl.lit(value=False),
        channel=pl.lit("email"),
        reference="ask-" + pl.col("customer_id"),
        details=pl.Series([json.dumps(each) for each in details]),
    )
    invitations = base.select(
        "customer_id",
        invitation_id="ask-" + pl.col("customer_id"),
        metric=pl.lit("nps"),
        occasion=pl.lit("confirmation"),
        purpose=pl.Series([row["purpose"] for row in rows]),
        invited_at=pl.lit(datetime(2026, 5, 2)),
        risk_at_asking=pl.Series([row["risk"] for row in rows], dtype=pl.Float64),
        state=pl.lit("invited"),
    )
    given = Decisions("r", "s", "{}", decisions, invitations=invitations)
    record_decisions(ledger, ASKED_ON, datetime(2026, 5, 2), given, datetime(2026, 5, 2, 3))


def publish(workspace: Workspace, day: str, **risks: tuple[float, float | None]) -> None:
    """Put a table ``scores`` in place: risk and risk_before_survey by customer."""
    place = workspace.published / "scores" / f"as_of={day}"
    place.mkdir(parents=True)
    pl.DataFrame(
        {
            "customer_id": list(risks),
            "risk": [each[0] for each in risks.values()],
            "risk_before_survey": [each[1] for each in risks.values()],
        },
        schema_overrides={"risk_before_survey": pl.Float64},
    ).write_parquet(place / "part-0.parquet")
