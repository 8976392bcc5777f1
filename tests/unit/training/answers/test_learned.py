"""What is learned from those who were asked, and when nothing is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from scipy.special import expit, logit

from churnrisk.bundle import EVIDENCE
from training.answers import ASKED_COLUMNS, FEWEST_ANSWERS, FEWEST_LEAVERS, learned_answers
from training.answers.learned import agreement
from training.answers.ratios import DEFAULTS, STRENGTH, Asked, fitted_ratios, ordered
from training.answers.tempering import level_of, tempering

WORTH = (0.9, 0.1, -0.8, 0.2)


def asked(
    n: int, worth: Sequence[float] = WORTH, *, seed: int = 1, random_share: float = 1.0, level: float = 0.0
) -> pl.DataFrame:
    """Invitations whose answers have exactly these ratios given the risk; the published risk is off by ``level``."""
    rng = np.random.default_rng(seed)
    risk = np.clip(rng.beta(1, 12, n), 1e-4, 0.9)
    left = rng.random(n) < risk
    chance = np.array([0.1, 0.1, 0.1, 0.7])
    mass = np.where(left[:, None], chance * np.exp(worth), chance)
    place = (rng.random(n)[:, None] > (mass / mass.sum(axis=1, keepdims=True)).cumsum(axis=1)).sum(axis=1)
    return pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "risk": expit(logit(risk) - level),
            "evidence": np.array(EVIDENCE)[np.minimum(place, 3)],
            "age_days": np.zeros(n),
            "left": left.astype(np.int64),
            "is_random": rng.random(n) < random_share,
            "weight": np.ones(n),
        }
    )


def test_planted_ratios_are_found_within_their_intervals() -> None:
    found = learned_answers(asked(20_000))
    assert found.is_learned
    apart = np.array([found.ratios[name].value for name in EVIDENCE])
    assert apart - apart[3] == pytest.approx(np.array(WORTH) - WORTH[3], abs=0.2)
    detractor = found.ratios["detractor"]
    assert detractor.low < detractor.value < detractor.high  # type: ignore[operator]
    assert found.slope.low <= 1.0 <= found.slope.high  # type: ignore[operator]
    assert (found.n_asked, found.n_random) == (20_000, 20_000)
    assert sum(ratio.n for ratio in found.ratios.values()) == 20_000


@pytest.mark.parametrize("level", [-0.8, 0.8])
def test_a_risk_of_the_wrong_level_does_not_pass_for_information(level: float) -> None:
    found = learned_answers(asked(20_000, (0.0,) * 4, level=level))
    assert np.abs(found.log_ratios).max() < 0.12


def test_answers_that_say_nothing_come_to_nothing() -> None:
    found = learned_answers(asked(20_000, (0.0,) * 4))
    assert np.abs(found.log_ratios).max() < 0.12


def test_few_leavers_stay_near_what_is_stated() -> None:
    found = learned_answers(asked(300, (0.0,) * 4))
    assert found.is_learned
    assert found.ratios["detractor"].value > 0.3


@pytest.mark.parametrize(("n", "words"), [(0, "0 answers"), (60, f"{FEWEST_ANSWERS} are needed")])
def test_too_few_keep_the_stated_values_and_say_what_is_missing(n: int, words: str) -> None:
    found = learned_answers(asked(n))
    assert not found.is_learned
    assert words in found.reason
    assert found.log_ratios.tolist() == DEFAULTS.tolist()


def test_answers_without_leavers_teach_nothing() -> None:
    found = learned_answers(asked(1_000).with_columns(left=pl.lit(0)))
    assert found.reason == f"0 leavers among those asked, {FEWEST_LEAVERS} are needed"


def test_rows_that_miss_something_are_counted_as_left_out() -> None:
    drawn = asked(2_000).with_columns(risk=pl.when(pl.col("customer_id") != "c0").then("risk"))
    assert learned_answers(drawn).n_left_out == 1


def test_chosen_by_risk_alone_agree_and_are_used() -> None:
    drawn = asked(12_000, random_share=0.3, seed=3)
    kept = drawn.filter(pl.col("is_random") | (pl.col("risk") > 0.1))
    found = learned_answers(kept)
    assert found.n_asked == kept.height
    assert "they agree with those drawn at random" in found.selection


def test_chosen_by_what_the_data_do_not_hold_are_left_out() -> None:
    # Somebody asked those who complained and stayed: detractors among the chosen leave less.
    drawn = asked(12_000, random_share=0.4, seed=3)
    rng = np.random.default_rng(0)
    unlike = (
        ~drawn["is_random"].to_numpy()
        & (drawn["evidence"] == "detractor").to_numpy()
        & (drawn["left"] == 1).to_numpy()
    )
    kept = drawn.filter(pl.Series(~(unlike & (rng.random(drawn.height) < 0.8))))
    found = learned_answers(kept)
    assert found.n_asked == found.n_random == int(drawn["is_random"].sum())
    assert found.n_left_out == kept.height - found.n_random
    assert "are left out" in found.selection


def test_a_slice_too_small_to_check_is_said() -> None:
    found = learned_answers(asked(3_000, random_share=0.01))
    assert "too few to be compared" in found.selection
    assert found.n_asked == 3_000


def test_the_order_of_rows_changes_nothing() -> None:
    drawn = asked(2_000)
    one, other = learned_answers(drawn), learned_answers(drawn.reverse())
    assert one.slope.value == other.slope.value
    assert one.log_ratios == pytest.approx(other.log_ratios, abs=1e-9)


def test_all_columns_are_named() -> None:
    assert set(asked(1).columns) == set(ASKED_COLUMNS)


def plain(n: int, worth: Sequence[float], seed: int = 5, repeat: int = 1) -> Asked:
    frame = pl.concat([asked(n, worth, seed=seed)] * repeat)
    places = {name: place for place, name in enumerate(EVIDENCE)}
    return Asked(
        offset=logit(frame["risk"].to_numpy()),
        place=np.array([places[name] for name in frame["evidence"]]),
        aged=np.ones(frame.height),
        left=frame["left"].to_numpy().astype(float),
        weight=np.ones(frame.height),
        member=np.tile(np.arange(n), repeat),
        chances=np.tile([0.1, 0.1, 0.1, 0.7], (frame.height, 1)),
    )


def test_the_fit_is_where_the_penalised_likelihood_is_flat() -> None:
    from scipy.optimize import minimize

    rows = plain(3_000, WORTH)
    design = rows.design

    def loss(each: np.ndarray) -> float:
        score = rows.offset + design @ each
        return float(
            np.sum(np.logaddexp(0, score) - rows.left * score)
            + STRENGTH / 2 * np.sum((each[1:] - DEFAULTS) ** 2)
        )

    slow = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x[1:]
    fast = fitted_ratios(rows).values
    assert np.diff(fast) == pytest.approx(np.diff(slow), abs=1e-4)


def test_a_customer_asked_twice_is_one_customer() -> None:
    one, twice = fitted_ratios(plain(3_000, WORTH)), fitted_ratios(plain(3_000, WORTH, repeat=2))
    spread = [np.sqrt(np.diag(each.covariance))[0] for each in (one, twice)]
    assert spread[1] > 0.9 * spread[0]


def test_an_order_turned_round_is_pooled() -> None:
    assert ordered(np.array([-0.5, 0.5, 0.0, 2.0]), np.ones(4)).tolist() == [0.0, 0.0, 0.0, 2.0]
    assert ordered(np.array([0.0, 0.3, -1.0, 0.0]), np.array([2.0, 1.0, 1.0, 1.0]))[
        :2
    ].tolist() == pytest.approx([0.1, 0.1])


def test_the_slope_finds_how_much_the_risk_knows_already() -> None:
    rows = plain(30_000, (0.35, 0.0, -0.35, 0.0))
    folds = (np.arange(30_000) % 5).astype(np.int8)
    # With a strength that holds the stated .7 fast, half of it is right.
    found = tempering(rows, folds, strength=1e9)
    assert found.value == pytest.approx(0.5, abs=0.15)
    assert found.low <= 0.5 <= found.high  # type: ignore[operator]


def test_the_level_brings_risks_to_their_leavers() -> None:
    rows = plain(10_000, (0.0,) * 4)
    assert float(expit(rows.offset + level_of(rows)).sum()) == pytest.approx(rows.left.sum(), rel=1e-3)


def test_two_halves_of_one_world_agree_in_most_draws() -> None:
    p_values = []
    for seed in range(20):
        rows = plain(3_000, WORTH, seed=seed)
        half = np.arange(3_000) < 1_500
        p_values.append(agreement(rows.where(half), rows.where(~half)))
    assert sum(p < 0.05 for p in p_values) <= 3
