"""An explanation says the same as values and as text, in every language, and its figures add up as they stand."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import polars as pl
import pytest

from churnrisk.bundle import LOGISTIC, PRIOR, Band
from churnrisk.explanation import Explanation, Group
from churnrisk.messages import LANGUAGES, Sentences
from churnrisk.untold import NOT_LEARNED, NOT_TOLD_APART, Untold

NEW = {"feature": "n_contacts_90d", "value": "3", "effect_pp": 4.0, "sentence": "Service contacts: 3."}
LINES = (
    NEW,
    {"feature": "other inputs", "value": None, "effect_pp": 1.0, "sentence": "All other inputs together."},
    {"feature": "survey answer", "value": None, "effect_pp": 2.5, "sentence": "The answer."},
    {"feature": "average customer", "value": None, "effect_pp": 2.5, "sentence": "The average."},
)
GROUPS = (Group(("service",), 4.5, (NEW,)), Group(("calls", "network"), 0.7, ()), Group((), -0.2, ()))
MOVED = pl.DataFrame(
    {
        "feature": ["n_contacts_90d", "other inputs"],
        "value_before": ["1", None],
        "value_now": ["3", None],
        "effect_pp": [2.2, -0.2],
        "sentence": ["Service contacts: 3. Before: 1.", "All other inputs together."],
    }
)


def drawn(language: str = "en", **given: Any) -> Explanation:
    score = {
        "customer_id": "00123",
        "risk": 0.1,
        "risk_low": 0.05,
        "risk_high": 0.2,
        "risk_before_survey": 0.075,
        "band": "high",
        "value": 480.0,
        "leaver_kind": None,
        "leaver_kind_share": None,
        "model_version": "7",
    }
    content: dict[str, Any] = {
        "as_of": date(2026, 6, 30),
        "score": score,
        "band": Band("high", 0.08, 320, 0.11, 0.09, 0.14),
        "groups": GROUPS,
        "lines": LINES,
        "moved": MOVED,
        "since": (date(2026, 6, 29), 0.08),
        "network": {"churn_influence": 35.2},
        "published": {"risk": 0.12, "model_version": "6"},
        "sentences": Sentences.of(language),
    }
    return Explanation(**content | given)


NPS = {"detractor": 0.6, "passive": 0.3, "promoter": 0.1, "category": "detractor", "run_id": "r"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", ["detractor", "passive", "promoter"])
def test_a_predicted_answer_is_told_as_predicted_with_its_probability(language: str, category: str) -> None:
    text = drawn(language, nps=NPS | {"category": category}).text()
    (line,) = set(text.splitlines()) - set(drawn(language).text().splitlines())
    assert {"en": "predicted, not asked", "ru": "прогноз, не ответ", "zh": "预测，并非回答"}[language] in line
    assert {"detractor": "60", "passive": "30", "promoter": "10"}[category] in line


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("learner", "name"), [(PRIOR, "model_prior"), (LOGISTIC, "model_logistic")])
def test_a_model_that_is_no_forest_is_said_to_be_none(language: str, learner: str, name: str) -> None:
    said = drawn(language, learner=learner, regime="10 leavers and a rule")
    told = set(said.text().splitlines()) - set(drawn(language, learner="lightgbm").text().splitlines())
    assert told == {Sentences.of(language).explain(name)}
    assert said.as_dict()["model"] == {
        "learner": learner,
        "is_prior": learner == PRIOR,
        "regime": "10 leavers and a rule",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_nothing_is_told_of_kind_and_answer_stands_in_words_and_in_values(language: str) -> None:
    sentences = Sentences.of(language)
    kind = Untold(NOT_TOLD_APART, sentences.explain(f"no_kind_{NOT_TOLD_APART}"))
    answer = Untold(NOT_LEARNED, sentences.explain(f"no_nps_{NOT_LEARNED}"), "12 answers are known")
    said = drawn(language, no_kind=kind, no_nps=answer)
    assert {kind.sentence, answer.sentence} <= set(said.text().splitlines())
    plain = said.as_dict()
    assert plain["leaver_kind_missing"] == {"code": NOT_TOLD_APART, "sentence": kind.sentence, "detail": None}
    assert plain["nps_predicted_missing"] == {
        "code": NOT_LEARNED,
        "sentence": answer.sentence,
        "detail": "12 answers are known",
    }
    assert drawn(nps=NPS).as_dict()["nps_predicted_missing"] is None


def test_a_predicted_answer_stands_apart_among_the_values() -> None:
    told = drawn(nps=NPS).as_dict()["nps_predicted"]
    assert told == {"detractor": 0.6, "passive": 0.3, "promoter": 0.1, "category": "detractor"}
    assert drawn().as_dict()["nps_predicted"] is None


def test_the_text_says_everything_in_order() -> None:
    assert (
        drawn().text()
        == """\
