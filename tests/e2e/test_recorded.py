"""What is recorded reaches the next night: features, published tables; and the same night again is the same."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.schema import INVITATIONS
from churnrisk.store import Workspace
from tests.e2e.conftest import AS_OF, Command
from tests.e2e.test_cold_start import company

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

ANSWERS = """invitation_id,score,comment,answered_at,known_at
wave,2,слишком дорого,2026-06-02T10:00:00Z,2026-06-02T10:00:00Z
confirming,1,,2026-06-02T10:00:00Z,2026-06-02T10:00:00Z
nobody,1,,2026-06-02T10:00:00Z,2026-06-02T10:00:00Z
"""
CONTACTS = """customer_id,at,channel,purpose,known_at
c001,2026-06-03T10:00:00Z,call,offer,2026-06-03T10:00:00Z
"""

MENDED = """
[holdout]
share = 0
[[proactive.rules]]
name = "network mended"
when = "root_cause = 'network' and days_since_case between 3 and 90"
message = "You told us of dropped calls: two masts stand there since May."
every_days = 365
"""
OUTCOMES = """outcome_id,customer_id,at,outcome,root_cause,known_at
o1,c001,2026-06-10T10:00:00Z,reached,network,2026-06-10T10:00:00Z
o2,c002,2026-06-10T10:00:00Z,reached,price,2026-06-10T10:00:00Z
o3,c003,2026-06-10T10:00:00Z,reached,price,2026-06-10T10:00:00Z
o4,c003,2026-06-20T10:00:00Z,reached,network,2026-06-20T10:00:00Z
o5,c004,2026-06-29T10:00:00Z,reached,network,2026-06-29T10:00:00Z
o6,c005,2025-06-10T10:00:00Z,reached,network,2025-06-10T10:00:00Z
o7,c006,2026-06-10T10:00:00Z,reached,network,2026-07-10T10:00:00Z
"""


def published(root: Path, name: str) -> pl.DataFrame:
    return pl.read_parquet(root / f"published/{name}/as_of={AS_OF}/part-0.parquet")


def bytes_of(root: Path) -> dict[str, str]:
    files = sorted((root / "published").rglob(f"as_of={AS_OF}/part-0.parquet"))
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in files}


def test_what_was_recorded_is_in_the_next_night(tmp_path: Path, command: Command) -> None:
    root = company(tmp_path, 0, "expected_rate = 0.02\n")
    workspace = Workspace.open(root)
    asked = pl.DataFrame(
        {"invitation_id": ["wave", "confirming"], "customer_id": ["c001", "c002"]}
    ).with_columns(
        metric=pl.lit("nps"),
        occasion=pl.lit("relationship"),
        purpose=pl.Series(["relationship", "confirm"]),
        invited_at=pl.datetime(2026, 6, 1),
        known_at=pl.datetime(2026, 6, 1),
        state=pl.lit("sent"),
        written_at=pl.datetime(2026, 6, 1),
    )
    with Ledger.open(workspace, {}) as ledger, ledger.writing() as db:
        add(db, INVITATIONS, asked)
    for kind, text, counts in (("answers", ANSWERS, (2, 1, 2)), ("contacts", CONTACTS, (1, 0, 0))):
        path = root / f"{kind}.csv"
        path.write_text(text, "utf-8")
        said = command("-q", "-w", root, "record", kind, path, "--json")
        assert said.code == 0, said.err
        assert (said.plain["n_new"], said.plain["n_stray"], said.plain["n_alerts"]) == counts

    assert command("-q", "-w", root, "train", "--as-of", AS_OF).code == 0
    night = command("-q", "-w", root, "nightly", "--as-of", AS_OF, "--json")
    assert night.code == 0, night.err
    features = published(root, "features").filter(pl.col("customer_id").is_in(["c001", "c002"]))
    assert features.sort("customer_id")["nps_last_score"].to_list() == [2.0, None]
    assert published(root, "answers").select("invitation_id", "category").rows() == [
        ("confirming", "detractor"),
        ("wave", "detractor"),
    ]
    assert published(root, "contacts")["customer_id"].to_list() == ["c001"]
    assert published(root, "holdouts").height > 0
    assert published(root, "outcomes").is_empty()
    assert published(root, "alerts").is_empty(), "raised when recorded: the night of that day tells of it"

    before = bytes_of(root)
    late = root / "late.csv"
    late.write_text("invitation_id,score,answered_at\nwave,9,2026-06-01T10:00:00Z\n", "utf-8")
    assert command("-q", "-w", root, "record", "answers", late).code == 0
    assert command("-q", "-w", root, "nightly", "--as-of", AS_OF).code == 0
    assert bytes_of(root) == before


def test_customers_are_told_once_what_was_changed_about_what_they_complained_of(
    tmp_path: Path, command: Command
) -> None:
    root = company(tmp_path, 0, "expected_rate = 0.02\n" + MENDED)
    path = root / "outcomes.csv"
    path.write_text(OUTCOMES, "utf-8")
    said = command("-q", "-w", root, "record", "outcomes", path)
    assert said.code == 0, said.err
    assert command("-q", "-w", root, "train", "--as-of", AS_OF).code == 0
    night = command("-q", "-w", root, "nightly", "--as-of", AS_OF)
    assert night.code == 0, night.err
    listed = pl.read_csv(root / f"lists/{AS_OF}/proactive.csv")
    # the third said something else before; the fourth was seen to yesterday, the fifth a year ago, the sixth is news
    assert listed["customer_id"].to_list() == ["c001", "c003"]
    assert "two masts" in listed["message"][0]
    assert command("-q", "-w", root, "nightly", "--as-of", "2026-07-01").code == 0
    assert not (root / "lists/2026-07-01/proactive.csv").exists()
