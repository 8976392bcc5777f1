"""Whatever is published of a customer's exposure, each neighbour may have left and may have stayed."""

from __future__ import annotations

import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.network import FEWEST_TIES, published_network, rounded_exposure


def rows_of(strengths: list[float]) -> tuple[pl.DataFrame, list[frozenset[int]]]:
    """Every way in which some of the neighbours have left, as feature rows."""
    friends = range(len(strengths))
    worlds = [
        frozenset(left)
        for size in range(len(strengths) + 1)
        for left in itertools.combinations(friends, size)
    ]
    shares = [sum(strengths[friend] for friend in left) / sum(strengths) for left in worlds]
    frame = pl.DataFrame(
        {
            "customer_id": [str(place) for place in range(len(worlds))],
            "n_ties": len(strengths),
            "tie_strength_sum": sum(strengths),
            "share_calls_offnet_90d": 0.0,
            "community": 0,
            **{
                f"{kind}_exposure_{measure}_90d": values
                for kind in ("churn", "detractor")
                for measure, values in (
                    ("n", [len(left) for left in worlds]),
                    ("share", [len(left) / len(strengths) for left in worlds]),
                    ("weighted", shares),
                )
            },
        }
    )
    return frame, worlds


@given(st.lists(st.one_of(st.floats(0.01, 1), st.just(1000.0)), min_size=1, max_size=8))
def test_every_neighbour_may_have_done_it_or_not_by_what_is_published(strengths: list[float]) -> None:
    frame, worlds = rows_of(strengths)
    for name in ("churn_exposure", "detractor_exposure"):
        published = published_network(frame)[name].to_list()
        for value in set(published):
            consistent = [left for left, told in zip(worlds, published, strict=True) if told == value]
            for friend in range(len(strengths)):
                assert {friend in left for left in consistent} == {True, False}, (value, friend)


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=8))
def test_nothing_is_published_of_few_neighbours_and_never_none_or_all(strengths: list[float]) -> None:
    frame, _ = rows_of(strengths)
    published = published_network(frame)["churn_exposure"].drop_nulls()
    if len(strengths) < FEWEST_TIES:
        assert published.is_empty()
    assert published.is_between(0.05, 0.95).all()


@pytest.mark.parametrize(
    ("share", "told"), [(0.0, 0.05), (0.16, 0.15), (0.24, 0.25), (0.22, 0.2), (1.0, 0.95), (0.5, 0.5)]
)
def test_shares_are_told_to_a_twentieth(share: float, told: float) -> None:
    assert pl.select(rounded_exposure(pl.lit(share))).item() == told
