"""Workspaces to record in: settings, a few customers, and offers where they are named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.schema import INVITATIONS
from churnrisk.store import Workspace
from tests.unit.ledger.desk import NOW

PLAIN = """
[time]
zone = "UTC"
[sources.customers]
path = "customers.csv"
extracted_on = 2026-04-01
[privacy]
missing_consent = true
"""
BY_URL = """
[operations]
url = "env:LEDGER_URL"
"""
WHOLE = f"""{PLAIN}{BY_URL}
[sources.offers]
path = "offers.csv"
[webhooks]
endpoint = "https://platform.example"
"""


def drawn(
    root: Path,
    settings: str = PLAIN,
    *,
    ids: Sequence[str] = ("a", "b"),
    offers: Sequence[str] = ("discount",),
    customers: str = "",
) -> Workspace:
    """Write a workspace whose customers are ``ids``, or the CSV ``customers``."""
    (root / "churnrisk.toml").write_text(settings)
    rows = "".join(f"{each},2024-01-01\n" for each in ids)
    (root / "customers.csv").write_text(customers or f"customer_id,joined_on\n{rows}")
    if "[sources.offers]" in settings:
        named = "".join(f"{each},{each.capitalize()}\n" for each in offers)
        (root / "offers.csv").write_text(f"offer_id,name\n{named}")
    return Workspace.open(root)


def invite(ledger: Ledger, *names: str, at: datetime = datetime(2026, 5, 1)) -> None:
    """Write invitations to the recommend question; ``a1`` is customer a's."""
    rows = pl.DataFrame({"invitation_id": names}).with_columns(
        customer_id=pl.col("invitation_id").str.slice(0, 1),
        metric=pl.lit("nps"),
        occasion=pl.lit("relationship"),
        purpose=pl.lit("confirm"),
        invited_at=pl.lit(at),
        known_at=pl.lit(at),
        state=pl.lit("sent"),
        written_at=pl.lit(NOW),
    )
    with ledger.writing() as db:
        add(db, INVITATIONS, rows)
