"""A company of which next to nobody has left yet: a rule prior is trained, scores the night, and says what it is."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.config import REGIMES_AHEAD
from tests.e2e.conftest import AS_OF, Command

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

SETTINGS = """
[sources.customers]
path = "customers.csv"
constant = ["contract", "monthly_value"]

[sources.surveys]
path = "surveys.csv"

[privacy]
missing_consent = true

[value]
lifetime_months = 24

[churn]
"""
N = 120


def company(root: Path, n_left: int, expected: str = "") -> Path:
    """Customers with a contract, of whom the first ``n_left`` leave in spring; every third answers a survey."""
    rng = np.random.default_rng(n_left)
    begun = date(2025, 1, 1)
    joined = [begun + timedelta(days=int(day)) for day in rng.integers(0, 300, N)]
    left = [date(2026, 3, 20) + timedelta(days=11 * place) if place < n_left else None for place in range(N)]
    pl.DataFrame(
        {
            "customer_id": [f"c{number:03}" for number in range(N)],
            "joined_on": joined,
            "left_on": pl.Series(left, dtype=pl.Date),
            "monthly_value": rng.uniform(10, 50, N).round(2),
            "contract": ["monthly" if number % 4 == 0 else "yearly" for number in range(N)],
        }
    ).write_csv(root / "customers.csv")
    asked = list(range(0, N, 3))
    pl.DataFrame(
        {
            "invitation_id": [f"i{number}" for number in asked],
            "customer_id": [f"c{number:03}" for number in asked],
            "metric": ["nps"] * len(asked),
            "occasion": ["relationship"] * len(asked),
            "invited_at": [date(2026, 1, 5)] * len(asked),
            "answered_at": [date(2026, 1, 6)] * len(asked),
            "score": rng.integers(0, 11, len(asked)),
        }
    ).write_csv(root / "surveys.csv")
    (root / "churnrisk.toml").write_text(SETTINGS + expected, "utf-8")
    return root


@pytest.mark.parametrize("n_left", [0, 5])
def test_with_next_to_no_leavers_the_first_night_works_and_says_what_it_rests_on(
    tmp_path: Path, command: Command, n_left: int
) -> None:
    root = company(tmp_path, n_left, "expected_rate = 0.02\n")
    trained = command("-q", "-w", root, "train", "--as-of", AS_OF, "--json")
    assert trained.code == 0, trained.err
    assert trained.plain["became_champion"]
    assert trained.plain["regime"].startswith("rule prior, not learned")
    assert REGIMES_AHEAD in trained.plain["regime"]
    assert trained.plain["lifetime"]["source"] == "assumed"
    card = (root / "models" / "champion" / "card.md").read_text("utf-8")
    assert "rule prior, not learned" in card
    assert "assumed, not measured" in card

    night = command("-q", "-w", root, "nightly", "--as-of", AS_OF, "--json")
    assert night.code == 0, night.err
    assert any("rule prior" in warning for warning in night.plain["warnings"])
    scores = pl.read_parquet(root / f"published/scores/as_of={AS_OF}/part-0.parquet")
    assert scores.height == N - n_left
    assert 0.001 < scores["risk"].mean() < 0.05  # type: ignore[operator]
    assert (scores["risk_high"] > 2 * scores["risk"]).all()
    assert scores["clv"].null_count() == 0
    assert scores["expected_months"].is_between(0, 24).all()
    reasons = pl.read_parquet(root / f"published/reasons/as_of={AS_OF}/part-0.parquet")
    summed = reasons.group_by("customer_id").agg(pl.col("effect_pp").sum())
    beside = summed.join(scores, on="customer_id")
    assert beside.height > 0
    assert (beside["effect_pp"] - 100 * beside["risk"]).abs().max() < 1e-9  # type: ignore[operator]
    page = (root / f"reports/{AS_OF}/index.html").read_text("utf-8")
    assert "rule prior, not learned" in page.lower()
    assert "How long customers stay" in page

    told = command("-q", "-w", root, "explain", "c119", "--as-of", AS_OF)
    assert told.code == 0, told.err
    assert "Expected to stay for" in told.out
    assert "No model has learned from your customers" in told.out
    assert "a rule prior knows no kinds" in told.out

    judged = command("-q", "-w", root, "evaluate", "--as-of", AS_OF, "--json")
    assert judged.code == 0, judged.err
    assert judged.plain["n_leavers"] <= n_left
    assert "assumed, not measured" in judged.plain["sentences"]["lifetime"][0]


def test_without_a_leaver_and_an_expected_rate_training_says_what_to_set(
    tmp_path: Path, command: Command
) -> None:
    root = company(tmp_path, 0)
    said = command("-q", "-w", root, "train", "--as-of", AS_OF, "--json")
    assert said.code == 13
    (fault,) = said.plain["faults"]
    assert fault["code"] == "no_leavers"
    assert "expected_rate" in fault["where"]
