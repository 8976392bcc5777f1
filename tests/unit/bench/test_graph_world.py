"""The world that graph measures are timed on is what it says it is."""

from __future__ import annotations

import numpy as np
import polars as pl

from features.ties import tie_table
from tests.bench.graph_world import TIES_PER_CUSTOMER, drawn_ties, pair_facts, with_hub


def test_ties_are_as_many_as_wanted_each_once_and_the_same_for_the_same_seed() -> None:
    ties = drawn_ties(4_000)
    assert len(ties["node_a"]) == int(4_000 * TIES_PER_CUSTOMER)
    assert (ties["node_a"] < ties["node_b"]).all()
    assert len(set(zip(ties["node_a"].tolist(), ties["node_b"].tolist(), strict=True))) == len(ties["node_a"])
    assert all((ties[name] == again).all() for name, again in drawn_ties(4_000).items())


def test_a_hub_is_one_more_customer_tied_to_so_many() -> None:
    ties = with_hub(drawn_ties(4_000), 4_000, 900)
    degrees = np.bincount(np.concatenate([ties["node_a"], ties["node_b"]]))
    assert (len(degrees), degrees[4_000]) == (4_001, 900)
    assert degrees[:4_000].max() < 900


def test_pair_facts_are_such_as_a_tie_table_is_made_of() -> None:
    table = tie_table(pl.DataFrame(pair_facts(drawn_ties(2_000))))
    assert table.height == int(2_000 * TIES_PER_CUSTOMER)
    assert (table["strength"] > 0).all()
