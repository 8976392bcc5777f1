"""The leakage audit through the command line: a column that knows the outcome stops the run with exit 14."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from .conftest import Command

pytestmark = pytest.mark.e2e


def test_a_column_that_knows_the_outcome_stops_training_with_exit_14(
    tmp_path: Path, command: Command
) -> None:
    rng = np.random.default_rng(4)
    left = rng.random(300) < 0.3
    pl.DataFrame(
        {
            "id": range(300),
            "gone": np.where(left, "yes", "no"),
            "wait": rng.exponential(1, 300).round(2),
            "Churn Reason": np.where(left, rng.choice(["price", "moved", "service"], 300), ""),
        }
    ).write_csv(tmp_path / "extract.csv")
    (tmp_path / "churnrisk.toml").write_text(
        '[churn]\nkind = "label"\n[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "extract.csv"\n'
        'columns = { customer_id = "id", churned = "gone" }\npositive = "yes"\n[privacy]\nmissing_consent = true\n'
    )
    said = command("-q", "-w", tmp_path, "train", "--json")
    assert said.code == 14
    (fault,) = said.plain["faults"]
    assert fault["code"] == "leak_knows_outcome"
    assert "attribute_Churn Reason" in fault["where"]
    assert "price" in fault["found"]
    assert 'exclude = ["Churn Reason"]' in fault["remedy"]
    assert 'accept_leaks = ["attribute_Churn Reason"]' in fault["remedy"]
    assert not (tmp_path / "models" / "champion").exists()
    judged = command("-q", "-w", tmp_path, "evaluate", "--json")
    assert judged.code == 14
    assert [each["code"] for each in judged.plain["faults"]] == ["leak_knows_outcome"]
