"""The picture of what a budget buys says in words what it shows."""

import polars as pl
import pytest

from churnrisk.pictures import budget_curve


def curve(marked: int | None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "budget": [0.0, 100.0, 400.0],
            "net_value": [0.0, 900.0, 1_500.0],
            "n_offers": [0, 40, 130],
            "is_budget": [position == marked for position in range(3)],
        }
    )


def test_the_budget_in_force_is_marked_and_told() -> None:
    picture = budget_curve(curve(1), currency="EUR")
    assert "tonight: 100.00 buys 900.00 with 40 offers" in picture.description
    assert "the largest shown: 400.00 buys 1,500.00" in picture.description
    assert "Budget for offers (EUR)" in picture.svg


def test_without_a_budget_the_whole_curve_is_told() -> None:
    assert "tonight" not in budget_curve(curve(None)).description


def test_an_empty_curve_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        budget_curve(curve(0).clear())
