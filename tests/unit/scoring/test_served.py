"""What MLflow serves: risk and interval of each row, and a frame brought into the declared types."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from churnrisk import for_model
from churnrisk.errors import ModelUnfit
from scoring.served import ServedModel
from tests.drawn_models import drawn_bundle


def model(**kinds: str) -> Any:
    """What `mlflow.pyfunc.load_model` returns, as far as it is asked."""
    columns = [SimpleNamespace(name=name, type=f"DataType.{kind}") for name, kind in kinds.items()]
    schema = SimpleNamespace(inputs=columns)
    return SimpleNamespace(metadata=SimpleNamespace(get_input_schema=lambda: schema))


def test_whole_numbers_flags_and_unknown_columns_become_the_declared_ones_in_order() -> None:
    frame = pl.DataFrame(
        {
            "customer_id": ["a", "b"],
            "tariff": ["S", None],
            "n_contacts": pl.Series([3, 4], dtype=pl.Int64),
            "is_new": [True, None],
            "empty": [None, None],
        }
    )
    found = for_model(frame, model(is_new="double", n_contacts="double", tariff="string", empty="double"))
    assert list(found.columns) == ["is_new", "n_contacts", "tariff", "empty"]
    assert [str(each) for each in found.dtypes[["is_new", "n_contacts", "empty"]]] == ["float64"] * 3
    assert found["n_contacts"].tolist() == [3.0, 4.0]
    again = for_model(found, model(n_contacts="double"))  # a pandas frame goes in as well
    assert again["n_contacts"].tolist() == [3.0, 4.0]


def test_columns_that_are_missing_or_text_are_named() -> None:
    frame = pl.DataFrame({"wait_s": ["long"]})
    with pytest.raises(ModelUnfit, match="column n_contacts") as refusal:
        for_model(frame, model(wait_s="double", n_contacts="double"))
    assert refusal.value.codes == ("feature_missing", "feature_retyped")


def test_many_missing_columns_are_one_fault_that_says_where_they_are_to_be_had() -> None:
    """The published table `features` leaves out what others did: dozens of columns at once."""
    with pytest.raises(ModelUnfit, match=r"columns x1, x2, x3: .*found 3 missing") as refusal:
        for_model(pl.DataFrame({"x0": [1.0]}), model(x0="double", x1="double", x2="double", x3="double"))
    assert refusal.value.codes == ("feature_missing",)
    assert "workspace.features()" in str(refusal.value)


def test_risk_and_interval_come_back_under_the_callers_index() -> None:
    pandas = pytest.importorskip("pandas")
    given = pandas.DataFrame({"tenure_days": [1.0, None], "wait_s": [1.0, 1.5]}, index=[7, 3])
    found = ServedModel(drawn_bundle()).predict(given)
    assert list(found.columns) == ["risk", "risk_low", "risk_high"]
    assert found.index.tolist() == [7, 3]
    assert found["risk"].tolist() == pytest.approx([0.5, 0.5])
    assert (found["risk_low"] <= found["risk"]).all()