Customer 00123, as of 2026-06-30 (model 7)
Risk 10.0% (5.0% to 20.0%): high.
Of the customers in this band, 11.0% left in the test (9.0% to 14.0%; customers: 320).
Before the answer to the confirming survey: 7.5%.
Value: 480.00.
If they leave, 35.20 is expected to be lost around them.
The risk published for this day was 12.0%, by model 6.

Where the risk comes from, in points of risk
     2.5  the average customer
    +4.5  What service the customer needed
              +4.0  Service contacts: 3.
              +0.5  the rest of it
    +0.7  How the customer calls; Whom the customer is tied to
    -0.2  all other inputs
    +2.5  The answer to the confirming survey.
    10.0  risk

What moved since 2026-06-29, in points of risk
     8.0  risk then
    +2.2  Service contacts: 3. Before: 1.
    -0.2  All other inputs together.
    10.0  risk

This is what the model saw. It does not say what causes leaving, or what would keep the customer."""
    )


def test_the_values_add_up_to_the_risk() -> None:
    plain = drawn().as_dict()
    assert sum(line["effect_pp"] for line in plain["reasons"]) == pytest.approx(100 * plain["risk"])
    apart = {line["feature"]: line["effect_pp"] for line in plain["reasons"]}
    groups = sum(group["effect_pp"] for group in plain["groups"])
    assert groups + apart["survey answer"] + apart["average customer"] == pytest.approx(100 * plain["risk"])
    moved = sum(line["effect_pp"] for line in plain["changes"]["lines"])
    assert moved == pytest.approx(100 * (plain["risk"] - plain["changes"]["risk_then"]))
    assert plain["band_realised"] == {"n": 320, "rate": 0.11, "low": 0.09, "high": 0.14}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_as_much(language: str) -> None:
    text = drawn(language).text()
    assert len(text.splitlines()) == len(drawn().text().splitlines())
    assert not re.search(r"[{}]", text)
    if language != "en":
        told = text.replace("Service contacts: 3", "").replace("All other inputs together", "")
        assert not re.search(r"\b(risk|points|customer|the|of)\b", told)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_not_known_is_said(language: str) -> None:
    score = {**drawn().score, "value": None, "risk_before_survey": None, "risk_low": None, "risk_high": None}
    said = drawn(
        language,
        score=score,
        band=Band("high", 0.08, 0, None, None, None),
        network={"churn_influence": None},
        since=None,
        published=None,
    )
    sentences = Sentences.of(language)
    lines = said.text().splitlines()
    for name in ("band_unknown", "around_untold", "nothing_before"):
        assert sentences.explain(name) in lines
    assert sentences.explain("value", value=sentences.line("unknown")) in lines
    assert sentences.line("unknown") not in lines[1]
    assert said.as_dict()["changes"]["since"] is None


def test_without_call_data_nothing_is_said_of_those_around() -> None:
    said = drawn(network=None)
    assert "around" not in said.text()
    assert said.as_dict()["influence"] == dict.fromkeys(
        ("churn_influence", "detractor_influence", "promoter_influence")
    )


@pytest.mark.parametrize(("language", "written"), [("en", "12.9"), ("ru", "12,9"), ("zh", "12.9")])
def test_expected_months_are_written_as_the_language_writes_numbers(language: str, written: str) -> None:
    score = {**drawn().score, "expected_months": 12.89, "clv": 539.4}
    text = drawn(language, score=score).text()
    assert re.search(rf"(?<![\d.,]){written}(?![\d.,]\d)", text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hindsight_is_told_and_only_where_it_is(language: str) -> None:
    """A model that has seen what came after a day makes no forecast of that day."""
    told = Sentences.of(language).explain("hindsight")
    seen = drawn(language, score={**drawn().score, "is_hindsight": True})
    assert told in seen.text()
    assert seen.as_dict()["is_hindsight"] is True
    for other in (False, None):
        assert told not in drawn(language, score={**drawn().score, "is_hindsight": other}).text()
