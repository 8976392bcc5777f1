"""Tenure, changes, price and attributes, worked by hand. As of 2026-03-31, UTC: 90 days back is 2026-01-01."""

from pathlib import Path

import polars as pl

from churnrisk.store import Engine
from tests.spec.features.drawn import features_of, lake, shown

HISTORY = """
customer_key | valid_from | known_at   | joined_at        | monthly_value | language | attribute_plan | attribute_sex
0            | 2024-01-01 | 2024-01-01 | 2023-12-31 12:00 | 10            | de       | S              | f
0            | 2025-09-01 | 2025-09-01 | 2023-12-31 12:00 | 20            | de       | M              | f
0            | 2026-03-01 | 2026-03-01 | 2023-12-31 12:00 | 25            | fr       | L              | f
0            | 2026-03-15 | 2026-04-02 | 2023-12-31 12:00 | 99            | it       | XL             | f
1            | 2026-02-01 | 2026-02-01 | 2026-02-01       | 8             |          | S              |
2            |            | 2026-06-30 | 2025-01-01       | 5             | ru       | S              | m
"""


def test_tenure_changes_and_language_come_from_versions_known(engine: Engine, tmp_path: Path) -> None:
    found = features_of(engine, lake(tmp_path, customers=HISTORY))
    # c0: 2023-12-31 12:00 to 2026-04-01 00:00 is 821.5 days; changes on 2025-09-01 and 2026-03-01 (31 days ago)
    assert shown(found, "tenure_days", "n_changes_365d", "days_since_change", "language") == [
        ("c0", 821, 2, 31, "fr"),
        ("c1", 59, 0, None, None),
        ("c2", 455, None, None, None),
    ]


def test_price_change_compares_the_versions_in_force_now_and_90_days_ago(
    engine: Engine, tmp_path: Path
) -> None:
    found = features_of(engine, lake(tmp_path, customers=HISTORY))
    assert shown(found, "monthly_value", "monthly_value_change_90d", "monthly_value_ratio_90d") == [
        ("c0", 25.0, 5.0, 1.25),
        ("c1", 8.0, None, None),
        ("c2", None, None, None),
    ]


def test_an_extract_without_history_shows_no_price_change_rather_than_none(
    engine: Engine, tmp_path: Path
) -> None:
    found = features_of(engine, lake(tmp_path, customers="customer_key | monthly_value\n0 | 12"))
    assert shown(found, "monthly_value", "monthly_value_change_90d") == [("c0", 12.0, None)]


def test_attributes_hold_from_when_they_were_known_and_constants_always(
    engine: Engine, tmp_path: Path
) -> None:
    found = features_of(engine, lake(tmp_path, customers=HISTORY, constant=["sex"]))
    assert shown(found, "attribute_plan", "attribute_sex") == [
        ("c0", "L", "f"),
        ("c1", "S", None),
        ("c2", None, "m"),
    ]


def test_an_attribute_is_a_number_only_when_every_known_value_is_one(engine: Engine, tmp_path: Path) -> None:
    customers = """
    customer_key | attribute_a | attribute_b | attribute_c | attribute_d | attribute_e | attribute_f
    0            | 1           | 1           | 007         | 1           |             | 1e3
    1            | -2.5        | x           | 12          | 2           |             | nan
    """
    found = features_of(engine, lake(tmp_path, customers=customers, text=["d"]))
    kinds = {name: found.frame.schema[f"attribute_{name}"] for name in "abcdef"}
    assert kinds == {
        "a": pl.Float64,
        "b": pl.String,
        "c": pl.String,
        "d": pl.String,
        "e": pl.Float64,
        "f": pl.String,
    }
    assert found.frame["attribute_a"].to_list() == [1.0, -2.5]
    assert found.kinds["attribute_b"] == "category"


def test_types_of_a_model_are_kept_and_what_does_not_fit_is_unknown_and_noted(
    engine: Engine, tmp_path: Path
) -> None:
    customers = """
    customer_key | attribute_a | attribute_b
    0            | 1           | 1
    1            | n/a         | 2
    """
    tables = lake(tmp_path, customers=customers)
    found = features_of(engine, tables, kinds={"attribute_a": "number", "attribute_b": "category"})
    assert shown(found, "attribute_a", "attribute_b") == [("c0", 1.0, "1"), ("c1", None, "2")]
    assert len(found.notes) == 1
    assert "n/a" not in found.notes[0]
