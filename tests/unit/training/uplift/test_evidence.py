"""What a training learns of an offer rests on those whom the choice fell on: so the share planted is held."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from churnrisk import metrics
from churnrisk.bundle import matrix
from churnrisk.bundle.effects import GAMMA_MEAN
from tests.unit.training.uplift.drawn_campaign import ARMS, EFFECT, FIRST, NIGHT, drawn_campaign
from training.uplift.alike import ALL_CONTROLS, SAME_OFFER, alike
from training.uplift.evidence import FEWEST_ALIKE, FEWEST_ROWS, evidence, weighed
from training.uplift.learn import UpliftSettings, learned_effects
from training.uplift.nuisance import BY_LOT, nuisance_of
from training.uplift.rows import Lot, UpliftRows

FAST = UpliftSettings(n_folds=3, n_resamples=100, threads=1, learners=("x",))


def shares_of(rows: UpliftRows) -> list[metrics.Interval]:
    """Return of each offer the share kept, as a training measures it, with two folds, the fewest there are."""
    features = rows.features()
    nuisance = nuisance_of(
        rows, matrix(rows.frame, features), features, rows.folds(2, "x"), threads=1, seed=0
    )
    told = [weighed(rows, arm, each, nuisance) for arm, each in enumerate(evidence(rows), start=1)]
    return [each.kept.interval() for each in told]


def held(n: int, draws: int, *, knows: bool, explored: float = 0.0) -> np.ndarray:
    """Return of each offer the share of draws whose interval holds what was planted."""
    inside = np.zeros(2)
    for seed in range(draws):
        rows, _ = drawn_campaign(n, seed=seed, explored=explored, again=2)
        for place, told in enumerate(shares_of(rows if knows else replace(rows, lot=None))):
            low = -np.inf if np.isnan(told.low) else told.low
            inside[place] += low <= EFFECT[place + 1] <= told.high
    return inside / draws


@pytest.mark.parametrize(("n", "explored"), [(2_000, 0.0), (2_000, 0.1), (700, 0.0)])
def test_beside_controls_of_the_same_offer_the_share_planted_is_held_however_few(
    n: int, explored: float
) -> None:
    # 95 % of 40 draws give or take .07 twice; 700 customers have some 70 controls of each offer
    assert held(n, 40, knows=True, explored=explored).min() >= 0.85


def test_beside_all_controls_offers_that_go_by_risk_look_as_they_are_not() -> None:
    rows, _ = drawn_campaign(20_000, seed=1, explored=0.0)
    alike_ones, everybody = shares_of(rows), shares_of(replace(rows, lot=None))
    for place, (ours, before) in enumerate(zip(alike_ones, everybody, strict=True), start=1):
        assert ours.low < EFFECT[place] < ours.high
        assert not before.low < EFFECT[place] < before.high


def test_an_offer_says_what_it_was_compared_with_and_counts_those_alone() -> None:
    rows, _ = drawn_campaign(3_000, explored=0.0, again=1)
    dear, cheap = learned_effects(rows, FAST).effects.offers
    for arm, offer in enumerate((dear, cheap), start=1):
        assert offer.verdict in {"average", "measured"}
        assert offer.reason.endswith("compared with controls of the same offer, each customer's first time")
        assert (offer.n_treated, offer.n_control) == alike(rows)[arm - 1].counts
        assert offer.propensity == BY_LOT
        low, high = offer.figures["gamma"][1:]
        assert low < EFFECT[arm] < high
    assert dear.n_control + cheap.n_control < rows.n_in(0)
    assert cheap.gamma[0] < GAMMA_MEAN
    everybody = learned_effects(replace(rows, lot=None), FAST).effects.offers
    assert all(offer.reason.endswith("compared with all controls, weighted") for offer in everybody)


def test_between_fifty_and_two_hundred_controls_the_average_is_measured_and_no_order_asked() -> None:
    rows, _ = drawn_campaign(1_000, explored=0.0)
    found = learned_effects(rows, FAST)
    for offer in found.effects.offers:
        assert FEWEST_ALIKE <= offer.n_control < FEWEST_ROWS
        assert offer.verdict == "average"
        assert offer.reason.startswith("too few to ask for an order of customers by effect")
        assert set(offer.figures) == {"average", "gamma"}
    assert not found.learners


def test_fewer_controls_of_the_same_offer_are_counted_and_the_effect_is_assumed() -> None:
    rows, _ = drawn_campaign(1_000, explored=0.0)
    assert rows.lot is not None
    mine = np.flatnonzero(rows.lot.instead_of == "dear")
    few = rows.where(~np.isin(np.arange(1_000), mine[FEWEST_ALIKE - 1 :]))
    dear, cheap = learned_effects(few, FAST).effects.offers
    assert (dear.verdict, dear.n_control) == ("assumed", FEWEST_ALIKE - 1)
    assert f"and {FEWEST_ALIKE - 1} controls of the same offer" in dear.reason
    assert cheap.verdict == "average"


def two_times(n_before: int, n_since: int) -> UpliftRows:
    """Return a source's treatments, of which nobody said anything, and later ones whose controls say their offer."""
    rng = np.random.default_rng(3)
    n = n_before + n_since
    is_late = np.arange(n) >= n_before
    arm = np.where(rng.random(n) < 0.3, 0, 1)
    stayed = (rng.random(n) >= 0.3).astype(float)
    lot = Lot(
        np.where(is_late & (arm == 0), np.array("dear", dtype=object), np.array(None)),
        FIRST + is_late * NIGHT,
    )
    names = np.array([f"c{each}" for each in range(n)], dtype=object)
    given = np.where(~is_late & (arm == 1), 2 - np.arange(n) % 2, arm)
    frame = pl.DataFrame({"x": rng.normal(size=n)})
    return UpliftRows(frame, ("control", "dear", "gift"), given, stayed, np.full(n, 0.3), names, lot=lot)


