"""Scores are the bundle's risks with a value in money, marked when the model saw later data."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from churnrisk.config import ValueSettings
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit
from churnrisk.store.audits import audit, in_order
from churnrisk.tables.published import RULES
from scoring import scores
from tests.drawn_models import drawn_bundle

AS_OF = AsOf(date(2026, 6, 30))
BUNDLE = drawn_bundle(monthly_value="price", wait_s="service")
FRAME = pl.DataFrame(
    {
        "customer_key": [0, 1, 2],
        "customer_id": ["a", "b", "c"],
        "monthly_value": [1.0, None, 0.0],
        "wait_s": [1.0, 1.5, -2.0],
    }
)


def test_risk_band_and_value_stand_beside_each_customer() -> None:
    made = scores(FRAME, BUNDLE, ValueSettings(months=12, margin_share=0.5), as_of=AS_OF, run_id="r")
    assert made["customer_id"].to_list() == ["a", "b", "c"]
    # log-odds: -2 + 1 + 1 = 0; -2 + 0.5 (unknown) + 1.5 = 0; -2 + 0 - 2 = -4
    assert made["risk"].to_list() == pytest.approx([0.5, 0.5, 0.01798620996])
    assert made["band"].to_list() == ["high", "high", "low"]
    assert made["value"].to_list() == [6.0, None, 0.0]
    assert made["model_version"].unique().to_list() == ["7"]
    audit({"scores": in_order(made, RULES["scores"])}, RULES, {"scores": 3})


def test_without_monthly_value_nobody_has_a_value() -> None:
    bundle = drawn_bundle(wait_s="service")
    made = scores(FRAME.drop("monthly_value"), bundle, ValueSettings(), as_of=AS_OF, run_id="r")
    assert made["value"].null_count() == 3


@pytest.mark.parametrize(("day", "is_hindsight"), [(date(2026, 6, 30), False), (date(2026, 3, 1), True)])
def test_a_score_from_a_model_that_saw_later_data_is_marked(day: date, is_hindsight: bool) -> None:
    made = scores(FRAME, BUNDLE, ValueSettings(), as_of=AsOf(day), run_id="r")
    assert made["is_hindsight"].unique().to_list() == [is_hindsight]


def test_another_feature_table_is_refused() -> None:
    with pytest.raises(ModelUnfit, match="wait_s"):
        scores(FRAME.drop("wait_s"), BUNDLE, ValueSettings(), as_of=AS_OF, run_id="r")
