"""Who is near a list of seeds, ranked; refusers neither carry nor show anything."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from churnrisk.tables.files import SPREAD
from scoring import spread_from
from tests.unit.scoring.test_influence import tied

DAY = date(2026, 6, 30)


def seeds(**energy: float) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": list(energy), "energy": list(energy.values())})


def test_nearer_customers_get_more_and_the_sum_stays() -> None:
    table = spread_from(
        tied("abcd", ("a", "b", 1.0), ("b", "c", 1.0)), seeds(a=1.0), pl.Series(list("abcd")), DAY
    )
    by_name = dict(table.select("customer_id", "received").iter_rows())
    assert set(by_name) == {"a", "b", "c"}
    assert by_name["b"] > by_name["c"] > 0
    assert table["activation"].sum() == pytest.approx(1.0)
    assert table.filter("is_seed")["customer_id"].to_list() == ["a"]
    assert table["position"].to_list() == [1, 2, 3]
    assert (table["received"] <= table["activation"]).all()


def test_those_who_left_may_be_seeds_and_are_not_listed() -> None:
    table = spread_from(tied("ab", ("a", "b", 1.0)), seeds(a=1.0), pl.Series(["b"]), DAY)
    assert table["customer_id"].to_list() == ["b"]


def test_a_refuser_neither_carries_nor_shows_anything() -> None:
    ties = tied("abc", ("a", "b", 1.0), ("b", "c", 1.0), refusing="b")
    table = spread_from(ties, seeds(a=2.0), pl.Series(list("abc")), DAY)
    assert table.select("customer_id", "activation").rows() == [("a", 2.0)]


def test_a_hub_neither_carries_nor_shows_anything() -> None:
    ties = tied("abc", ("a", "b", 1.0), ("b", "c", 1.0), hubs="b")
    table = spread_from(ties, seeds(a=2.0), pl.Series(list("abc")), DAY)
    assert table.select("customer_id", "activation").rows() == [("a", 2.0)]


def test_the_file_has_the_columns_that_its_description_says() -> None:
    table = spread_from(tied("ab", ("a", "b", 1.0)), seeds(a=1.0), pl.Series(["a", "b"]), DAY)
    assert table.columns == [column.name for column in SPREAD.columns]
    assert "restricted" in SPREAD.place
