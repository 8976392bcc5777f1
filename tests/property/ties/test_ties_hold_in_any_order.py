"""Ties depend on the set of pairs: not on the order of rows, and not on how customers are numbered."""

from __future__ import annotations

import numpy as np
import polars as pl
import polars.selectors as cs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from features.ties import EXPOSURE_WINDOWS_DAYS, TieGraph, network_features, tie_table
from features.ties.contract import PAIR_COLUMNS
from features.ties.spreading import aged_energy, spreading_activation
from tests.oracle.ties.slow_ties import Contact, World, pairs, worlds

KINDS = ("churn", "detractor")


def pair_frame(world: World) -> pl.DataFrame:
    return pl.DataFrame(pairs(world.contacts), schema=PAIR_COLUMNS)


def featured(world: World, facts: pl.DataFrame) -> pl.DataFrame:
    return network_features(
        TieGraph.from_ties(tie_table(facts), world.n_nodes),
        is_member=np.array(world.is_member),
        leaver_age_days=np.array(world.leaver_age_days),
        detractor_age_days=np.array(world.detractor_age_days),
        may_use=np.array(world.may_use),
    )


@given(st.data())
def test_rows_in_any_order_give_the_same_bits(data: st.DataObject) -> None:
    world = data.draw(worlds())
    facts = pair_frame(world)
    order = data.draw(st.permutations(range(len(facts))))
    assert tie_table(facts[order]).equals(tie_table(facts), null_equal=True)
    assert featured(world, facts[order]).equals(featured(world, facts), null_equal=True)


@given(st.data())
def test_other_numbers_for_the_same_customers_change_nothing(data: st.DataObject) -> None:
    world = data.draw(worlds())
    number = data.draw(st.permutations(range(world.n_nodes)))
    origin = np.argsort(number)
    renamed = World(
        world.n_nodes,
        [Contact(number[c.sender], number[c.receiver], c.at_us, c.seconds) for c in world.contacts],
        *([column[node] for node in origin] for column in world[2:]),
    )
    # communities take nodes in the order of their numbers
    expected = featured(world, pair_frame(world)).drop(cs.contains("community"))
    found = featured(renamed, pair_frame(renamed)).with_columns(
        pl.col("node").map_elements(lambda node: int(origin[node]), return_dtype=pl.Int32)
    )
    found = found.drop(cs.contains("community"))
    assert_frame_equal(found.sort("node"), expected, rel_tol=1e-9, abs_tol=1e-12)


@given(worlds())
def test_exposures_are_shares_that_grow_with_the_window(world: World) -> None:
    table = featured(world, pair_frame(world))
    for kind in KINDS:
        for direction in ("", "_out"):
            for measure in ("n", "share", "weighted"):
                columns = [
                    table[f"{kind}_exposure_{measure}{direction}_{days}d"] for days in EXPOSURE_WINDOWS_DAYS
                ]
                ceiling = pl.Series([1.0] * len(table)) if measure != "n" else table[f"n_ties{direction}"]
                for shorter, longer in zip(columns, [*columns[1:], ceiling], strict=True):
                    assert (shorter <= longer).all()
                    assert (shorter >= 0).all()


@given(worlds())
def test_what_comes_in_two_hops_is_a_share_that_grows_with_the_window(world: World) -> None:
    table = featured(world, pair_frame(world))
    for kind in KINDS:
        columns = [table[f"{kind}_exposure_two_hop_{days}d"] for days in EXPOSURE_WINDOWS_DAYS]
        for shorter, longer in zip(columns, [*columns[1:], pl.Series([1.0] * len(table))], strict=True):
            assert (shorter <= longer).all()
            assert (shorter >= 0).all()


@given(worlds())
def test_leaving_oneself_changes_nothing_of_what_reaches_one_in_two_hops(world: World) -> None:
    ages = world.leaver_age_days
    left = world._replace(leaver_age_days=[1.0, *ages[1:]], is_member=[True] * world.n_nodes)
    stayed = left._replace(leaver_age_days=[float("nan"), *ages[1:]])
    names = [f"churn_exposure_two_hop_{days}d" for days in EXPOSURE_WINDOWS_DAYS]
    one, other = (featured(each, pair_frame(each)).select(names).row(0) for each in (left, stayed))
    assert one == other


@given(worlds())
def test_spreading_loses_no_energy_and_makes_none(world: World) -> None:
    graph = TieGraph.from_ties(tie_table(pair_frame(world)), world.n_nodes)
    energy = aged_energy(np.array(world.leaver_age_days))
    at_rest = spreading_activation(graph, energy)
    assert at_rest.total.sum() == pytest.approx(energy.sum(), rel=1e-12)
    assert (at_rest.own >= 0).all()
    assert (at_rest.received >= 0).all()
    alone = graph.degrees == 0
    assert at_rest.total[alone].tolist() == energy[alone].tolist()


@given(worlds())
def test_exposure_is_null_exactly_where_there_is_no_tie_of_its_kind(world: World) -> None:
    table = featured(world, pair_frame(world))
    for kind in KINDS:
        for direction in ("", "_out"):
            has_none = (table[f"n_ties{direction}"] == 0).fill_null(value=True)
            for measure in ("n", "share", "weighted"):
                assert (
                    table[f"{kind}_exposure_{measure}{direction}_7d"].is_null().to_list()
                    == has_none.to_list()
                )


@given(worlds())
def test_when_every_neighbour_has_left_all_of_the_network_has(world: World) -> None:
    everybody = world._replace(leaver_age_days=[1.0] * world.n_nodes)
    table = featured(everybody, pair_frame(everybody))
    for name in ("share", "weighted", "share_out", "weighted_out"):
        measure, _, direction = name.partition("_")
        column = table[f"churn_exposure_{measure}{'_out' if direction else ''}_7d"].drop_nulls()
        assert (column == 1.0).all()


@given(worlds())
def test_call_data_that_may_not_be_used_are_as_if_never_loaded(world: World) -> None:
    kept = [c for c in world.contacts if world.may_use[c.sender] and world.may_use[c.receiver]]
    never_loaded = world._replace(contacts=kept)
    assert featured(never_loaded, pair_frame(never_loaded)).equals(
        featured(world, pair_frame(world)), null_equal=True
    )
