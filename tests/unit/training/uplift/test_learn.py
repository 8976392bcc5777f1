"""Effects are learned where they can be shown, and otherwise said to be assumed."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk import metrics
from churnrisk.bundle import matrix
from churnrisk.bundle.effects import GAMMA_MEAN, GAMMA_SD, LEARNERS, UNHEARD, OfferEffects, read_effects
from tests.unit.training.uplift.drawn_uplift import drawn
from training.uplift.evidence import FEWEST_ROWS
from training.uplift.judging import gamma_of, groups_of, scale_of
from training.uplift.learn import UpliftSettings, held_out, learned_effects
from training.uplift.learners import combined, learned
from training.uplift.nuisance import ESTIMATED, PARTLY, RECORDED, nuisance_of
from training.uplift.rows import UpliftRows

FAST = UpliftSettings(n_folds=3, n_resamples=100, threads=1)


def test_a_planted_effect_is_measured_and_goes_to_whom_it_helps() -> None:
    rows, truth = drawn()
    (offer,) = learned_effects(rows, FAST).effects.offers
    assert offer.verdict == "measured"
    assert offer.propensity == RECORDED
    assert (offer.figures["autoc"][1] or 0) > 0
    low, high = offer.figures["average"][1:]
    assert low < truth.mean() < high
    new, new_truth = drawn(2_000, seed=9)
    risk = 0.15 + 0.35 * new.frame["worry"].to_numpy()
    found = learned_effects(rows, FAST).effects.estimated(new.frame, risk, ["offer 1"])
    assert np.corrcoef(found.mean[:, 0], new_truth[:, 0])[0, 1] > 0.6
    assert found.mean.mean() == pytest.approx(new_truth.mean(), abs=0.03)


@pytest.mark.parametrize("learner", LEARNERS)
def test_each_learner_alone_finds_a_planted_effect(learner: str) -> None:
    rows, _ = drawn()
    settings = UpliftSettings(n_folds=3, n_resamples=100, threads=1, learners=(learner,))  # type: ignore[arg-type]
    (offer,) = learned_effects(rows, settings).effects.offers
    assert offer.verdict == "measured"
    assert offer.model is not None
    assert offer.model.learner == learner


def test_where_an_order_holds_the_mean_of_all_learners_serves_none_outweighing_the_others() -> None:
    rows, truth = drawn()
    found = learned_effects(rows, FAST)
    (offer,) = found.effects.offers
    assert offer.model is not None
    assert offer.scale is not None
    assert offer.model.learner == "all"
    assert offer.reason.endswith("the mean of S, T, X, DR serves; compared with all controls, weighted")
    assert found.held_out is not None
    predicted = {name: found.held_out.predicted[name, 1] for name in LEARNERS}
    assert offer.model.sizes == {name: pytest.approx(each.std()) for name, each in predicted.items()}
    features = rows.features()
    encoded = matrix(rows.frame, features)
    wanted = [(name, 1) for name in LEARNERS]
    single = learned(rows, encoded, features, wanted, threads=1, seed=0)
    mine = {name: single[name, 1] for name in LEARNERS}
    model, told = combined(mine, predicted)
    by_hand = np.mean([mine[name].raw(encoded) / predicted[name].std() for name in LEARNERS], axis=0)
    assert model.raw(encoded) == pytest.approx(by_hand)
    assert told == pytest.approx(np.mean([each / each.std() for each in predicted.values()], axis=0))
    assert np.corrcoef(told, truth[:, 0])[0, 1] > 0.5
    # served is half of it to scale, half what follows the risk
    risk = np.full(4_000, 0.4)
    served = found.effects.estimated(rows.frame, risk, ["offer 1"])
    raw = offer.model.raw(encoded, risk)
    assert served.mean[:, 0] == pytest.approx(0.5 * offer.scale.mean(raw) + 0.5 * offer.gamma[0] * risk)
    assert served.error[:, 0] == pytest.approx(0.5 * offer.scale.error(raw) + 0.5 * offer.gamma[1] * risk)


def test_a_learner_that_tells_all_customers_alike_has_no_say() -> None:
    rows, _ = drawn(1_000)
    features = rows.features()
    encoded = matrix(rows.frame, features)
    single = learned(rows, encoded, features, [("s", 1), ("t", 1)], threads=1, seed=0)
    mine = {"s": single["s", 1], "t": single["t", 1]}
    flat, spread = np.full(5, 0.1), np.arange(5.0)
    model, told = combined(mine, {"s": flat, "t": spread})  # type: ignore[arg-type]
    assert model.learner == "t"
    assert (told == spread).all()
    model, told = combined(mine, {"s": flat, "t": flat})  # type: ignore[arg-type]
    assert model.learner == "s"


def test_without_an_effect_it_abstains_and_the_average_says_so() -> None:
    n_measured = 0
    for seed in range(4):
        rows, _ = drawn(2_500, seed=seed, effect=0.0)
        (offer,) = learned_effects(rows, FAST).effects.offers
        n_measured += offer.verdict == "measured"
        if offer.verdict == "average":
            assert "covers 0" in offer.reason
            assert offer.gamma[0] < GAMMA_MEAN
            assert offer.model is None
    assert n_measured <= 1


def test_too_few_rows_are_counted_and_the_effect_is_assumed() -> None:
    rows, _ = drawn(300)
    (offer,) = learned_effects(rows, FAST).effects.offers
    assert offer.verdict == "assumed"
    assert offer.words == "assumed, not measured"
    assert f"{offer.n_treated} treated and {offer.n_control} controls" in offer.reason
    assert str(FEWEST_ROWS) in offer.reason
    effects = OfferEffects((), (offer,))
    risk = np.array([0.1, 0.4])
    found = effects.estimated(pl.DataFrame({"any": [1, 2]}), risk, ["offer 1", "never made"])
    assert found.mean == pytest.approx(np.column_stack((0.3 * risk, 0.3 * risk)))
    assert found.spread == pytest.approx(np.column_stack((GAMMA_SD * risk, GAMMA_SD * risk)))
    # the quantiles of Beta(6, 14), by R's qbeta
    assert found.quantile(0.2)[:, 0] / risk == pytest.approx([0.2130, 0.2130], abs=1e-3)
    assert found.offers[1].reason == UNHEARD


def test_several_offers_are_judged_each_for_itself() -> None:
    rows, _ = drawn(6_000, arms=2)
    first, second = learned_effects(rows, FAST).effects.offers
    assert first.verdict == "measured"
    assert second.verdict == "average"
    assert (first.offer_id, second.offer_id) == ("offer 1", "offer 2")


def test_recorded_propensities_are_kept_and_missing_ones_are_estimated_and_told() -> None:
    for is_recorded, source in ((True, RECORDED), (False, ESTIMATED)):
        rows, truth = drawn(is_recorded=is_recorded)
        features = rows.features()
        folds = rows.folds(3, "x")
        found = nuisance_of(rows, matrix(rows.frame, features), features, folds, threads=1, seed=0)
        assert found.source == source
        if is_recorded:
            assert found.propensity[np.arange(4_000), rows.arm] == pytest.approx(rows.propensity)
        average = metrics.mean_effect(found.scores(rows)[:, 0])
        assert average.low < truth.mean() < average.high
    half = rows.propensity.copy()
    half[::2] = 0.5
    partly = type(rows)(rows.frame, rows.arms, rows.arm, rows.stayed, half, rows.customer)
    assert (
        nuisance_of(partly, matrix(rows.frame, features), features, folds, threads=1, seed=0).source == PARTLY
    )


def test_no_prediction_that_judges_has_seen_the_customer() -> None:
    rows, _ = drawn(1_500)
    features = rows.features()
    encoded = matrix(rows.frame, features)
    plain = held_out(rows, encoded, features, [1], FAST)
    turned = rows.stayed.copy()
    turned[7] = 1 - turned[7]
    other = UpliftRows(rows.frame, rows.arms, rows.arm, turned, rows.propensity, rows.customer)
    # one fold of everybody's choosing: folds are dealt out by outcome, so hand the same ones over
    fold = rows.folds(3, "uplift-0")
    object.__setattr__(
        other, "folds", lambda n_folds, salt: fold if salt == "uplift-0" else rows.folds(n_folds, salt)
    )
    changed = held_out(other, encoded, features, [1], FAST)
    for key, predicted in plain.predicted.items():
        assert predicted[7] == changed.predicted[key][7]
    assert changed.nuisance.expected[7].tolist() == plain.nuisance.expected[7].tolist()


def test_in_each_turn_a_learner_knows_the_folds_before_and_no_other() -> None:
    rows, _ = drawn(1_500)
    features = rows.features()
    encoded = matrix(rows.frame, features)
    settings = UpliftSettings(n_folds=3, threads=1, learners=("x",))
    plain = held_out(rows, encoded, features, [1], settings)
    fold = rows.folds(3, "uplift-0")
    turned = np.where(fold == 2, 1 - rows.stayed, rows.stayed)
    other = UpliftRows(rows.frame, rows.arms, rows.arm, turned, rows.propensity, rows.customer)
    object.__setattr__(other, "folds", lambda _n, _salt: fold)
    changed = held_out(other, encoded, features, [1], settings)
    assert [int(here.sum()) for here in plain.turns] == [int((fold == 1).sum()), int((fold == 2).sum())]
    for mine, theirs in zip(plain.in_turn["x", 1], changed.in_turn["x", 1], strict=True):
        assert (mine == theirs).all()
    assert (plain.predicted["x", 1] != changed.predicted["x", 1]).any()


def test_effects_of_groups_hold_the_truth_as_often_as_they_say() -> None:
    held = n_groups = 0
    for seed in range(8):
        rows, truth = drawn(2_500, seed=seed)
        features = rows.features()
        settings = UpliftSettings(n_folds=3, threads=1, seed=seed, learners=("x",))
        found = held_out(rows, matrix(rows.frame, features), features, [1], settings)
        predicted = found.predicted["x", 1]
        told = groups_of(found.scores[:, 0], predicted, rows.customer)
        parts = np.array_split(np.argsort(predicted, kind="stable"), 10)
        means = np.array([truth[part, 0].mean() for part in parts])
        held += int(((told["low"].to_numpy() <= means) & (means <= told["high"].to_numpy())).sum())
        n_groups += 10
    assert 0.90 <= held / n_groups <= 0.99


def test_the_scale_takes_back_what_a_learner_exaggerates() -> None:
    rng = np.random.default_rng(0)
    effect = rng.normal(0.05, 0.02, 40_000)
    scores = effect + rng.normal(0, 0.5, 40_000)
    scale = scale_of(scores, 3 * effect + 1, np.arange(40_000).astype(object))
    assert scale.slope == pytest.approx(1 / 3, abs=4 * scale.slope_error)
    assert scale.mean(3 * effect + 1).mean() == pytest.approx(0.05, abs=0.01)
    flat = scale_of(scores, np.ones(40_000), np.arange(40_000).astype(object))
    assert (flat.slope, flat.slope_error) == (0.0, 0.0)


def test_a_measured_average_pulls_the_assumption_as_far_as_it_is_sure() -> None:
    rng = np.random.default_rng(0)
    n = 50_000
    risk, arm = rng.uniform(0.05, 0.5, n), rng.integers(0, 2, n)
    stayed = (rng.random(n) >= risk * (1 - 0.1 * arm)).astype(float)
    expected, half = np.column_stack((1 - risk, 1 - risk)), np.full(n, 0.5)
    measured, (mean, spread), works = gamma_of(metrics.share_kept(stayed, arm, expected, half))
    assert measured.low < 0.1 < measured.high
    assert mean == pytest.approx(0.1, abs=0.03)
    assert spread < 0.02
    assert works > 0.99
    few = metrics.share_kept(stayed[:60], arm[:60], expected[:60], half[:60])
    _, (unsure, wide), unknown = gamma_of(few)
    assert unsure == pytest.approx(GAMMA_MEAN, abs=0.05)
    assert wide == pytest.approx(GAMMA_SD, rel=0.1)
    assert unknown == pytest.approx(0.5, abs=0.15)


def test_effects_come_back_from_disk_as_they_were_and_the_same_gives_the_same_bytes(tmp_path: Path) -> None:
    rows, _ = drawn(6_000, arms=2)
    effects = learned_effects(rows, FAST, window_days=44, as_of="2026-06-30").effects
    for folder in ("a", "b"):
        effects.save(tmp_path / folder)
    back = read_effects(tmp_path / "a")
    assert back == effects
    assert back is not None
    risk = np.full(6_000, 0.4)
    names = ["offer 1", "offer 2"]
    assert (
        back.estimated(rows.frame, risk, names).mean == effects.estimated(rows.frame, risk, names).mean
    ).all()
    files = sorted(path.name for path in (tmp_path / "a" / "effects").iterdir())
    assert "effects.json" in files
    for name in files:
        assert (tmp_path / "a" / "effects" / name).read_bytes() == (
            tmp_path / "b" / "effects" / name
        ).read_bytes()
    assert read_effects(tmp_path / "nowhere") is None


def test_no_effect_is_larger_than_the_risk() -> None:
    rows, _ = drawn()
    found = learned_effects(rows, FAST).effects.estimated(rows.frame, np.full(4_000, 0.01), ["offer 1"])
    assert (found.mean <= 0.01).all()
    assert (found.quantile(0.99) <= 0.01).all()


def test_how_many_take_an_offer_is_counted() -> None:
    rows, _ = drawn(1_000)
    (offer,) = learned_effects(rows, FAST).effects.offers
    given = rows.arm == 1
    assert rows.taken is not None
    assert offer.takes() == pytest.approx((rows.taken[given].sum() + 0.5) / (given.sum() + 1))
    assert OfferEffects((), ()).of("new").takes() is None


def test_rows_that_make_no_sense_are_refused() -> None:
    rows, _ = drawn(100)
    parts = (rows.frame, rows.arms, rows.arm, rows.stayed, rows.propensity, rows.customer)
    for place, value, says in (
        (1, ("offer", "control"), "numbered from 0"),
        (3, rows.stayed + 1, "outcomes of 0 or 1"),
        (4, np.zeros(100), "over 0"),
        (5, rows.customer[:5], "100 arms"),
    ):
        with pytest.raises(ValueError, match=says):
            type(rows)(*parts[:place], value, *parts[place + 1 :])  # type: ignore[arg-type, call-arg]
