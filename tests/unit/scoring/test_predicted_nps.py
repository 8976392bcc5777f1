"""Whose answer is predicted, and what stands beside it: predictions for the silent, counts for the heard."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from churnrisk.bundle import NPS_CATEGORIES, NpsModel
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit
from churnrisk.store.audits import audit
from churnrisk.tables.published import NPS_CATEGORY_WORDS, RULES
from scoring import measured_shares, nps_predicted, predicted_shares
from tests.drawn_models import drawn_bundle

DAY = AsOf(date(2026, 6, 30))
MODEL = NpsModel(drawn_bundle(wait_s="service"), drawn_bundle(tenure_days="profile"))
FRAME = pl.DataFrame(
    {
        "customer_key": [1, 2, 3, 4],
        "customer_id": ["heard", "silent", "forbids", "quiet"],
        "tenure_days": [1.0, None, 3.0, 0.5],
        "wait_s": [1, 2, 3, 4],
    }
)
HEARD = pl.DataFrame(
    {"customer_id": ["gone", "heard", "quiet", "silent"], "score": [0.0, 9.0, None, None]},
    schema_overrides={"score": pl.Float64},
)


def test_only_the_silent_are_predicted_and_the_table_passes_the_audit() -> None:
    table = nps_predicted(FRAME, MODEL, HEARD, as_of=DAY, run_id="r")
    assert table["customer_id"].to_list() == ["silent", "quiet"]
    assert table["model_version"].unique().to_list() == ["7"]
    rules = {"nps_predicted": replace(RULES["nps_predicted"], references={})}
    audit({"nps_predicted": table.select([column.name for column in rules["nps_predicted"].columns])}, rules)
    assert [column.name for column in rules["nps_predicted"].columns] == table.columns


def test_the_words_of_the_table_are_the_categories_of_the_model() -> None:
    assert NPS_CATEGORY_WORDS == NPS_CATEGORIES


def test_predicted_shares_are_expected_ones_and_measured_shares_are_counts_of_those_scored() -> None:
    table = pl.DataFrame({"detractor": [0.5, 0.1], "passive": [0.3, 0.3], "promoter": [0.2, 0.6]})
    assert predicted_shares(table) == pytest.approx({"detractor": 0.3, "passive": 0.3, "promoter": 0.4})
    assert predicted_shares(table.clear()) == {}
    assert measured_shares(HEARD, FRAME) == (1, {"detractor": 0.0, "passive": 0.0, "promoter": 1.0})
    assert measured_shares(HEARD.clear(), FRAME) == (0, {})


def test_a_feature_that_is_gone_is_named() -> None:
    with pytest.raises(ModelUnfit, match="tenure_days"):
        nps_predicted(FRAME.drop("tenure_days"), MODEL, HEARD, as_of=DAY, run_id="r")
