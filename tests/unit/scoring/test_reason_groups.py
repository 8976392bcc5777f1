"""Groups add up to what the inputs add to the risk, and none of them is what other customers did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import Bundle
from features import catalogue
from scoring import explained, parts_of
from scoring.reasons import Part
from scoring.reasons.described import described
from scoring.reasons.groups import sharing_groups
from tests.drawn_models import drawn_bundle

CALLS = {f"calls_{n}": "calls" for n in range(10)}
PRICES = {f"price_{n}": "price" for n in range(8)}


def parts(bundle: Bundle, values: Mapping[str, float | None], **given: Any) -> list[Part]:
    frame = pl.DataFrame({"customer_id": ["anna"], **{name: [value] for name, value in values.items()}})
    found = explained(frame, bundle, catalogue(), **given)
    made = parts_of(found, 0)
    whole = 100 * bundle.predict(frame, allow_extra=True)["risk"][0] - found.effects.average[0]
    assert sum(part.points for part in made) == pytest.approx(whole, abs=1e-9)
    return made


def test_groups_without_others_stand_alone_the_largest_first() -> None:
    bundle = drawn_bundle(
        monthly_value="price", n_contacts_90d="service", n_transfers_90d="service", n_ties="network"
    )
    made = parts(
        bundle, {"monthly_value": -3.0, "n_contacts_90d": 1.0, "n_transfers_90d": 1.0, "n_ties": 0.5}
    )
    assert [(part.groups, part.told) for part in made] == [
        (("price",), (0,)),
        (("service",), (1, 2)),
        # half a tie is too few to be told, but the group's name says nothing of others
        ((), ()),
    ]


def test_the_network_shares_its_total_with_how_the_customer_calls() -> None:
    bundle = drawn_bundle(churn_exposure_spread="network", **CALLS, **PRICES)
    values = {"churn_exposure_spread": 2.0, **dict.fromkeys(CALLS, 0.1), **dict.fromkeys(PRICES, 0.1)}
    made = parts(bundle, values)
    assert [part.groups for part in made] == [("calls", "network"), ("price",)]
    assert made[0].points > 2 * made[1].points


def test_groups_join_until_five_own_inputs_stay_beside_those_of_others() -> None:
    few = {"calls_0": "calls", "calls_1": "calls"}
    wide = described(
        drawn_bundle(churn_exposure_spread="network", **few, **PRICES, wait_s="service"), catalogue()
    )
    assert sharing_groups(wide) == {"network", "calls", "service", "price"}
    assert sharing_groups(described(drawn_bundle(**few, **PRICES), catalogue())) == frozenset()


def test_a_model_too_small_to_cover_others_has_one_part_without_a_name() -> None:
    bundle = drawn_bundle(churn_exposure_spread="network", **{f"price_{n}": "price" for n in range(6)})
    values = {"churn_exposure_spread": 1.0, **{f"price_{n}": 0.2 for n in range(6)}}
    assert [part.groups for part in parts(bundle, values)] == [()]


def test_the_total_does_not_depend_on_whether_the_network_may_be_told() -> None:
    bundle = replace(
        drawn_bundle(churn_exposure_share_30d="network", **CALLS, **PRICES),
        ignored=("n_ties", "churn_exposure_n_30d"),
    )
    own = {**dict.fromkeys(CALLS, 0.1), **dict.fromkeys(PRICES, 0.1), "churn_exposure_share_30d": 0.4}
    hidden, told = (
        parts(bundle, {**own, "n_ties": ties, "churn_exposure_n_30d": 2.0}) for ties in (4.0, 9.0)
    )
    assert [(part.groups, part.points) for part in hidden] == [(part.groups, part.points) for part in told]


def test_groups_that_a_customer_does_not_let_be_used_have_no_name() -> None:
    bundle = drawn_bundle(nps_last_score="satisfaction", monthly_value="price")
    consents = pl.DataFrame({"customer_id": ["anna"], "may_use_calls": [True], "may_use_answers": [False]})
    made = parts(bundle, {"nps_last_score": None, "monthly_value": 0.1}, consents=consents)
    assert [part.groups for part in made] == [("price",), ()]
    assert made[1].points > 0


@given(st.lists(st.floats(-3, 3), min_size=12, max_size=12), st.floats(0, 12), st.floats(0, 12))
def test_parts_add_up_whatever_may_be_told(values: list[float], ties: float, doing: float) -> None:
    names = [*list(CALLS)[:5], *list(PRICES)[:5], "churn_exposure_n_30d", "churn_exposure_share_30d"]
    groups = ["calls"] * 5 + ["price"] * 5 + ["network"] * 2
    bundle = replace(drawn_bundle(**dict(zip(names, groups, strict=True))), ignored=("n_ties",))
    parts(bundle, {**dict(zip(names, values, strict=True)), "churn_exposure_n_30d": doing, "n_ties": ties})
