"""What an offer is worth after what it costs: by hand, with its ends, and where something is not known."""

import numpy as np
import pytest

from scoring.offers import Effects, OfferCosts, net_value, takes_assumed

ONE = np.ones((1, 1))
COSTS = OfferCosts(contact=np.array([1.0]), incentive=np.array([5.0]))


def effects(mean: float, low: float, high: float) -> Effects:
    return Effects(mean * ONE, low * ONE, high * ONE)


def spill(mean: float, low: float = 0.0, high: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array([mean]), np.array([low]), np.array([high])


def test_net_value_by_hand_with_its_parts_apart() -> None:
    # 0.1 x 200 = 20 direct, 0.1 x 20 = 2 around, 1 for the contact, 5 x 0.8 for those who take it
    found = net_value(effects(0.1, 0.05, 0.15), np.array([200.0]), spill(20, 0, 40), COSTS, 0.8 * ONE)
    told = {
        name: float(getattr(found, name).item())
        for name in ("net", "direct", "spillover", "contact", "incentive")
    }
    assert told == pytest.approx({"net": 17, "direct": 20, "spillover": 2, "contact": 1, "incentive": 4})
    assert float(found.low.item()) == pytest.approx(0.05 * 200 - 5)
    assert float(found.high.item()) == pytest.approx(0.15 * 240 - 5)
    assert float(found.cost.item()) == pytest.approx(5)
    assert found.is_worth.item()


def test_who_would_have_stayed_anyway_takes_the_incentive_too() -> None:
    # of 100 customers 20 would leave, 5 of them are kept: 85 take it
    assert takes_assumed(np.array([0.2]), np.array([[0.05]])).item() == pytest.approx(0.85)
    cheap = net_value(effects(0.05, 0.05, 0.05), np.array([100.0]), spill(0), COSTS, 0.05 * ONE)
    dear = net_value(effects(0.05, 0.05, 0.05), np.array([100.0]), spill(0), COSTS, 0.85 * ONE)
    assert cheap.net.item() - dear.net.item() == pytest.approx(5 * 0.8)
    assert cheap.is_worth.item()
    assert not dear.is_worth.item()


def test_a_sleeping_dog_is_left_alone_even_where_it_would_cost_nothing() -> None:
    free = OfferCosts(np.array([0.0]), np.array([0.0]))
    found = net_value(effects(-0.01, -0.05, 0.02), np.array([200.0]), spill(0), free, 0 * ONE)
    assert not found.is_worth.item()
    assert float(found.net.item()) < 0


def test_an_offer_is_not_worth_it_where_its_low_end_is_not() -> None:
    found = net_value(effects(0.1, 0.01, 0.2), np.array([200.0]), spill(0), COSTS, ONE)
    assert float(found.net.item()) > 0 > float(found.low.item())
    assert not found.is_worth.item()


def test_unknown_friends_add_nothing_and_stay_unknown_and_an_unknown_value_stays_unknown() -> None:
    nan = float("nan")
    found = net_value(effects(0.1, 0.1, 0.1), np.array([200.0]), spill(nan, nan, nan), COSTS, ONE)
    assert found.net.item() == pytest.approx(14)
    assert np.isnan(found.spillover.item())
    unknown = net_value(effects(0.1, 0.1, 0.1), np.array([nan]), spill(0), COSTS, ONE)
    assert np.isnan(unknown.net.item())
    assert not unknown.is_worth.item()


def test_costs_that_are_not_known_and_shapes_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="known and not below 0"):
        OfferCosts(np.array([np.nan]), np.array([1.0]))
    with pytest.raises(ValueError, match="1 customers x 1 offers"):
        net_value(effects(0.1, 0.1, 0.1), np.array([1.0, 2.0]), spill(0), COSTS, ONE)
