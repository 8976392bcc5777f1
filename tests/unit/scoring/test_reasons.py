"""Reasons carry the customer's own numbers, in points of risk, and point at nobody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from churnrisk.bundle import Additive, Bundle
from churnrisk.dates import AsOf
from churnrisk.messages import LANGUAGES, Sentences
from churnrisk.store.audits import audit, in_order
from churnrisk.tables.lines import AVERAGE_CUSTOMER, OTHER_INPUTS, SURVEY_ANSWER, inputs_only
from churnrisk.tables.published import RULES
from features.catalogue import Catalogue
from features.entry import Feature
from scoring import effects_pp, reasons
from tests.drawn_models import drawn_bundle

AS_OF = AsOf(date(2026, 6, 30))
ENGLISH = Sentences.of("en")


def reasons_of(
    bundle: Bundle, values: dict[str, Any], consents: pl.DataFrame | None = None
) -> list[dict[str, Any]]:
    """The lines of single inputs; five inputs of the customer's own that say nothing stand beside those drawn."""
    made = lines_of(covered(bundle), {**COVERING, **values}, consents)
    return inputs_only(made).to_dicts()


def lines_of(bundle: Bundle, values: dict[str, Any], consents: pl.DataFrame | None = None) -> pl.DataFrame:
    frame = pl.DataFrame({"customer_id": ["anna"], **{name: [value] for name, value in values.items()}})
    made = reasons(frame, bundle, ENGLISH, as_of=AS_OF, run_id="r", consents=consents)
    audit({"reasons": in_order(made, RULES["reasons"])}, RULES)
    assert made["position"].to_list() == list(range(1, made.height + 1))
    assert made["effect_pp"].sum() == pytest.approx(
        100 * bundle.predict(frame, allow_extra=True)["risk"][0], abs=1e-9
    )
    return made


COVERING = {f"cover_{n}": 0.0 for n in range(5)}


def covered(bundle: Bundle) -> Bundle:
    """The model with five more inputs, which add nothing."""
    still = drawn_bundle(**dict.fromkeys(COVERING, "covers"))
    assert isinstance(bundle.learner, Additive)
    assert isinstance(still.learner, Additive)
    learner = replace(bundle.learner, effects=bundle.learner.effects + still.learner.effects)
    return replace(bundle, features=bundle.features + still.features, learner=learner)


def valued(**values: Any) -> dict[str, Any]:
    return values


def test_effects_share_out_the_difference_in_risk() -> None:
    bundle = drawn_bundle(tenure_days="profile", n_contacts_90d="service")
    frame = pl.DataFrame({"customer_id": ["a"], "tenure_days": [-1.0], "n_contacts_90d": [3.0]})
    # log-odds -2 -1 +3 = 0: p = 0.5 against p_base = 1 / (1 + e^2) = 0.119203; sum phi = 2, so a unit is 19.0399 pp
    assert effects_pp(bundle, frame)[0].tolist() == pytest.approx([-19.039854, 57.119562])


def test_contributions_that_cancel_keep_their_size_by_the_slope() -> None:
    bundle = drawn_bundle(tenure_days="profile", n_contacts_90d="service")
    frame = pl.DataFrame({"customer_id": ["a"], "tenure_days": [-1.0], "n_contacts_90d": [1.0]})
    # slope of the logistic at -2: 0.119203 * 0.880797 = 0.104994
    assert effects_pp(bundle, frame)[0].tolist() == pytest.approx([-10.4994, 10.4994], rel=1e-4)


def test_raising_reasons_come_first_then_lowering_ones_with_the_customers_own_numbers() -> None:
    bundle = drawn_bundle(tenure_days="profile", n_contacts_90d="service", nps_last_score="satisfaction")
    made = reasons_of(bundle, valued(tenure_days=-2.0, n_contacts_90d=3.0, nps_last_score=None))
    assert [(row["position"], row["feature"], row["value"]) for row in made] == [
        (1, "n_contacts_90d", "3"),
        (2, "nps_last_score", None),
        (3, "tenure_days", "-2"),
    ]
    assert made[0]["sentence"] == "Service contacts in the last 90 days: 3."
    assert made[1]["sentence"] == "No recommend answer yet."
    assert made[0]["effect_pp"] > made[1]["effect_pp"] > 0 > made[2]["effect_pp"]


