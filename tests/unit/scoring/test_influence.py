"""Ties, risks and values become money in the tables, within consent, and exposures have no part in it."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from churnrisk.config import InfluenceSettings
from churnrisk.dates import AsOf
from features.network import NETWORK_COLUMNS, Ties
from features.silence import Silence
from features.ties import TieGraph
from scoring import influence, influence_of_date, ranked_list, scale_words, with_influence
from scoring.influence import told

DAY = date(2026, 6, 30)
DEFAULT = InfluenceSettings.model_validate({})


def tied(
    ids: str,
    *rows: tuple[str, str, float],
    refusing: str = "",
    hubs: str = "",
    silence: Silence | None = None,
) -> Ties:
    """One letter per customer."""
    place = {name: node for node, name in enumerate(sorted(ids))}
    drawn = [(place[a], place[b], strength) for a, b, strength in rows]
    kinds = {"node_a": pl.Int32, "node_b": pl.Int32, "strength": pl.Float64}
    nodes = pl.DataFrame(
        {
            "node": list(place.values()),
            "customer_key": list(place.values()),
            "customer_id": list(place),
            "may_use_calls": [name not in refusing for name in place],
            "n_partners": [600 if name in hubs else None for name in place],
            "n_mutual": [7 if name in hubs else None for name in place],
        },
        schema_overrides={"n_partners": pl.Int64, "n_mutual": pl.Int64},
    )
    return Ties(
        TieGraph.from_ties(pl.DataFrame(drawn, schema=kinds, orient="row"), len(place)), nodes, silence
    )


def scored(**customers: tuple[float, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "as_of": [DAY] * len(customers),
            "customer_id": list(customers),
            "risk": [risk for risk, _ in customers.values()],
            "band": ["high"] * len(customers),
            "value": pl.Series([value for _, value in customers.values()], dtype=pl.Float64),
        }
    )


def network_of(ids: str, **columns: list[float]) -> pl.DataFrame:
    empty = {name: pl.Series([None] * len(ids), dtype=kind) for name, kind in NETWORK_COLUMNS.items()}
    return pl.DataFrame({**empty, "customer_id": list(ids), **columns})


TIES = tied("abcx", ("a", "b", 3.0), ("b", "c", 1.0))
SCORES = scored(a=(0.1, 100.0), b=(0.2, 50.0), c=(0.5, 8.0))


def test_money_around_each_customer_with_its_interval() -> None:
    found = influence(TIES, SCORES, ["a", "b"], DEFAULT)
    kappa = 0.0057 / 0.1775
    assert found.frame["customer_id"].to_list() == ["a", "b", "c"]
    assert found.frame["spillover_value"].to_list() == pytest.approx([kappa * raw for raw in (7.5, 14, 2.5)])
    assert found.frame["spillover_low"].to_list() == [0.0, 0.0, 0.0]
    assert (found.frame["spillover_high"] > found.frame["spillover_value"]).all()
    assert found.notes == ()


def test_the_scale_is_told_with_its_interval_and_its_cap() -> None:
    told = scale_words(influence(TIES, SCORES, ["a", "b"], DEFAULT).scale)
    assert told.startswith("multiplier 1.0057 (1.0000 to 1.0532)")
    assert told.endswith("over 2 reference customers, at most 1.28")
    wild = InfluenceSettings.model_validate(
        {"effect_source": "experiment", "causal_effect": 9.0, "causal_interval": (8.0, 10.0)}
    )
    assert scale_words(influence(TIES, SCORES, ["a", "b"], wild).scale).endswith("held down to 1.28")


def test_a_multiplier_of_the_users_own_experiment_is_met_on_the_reference() -> None:
    own = InfluenceSettings.model_validate({"effect_source": "experiment", "multiplier": 1.2})
    found = influence(TIES, SCORES, ["a", "b"], own)
    ratio = (found.frame["spillover_value"] / SCORES["value"]).head(2)
    assert ratio.mean() == pytest.approx(0.2)
    assert [found.scale.excess_low, found.scale.excess_high] == pytest.approx([0.0, 0.28])


def test_who_lets_no_calls_be_used_has_no_money_and_is_in_nobodys() -> None:
    refusing = tied("abcx", ("a", "b", 3.0), ("b", "c", 1.0), refusing="a")
    never = tied("abcx", ("b", "c", 1.0))
    with_refusal = influence(refusing, SCORES, ["a", "b"], DEFAULT).frame
    without = influence(never, SCORES, ["b"], DEFAULT).frame
    assert with_refusal["spillover_value"].to_list()[0] is None
    assert with_refusal[1:].equals(without[1:])


def test_friends_of_unknown_value_are_counted_in_a_note_and_leave_null_where_nobody_else_is() -> None:
    found = influence(TIES, scored(a=(0.1, None), b=(0.2, 50.0), c=(0.5, None)), ["b"], DEFAULT)
    assert found.frame["spillover_value"].is_null().to_list() == [False, True, False]
    assert len(found.notes) == 1
    assert found.notes[0].startswith("1 customers have friends of unknown value")


def test_where_no_value_is_known_at_all_the_list_says_so_and_influence_keeps_still() -> None:
    found = influence(TIES, scored(a=(0.1, None), b=(0.2, None), c=(0.5, None)), ["b"], DEFAULT)
    assert found.frame["spillover_value"].null_count() == 3
    assert found.notes == ()


def test_detractors_lose_and_promoters_spare_and_others_do_neither() -> None:
    opinions = pl.DataFrame({"customer_id": ["a", "b", "c"], "opinion": ["detractor", "promoter", "passive"]})
    scores = scored(a=(0.1, 100.0), b=(0.2, 50.0), c=(0.5, 8.0), d=(0.5, 8.0))
    found = influence(tied("abcd", ("a", "b", 3.0), ("b", "c", 1.0)), scores, ["a"], DEFAULT)
    table = with_influence(network_of("abcd"), scores, found, opinions)
    around = found.frame["spillover_value"].to_list()
    assert table["churn_influence"].to_list() == around
    assert table["detractor_influence"].to_list() == [pytest.approx(0.1 * around[0]), 0.0, 0.0, None]
    assert table["promoter_influence"].to_list() == [0.0, pytest.approx(0.8 * around[1]), 0.0, None]
    assert table.columns == list(NETWORK_COLUMNS)


def test_without_answers_only_churn_influence_is_known() -> None:
    found = influence(TIES, SCORES, ["a"], DEFAULT)
    table = with_influence(network_of("abc"), SCORES, found, None)
    assert table["churn_influence"].null_count() == 0
    assert table.select("detractor_influence", "promoter_influence").null_count().row(0) == (3, 3)


def test_predictive_exposure_never_becomes_money() -> None:
    """Whatever the exposures say, money stays the same to the last bit: nothing that makes it reads them."""
    exposures = {"churn_exposure": [0.0, 0.5, 1.0], "detractor_exposure": [1.0, 0.5, 0.0]}
    money = ["churn_influence", "detractor_influence", "promoter_influence"]
    opinions = pl.DataFrame({"customer_id": ["a", "b"], "opinion": ["detractor", "promoter"]})
    found = influence(TIES, SCORES, ["a", "b"], DEFAULT)
    tables = [
        with_influence(network, SCORES, found, opinions).select(money)
        for network in (network_of("abc"), network_of("abc", **exposures))
    ]
    assert tables[0].equals(tables[1], null_equal=True)
    more = SCORES.with_columns(pl.Series(name, values) for name, values in exposures.items())
    assert influence(TIES, more, ["a", "b"], DEFAULT).frame.equals(found.frame)


def test_the_order_of_scores_decides_nothing_but_the_order_of_rows() -> None:
    turned = influence(TIES, SCORES.reverse(), ["b", "a"], DEFAULT)
    assert turned.frame.reverse().equals(influence(TIES, SCORES, ["a", "b"], DEFAULT).frame)


def test_the_list_is_ranked_by_own_value_and_the_value_around() -> None:
    consents = pl.DataFrame({"customer_id": list("abc"), "may_contact": [True] * 3})
    around = pl.DataFrame({"customer_id": list("abc"), "spillover_value": [0.0, 60.0, None]})
    ranked = ranked_list(SCORES, consents, 3, around)
    # .2 x (50 + 60) = 22; .1 x 100 = 10; .5 x 8 = 4
    assert ranked.customer_ids == ["b", "a", "c"]
    assert ranked.frame["spillover_value"].to_list() == [60.0, 0.0, None]


def test_nobody_scored_means_no_money() -> None:
    found = influence(TIES, SCORES.clear(), [], DEFAULT)
    assert found.frame.is_empty()
    assert np.isnan(found.risk).all()


def test_money_that_would_say_that_the_only_friend_left_is_not_told() -> None:
    star = [("a", friend, 1.0) for friend in "bcdef"]
    ties = tied("abcdefxyz", *star, ("x", "y", 1.0))
    scores = scored(**dict.fromkeys("abcdefxz", (0.1, 100.0)))  # y has left
    told_money = told(influence(ties, scores, ["a"], DEFAULT)).frame
    amounts = dict(told_money.select("customer_id", "spillover_value").iter_rows())
    assert amounts["a"] > 0
    assert [amounts[name] for name in "bx"] == [None, None]
    assert amounts["z"] == 0.0
    one_left = scores.filter(pl.col("customer_id").is_in(["a", "b", "x", "z"]))
    amounts_late = told(influence(ties, one_left, ["a"], DEFAULT)).frame["spillover_value"].to_list()
    assert amounts_late == [None, None, None, 0.0]


def test_the_list_by_risk_and_value_of_those_who_consent_sets_the_scale() -> None:
    """By risk x value: a 10, b 10, c 4."""
    for refusing, places, who in (("", 2, "ab"), ("a", 2, "bc"), ("abc", 2, "ab"), ("", 3, "abc")):
        consents = pl.DataFrame(
            {"customer_id": list("abc"), "may_contact": [name not in refusing for name in "abc"]}
        )
        found = influence_of_date(TIES, SCORES, consents, places, DEFAULT)
        assert found is not None
        assert found.scale == influence(TIES, SCORES, list(who), DEFAULT).scale, (refusing, places)


def test_where_ties_are_not_known_nobody_has_money_around_them_and_risk_times_value_ranks() -> None:
    silence = Silence(AsOf(DAY), 90, "no contact known by then", "Deliver calls.")
    silent = tied("abcx", silence=silence)
    assert not silent.is_usable.any()
    consents = pl.DataFrame({"customer_id": list("abc"), "may_contact": [True] * 3})
    assert influence_of_date(silent, SCORES, consents, 3, DEFAULT) is None
    assert influence_of_date(None, SCORES, consents, 3, DEFAULT) is None
    assert influence(silent, SCORES, ["a"], DEFAULT).frame["spillover_value"].null_count() == 3
    assert silent.why_unusable("a") == silence.text
