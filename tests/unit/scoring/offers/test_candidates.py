"""Every offer to every customer: valued, ordered, and told how well its effect is known."""

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle.effects import GAMMA_MEAN, OfferEffect, OfferEffects
from churnrisk.errors import ContractError
from scoring.offers import Limits, allocation
from scoring.offers.candidates import candidates

OFFERS = pl.DataFrame(
    {
        "offer_id": ["gift", "call", "unpriced"],
        "contact_cost": [1.0, 2.0, None],
        "incentive_cost": [10.0, 0.0, 1.0],
        "eligible": ["risk > 0.2", None, None],
    }
)
CUSTOMERS = pl.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "risk": [0.5, 0.1, None, 0.4],
        "value": [300.0, 300.0, 300.0, None],
        "spillover_value": [30.0, None, 0.0, 0.0],
        "spillover_low": [0.0, None, 0.0, 0.0],
        "spillover_high": [60.0, None, 0.0, 0.0],
    }
)
FEATURES = pl.DataFrame({"customer_id": ["d", "a", "b", "c"], "any": [1.0, 2.0, 3.0, 4.0]})


def test_what_is_assumed_is_valued_by_hand_and_told() -> None:
    found = candidates(OFFERS, CUSTOMERS, FEATURES, OfferEffects((), ()))
    assert found.offer_ids == ("call", "gift")
    assert found.notes == ("offer unpriced is never made: its costs are not known",)
    first = found.ranked().filter(pl.col("customer_id") == "a")
    assert first["offer_id"].to_list() == ["call", "gift"]
    call, gift = first.to_dicts()
    # effect .3 x .5 = .15: 45 direct, 4.5 around, 2 for the call; the gift is taken by the .65 who stay with it
    assert call["net_value"] == pytest.approx(45 + 4.5 - 2)
    assert gift["net_value"] == pytest.approx(45 + 4.5 - 1 - 6.5)
    assert call["effect_words"] == "assumed, not measured"
    assert call["low"] < call["net_value"] < call["high"]


def test_what_is_not_known_has_no_net_value_and_is_never_chosen() -> None:
    found = candidates(OFFERS, CUSTOMERS, FEATURES, OfferEffects((), ()))
    told = found.ranked()
    for name in ("c", "d"):
        assert told.filter(pl.col("customer_id") == name)["net_value"].to_list() == [None, None]
    assert told["position"].to_list() == [1, 2] * 4
    choice = allocation(found.value, found.net.cost, Limits()).choice
    assert choice[2:].tolist() == [-1, -1]
    # b's risk is too low for the gift's expression, and unknown friends add nothing
    assert found.is_eligible[:, 1].tolist() == [True, False, False, True]
    assert told.filter(customer_id="b", offer_id="call")["spillover_value"].to_list() == [None]


def test_recorded_takers_stand_for_the_assumed_ones_and_a_measured_average_for_the_prior() -> None:
    known = OfferEffect("gift", "average", "no order", n_taken=19, n_answered=99, gamma=(0.1, 0.02))
    found = candidates(OFFERS, CUSTOMERS, FEATURES, OfferEffects((), (known,)))
    gift = found.ranked().filter(customer_id="a", offer_id="gift").to_dicts()[0]
    assert gift["effect"] == pytest.approx(0.1 * 0.5)
    assert gift["expected_cost"] == pytest.approx(1 + 10 * 19.5 / 100)
    call = found.ranked().filter(customer_id="a", offer_id="call").to_dicts()[0]
    assert call["effect"] == pytest.approx(GAMMA_MEAN * 0.5)


def test_a_wrong_expression_and_no_offers_at_all() -> None:
    with pytest.raises(ContractError, match="offer call"):
        candidates(
            OFFERS.with_columns(eligible=pl.lit("nope > 1")), CUSTOMERS, FEATURES, OfferEffects((), ())
        )
    none = candidates(OFFERS.clear(), CUSTOMERS, FEATURES, OfferEffects((), ()))
    assert none.value.shape == (4, 0)
    assert none.ranked().height == 0
    assert (allocation(none.value, none.net.cost, Limits(budget=1.0)).choice == -1).all()
    assert np.isfinite(none.net.cost).all()