def test_one_group_gives_two_reasons_at_most() -> None:
    bundle = drawn_bundle(
        n_contacts_90d="service", n_transfers_90d="service", wait_mean_s_90d="service", tenure_days="profile"
    )
    made = reasons_of(
        bundle, valued(n_contacts_90d=4.0, n_transfers_90d=3.0, wait_mean_s_90d=2.0, tenure_days=1.0)
    )
    assert [row["feature"] for row in made] == ["n_contacts_90d", "n_transfers_90d", "tenure_days"]


#    what is told            what says the same again                   what says something else
@pytest.mark.parametrize(
    ("first", "again", "other"),
    [
        ("n_contacts_30d", "n_contacts_90d", "n_transfers_90d"),
        ("n_active_days_90d", "n_active_days_30d", "n_partners_30d"),
        ("share_calls_missed_90d", "n_calls_missed_in_30d", "n_calls_out_30d"),
        ("usage_data_mb_last", "usage_data_mb_n_above_zero_6", "usage_revenue_last"),
        ("usage_data_mb_mean_3", "usage_data_mb_trend", "usage_data_last"),
        ("event_help_n_30d", "event_help_days_since", "event_help_out_n_30d"),
        ("nps_last_score", "nps_change", "csat_last_score"),
        ("attribute_plan", "", "attribute_plan_change"),
    ],
)
def test_one_story_is_told_once(first: str, again: str, other: str) -> None:
    bundle = drawn_bundle(**{name: "some" for name in (first, again, other) if name})
    made = reasons_of(bundle, {name: 1.0 for name in (first, again, other) if name})
    assert [row["feature"] for row in made] == [first, other]


def test_shares_of_leavers_among_contacts_are_one_story_by_any_measure() -> None:
    bundle = drawn_bundle(
        churn_exposure_share_30d="network",
        churn_exposure_weighted_out_90d="network",
        churn_exposure_n_30d="network",
        detractor_exposure_share_90d="network",
    )
    known = {"n_ties": 9.0, "churn_exposure_n_out_90d": 3.0, "detractor_exposure_n_90d": 3.0}
    shares = dict.fromkeys((feature.name for feature in bundle.features), 0.4)
    made = reasons_of(replace(bundle, ignored=tuple(known)), {**shares, "churn_exposure_n_30d": 2.0, **known})
    assert [row["feature"] for row in made] == ["churn_exposure_n_30d", "detractor_exposure_share_90d"]


def test_five_raise_and_two_lower_at_most() -> None:
    groups = ["profile", "price", "usage", "calls", "satisfaction", "service", "digital", "a", "b", "c"]
    bundle = drawn_bundle(**{f"f{n}": group for n, group in enumerate(groups)})
    made = reasons_of(bundle, {f"f{n}": (1.0 if n < 7 else -1.0) for n in range(10)})
    assert [row["effect_pp"] > 0 for row in made] == [True] * 5 + [False] * 2
    # equal effects stand in the order of the model's features
    assert [row["feature"] for row in made] == ["f0", "f1", "f2", "f3", "f4", "f7", "f8"]


NETWORK = {
    "n_ties": "network",
    "churn_exposure_n_30d": "network",
    "churn_exposure_share_30d": "network",
    "tenure_days": "profile",
}


@pytest.mark.parametrize(
    ("n_ties", "n_left", "told"),
    [
        (5.0, 2.0, {"n_ties", "churn_exposure_n_30d"}),
        (5.0, 1.0, {"n_ties"}),
        (5.0, 4.0, {"n_ties"}),
        (4.0, 2.0, set()),
        (None, 2.0, set()),
    ],
)
def test_the_network_is_told_only_when_it_points_at_nobody(
    n_ties: float | None, n_left: float, told: set[str]
) -> None:
    made = reasons_of(
        drawn_bundle(**NETWORK),
        valued(n_ties=n_ties, churn_exposure_n_30d=n_left, churn_exposure_share_30d=0.4, tenure_days=1.0),
    )
    assert {row["feature"] for row in made} - {"tenure_days"} == told


