"""A share left to chance: the logged probability is the one that draws really have."""

import numpy as np
import pytest

from scoring.offers.exploration import fixed_share, thompson, thompson_chances, uniform

IDS = [f"c{number}" for number in range(40)]
ALLOWED = np.array(
    [[True, True, False], [True, True, True], [False, False, True], [False, False, False]] * 10
)
CHOICE = np.array([0, -1, 2, -1] * 10)


def test_a_fixed_share_draws_so_many_and_gives_only_what_is_allowed() -> None:
    found = fixed_share(CHOICE, ALLOWED, IDS, salt="night 1", share=0.5)
    assert int(found.is_random.sum()) == 15
    assert (found.choice[~found.is_random] == CHOICE[~found.is_random]).all()
    given = found.choice >= 0
    assert ALLOWED[given, found.choice[given]].all()
    assert not found.is_random[3::4].any()
    assert (found.propensity[3::4] == 1).all()


def test_the_probability_logged_by_a_fixed_share_is_how_often_it_happens() -> None:
    counts = np.zeros((40, 4))
    logged = np.full((40, 4), np.nan)
    for night in range(4_000):
        found = fixed_share(CHOICE, ALLOWED, IDS, salt=f"night {night}", share=0.3)
        counts[np.arange(40), found.choice + 1] += 1
        logged[np.arange(40), found.choice + 1] = found.propensity
    seen = ~np.isnan(logged)
    rates = counts / 4_000
    error = np.sqrt(rates * (1 - rates) / 4_000) + 1e-9
    assert np.abs((rates - logged)[seen] / error[seen]).max() < 4.5
    assert np.nansum(logged[:3], axis=1) == pytest.approx(1.0)


def test_who_is_drawn_goes_by_id_not_by_order_and_changes_with_the_salt() -> None:
    there = fixed_share(CHOICE, ALLOWED, IDS, salt="a", share=0.4)
    turned = fixed_share(CHOICE[::-1].copy(), ALLOWED[::-1], IDS[::-1], salt="a", share=0.4)
    assert (turned.choice[::-1] == there.choice).all()
    other = fixed_share(CHOICE, ALLOWED, IDS, salt="b", share=0.4)
    assert (other.is_random != there.is_random).any()


def test_a_pool_and_a_greatest_number_bound_what_chance_may_do() -> None:
    pool = np.arange(40) < 20
    found = fixed_share(CHOICE, ALLOWED, IDS, salt="a", share=1.0, pool=pool, most=5)
    assert int(found.is_random.sum()) == 5
    assert not found.is_random[20:].any()
    assert (found.propensity[20:] == 1).all()
    nobody = fixed_share(CHOICE, np.zeros((40, 3), dtype=bool), IDS, salt="a")
    assert not nobody.is_random.any()
    with pytest.raises(ValueError, match="0 to 1"):
        fixed_share(CHOICE, ALLOWED, IDS, salt="a", share=1.5)


def test_the_probability_logged_by_thompson_is_how_often_it_happens() -> None:
    rng = np.random.default_rng(0)
    mean, spread = rng.normal(0, 2, (40, 3)), rng.uniform(0.3, 3, (40, 3))
    counts = np.zeros((40, 4))
    for night in range(4_000):
        found = thompson(mean, spread, ALLOWED, IDS, salt=f"night {night}")
        counts[np.arange(40), found.choice + 1] += 1
    chances = thompson_chances(mean, spread, ALLOWED)
    rates = counts / 4_000
    expected = np.column_stack((1 - chances.sum(axis=1), chances))
    error = np.sqrt(np.clip(expected * (1 - expected), 1e-6, None) / 4_000)
    assert np.abs((rates - expected) / error).max() < 4.5
    last = thompson(mean, spread, ALLOWED, IDS, salt="x")
    assert last.propensity == pytest.approx(expected[np.arange(40), last.choice + 1])


def test_chances_of_one_offer_are_those_of_its_normal_and_of_two_those_worked_by_hand() -> None:
    one = thompson_chances(np.array([[1.0]]), np.array([[2.0]]), np.array([[True]]))
    assert one.item() == pytest.approx(0.6914624613, abs=1e-8)
    # two alike around 0: each wins when highest and above 0: (1 - 1/4) / 2
    two = thompson_chances(np.zeros((1, 2)), np.ones((1, 2)), np.ones((1, 2), dtype=bool))
    assert two.ravel() == pytest.approx([0.375, 0.375], abs=1e-6)


def test_hashed_numbers_are_spread_evenly() -> None:
    drawn = uniform([f"c{number}" for number in range(20_000)], "salt")
    assert drawn.min() >= 0
    assert drawn.max() < 1
    counts = np.bincount((drawn * 20).astype(int), minlength=20)
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 45
