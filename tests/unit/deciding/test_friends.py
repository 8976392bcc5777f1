"""Friends of one customer are not both credited with sparing that customer, where that is worth anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from churnrisk.deciding import Circle, decided_night
from churnrisk.deciding.friends import COUNTS_FROM, chosen_together
from features.ties import TieGraph
from tests.unit.deciding.drawn import material, people

CHEAP = """
offer_id | name  | contact_cost | incentive_cost | capacity | channel | suits
call     | A call | 4           | 0              |          | call    |
"""
SETTINGS = "[surveys]\nbudget = 0\n[offers]\nbudget = 8\n"


def star(excess: float) -> tuple[pl.DataFrame, Circle]:
    """Customers 0 and 1 share the one rich friend 4, who calls nobody else; 2 and 3 are alone."""
    who = people(
        [0.3, 0.3, 0.3, 0.3, 0.2], [100.0, 100.0, 98.0, 96.0, 2_000.0], root_cause=[None] * 4 + ["moved"]
    )
    ties = pl.DataFrame({"node_a": [0, 1], "node_b": [4, 4], "strength": [1.0, 1.0]})
    nodes = who.select("customer_id").with_columns(node=pl.Series(range(5), dtype=pl.Int32))
    risk, value = who["risk"].to_numpy(), who["value"].to_numpy()
    return who, Circle(TieGraph.from_ties(ties, 5), nodes, risk, value, 2.0, excess)


def chosen(effect: float, net_of_friends: float) -> list[int]:
    """Two of the first four get the call, as many as the budget buys."""
    who, circle = star(0.3)
    net = np.array([net_of_friends, net_of_friends, 80.0, 79.0, -1.0])[:, None]
    found = chosen_together(
        circle,
        who["customer_id"],
        net=net,
        effect=np.full((5, 1), effect),
        cost=np.full((5, 1), 4.0),
        is_option=net > 0,
        budget=8.0,
        per_offer={},
    )
    return np.flatnonzero(found >= 0).tolist()


def test_the_second_friend_of_one_customer_brings_only_what_the_first_has_left() -> None:
    # kept for nine tenths: the first spares .9 x 400, the second .09 x 400, less than customer 2 is worth alone
    assert len(set(chosen(0.9, 400.0)) & {0, 1}) == 1
    assert 2 in chosen(0.9, 400.0)


def test_where_offers_keep_few_both_friends_are_worth_it() -> None:
    # kept for a tenth: the first spares 40, the second still 36, more than customer 2 is worth
    assert chosen(0.1, 45.0) == [0, 1]


def test_a_night_chooses_sets_where_they_count_and_single_customers_where_not() -> None:
    who, circle = star(0.3)
    drawn = material(who, SETTINGS, offers=CHEAP)
    for each in (circle, replace(circle, excess=0.0)):
        made = decided_night(replace(drawn, circle=each)).rows.filter(decision="offer")
        assert made["cost"].sum() <= 8.0
        assert made.height == 2


def test_capacities_hold_for_sets_too() -> None:
    who, circle = star(0.3)
    limited = CHEAP.replace("|          | call", "| 1        | call")
    drawn = replace(material(who, SETTINGS, offers=limited), circle=circle)
    made = decided_night(drawn).rows.filter(decision="offer")
    assert made.height == 1


@pytest.mark.parametrize("excess", [0.0, COUNTS_FROM, 0.28])
def test_sets_are_looked_at_from_a_stated_weight_on(excess: float) -> None:
    _, circle = star(excess)
    assert circle.counts == (excess >= COUNTS_FROM)


def test_who_is_no_node_gets_nothing_from_a_set() -> None:
    who, circle = star(0.3)
    alone = replace(circle, nodes=circle.nodes.filter(pl.col("node") != 2))
    made = decided_night(replace(material(who, "[surveys]\nbudget = 0\n", offers=CHEAP), circle=alone)).rows
    assert "c0002" not in made.filter(decision="offer")["customer_id"].to_list()
    assert np.isfinite(made["value"].drop_nulls().to_numpy()).all()
