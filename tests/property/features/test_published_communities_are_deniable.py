"""Whatever is published of communities, nobody can count who of them is gone, in notice or refuses."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.network import Ties, network_rows, published_network, tells_of_others
from features.ties import TieGraph, tie_feature_names

HERE, LEFT, IN_NOTICE, REFUSES, HUB = range(5)
"""What became of a customer; those in notice have no age, and no row."""


@st.composite
def circles(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, int]]]:
    """Some cliques, here and there short of a tie or joined, and what became of their members."""
    edges: set[tuple[int, int]] = set()
    first = 0
    for size in draw(st.lists(st.integers(1, 10), min_size=1, max_size=4)):
        edges |= {(a, b) for a in range(first, first + size) for b in range(a + 1, first + size)}
        first += size
    ends = st.tuples(st.integers(0, first - 1), st.integers(0, first - 1))
    edges ^= {(min(pair), max(pair)) for pair in draw(st.lists(ends, max_size=6)) if pair[0] != pair[1]}
    fates = st.one_of(st.just(HERE), st.sampled_from([HERE, LEFT, IN_NOTICE, REFUSES, HUB]))
    return draw(st.lists(fates, min_size=first, max_size=first)), sorted(edges)


def told_of(fates: list[int], edges: list[tuple[int, int]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return what is published of the customers with a row: features that may be told, and the table network."""
    nodes = pl.DataFrame(
        {
            "node": range(len(fates)),
            "customer_key": range(len(fates)),
            "customer_id": [f"c{node:03}" for node in range(len(fates))],
            "may_use_calls": [fate != REFUSES for fate in fates],
            "n_partners": [999 if fate == HUB else None for fate in fates],
            "n_mutual": [0 if fate == HUB else None for fate in fates],
        },
        schema_overrides={"n_partners": pl.Int64, "n_mutual": pl.Int64},
    )
    pairs = pl.DataFrame(edges, schema={"node_a": pl.Int64, "node_b": pl.Int64}, orient="row")
    graph = TieGraph.from_ties(pairs.with_columns(strength=pl.lit(1.0)), len(fates))
    members = nodes.filter(pl.Series(np.isin(fates, [HERE, REFUSES, HUB])))
    gone = [node for node, fate in enumerate(fates) if fate == LEFT]
    leavers = pl.DataFrame({"node": gone, "age_days": [1.0] * len(gone)}, schema_overrides={"node": pl.Int64})
    rows = network_rows(Ties(graph, nodes), members, leavers, None, 90)
    full = rows.join(nodes.select("customer_key", "customer_id"), on="customer_key", maintain_order="left")
    network = published_network(full.with_columns(share_calls_offnet_90d=pl.lit(0.0)))
    told = [name for name in tie_feature_names() if not tells_of_others(name, "network")]
    return full.select("customer_id", *told), network


@given(circles())
def test_a_community_is_told_as_the_rows_that_everybody_sees(
    world: tuple[list[int], list[tuple[int, int]]],
) -> None:
    features, network = told_of(*world)
    seen = features.select("customer_id", "community_size", "is_community_leader").join(
        network.select("customer_id", "community"), on="customer_id"
    )
    assert "community_strength_share" not in features.columns
    counted = (
        seen.drop_nulls("community")
        .group_by("community")
        .agg(
            pl.len().alias("n_rows"),
            pl.col("community_size").min().alias("least"),
            pl.col("community_size").max().alias("most"),
            pl.col("is_community_leader").sum().alias("n_leaders"),
        )
    )
    for row in counted.iter_rows(named=True):
        assert row["n_rows"] == row["least"] == row["most"] > 5
        assert row["n_leaders"] == 1
    untold = seen.filter(pl.col("community").is_null())
    assert untold["community_size"].null_count() == untold["is_community_leader"].null_count() == len(untold)


def test_a_customer_whose_only_friend_left_cannot_be_told_from_one_whose_friend_stayed() -> None:
    for fate in (HERE, LEFT, IN_NOTICE):
        features, network = told_of([HERE, fate], [(0, 1)])
        assert network["community"][0] is features["community_size"][0] is None
        assert features["is_community_leader"][0] is None


def test_the_sixth_and_seventh_in_a_circle_do_not_show_whether_a_further_one_left() -> None:
    pairs = [(a, b) for a in range(8) for b in range(a + 1, 8)]
    features, network = told_of([HERE] * 6 + [LEFT, IN_NOTICE], pairs)
    assert features["community_size"].to_list() == [6] * 6
    assert network["community"].to_list() == [0] * 6
