"""What a campaign brought, with intervals that hold the truth, and no number where there are too few."""

import numpy as np
import polars as pl
import pytest

from tests.unit.training.uplift.drawn_uplift import drawn
from training.uplift.campaigns import (
    INCREMENTALITY,
    NOT_ENOUGH,
    by_cause,
    compared_rules,
    incrementality,
    spillover_by_community,
)
from training.uplift.learn import UpliftSettings
from training.uplift.rows import UpliftRows

FAST = UpliftSettings(n_folds=3, n_resamples=100, threads=1)


def test_incrementality_holds_the_planted_effect_by_all_three_measures() -> None:
    rows, truth = drawn(5_000, arms=2)
    found = incrementality(rows, FAST)
    assert dict(found.schema) == INCREMENTALITY
    first, second = found.to_dicts()
    assert first["effect_low"] < truth[:, 0].mean() < first["effect_high"]
    assert first["difference_low"] < truth[:, 0].mean() < first["difference_high"]
    assert first["ratio_high"] < 1
    assert second["effect_low"] < 0 < second["effect_high"]
    assert first["compared_with"] == "all controls, weighted"
    assert first["n_compared"] == first["n_treated"]
    assert first["kept"] == pytest.approx(first["effect"] * first["n_treated"])


def test_a_small_campaign_says_not_enough_data_and_no_number() -> None:
    rows, _ = drawn(60)
    (line,) = incrementality(rows, FAST).to_dicts()
    assert line["verdict"] == NOT_ENOUGH
    assert line["effect"] is None
    assert line["n_treated"] + line["n_control"] == 60


def test_by_root_cause_each_cell_is_told_or_said_to_be_too_small() -> None:
    rows, _ = drawn(3_000, seed=1)
    worried = rows.frame["worry"].to_numpy() > 0.5
    causes: list[str | None] = ["price" if each else "service" for each in worried]
    for place in range(20):
        causes[place] = "rare"
    causes[20] = None
    found = by_cause(rows, causes)
    assert found["root_cause"].to_list() == ["price", "rare", "service", None]
    told = {row["root_cause"]: row for row in found.to_dicts()}
    assert told["price"]["difference_low"] > 0
    assert told["service"]["difference_low"] < 0 < told["service"]["difference_high"]
    assert told["rare"]["verdict"] == NOT_ENOUGH
    assert told["rare"]["difference"] is None


def test_spillover_by_community_is_clustered_and_holds_the_truth() -> None:
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(1_000 + seed)
        community = np.repeat(np.arange(80), 25)
        treated = (rng.permutation(80) < 40)[community]
        mood = rng.normal(0, 0.05, 80)[community]
        stayed = (rng.random(2_000) < 0.8 + mood + 0.03 * treated).astype(float)
        found = spillover_by_community(stayed, treated, community.astype(object))
        held += found.effect.low <= 0.03 <= found.effect.high
    assert held >= 53
    few = spillover_by_community(stayed[:100], treated[:100], community[:100].astype(object))
    assert few.verdict == NOT_ENOUGH
    assert np.isnan(few.effect.value)


@pytest.mark.parametrize("is_recorded", [True, False])
def test_rules_are_compared_on_what_was_logged(is_recorded: bool) -> None:
    rows, truth = drawn(6_000, is_recorded=is_recorded)
    reward = 100 * rows.stayed - 5 * (rows.arm == 1)
    good = truth[:, 0] * 100 > 5
    wanted = {
        "who gains": np.column_stack((~good, good)).astype(float),
        "nobody": np.column_stack((np.ones(6_000), np.zeros(6_000))),
    }
    found = compared_rules(rows, reward, wanted, FAST)
    better, nobody = found.to_dicts()
    gained = (truth[good, 0] * 100 - 5).sum() / 6_000
    assert better["dr"] - nobody["dr"] == pytest.approx(gained, abs=4)
    assert better["dr_low"] < better["dr"] < better["dr_high"]
    assert not better["is_thin"]
    assert better["n_effective"] < 6_000


def test_a_cell_with_few_leavers_is_not_told_however_many_were_treated() -> None:
    n = 400
    left = np.zeros(n, dtype=bool)
    left[:20] = True
    rows = UpliftRows(
        frame=pl.DataFrame({"x": np.zeros(n)}),
        arms=("control", "call"),
        arm=np.arange(n) % 2,
        stayed=(~left).astype(float),
        propensity=np.full(n, 0.5),
        customer=np.arange(n).astype(str).astype(object),
    )
    (cell,) = by_cause(rows, ["price"] * n).to_dicts()
    assert (cell["n_treated"], cell["n_control"]) == (200, 200)
    assert cell["verdict"] == "not enough data"
    assert cell["difference"] is None