def test_a_share_of_contacts_needs_its_count_beside_it() -> None:
    bundle = drawn_bundle(churn_exposure_share_out_30d="network", tenure_days="profile")
    values = {"churn_exposure_share_out_30d": 0.37, "tenure_days": 1.0, "n_ties": 9.0, "n_ties_out": 8.0}
    assert {row["feature"] for row in reasons_of(_with_ignored(bundle), values)} == {"tenure_days"}
    told = reasons_of(_with_ignored(bundle), {**values, "churn_exposure_n_out_30d": 3.0})
    assert {row["feature"] for row in told} == {"tenure_days", "churn_exposure_share_out_30d"}
    # three of eight are .375: told as .35, lest the exact share name who they are
    assert next(row for row in told if "share" in row["feature"])["value"] == "0.35"
    few_called = reasons_of(
        _with_ignored(bundle), {**values, "n_ties_out": 4.0, "churn_exposure_n_out_30d": 2.0}
    )
    assert {row["feature"] for row in few_called} == {"tenure_days"}


def test_a_share_of_strength_is_told_as_the_share_of_ties_lest_one_strong_tie_give_its_end_away() -> None:
    bundle = drawn_bundle(churn_exposure_weighted_30d="network", tenure_days="profile")
    known = {"n_ties": 9.0, "churn_exposure_n_30d": 2.0, "churn_exposure_share_30d": 2 / 9}
    values = {"churn_exposure_weighted_30d": 0.97, "tenure_days": 1.0, **known}
    ignoring = replace(bundle, ignored=tuple(known))
    told = next(row for row in reasons_of(ignoring, values) if "exposure" in row["feature"])
    assert (told["feature"], told["value"]) == ("churn_exposure_share_30d", "0.2")
    assert "20%" in told["sentence"]
    without = reasons_of(ignoring, {**values, "churn_exposure_share_30d": None})
    assert {row["feature"] for row in without} == {"tenure_days"}


def test_what_comes_from_further_than_the_neighbours_is_never_told_as_nobody_counts_who_contributes() -> None:
    names = ("churn_exposure_two_hop_30d", "churn_exposure_spread", "detractor_exposure_two_hop_7d")
    bundle = drawn_bundle(**dict.fromkeys(names, "network"), tenure_days="profile")
    made = reasons_of(_with_ignored(bundle), {**dict.fromkeys(names, 0.4), "tenure_days": 1.0, "n_ties": 9.0})
    assert {row["feature"] for row in made} == {"tenure_days"}


def _with_ignored(bundle: Bundle) -> Bundle:
    return replace(bundle, ignored=("n_ties", "n_ties_out", "churn_exposure_n_out_30d"))


@pytest.mark.parametrize(
    ("may_use_calls", "may_use_answers", "told"),
    [
        (True, True, {"n_calls_out_30d", "nps_last_score", "tenure_days"}),
        (False, True, {"nps_last_score", "tenure_days"}),
        (True, False, {"n_calls_out_30d", "tenure_days"}),
    ],
)
def test_what_a_customer_does_not_let_be_used_is_not_told(
    may_use_calls: bool, may_use_answers: bool, told: set[str]
) -> None:
    bundle = drawn_bundle(n_calls_out_30d="calls", nps_last_score="satisfaction", tenure_days="profile")
    consents = pl.DataFrame(
        {"customer_id": ["anna"], "may_use_calls": [may_use_calls], "may_use_answers": [may_use_answers]}
    )
    made = reasons_of(bundle, valued(n_calls_out_30d=1.0, nps_last_score=2.0, tenure_days=3.0), consents)
    assert {row["feature"] for row in made} == told


def test_a_customer_without_a_consent_row_is_taken_to_refuse() -> None:
    nobody = pl.DataFrame(
        schema={"customer_id": pl.String, "may_use_calls": pl.Boolean, "may_use_answers": pl.Boolean}
    )
    assert reasons_of(drawn_bundle(n_calls_out_30d="calls"), valued(n_calls_out_30d=1.0), nobody) == []


def test_a_feature_of_the_users_own_speaks_by_its_label_and_unit() -> None:
    own = Catalogue([Feature("moon_share", "profile", "customers", "share of full moons", unit="share")])
    frame = pl.DataFrame({"customer_id": ["anna"], "moon_share": [0.25]})
    made = reasons(frame, drawn_bundle(moon_share=""), ENGLISH, as_of=AS_OF, run_id="r", known_features=own)
    assert inputs_only(made)["sentence"].to_list() == ["Share of full moons: 25%."]


