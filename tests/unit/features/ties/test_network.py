"""What members see of those they are tied to, and what stays null."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.errors import UsageError
from features.ties import TieGraph, network_features, tie_feature_names, tie_features

NAN = float("nan")


def graph(n_nodes: int, *rows: tuple[int, int, float, int, int, int]) -> TieGraph:
    """Rows: node_a, node_b, strength, n_ab, n_ba, n_recent."""
    kinds = {"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}
    schema = pl.Schema({**kinds, **dict.fromkeys(("n_ab", "n_ba", "n_recent"), pl.Int64)})
    n_contacts = pl.col("n_ab") + pl.col("n_ba")
    mutual = 2 * pl.min_horizontal("n_ab", "n_ba") / n_contacts
    ties = pl.DataFrame(rows, schema=schema, orient="row")
    return TieGraph.from_ties(ties.with_columns(n_contacts=n_contacts, reciprocity=mutual), n_nodes)


def features(ties: TieGraph, left: list[float] | None = None, **others: Any) -> pl.DataFrame:
    ages = [NAN] * ties.n_nodes if left is None else left
    arguments: dict[str, Any] = {
        "is_member": np.isnan(ages),
        "leaver_age_days": np.array(ages, dtype=float),
        "detractor_age_days": np.full(ties.n_nodes, NAN),
        **others,
    }
    return network_features(ties, **arguments)


def test_exposure_of_one_customer_worked_by_hand() -> None:
    # customer 0 is tied to      1      2      3      4
    # strength                   4      1      2      1
    # who called whom          both    to 0  from 0  both
    # left ... days ago          5      -      20     80
    ties = graph(5, (0, 1, 4, 2, 2, 4), (0, 2, 1, 0, 1, 1), (0, 3, 2, 3, 0, 0), (0, 4, 1, 1, 1, 0))
    table = features(ties, [NAN, 5, NAN, 20, 80])
    assert table["node"].to_list() == [0, 2]
    row = table.row(0, named=True)
    assert row["n_ties"] == 4
    assert (row["n_ties_out"], row["n_ties_in"], row["n_ties_mutual"]) == (3, 3, 2)
    assert row["tie_strength_sum"] == 8
    assert row["tie_reciprocity_mean"] == (1 + 0 + 0 + 1) / 4
    assert [row[f"churn_exposure_n_{days}d"] for days in (7, 30, 90)] == [1, 2, 3]
    assert [row[f"churn_exposure_share_{days}d"] for days in (7, 30, 90)] == [1 / 4, 2 / 4, 3 / 4]
    assert [row[f"churn_exposure_weighted_{days}d"] for days in (7, 30, 90)] == [4 / 8, 6 / 8, 7 / 8]
    assert [row[f"churn_exposure_share_out_{days}d"] for days in (7, 30, 90)] == [1 / 3, 2 / 3, 3 / 3]
    assert [row[f"churn_exposure_weighted_out_{days}d"] for days in (7, 30, 90)] == [4 / 7, 6 / 7, 7 / 7]
    assert [row[f"detractor_exposure_n_{days}d"] for days in (7, 30, 90)] == [0, 0, 0]


def test_a_window_takes_its_edge_in_and_leaves_out_what_has_not_happened() -> None:
    ties = graph(5, *((0, other, 1.0, 1, 1, 2) for other in range(1, 5)))
    ages = np.array([NAN, 7.0, 7.001, 0.0, -1.0])
    assert features(ties, detractor_age_days=ages)["detractor_exposure_n_7d"][0] == 2


def test_lost_ties_are_counted_among_those_old_enough_to_be_lost() -> None:
    # tie to 1: only old contacts; to 2: old and recent; to 3: only recent
    table = features(graph(4, (0, 1, 1, 1, 1, 0), (0, 2, 1, 1, 1, 1), (0, 3, 1, 1, 1, 2)))
    assert table["ties_lost_30d"].to_list() == [1, 1, 0, 0]
    assert table["tie_loss_share_30d"].to_list() == [1 / 2, 1.0, 0.0, None]


def test_without_a_tie_counts_are_zero_and_everything_else_is_null() -> None:
    table = features(graph(3))
    zeros = {"n_ties", "n_ties_out", "n_ties_in", "n_ties_mutual", "tie_strength_sum", "ties_lost_30d"} | {
        "ties_gained_30d",
        "core_number",
        "n_second_order",
    }
    assert table["node"].to_list() == [0, 1, 2]
    for name in tie_feature_names():
        assert table[name].to_list() == ([0] * 3 if name in zeros else [None] * 3), name


def test_a_world_without_customers_gives_an_empty_table() -> None:
    table = features(graph(0))
    assert table.is_empty()
    assert table.columns == ["node", *tie_feature_names()]


def test_one_who_knew_only_leavers_is_wholly_exposed() -> None:
    table = features(graph(3, (0, 1, 2, 1, 1, 0), (0, 2, 3, 1, 1, 0)), [NAN, 3, 4])
    assert table.select(
        "churn_exposure_n_7d", "churn_exposure_share_7d", "churn_exposure_weighted_7d"
    ).rows() == [(2, 1, 1)]


def test_leavers_are_seen_by_members_and_get_no_row() -> None:
    table = features(graph(2, (0, 1, 1, 1, 0, 0)), [NAN, 3])
    assert table["node"].to_list() == [0]


def test_a_one_way_spam_caller_exposes_those_it_calls_but_not_through_outgoing_ties() -> None:
    n_called = 5_000
    spam = graph(n_called + 1, *((0, other, 0.5, 1, 0, 0) for other in range(1, n_called + 1)))
    ages = np.array([1.0] + [NAN] * n_called)
    table = features(spam, detractor_age_days=ages)
    caller, called = table.row(0, named=True), table.row(1, named=True)
    assert (caller["n_ties_out"], caller["n_ties_in"], caller["n_ties_mutual"]) == (n_called, 0, 0)
    assert caller["tie_reciprocity_mean"] == 0
    assert called["detractor_exposure_share_7d"] == 1
    assert called["n_ties_out"] == 0
    assert called["detractor_exposure_share_out_7d"] is None


def test_ties_of_no_weight_have_shares_but_no_weighted_share() -> None:
    row = features(graph(2, (0, 1, 0.0, 1, 1, 0)), [NAN, 3]).row(0, named=True)
    assert row["churn_exposure_share_7d"] == 1
    assert row["churn_exposure_weighted_7d"] is None


def test_a_customer_whose_calls_may_not_be_used_is_null_and_counts_for_nobody() -> None:
    ties = graph(3, (0, 1, 1, 1, 1, 0), (1, 2, 1, 1, 1, 0))
    table = features(ties, may_use=np.array([False, True, True]))
    assert table.drop("node").row(0) == (None,) * len(tie_feature_names())
    assert table["n_ties"].to_list() == [None, 1, 1]


def test_what_is_known_of_nobody_is_null_and_not_zero() -> None:
    table = features(graph(2, (0, 1, 1, 1, 1, 0)), detractor_age_days=None)
    assert table["churn_exposure_n_7d"].to_list() == [0, 0]
    for name in tie_feature_names():
        if name.startswith("detractor"):
            assert table[name].null_count() == 2


def test_ties_without_direction_have_no_outgoing_side() -> None:
    plain = pl.DataFrame({"node_a": [0], "node_b": [1], "strength": [1.0]})
    row = features(TieGraph.from_ties(plain, 2), [NAN, 3]).row(0, named=True)
    assert (row["n_ties"], row["n_ties_out"], row["tie_reciprocity_mean"], row["ties_lost_30d"]) == (
        1,
        None,
        None,
        None,
    )
    assert (row["churn_exposure_n_7d"], row["churn_exposure_n_out_7d"]) == (1, None)


def test_other_windows_name_other_columns() -> None:
    table = features(graph(2, (0, 1, 1, 1, 1, 0)), [NAN, 3], windows_days=[2, 35])
    assert table["churn_exposure_n_2d"].to_list() == [0]
    assert table["churn_exposure_n_35d"].to_list() == [1]


def test_counts_are_whole_numbers_and_shares_are_not() -> None:
    table = features(graph(2, (0, 1, 1, 1, 1, 0)))
    for feature in tie_features():
        kind = {"customers": pl.Int64, "ties": pl.Int64, "flag": pl.Int8}.get(feature.unit, pl.Float64)
        assert table.schema[feature.name] == kind, feature.name
    assert table.schema["node"] == pl.Int32


def test_every_feature_has_one_name_a_unit_a_meaning_and_a_null_meaning() -> None:
    assert (
        len(set(tie_feature_names())) == len(tie_features()) == 11 + 10 + 2 * 2 * 3 * 3 + 3 * 2 + 2 * (3 + 1)
    )
    assert all(all(feature) for feature in tie_features())


@pytest.mark.parametrize("name", ["is_member", "leaver_age_days", "detractor_age_days", "may_use"])
def test_arrays_of_another_length_are_refused(name: str) -> None:
    wrong = np.ones(3, bool) if name in {"is_member", "may_use"} else np.ones(3)
    arguments: dict[str, Any] = {name: wrong}
    with pytest.raises(UsageError, match=f"{name}: expected one value for each of 2 nodes"):
        features(graph(2), **arguments)
