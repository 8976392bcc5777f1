"""Offers on trial: how many are made, who is left without, what is written down, and when the trial ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.bundle.effects import WORKS, OfferEffect, OfferEffects, sample_size
from churnrisk.deciding import Material, decided_night
from churnrisk.deciding.choosing import chosen_offers
from churnrisk.deciding.offering import catalogue_of, offering
from churnrisk.deciding.trying import Trial, Turns, trial_of, turns_of

from .drawn import AS_OF, material, people, spread_risks, table

GIFT = """
offer_id | name   | contact_cost | incentive_cost | capacity | channel | suits
gift     | A gift | 2            | 0              |          | email   |
"""
TWO = GIFT + "call     | A call | 4            | 0              |          | email   |\n"
DEFAULTS = "[surveys]\nbudget = 0\n[offers]\ntrial_share = 0.1\ntrial_control_share = 0.5\n"
LATER = "[surveys]\nbudget = 0\n[offers]\ntrial_share = 1\ntrial_control_share = 0.5\n"


def measured(works: float, gamma: float = 0.2, error: float = 0.05, offer_id: str = "gift") -> OfferEffects:
    """Return an offer that keeps anybody with probability ``works`` and, if so, a share ``gamma`` of leavers."""
    offer = OfferEffect(
        offer_id, "average", "", n_treated=500, n_control=500, n_leavers=100, gamma=(gamma, error), works=works,
        figures={"gamma": (gamma, gamma - 1.96 * error, gamma + 1.96 * error)},
    )  # fmt: skip
    return OfferEffects((), (offer,))


def night(n: int, given: str, **more: Any) -> Material:
    return material(people([0.2] * n), given, **({"offers": GIFT} | more))


def reasons(tonight: Material) -> dict[str, int]:
    rows = decided_night(tonight).rows.filter(kind="offer")
    return dict(rows.group_by("reason_code").len().sort("reason_code").iter_rows())


def test_an_offer_that_nobody_measured_costs_its_share_of_the_budget_and_half_of_those_picked_get_nothing() -> (
    None
):
    # 18 - 2 each is worth it for all 900; a tenth of 2,000 pays for 100, and as many are left without
    found = decided_night(night(900, DEFAULTS + "budget = 2000\n")).rows.filter(kind="offer")
    counts = dict(found.group_by("decision", "reason_code").len().select("reason_code", "len").iter_rows())
    assert counts["chosen"] + counts["trial_hold_out"] == 200
    assert 75 <= counts["chosen"] <= 125
    assert counts["trial_full"] > 100
    left = found.filter(reason_code="trial_hold_out")
    assert set(left["decision"]) == {"control"}
    assert found.filter(reason_code="chosen")["propensity"].to_list() == [0.5] * counts["chosen"]


def test_whoever_finds_no_place_in_a_trial_is_told_so_by_thompson_sampling_too() -> None:
    """Another draw sets the prices, so that some nights fill the places of the trial and others do not."""
    tonight = night(900, DEFAULTS + 'budget = 2000\nexploration = "thompson"\n')
    told: set[str] = set()
    for number in range(4):
        counts = reasons(replace(tonight, as_of=AS_OF.shifted(number)))
        n_picked = counts.pop("chosen") + counts.pop("trial_hold_out")
        assert list(counts) == (["trial_full"] if n_picked >= 200 else ["not_drawn"])
        told.update(counts)
    assert told == {"trial_full", "not_drawn"}


def test_whom_the_team_calls_is_told_so_and_not_that_the_trial_was_full() -> None:
    for how in ("share", "thompson"):
        tonight = night(50, DEFAULTS + f'budget = 2000\nexploration = "{how}"\n')
        listed = replace(tonight, listed=tonight.people["customer_id"].head(20))
        rows = decided_night(listed).rows.filter(kind="offer")
        codes = rows.filter(pl.col("customer_id").is_in(listed.listed.implode()))["reason_code"]
        assert set(codes) == {"called_instead"}
        others = rows.filter(~pl.col("customer_id").is_in(listed.listed.implode()))["reason_code"]
        assert "called_instead" not in others.to_list()


def test_an_offer_whose_own_treatments_show_that_it_keeps_people_goes_to_all_whom_it_pays_for() -> None:
    tonight = night(900, DEFAULTS + "budget = 2000\n", effects=measured(0.95))
    assert reasons(tonight) == {"chosen": 900}


def test_an_offer_that_hardly_keeps_anybody_is_made_no_more() -> None:
    tonight = night(50, LATER + "budget = 2000\nexploration_share = 0.5\n", effects=measured(0.05))
    rows = decided_night(replace(tonight, listed=tonight.people["customer_id"])).rows.filter(kind="offer")
    assert set(rows["reason_code"]) == {"effect_not_shown"}
    assert set(rows["decision"]) == {"none"}


@pytest.mark.parametrize(
    ("works", "stands"), [(0.05, "refuted"), (0.11, "open"), (WORKS, "open"), (0.89, "open"), (0.91, "shown")]
)
def test_a_trial_is_open_until_it_is_nine_to_one_that_the_offer_keeps_people_or_does_not(
    works: float, stands: str
) -> None:
    (offer,) = measured(works).offers
    assert offer.trial == stands


def test_what_is_assumed_is_on_trial_and_a_ranking_that_held_is_shown() -> None:
    assert OfferEffect("a", "assumed", "").trial == "open"
    assert OfferEffect("a", "measured", "", works=0.3).trial == "shown"


def test_no_more_are_tried_than_show_an_effect_whatever_was_made_since_outcomes_are_known() -> None:
    wanted = sample_size(0.2, 0.2)
    for tried in (0, wanted - 40, wanted, wanted + 100):
        tonight = night(900, LATER + "budget = 100000\n", tried={"gift": tried})
        counts = reasons(tonight)
        picked = counts.get("chosen", 0) + counts.get("trial_hold_out", 0)
        assert picked == 2 * max(0, wanted - tried)
        if tried >= wanted:
            # nobody was reached, so nobody is told of
            assert not counts


def test_a_capacity_holds_for_what_is_made_whatever_the_lot_leaves_out() -> None:
    offers = GIFT.replace(
        "2            | 0              |          |", "2            | 0              | 10       |"
    )
    for number in range(8):
        tonight = night(60, LATER + "budget = 1000\n", offers=offers)
        counts = reasons(replace(tonight, as_of=AS_OF.shifted(number)))
        assert counts["chosen"] == counts["trial_hold_out"] == 10


def test_a_channel_is_used_up_by_those_who_are_made_the_offer() -> None:
    told = LATER + "budget = 1000\n[contacts]\ncapacity = { email = 20 }\n"
    assert reasons(night(90, told))["chosen"] == 20


def test_where_no_training_can_tell_what_offers_do_nothing_is_on_trial() -> None:
    kind = "[churn]\nkind = 'inactive'\n"
    tonight = night(900, DEFAULTS + "budget = 2000\n" + kind, tried={"gift": 10_000})
    assert set(reasons(tonight)) == {"chosen"}


def test_whom_the_team_calls_is_not_left_uncalled_to_measure_a_message() -> None:
    who = people([0.2] * 40)
    offers = GIFT + "call     | A call | 4            | 0              |          | call    |\n"
    settings = LATER + "budget = 1000\n[team]\ndaily_capacity = 40\n"
    rows = decided_night(material(who, settings, offers=offers, listed=who["customer_id"])).rows
    assert set(rows.filter(kind="offer", decision="offer")["subject"]) == {"call"}
    assert set(rows.filter(reason_code="trial_hold_out")["subject"]) == {"call"}


def test_whole_communities_stay_whole() -> None:
    counts = reasons(night(900, DEFAULTS + 'budget = 2000\nunit = "community"\n'))
    assert counts["chosen"] == 100
    assert "trial_hold_out" not in counts


def test_without_a_trial_what_is_assumed_counts_from_the_first_night_on() -> None:
    found = decided_night(night(900, DEFAULTS + "budget = 2000\ntrial = false\n"))
    assert set(found.rows.filter(kind="offer")["reason_code"]) == {"chosen"}
    assert "trial" not in found.notes[0]


def test_an_offer_too_dear_for_its_share_is_still_tried_on_somebody() -> None:
    counts = reasons(night(40, DEFAULTS + "budget = 10\n"))
    assert counts.get("chosen", 0) + counts.get("trial_hold_out", 0) == 2


def test_who_is_left_without_is_drawn_anew_each_night_and_the_same_when_it_is_decided_again() -> None:
    tonight = night(200, LATER + "budget = 1000\n")

    def left(found: Material) -> set[str]:
        rows = decided_night(found).rows
        return set(rows.filter(reason_code="trial_hold_out")["customer_id"])

    assert left(tonight) == left(replace(tonight, people=tonight.people))
    assert left(tonight) != left(replace(tonight, as_of=AS_OF.shifted(1)))


@pytest.mark.parametrize("effects", [None, measured(0.95)])
@pytest.mark.parametrize("exploration", ["share", "thompson"])
def test_the_chances_written_down_are_how_often_it_falls_so(
    exploration: str, effects: OfferEffects | None
) -> None:
    text = f'{LATER}budget = 100000\nexploration = "{exploration}"\nexploration_share = 0.5\n'
    tonight = material(people([0.12, 0.2, 0.3] * 4), text, offers=TWO, effects=effects)
    found = offering(tonight, catalogue_of(table(TWO, capacity=pl.Int64), ("email",)))
    n_nights, refused = 200, np.zeros(12, dtype=np.bool_)
    left, expected, counted, spread = (np.zeros(12) for _ in range(4))
    for number in range(n_nights):
        done = chosen_offers(replace(tonight, as_of=AS_OF.shifted(number)), found, refused)
        is_made = (done.choice >= 0) & ~done.is_left
        left += ~is_made
        expected += done.left_alone
        # one over its chance, of each offer made: on average 1 a night for every offer that could be
        counted += np.where(is_made, 1.0 / done.propensity, 0.0)
        spread += np.where(is_made, 1.0 / done.propensity**2, 0.0)
    assert left == pytest.approx(expected, abs=4.5 * np.sqrt(n_nights / 4))
    n_open = found.is_drawable.sum(axis=1)
    assert (np.abs(counted - n_nights * n_open) < 4.5 * np.sqrt(spread)).all()


THREE = TWO + "visit    | A visit| 6            | 0              |          | email   |\n"


def turns_beside(value: list[list[float]], is_on: list[bool], places: dict[int, int]) -> Turns:
    n = len(value)
    draws = np.random.default_rng(5).random((2, n))
    return turns_of(Trial(np.array(is_on), 0.5), np.array(value), places, draws[0], draws[1])


def test_beside_an_offer_that_is_shown_a_trial_has_half_of_the_nights_of_those_for_whom_it_is_worth_most() -> (
    None
):
    value = [[10.0, float(worth)] for worth in range(2_000)]
    for places, n_turns in ((2_000, 2_000), (100, 200), (0, 0)):
        turns = turns_beside(value, [False, True], {1: places})
        chance = np.repeat([0.0, 0.5], [2_000 - n_turns, n_turns])
        assert turns.chance[:, 1].tolist() == chance.tolist()
        assert turns.chance[:, 0].tolist() == (1 - chance).tolist()
        assert (turns.allowed[:, 0] == ~turns.allowed[:, 1]).all()
        assert turns.allowed[:, 1].sum() == pytest.approx(n_turns / 2, abs=4 * np.sqrt(n_turns / 4))


def test_whoever_has_no_other_offer_takes_places_before_those_who_have() -> None:
    value = [[np.nan, 5.0]] * 90 + [[10.0, 8.0]] * 100
    turns = turns_beside(value, [False, True], {1: 100})
    assert turns.allowed[:90, 1].all()
    assert (turns.chance[90:, 1] > 0).sum() == 20
    # equals are parted by a number of their own, not by the lot that draws turns
    assert 2 <= turns.allowed[90:, 1].sum() <= 18
    assert not turns_beside(value, [False, True], {1: 90}).allowed[90:, 1].any()


def test_beside_an_offer_that_is_shown_a_trial_leaves_nobody_without_by_chance_of_its_turns() -> None:
    told = LATER + "budget = 100000\nexploration_share = 0\n"
    one_call = TWO.replace(
        "4            | 0              |          |", "4            | 0              | 1        |"
    )
    for offers, n_left, give in ((TWO, 25, 10), (one_call, 1, 1)):
        counts = reasons(night(100, told, offers=offers, effects=measured(0.95)))
        assert counts["chosen"] + counts.get("trial_hold_out", 0) >= 98
        assert counts.get("trial_hold_out", 0) == pytest.approx(n_left, abs=give)


def test_the_few_whose_night_the_lot_gave_to_a_trial_that_was_full_by_then_are_told_so() -> None:
    told = LATER + "budget = 100000\nexploration_share = 0\n"
    fifty = TWO.replace(
        "4            | 0              |          |", "4            | 0              | 25       |"
    )
    tonight = night(300, told, offers=fifty, effects=measured(0.95, gamma=0.6))
    told_so = [
        reasons(replace(tonight, as_of=AS_OF.shifted(number))).get("other_turn", 0) for number in range(8)
    ]
    # 50 of the 100 for whom it is worth most are expected: more in half of all nights, seldom over 60
    assert 0 < np.count_nonzero(told_so) < 8
    assert max(told_so) < 20


@given(st.integers(1, 5), st.integers(0, 2**31), st.floats(0, 1), st.floats(0, 60))
@settings(max_examples=60, deadline=None)
def test_everybody_has_one_turn_and_chances_add_up_to_1_where_anything_is_open(
    n_offers: int, seed: int, share: float, places: float
) -> None:
    rng = np.random.default_rng(seed)
    value = np.where(rng.random((40, n_offers)) < share, rng.random((40, n_offers)).round(1), np.nan)
    room = {place: round(places) for place in range(n_offers) if rng.random() < 0.5}
    trial = Trial(rng.random(n_offers) < 0.5, 0.5)
    lot = np.where(rng.random(40) < 0.2, np.nextafter(1.0, 0.0), rng.random(40))
    turns = turns_of(trial, value, room, lot, rng.random(40))
    is_open = ~np.isnan(value)
    others = is_open & ~trial.is_on
    has_other = np.asarray(others.any(axis=1))
    assert (turns.is_trial <= (is_open & trial.is_on)).all()
    mine = (turns.allowed & trial.is_on).sum(axis=1)
    # one on trial, or all that are not
    assert ((mine == 1) | ((mine == 0) & (turns.allowed | trial.is_on).all(axis=1))).all()
    assert (mine == turns.is_trial.any(axis=1))[~has_other].all()
    one = (turns.chance * turns.is_trial).sum(axis=1) + np.max(turns.chance * others, axis=1)
    assert one[has_other | turns.is_trial.any(axis=1)] == pytest.approx(1.0)
    for place, most in room.items():
        beside = has_other & is_open[:, place]
        if trial.is_on[place] and beside.any():
            expected = turns.chance[is_open[:, place], place].sum()
            alone = turns.chance[is_open[:, place] & ~has_other, place].sum()
            assert expected <= max(most, alone) + 0.5


def test_few_draws_have_the_chance_of_every_offer_shown_or_on_trial() -> None:
    text = f"{LATER}budget = 100000\nexploration_share = 0.1\n"
    tonight = material(people([0.12, 0.2, 0.3] * 20), text, offers=THREE, effects=measured(0.95))
    catalogue = catalogue_of(table(THREE, capacity=pl.Int64), ("email",))
    found = offering(tonight, catalogue)
    n_nights, refused = 400, np.zeros(60, dtype=np.bool_)
    counted, squares = np.zeros(3), np.zeros(3)
    for number in range(n_nights):
        done = chosen_offers(replace(tonight, as_of=AS_OF.shifted(number)), found, refused)
        is_made = (done.choice >= 0) & ~done.is_left
        for place in range(3):
            here = is_made & (done.choice == place)
            counted[place] += (1.0 / done.propensity[here]).sum()
            squares[place] += (1.0 / done.propensity[here] ** 2).sum()
    assert found.is_drawable.all()
    assert (np.abs(counted - 60 * n_nights) < 4 * np.sqrt(squares)).all()
    assert (np.sqrt(squares) < 0.05 * counted).all()


@given(
    st.lists(st.floats(0.01, 0.6), min_size=5, max_size=60),
    st.floats(1.0, 500.0),
    st.floats(0.01, 1.0),
    st.integers(0, 400),
)
@settings(max_examples=40, deadline=None)
def test_picks_are_within_places_and_places_within_money_and_numbers(
    risks: list[float], budget: float, share: float, tried: int
) -> None:
    text = f"{DEFAULTS}budget = {budget}\n".replace("trial_share = 0.1", f"trial_share = {share}")
    tonight = material(people(risks), text, offers=TWO, tried={"gift": tried})
    found = offering(tonight, catalogue_of(table(TWO, capacity=pl.Int64), ("email",)))
    trial = trial_of(tonight, found, found.is_drawable, 1.0)
    done = chosen_offers(tonight, found, np.zeros(len(risks), dtype=np.bool_))
    for place, cost in enumerate((4.0, 2.0)):
        n_picked = int((done.choice == place).sum())
        most = trial.places.get(place, 0)
        assert n_picked <= most
        assert most * 0.5 * cost <= max(share * budget, cost) + 1e-9
    # the least risk asks for most
    assert trial.places.get(1, 0) <= 2 * max(0, sample_size(min(risks), 0.2) - tried)
    assert (done.is_left <= (done.choice >= 0)).all()
    # exactly half of each offer's, rounded up; one alone is made it
    for place in range(2):
        picked = done.choice == place
        if not picked.any():
            continue
        assert done.is_left[picked].sum() == (-(-picked.sum() // 2) if picked.sum() > 1 else 0)
        assert set(done.trial_chance[picked].tolist()) <= {done.is_left[picked].mean()}


def test_with_the_numbers_told_an_effect_of_the_assumed_size_shows_four_times_in_five() -> None:
    rng = np.random.default_rng(3)
    for risk in (0.05, 0.15):
        n = sample_size(risk, 0.2)
        left = rng.binomial(n, risk, 20_000) / n
        left_with = rng.binomial(n, 0.7 * risk, 20_000) / n
        error = np.sqrt((left * (1 - left) + left_with * (1 - left_with)) / n)
        assert ((left - left_with - 0.8416 * error) > 0).mean() == pytest.approx(0.8, abs=0.02)
    # no fewer than a training measures from, and nobody where nobody leaves
    assert (sample_size(0.0, 0.2), sample_size(0.9, 0.2), sample_size(1.0, 0.2)) == (0, 50, 50)


def test_the_same_people_in_another_order_are_left_alike() -> None:
    who = people(spread_risks(300))
    one, other = (
        decided_night(material(each, DEFAULTS + "budget = 400\n", offers=TWO))
        .rows.drop("row", "position")
        .sort("kind", "customer_id", "subject")
        for each in (who, who.sample(fraction=1.0, shuffle=True, seed=3))
    )
    assert one.equals(other)
    assert "trial_hold_out" in one["reason_code"].to_list()


@pytest.mark.parametrize(
    ("n", "made"),
    [
        (0, "50 %"),
        (1, "50 %; 1 was made too lately for the model in use to have learned from"),
        (28, "50 %; 28 were made too lately for the model in use to have learned from"),
    ],
)
def test_what_the_model_has_learned_of_an_offer_and_how_often_nights_made_it_are_both_true(
    n: int, made: str
) -> None:
    tonight = replace(night(3, DEFAULTS + "budget = 20\n", effects=None), tried={"gift": n})
    (note,) = decided_night(tonight).notes
    known = "assumed, not measured: the model in use has learned of nobody who was made it; it is on trial"
    assert note.startswith(f"the effect of offer gift is {known}")
    assert note.endswith(made)
    assert "never" not in note


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        (None, "on trial until 90 %: it keeps somebody with a probability of 50 %"),
        (measured(0.05), "made no more: it keeps somebody with a probability of 5 %, below 10 %"),
        (measured(0.00001), "made no more: it keeps somebody with a probability of 0.1 %, below 10 %"),
        (measured(0.95), ""),
    ],
)
def test_a_night_says_what_is_on_trial_and_what_is_made_no_more(
    effects: OfferEffects | None, said: str
) -> None:
    (note,) = decided_night(night(3, DEFAULTS + "budget = 20\n", effects=effects)).notes
    assert note.startswith("the effect of offer gift is")
    assert said in note
    assert ("trial" in note or "no more" in note) == bool(said)
