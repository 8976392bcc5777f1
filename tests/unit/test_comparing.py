"""Rules for giving offers are valued on logged decisions; that of the model in use on later ones than taught it."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle.effects import OfferEffect, OfferEffects
from churnrisk.comparing import Champion, rules_compared
from churnrisk.config import parsed_config
from churnrisk.errors import ConfigError
from training.uplift.past import PastTreatments
from training.uplift.rows import UpliftRows

OFFERS = pl.DataFrame(
    {"offer_id": ["call", "gift", "trip"], "contact_cost": [4.0, 1.0, 9.0], "incentive_cost": [0.0, 0.0, 0.0]}
)
FIRST = datetime(2026, 1, 1, 9)


def decisions(n: int, seed: int = 3) -> PastTreatments:
    """Return decisions drawn evenly over control, call and gift: a call keeps .2 of those who complained, a gift none.

    Customers are worth 10 a month, 120 a year; .7 stay without.
    """
    rng = np.random.default_rng(seed)
    complained, arm = rng.random(n) < 0.4, rng.integers(0, 3, n)
    stayed = rng.random(n) < 0.7 + 0.2 * ((arm == 1) & complained)
    rows = UpliftRows(
        frame=pl.DataFrame({"monthly_value": np.full(n, 10.0), "complaints": complained.astype(float)}),
        arms=("control", "call", "gift"),
        arm=arm,
        stayed=stayed.astype(float),
        propensity=np.full(n, 1 / 3),
        customer=np.arange(n).astype(str).astype(object),
        taken=np.ones(n),
    )
    table = pl.DataFrame({"treated_at": [FIRST + timedelta(days=int(day)) for day in np.arange(n) % 100]})
    return PastTreatments(rows, table, 44)


def settings(policies: str = "") -> Any:
    return parsed_config(policies)


MINE = """
[[evaluation.policies]]
name = "calls for complaints"
offers = { call = "complaints > 0", gift = "complaints = 0 and monthly_value > 50" }
"""


def earned(found: pl.DataFrame) -> dict[str, tuple[float, float, float]]:
    return {row["rule"]: (row["dr_low"], row["dr"], row["dr_high"]) for row in found.iter_rows(named=True)}


def test_a_rule_of_ones_own_is_valued_by_what_its_offers_earned_on_those_it_would_have_given_them() -> None:
    found, notes = rules_compared(decisions(6_000), settings(MINE), OFFERS)
    values = earned(found)
    # .4 complained and get the call: .7 x 120 + .4 x (.2 x 120 - 4); nobody pays over 50 a month
    low, value, high = values["calls for complaints"]
    assert low < 0.7 * 120 + 0.4 * 20 < high
    assert value > values["everybody gets call"][1]
    assert value > values["nobody gets anything"][1] + 5
    assert (found["n"] == 6_000).all()
    assert notes == ()


def test_the_first_expression_that_holds_is_given() -> None:
    both = '[[evaluation.policies]]\nname = "{}"\noffers = {{ {} }}\n'
    first = both.format("call first", 'call = "true", gift = "true"')
    other = both.format("gift first", 'gift = "true", call = "true"')
    values = earned(rules_compared(decisions(900), settings(first + other), OFFERS)[0])
    assert values["call first"] == values["everybody gets call"]
    assert values["gift first"] == values["everybody gets gift"]


def test_a_rule_with_an_offer_never_made_is_not_compared_and_said_so() -> None:
    text = '[[evaluation.policies]]\nname = "trips"\noffers = { trip = "complaints > 0" }\n'
    found, notes = rules_compared(decisions(300), settings(text), OFFERS)
    assert "trips" not in set(found["rule"])
    assert notes == ("rule trips is not compared: trip was never made",)


@pytest.mark.parametrize(
    ("offers", "code", "named"),
    [
        ('{ cruise = "complaints > 0" }', "policy_offer", "cruise"),
        ('{ call = "complains > 0" }', "policy_when", "complains"),
        ("{ call = \"read_text('x') = ''\" }", "policy_when", "read_text"),
    ],
)
def test_unknown_offers_and_expressions_that_cannot_be_used_are_refused_by_name(
    offers: str, code: str, named: str
) -> None:
    text = f'[[evaluation.policies]]\nname = "mine"\noffers = {offers}\n'
    with pytest.raises(ConfigError) as refused:
        rules_compared(decisions(300), settings(text), OFFERS)
    (fault,) = refused.value.faults
    assert fault.code == code
    assert named in fault.sentence().lower()
    assert "mine" in fault.where


def in_use(taught: str) -> Champion:
    """Return a model that holds a call for keeping half of those at risk, and a gift for nothing."""

    def predict(frame: pl.DataFrame, *, allow_extra: bool = False) -> pl.DataFrame:
        assert allow_extra
        return frame.select(risk=pl.when(pl.col("complaints") > 0).then(0.3).otherwise(0.001))

    known = (
        OfferEffect("call", "average", "", gamma=(0.5, 0.05), n_taken=1, n_answered=1),
        OfferEffect("gift", "average", "", gamma=(0.0, 0.001)),
    )
    bundle: Any = SimpleNamespace(predict=predict)
    return Champion(bundle, OfferEffects((), known, 44, taught), "7")


def test_the_model_in_use_is_judged_by_decisions_later_than_those_that_taught_it() -> None:
    past = decisions(6_000)
    found, notes = rules_compared(past, settings(), OFFERS, in_use("2026-02-19"))
    mine = found.filter(pl.col("rule") == "the model in use (version 7)")
    # half of the hundred days are later
    assert mine["n"].to_list() == [3_000]
    low, value, high = earned(found)["the model in use (version 7)"]
    assert low < 0.7 * 120 + 0.4 * 20 < high
    assert value > earned(found)["nobody gets anything, since it was trained"][1]
    assert notes == ()
    _, notes = rules_compared(past, settings(), OFFERS, in_use("2026-04-10"))
    assert "0 decisions" in notes[0]
    assert "2026-04-10" in notes[0]
