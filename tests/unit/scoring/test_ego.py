"""Who is around a customer is shown by number, coarse, and only where it points at nobody, unless names are wanted."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from churnrisk.config import InfluenceSettings
from features.network import NETWORK_COLUMNS
from scoring import Ego, ego, influence, told_amount
from tests.unit.scoring.test_influence import network_of, scored, tied

FRIENDS = "bcdefgh"
STAR = [("a", friend, float(place)) for place, friend in enumerate(FRIENDS, 1)]
RISKS: dict[str, tuple[float, float | None]] = {
    name: (0.05 * place, 123.0 * place) for place, name in enumerate("abcdefgh", 1)
}


def around(
    *rows: tuple[str, str, float],
    gone: str = "",
    refusing: str = "",
    hubs: str = "",
    ids: str = "abcdefgh",
    risks: dict[str, tuple[float, float | None]] | None = None,
    **options: Any,
) -> Ego:
    ties = tied(ids, *(rows or STAR), refusing=refusing, hubs=hubs)
    known = {name: pair for name, pair in (risks or RISKS).items() if name not in gone and name in ids}
    scores = scored(**known)
    found = influence(ties, scores, ["a"], InfluenceSettings.model_validate({}))
    network = network_of("".join(known), churn_exposure=[0.4] * len(known))
    return ego(ties, scores, network, found, "a", **options)


def test_friends_stand_by_strength_with_what_the_leaving_adds_and_their_sum_is_the_money() -> None:
    mine = around(is_named=True)
    assert mine.friends["customer_id"].to_list() == list("hgfedcb")
    assert mine.friends["number"].to_list() == [1, 2, 3, 4, 5, 6, 7]
    assert mine.friends["strength_share"].to_list() == pytest.approx(
        [place / 28 for place in (7, 6, 5, 4, 3, 2, 1)]
    )
    kappa = mine.scale["kappa"]
    assert mine.friends["extra_pp"].to_list() == pytest.approx(
        [100 * kappa * RISKS[name][0] for name in "hgfedcb"]
    )
    assert mine.friends["money"].sum() == pytest.approx(mine.money)
    assert mine.n_ties == 7


def test_without_names_there_are_no_ids_no_risks_and_figures_of_one_digit() -> None:
    mine = around()
    assert mine.friends.height == 5
    assert mine.friends.select("customer_id", "risk").null_count().row(0) == (5, 5)
    for name in ("extra_pp", "value", "money", "strength_share"):
        assert all(len(f"{value:.12g}".lstrip("0.").rstrip("0").replace(".", "")) == 1
                   for value in mine.friends[name])  # fmt: skip
    told = str(mine.as_dict()["causal_spillover"])
    assert not any(f"'{friend}'" in told for friend in FRIENDS)


@pytest.mark.parametrize(
    ("gone", "n_shown"),
    [
        ("", 5),  # how many are shown depends on the ties alone: none of these three tells another story
        ("b", 5),
        ("bc", 5),
        ("bcd", 0),  # more left than there is cover
    ],
)
def test_how_many_friends_are_shown_does_not_tell_who_left(gone: str, n_shown: int) -> None:
    assert around(gone=gone).friends.height == n_shown


@pytest.mark.parametrize(("n_friends", "n_shown"), [(6, 0), (7, 5), (10, 7), (13, 9), (16, 11), (20, 12)])
def test_at_least_two_friends_are_cover_and_twelve_are_shown_at_most(n_friends: int, n_shown: int) -> None:
    ids = "abcdefghijklmnopqrstu"[: n_friends + 1]
    rows = [("a", friend, float(place)) for place, friend in enumerate(ids[1:], 1)]
    risks: dict[str, tuple[float, float | None]] = dict.fromkeys(ids, (0.1, 100.0))
    assert around(*rows, ids=ids, risks=risks).friends.height == n_shown


def test_pairs_of_friends_are_given_by_number() -> None:
    mine = around(*STAR, ("b", "c", 1.0), ("g", "h", 1.0), ("d", "h", 0.5))
    assert mine.links.rows() == [(1, 2), (1, 5)]


def test_one_who_lets_no_calls_be_used_is_nobodys_friend_and_has_no_circle() -> None:
    assert around(refusing="g", is_named=True).friends["customer_id"].to_list() == list("hfedcb")
    refuser = around(refusing="a", is_named=True)
    assert refuser.why_unusable == "their call data may not be used (may_use_calls)"
    assert (refuser.n_ties, refuser.money) == (None, None)
    assert refuser.friends.is_empty()


def test_of_a_hub_nothing_is_said_but_that_it_is_one() -> None:
    assert around(hubs="g", is_named=True).friends["customer_id"].to_list() == list("hfedcb")
    hub = around(hubs="a", is_named=True)
    assert hub.why_unusable is not None
    assert hub.why_unusable.startswith(
        "a hub with 600 partners, 7 of them in contact both ways: no social ties"
    )
    assert hub.as_dict()["why_nothing_is_said"] == hub.why_unusable
    assert (hub.n_ties, hub.money) == (None, None)
    assert hub.friends.is_empty()


def test_the_two_views_stand_apart_under_their_names() -> None:
    told = around().as_dict()
    assert told["predictive_exposure"] == {"churn_exposure": 0.4, "detractor_exposure": None}
    assert {"value", "low", "high", "kappa", "multiplier", "friends"} <= set(told["causal_spillover"])
    assert not [key for key in told["causal_spillover"] if "exposure" in key]
    assert set(NETWORK_COLUMNS) >= set(told["predictive_exposure"])


def test_a_friend_of_unknown_value_has_no_loss_and_none_of_the_money() -> None:
    mine = around(risks={**RISKS, "h": (0.35, None)}, is_named=True)
    assert mine.friends.row(0, named=True)["money"] is None
    assert mine.friends["money"].drop_nulls().sum() == pytest.approx(mine.money)


def test_amounts_next_to_nothing_keep_two_digits() -> None:
    assert [told_amount(amount) for amount in (0.00123, -0.05, 0.1)] == ["0.0012", "-0.050", "0.10"]


def test_a_circle_is_made_of_frames_of_known_columns() -> None:
    assert isinstance(around().friends, pl.DataFrame)
    assert around().links.columns == ["first", "second"]