def test_nobody_listed_gives_an_empty_table_of_the_right_shape() -> None:
    frame = pl.DataFrame(schema={"customer_id": pl.String, "tenure_days": pl.Float64, "wait_s": pl.Float64})
    made = reasons(frame, drawn_bundle(), ENGLISH, as_of=AS_OF, run_id="r")
    audit({"reasons": in_order(made, RULES["reasons"])}, RULES)


def test_the_lines_that_are_no_input_stand_last_and_take_what_is_left() -> None:
    names = [f"f{n}" for n in range(9)]
    made = lines_of(drawn_bundle(**{name: name for name in names}), dict.fromkeys(names, 0.5))
    assert made["feature"].to_list() == [*names[:5], OTHER_INPUTS, AVERAGE_CUSTOMER]
    each, other, average = made["effect_pp"][0], made["effect_pp"][5], made["effect_pp"][6]
    assert other == pytest.approx(4 * each)
    # the average customer's log-odds are -2
    assert average == pytest.approx(11.920292202)


def test_an_answer_that_changed_the_risk_has_a_line_of_its_own() -> None:
    bundle = drawn_bundle(tenure_days="profile")
    frame = pl.DataFrame({"customer_id": ["anna"], "tenure_days": [2.0]})
    # log-odds 0: a half; after the answer 0.62
    scored = pl.DataFrame({"customer_id": ["anna"], "risk": [0.62], "risk_before_survey": [0.5]})
    made = reasons(frame, bundle, ENGLISH, as_of=AS_OF, run_id="r", scored=scored)
    found = dict(made.select("feature", "effect_pp").iter_rows())
    assert list(found) == ["tenure_days", OTHER_INPUTS, SURVEY_ANSWER, AVERAGE_CUSTOMER]
    assert found[SURVEY_ANSWER] == pytest.approx(12.0)
    assert sum(found.values()) == pytest.approx(62.0, abs=1e-9)


EXPOSED = {"n_ties": 9.0, "churn_exposure_n_30d": 3.0, "churn_exposure_share_30d": 0.31}


def test_points_of_what_others_did_are_told_to_a_tenth_and_the_rest_is_not_lost() -> None:
    bundle = replace(
        drawn_bundle(churn_exposure_share_30d="network", tenure_days="profile"),
        ignored=("n_ties", "churn_exposure_n_30d"),
    )
    made = lines_of(covered(bundle), {**COVERING, **EXPOSED, "tenure_days": 0.7})
    told = dict(made.select("feature", "effect_pp").iter_rows())
    assert told["churn_exposure_share_30d"] == round(told["churn_exposure_share_30d"], 1)
    assert abs(told[OTHER_INPUTS]) < 0.05
    assert told["tenure_days"] != round(told["tenure_days"], 1)


def test_what_may_not_be_told_is_in_the_other_inputs_with_inputs_of_the_customers_own() -> None:
    few = {"n_ties": 3.0, "churn_exposure_n_30d": 3.0, "churn_exposure_share_30d": 1.0}
    names = {f"f{n}": f"group {n}" for n in range(7)}
    bundle = replace(
        drawn_bundle(churn_exposure_share_30d="network", **names), ignored=("n_ties", "churn_exposure_n_30d")
    )
    made = lines_of(bundle, {**few, **dict.fromkeys(names, 0.2)})
    # seven inputs of the customer's own: five stay with the one that is not told
    assert made["feature"].to_list() == ["f0", "f1", OTHER_INPUTS, AVERAGE_CUSTOMER]


def test_a_model_of_few_inputs_beside_those_of_others_tells_none_singly() -> None:
    bundle = drawn_bundle(churn_exposure_spread="network", tenure_days="profile")
    made = lines_of(bundle, {"churn_exposure_spread": 0.4, "tenure_days": 1.0})
    assert made["feature"].to_list() == [OTHER_INPUTS, AVERAGE_CUSTOMER]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lines_speak_every_language(language: str) -> None:
    frame = pl.DataFrame({"customer_id": ["anna"], "tenure_days": [400.0]})
    made = reasons(
        frame, drawn_bundle(tenure_days="profile"), Sentences.of(language), as_of=AS_OF, run_id="r"
    )
    assert made["sentence"].n_unique() == made.height == 3
    assert all(sentence.endswith((".", "。")) for sentence in made["sentence"])