def test_what_came_before_stays_until_there_are_enough_controls_of_the_same_offer() -> None:
    young, grown = evidence(two_times(2_000, 100))[0], evidence(two_times(2_000, 400))[0]
    assert (young.group.compared_with, grown.group.compared_with) == (ALL_CONTROLS, SAME_OFFER)
    assert not young.domain[2_000:].any()
    assert young.domain[:2_000].all()
    assert not grown.domain[:2_000].any()
    # too few of both kinds: those of the same offer are told
    assert evidence(two_times(100, 100))[0].group.compared_with == SAME_OFFER


def test_an_offer_that_no_control_names_rests_on_all_controls() -> None:
    rows = two_times(2_000, 400)
    gift = evidence(rows)[1]
    assert gift.group.compared_with == ALL_CONTROLS
    assert gift.group.counts == (rows.n_in(2), rows.n_in(0))
    assert gift.domain.all()


@pytest.mark.parametrize("is_told", [True, False])
def test_chances_that_differ_between_controls_are_honoured(is_told: bool) -> None:
    rng = np.random.default_rng(5)
    n = 40_000
    risk = rng.choice([0.1, 0.4], n)
    alone = np.where(risk > 0.2, 0.7, 0.1)
    arm = (rng.random(n) >= alone).astype(int)
    # an offer that keeps half of the worried and none of the others; nothing that is seen tells who is worried
    share = np.where(risk > 0.2, 0.5, 0.0)
    stayed = (rng.random(n) >= risk * (1 - share * arm)).astype(float)
    lot = Lot(
        np.where(arm == 0, np.array("dear", dtype=object), np.array(None)),
        np.full(n, FIRST),
        left_alone=np.where(arm == 0, alone, np.nan) if is_told else None,
    )
    rows = UpliftRows(
        pl.DataFrame({"x": rng.normal(size=n)}), ARMS[:2], arm, stayed, np.where(arm == 0, alone, 1 - alone),
        np.arange(n).astype(str).astype(object), lot=lot,
    )  # fmt: skip
    truth = float((share * risk)[arm == 1].sum() / risk[arm == 1].sum())
    (told,) = shares_of(rows)
    assert bool(told.low < truth < told.high) is is_told


def test_a_customers_second_time_would_tell_less_than_the_truth_because_the_kept_stay_at_risk() -> None:
    # who leaves is left out of the second time; the lot is frozen, the risk hidden and lasting
    rng = np.random.default_rng(6)
    n, share, inside = 4_000, 0.3, np.zeros(2)
    values = []
    for _ in range(400):
        risk, arm = rng.beta(0.6, 2.0, n), (rng.random(n) < 0.8).astype(int)
        chance = risk * (1 - share * arm)
        first = rng.random(n) >= chance
        second = rng.random(n) >= chance
        both = np.concatenate((first, second[first])).astype(float), np.concatenate((arm, arm[first]))
        for place, (stayed, given) in enumerate(((first.astype(float), arm), both)):
            customer = np.concatenate((np.arange(n), np.flatnonzero(first)))[: len(given)]
            treated = given.mean()
            found = metrics.share_kept(
                stayed, given, np.full((len(given), 2), 0.8), np.where(given == 1, treated, 1 - treated),
                customer=customer,
            )  # fmt: skip
            inside[place] += abs(found.deviation(share)) < 1.96
            values.append(found.value)
    assert 0.93 <= inside[0] / 400 <= 0.97
    assert inside[1] / 400 < 0.9
    assert np.mean(values[0::2]) == pytest.approx(share, abs=0.01)
    assert np.mean(values[1::2]) < share - 0.02
