"""The world of offers is what the benchmark says it is, and its judges find what is planted in it."""

import numpy as np
import polars as pl
import pytest

from churnrisk import metrics
from scoring.offers import Effects
from tests.bench.hillstrom import BAR, column_rules, data_file, hillstrom_rows, without_effect
from tests.bench.offers import by_rank, chosen, worth_of
from tests.bench.offers_world import CONTROL_SHARE, OFFERS, drawn_base, past_treatments


def test_past_treatments_hold_a_control_group_logged_chances_and_outcomes_as_risky_as_the_truth() -> None:
    rows, truth = past_treatments(20_000, 1)
    assert rows.arms == ("control", *OFFERS)
    assert abs((rows.arm == 0).mean() - CONTROL_SHARE) < 0.01
    assert rows.propensity.min() > 0.05
    control = rows.arm == 0
    assert abs((1 - rows.stayed[control]).mean() - truth.risk[control].mean()) < 0.01
    assert (truth.effect < 0).any()
    assert 0.02 < drawn_base(20_000, 2).risk.mean() < 0.04
    _, nothing = past_treatments(1_000, 1, has_effect=False)
    assert (nothing.effect == 0).all()


def test_whoever_knows_the_effects_earns_more_than_the_risk_ranking_and_chance() -> None:
    base = drawn_base(5_000, 3)
    oracle = worth_of(base, chosen(base, Effects(base.effect, base.effect, base.effect), base.takes))
    risk = worth_of(base, by_rank(base, base.risk))
    random = worth_of(base, by_rank(base, np.random.default_rng(0).random(5_000)))
    assert oracle > 1.5 * risk > 0 > random


def test_hillstroms_best_column_is_the_one_that_the_bar_names() -> None:
    path = data_file()
    if path is None:
        pytest.skip("hillstrom.csv.gz is not here: set CHURNRISK_DATA")
    rows = hillstrom_rows(path)
    womens = metrics.uplift_at(rows.stayed, rows.arm == 1, column_rules(rows)["womens"], 0.3)
    assert round(womens, 3) == BAR
    drawn_anew = without_effect(rows, 0)
    assert isinstance(rows.frame, pl.DataFrame)
    assert abs(metrics.uplift_at(drawn_anew.stayed, drawn_anew.arm == 1, rows.stayed, 1.0)) < 0.015
