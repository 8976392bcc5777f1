"""Who could be asked, in which order, for which reason, and in which words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import chain
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import AnswerRatios
from churnrisk.dates import AsOf
from churnrisk.messages import LANGUAGES, Sentences
from scoring.asking import (
    CANDIDATE_SCHEMA,
    AskingSettings,
    OccasionSettings,
    OfferNumbers,
    confirm_candidates,
    random_slice,
    touchpoint_candidates,
    value_of_information,
    verify_candidates,
    wave_candidates,
    with_words,
)
from scoring.confirm import answer_chances

NIGHT = AsOf(date(2026, 3, 31))
NOW = NIGHT.instant
ASSUMED = AnswerRatios.assumed("drawn")


def people(*risks: float, **columns: list[Any]) -> pl.DataFrame:
    names = [f"c{place}" for place in range(len(risks))]
    plain: dict[str, Any] = {
        "customer_id": names,
        "risk": list(risks),
        "risk_low": [each / 2 for each in risks],
        "risk_high": list(risks),
        "channel": ["email"] * len(risks),
        "language": ["en"] * len(risks),
    }
    return pl.DataFrame(plain | columns)


def one_offer(n: int, worth: float = 1000.0, cost: float = 30.0) -> OfferNumbers:
    """Takes away 30 % of the risk of losing 1,000 for 30: worth it from a risk of .1 on."""
    return OfferNumbers(["call"], np.full(n, worth), np.full((n, 1), 0.3), np.full((n, 1), cost))


def candidates(drawn: pl.DataFrame, offers: OfferNumbers | None, **parts: Any) -> pl.DataFrame:
    evidence = parts.pop("evidence", None)
    chances = answer_chances(drawn, ASSUMED)
    settings = AskingSettings(**{"other_cost": 0.1, **parts})
    return confirm_candidates(drawn, chances, ASSUMED, offers, settings, as_of=NIGHT, evidence=evidence)


def test_whom_an_answer_would_decide_comes_first_and_the_sure_are_not_asked() -> None:
    found = candidates(people(0.001, 0.09, 0.8, 0.12), one_offer(4))
    assert found["customer_id"].to_list() == ["c1", "c3"]
    assert found["purpose"].unique().to_list() == ["confirm"]
    assert found.schema == pl.Schema(CANDIDATE_SCHEMA)
    first = found["details"][0]
    assert (first["offer_before"], first["offer_detractor"], first["offer_promoter"]) == (None, "call", None)
    assert first["risk_detractor"] > 0.1 > first["risk_passive"]
    assert found["value_of_asking"][0] == pytest.approx(first["information"] - 0.1)


def test_the_value_is_worked_by_hand() -> None:
    # At .09 no offer: 300 x .09 - 30 = -3. Only a detractor (chance .075) makes it worth: .075 x (300 p' - 30).
    found = value_of_information(np.array([0.09]), ASSUMED.chances[None, :], ASSUMED.log_ratios, one_offer(1))
    assert found.value[0] == pytest.approx(0.075 * (300 * found.after[0, 0] - 30))
    assert found.after[0, 0] == pytest.approx(0.1659, abs=1e-3)


def test_dearer_asking_and_channels_count() -> None:
    drawn = people(0.09, 0.09, channel=["email", "call"])
    found = candidates(drawn, one_offer(2), costs={"call": 5.0})
    assert found["customer_id"].to_list() == ["c0"]
    assert found["cost"].to_list() == [0.1]


def test_without_offers_the_order_is_by_uncertainty_and_says_so() -> None:
    found = candidates(people(0.5, 0.01, 0.2, value=[10.0, 10.0, 1000.0]), None)
    assert found["customer_id"].to_list() == ["c2", "c0", "c1"]
    assert found["basis"].unique().to_list() == ["uncertainty"]
    assert found["value_of_asking"].null_count() == 3
    told = with_words(found, Sentences.of("en"))["why"][0]
    assert told.startswith("Without offers the value of an answer is not known")
    assert "decision" not in told


def test_who_is_of_unknown_worth_is_no_candidate_but_may_be_drawn() -> None:
    offers = one_offer(2)
    unknown = OfferNumbers(offers.names, np.array([np.nan, 1000.0]), offers.saved_share, offers.cost)
    assert candidates(people(0.09, 0.09), unknown)["customer_id"].to_list() == ["c1"]
    drawn = candidates(people(0.09, 0.09), unknown, n_random=2)
    assert drawn["is_random"].all()
    assert drawn.filter(pl.col("customer_id") == "c0")["value_of_asking"].to_list() == [None]


def test_the_random_slice_comes_first_with_its_chance_whether_it_pays_or_not() -> None:
    found = candidates(people(*[0.001] * 50, *[0.09] * 50), one_offer(100), n_random=10)
    assert found["is_random"].to_list() == [True] * 10 + [False] * (found.height - 10)
    assert found.filter("is_random")["propensity"].to_list() == [0.1] * 10
    assert found.filter("is_random")["purpose"].unique().to_list() == ["random"]
    assert found.filter(~pl.col("is_random"))["propensity"].null_count() == found.height - 10
    assert found.filter("is_random")["value_of_asking"].min() < 0  # type: ignore[operator]


def test_the_slice_depends_on_ids_and_night_and_not_on_order() -> None:
    ids = pl.Series([f"c{k}" for k in range(200)])
    drawn, chance = random_slice(ids, 20, "one")
    turned, _ = random_slice(ids.reverse(), 20, "one")
    other, _ = random_slice(ids, 20, "two")
    assert chance == 0.1
    assert set(ids.filter(pl.Series(drawn))) == set(ids.reverse().filter(pl.Series(turned)))
    assert set(ids.filter(pl.Series(drawn))) != set(ids.filter(pl.Series(other)))
    assert random_slice(ids, 500, "one")[0].all()


def test_over_many_nights_everybody_is_drawn_equally_often() -> None:
    ids = pl.Series([f"c{k}" for k in range(100)])
    times = sum(random_slice(ids, 10, f"night {night}")[0].astype(int) for night in range(1000))
    # binomial(1000, .1): standard deviation 9.5
    assert np.abs(np.asarray(times) - 100).max() < 4.5 * 9.5


def test_who_answered_lately_is_neither_chosen_nor_drawn() -> None:
    heard = pl.DataFrame(
        {
            "customer_id": ["c0", "c1", "c2"],
            "invitation_id": ["a", "b", "c"],
            "evidence": ["promoter", "silent", "passive"],
            "age_days": [80.0, 1.0, 100.0],
        }
    )
    found = candidates(people(0.09, 0.09, 0.09), one_offer(3), evidence=heard, n_random=1)
    assert set(found["customer_id"]) == {"c1", "c2"}
    assert found.filter("is_random")["propensity"].to_list() == [0.5]


def test_no_more_than_asked_for_are_kept_beside_the_slice() -> None:
    found = candidates(people(*[0.09] * 20), one_offer(20), n_random=3, most=5)
    assert (found["is_random"].sum(), found.height) == (3, 8)


def test_nobody_to_ask_is_no_error() -> None:
    assert candidates(people(), one_offer(0)).is_empty()


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_say_what_each_answer_would_change(language: str) -> None:
    found = with_words(candidates(people(0.09, 0.11), one_offer(2), n_random=1), Sentences.of(language))
    for told in found["why"]:
        assert "call" in told
        assert "{" not in told


def test_the_english_words_are_these() -> None:
    told = with_words(candidates(people(0.09), one_offer(1)), Sentences.of("en"))["why"][0]
    assert told == (
        "An answer is worth 1.37 more than the 0.10 that asking costs; the risk is 9.0%. The answer of a detractor "
        "(0-6) would raise the risk to 17% and make the offer call worth it. The answer of a passive (7-8) would lower "
        "the risk to 8.9% and change no decision. The answer of a promoter (9-10) would lower the risk to 4.7% and "
        "change no decision."
    )


def test_a_wave_asks_everybody_once_a_round() -> None:
    drawn = people(*[0.1] * 60)
    settings = OccasionSettings(AskingSettings(salt="s"), value_of_answer=5.0)
    nights = [
        wave_candidates(drawn, settings, as_of=NIGHT.shifted(day), every_days=7)["customer_id"].to_list()
        for day in range(7)
    ]
    assert sorted(chain.from_iterable(nights)) == sorted(drawn["customer_id"])
    again = wave_candidates(drawn, settings, as_of=NIGHT.shifted(7), every_days=7)
    assert again["customer_id"].to_list() == nights[0]
    assert set(again["purpose"]) <= {"relationship"}


def test_a_share_of_a_wave_is_its_propensity() -> None:
    settings = OccasionSettings(AskingSettings(), value_of_answer=5.0, share=0.25)
    found = wave_candidates(people(*[0.1] * 400), settings, as_of=NIGHT, every_days=1)
    assert 70 < found.height < 130
    assert found["propensity"].unique().to_list() == [0.25]


def test_an_answer_that_is_worth_less_than_asking_is_not_wanted() -> None:
    settings = OccasionSettings(AskingSettings(other_cost=1.0), value_of_answer=2.0)
    assert wave_candidates(people(0.1), settings, as_of=NIGHT, every_days=1).is_empty()


def test_the_latest_contact_of_the_day_is_asked_about() -> None:
    contacts = pl.DataFrame(
        {
            "customer_id": ["c0", "c0", "c1", "who", "c2"],
            "interaction_id": ["a", "b", "c", "d", "e"],
            "at": [NOW - timedelta(hours=h) for h in (5, 3, 30, 2, -1)],
            "channel": ["call", "store", "call", "call", None],
        }
    )
    settings = OccasionSettings(AskingSettings(), value_of_answer=5.0)
    found = touchpoint_candidates(people(0.1, 0.1, 0.1), contacts, settings, as_of=NIGHT)
    assert found["customer_id"].to_list() == ["c0"]
    assert found["details"][0]["about_id"] == "b"
    assert found["occasion"].to_list() == ["store contact"]
    assert found["purpose"].to_list() == ["touchpoint"]
    metrics = {
        touchpoint_candidates(people(0.1), contacts[:2], settings, as_of=NIGHT, effort_share=share)["metric"][
            0
        ]
        for share in (0.0, 1.0)
    }
    assert metrics == {"csat", "ces"}
    assert "store contact" in with_words(found, Sentences.of("en"))["why"][0]


def test_a_closed_case_is_verified_some_days_later() -> None:
    cases = pl.DataFrame(
        {
            "customer_id": ["c0", "c1", "c2"],
            "case_id": ["k0", "k1", "k2"],
            "closed_at": [NOW - timedelta(days=days, hours=1) for days in (1, 4, 12)],
        }
    )
    settings = OccasionSettings(AskingSettings(), value_of_answer=5.0)
    found = verify_candidates(people(0.1, 0.1, 0.1), cases, settings, as_of=NIGHT)
    assert [(row["customer_id"], row["details"]["about_id"]) for row in found.to_dicts()] == [("c1", "k1")]
    assert found["details"][0]["about_at"] == datetime(2026, 3, 27, 23)
    assert with_words(found, Sentences.of("en"))["why"][0] == "Whether the closed case k1 helped."


def test_an_offer_of_unknown_effect_is_never_the_best_and_spoils_nothing() -> None:
    known = one_offer(1)
    both = OfferNumbers.of_effects(
        ["secret", "call"],
        np.array([0.09]),
        np.array([[np.nan, 0.3 * 0.09]]),
        worth=known.worth,
        cost=np.array([[0.0, 30.0]]),
    )
    one, two = (
        value_of_information(np.array([0.09]), ASSUMED.chances[None, :], ASSUMED.log_ratios, each)
        for each in (known, both)
    )
    assert two.value[0] == pytest.approx(one.value[0])
    assert two.offer_after[0].tolist() == [1, -1, -1, -1]


def test_an_effect_beyond_the_risk_takes_away_the_risk() -> None:
    found = OfferNumbers.of_effects(
        ["call"], np.array([0.1, 0.0]), np.array([[0.2], [0.1]]), worth=np.ones(2), cost=np.ones((2, 1))
    )
    assert found.saved_share[0, 0] == 1.0
    assert np.isnan(found.saved_share[1, 0])
