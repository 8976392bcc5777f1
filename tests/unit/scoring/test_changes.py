"""What moved since the night before: one line per input, and they add up to the difference of the two risks."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import Additive, Bundle, Platt
from churnrisk.dates import AsOf
from churnrisk.messages import LANGUAGES, Sentences
from churnrisk.store.audits import audit, in_order
from churnrisk.tables.lines import (
    ANOTHER_MODEL,
    LATER_DATA,
    NEW_CALIBRATION,
    NOT_KEPT,
    NOT_SCORED_BEFORE,
    OTHER_INPUTS,
    SURVEY_ANSWER,
)
from churnrisk.tables.published import RULES
from scoring import LastNight, changed_words, changes
from tests.drawn_models import drawn_bundle

AS_OF, THEN = AsOf(date(2026, 6, 30)), date(2026, 6, 29)
ENGLISH = Sentences.of("en")

MODEL = drawn_bundle(tenure_days="profile", n_contacts_90d="service", nps_last_score="satisfaction")
BEFORE = {"tenure_days": 0.1, "n_contacts_90d": 0.0, "nps_last_score": None}
NOW = {"tenure_days": 0.1, "n_contacts_90d": 1.5, "nps_last_score": -0.7}


def row(values: dict[str, Any], who: str = "anna") -> pl.DataFrame:
    kinds = dict.fromkeys(values, pl.Float64)
    return pl.DataFrame(
        {"customer_id": [who], **{name: [value] for name, value in values.items()}}, schema_overrides=kinds
    )


def scored(bundle: Bundle, frame: pl.DataFrame, before_survey: float | None = None) -> pl.DataFrame:
    """The scores of a night; with ``before_survey`` an answer has changed the risk to what the model says."""
    risk = bundle.predict(frame, allow_extra=True)["risk"]
    return pl.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "risk": risk,
            "risk_before_survey": pl.Series([before_survey] * frame.height, dtype=pl.Float64),
            "model_version": [bundle.model_version] * frame.height,
        }
    )


def moved(
    now: pl.DataFrame,
    bundle: Bundle,
    last: LastNight | None,
    scores: pl.DataFrame | None = None,
    **given: Any,
) -> pl.DataFrame:
    tonight = scored(bundle, now) if scores is None else scores
    made = changes(now, tonight, bundle, ENGLISH, last, as_of=AS_OF, run_id="r", **given)
    audit({"changes": in_order(made, RULES["changes"])}, RULES)
    if last is not None and made["since"].null_count() == 0:
        risk, was = tonight["risk"][0], last.scores["risk"][0]
        assert made["effect_pp"].sum() == pytest.approx(100 * (risk - was), abs=1e-9)
    return made


def lines(made: pl.DataFrame) -> dict[str, float]:
    return dict(made.select("feature", "effect_pp").iter_rows())


def test_inputs_that_moved_have_a_line_with_both_values_and_those_that_did_not_have_none() -> None:
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    made = moved(row(NOW), MODEL, last)
    assert made.select("feature", "value_before", "value_now", "sentence").rows() == [
        ("n_contacts_90d", "0", "1.5", "Service contacts in the last 90 days: 1.5. Before: 0."),
        # a score that is not known adds 0.5 to the log-odds
        ("nps_last_score", None, "-0.7", "Would recommend us: -0.7 of 10 in the latest answer. Before: not known."),
        (OTHER_INPUTS, None, None, "All other inputs together."),
    ]  # fmt: skip
    found = lines(made)
    # log-odds -1.4 -> -1.1, risk 19.78 % -> 24.97 %: +1.5 and -1.2, in proportion
    assert found["n_contacts_90d"] / found["nps_last_score"] == pytest.approx(1.5 / -1.2)
    assert found[OTHER_INPUTS] == pytest.approx(0, abs=1e-9)


def test_nothing_moved_and_nothing_is_said_to_have() -> None:
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    assert lines(moved(row(BEFORE), MODEL, last)) == {OTHER_INPUTS: pytest.approx(0, abs=1e-12)}


def steeper(bundle: Bundle) -> Bundle:
    return replace(bundle, calibrator=Platt(1.2, 0.1), model_version="8")


@pytest.mark.parametrize(("is_recalibrated", "line"), [(False, ANOTHER_MODEL), (True, NEW_CALIBRATION)])
def test_another_model_is_judged_at_last_nights_inputs(is_recalibrated: bool, line: str) -> None:
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE), is_recalibrated)
    found = lines(moved(row(NOW), steeper(MODEL), last))
    then = scored(MODEL, row(BEFORE))["risk"][0]
    assert found[line] == pytest.approx(100 * (scored(steeper(MODEL), row(BEFORE))["risk"][0] - then))
    assert set(found) == {"n_contacts_90d", "nps_last_score", OTHER_INPUTS, line}


def test_an_input_that_the_other_model_did_not_have_counts_as_it_is_tonight() -> None:
    grown = drawn_bundle(**{f.name: f.group for f in MODEL.features}, wait_mean_s_90d="service")
    grown = replace(grown, model_version="8")
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    found = lines(moved(row({**NOW, "wait_mean_s_90d": 2.0}), grown, last))
    assert "wait_mean_s_90d" not in found
    assert found[ANOTHER_MODEL] > 0


def test_the_answer_to_a_survey_is_a_line_of_its_own() -> None:
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    tonight = scored(MODEL, row(BEFORE)).with_columns(risk_before_survey="risk", risk=pl.lit(0.6))
    found = lines(moved(row(BEFORE), MODEL, last, tonight))
    assert found[SURVEY_ANSWER] == pytest.approx(100 * (0.6 - last.scores["risk"][0]))
    gone = LastNight(THEN, tonight.with_columns(risk=pl.lit(0.6)), row(BEFORE))
    assert lines(moved(row(BEFORE), MODEL, gone))[SURVEY_ANSWER] == pytest.approx(-found[SURVEY_ANSWER])


def test_data_of_last_night_that_came_later_are_told_as_such() -> None:
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row({**BEFORE, "tenure_days": 0.9}))
    found = lines(moved(row(NOW), MODEL, last))
    assert found[LATER_DATA] > 0
    assert found["tenure_days"] < 0


def test_without_last_nights_inputs_the_whole_change_stands_in_one_line() -> None:
    made = moved(row(NOW), MODEL, LastNight(THEN, scored(MODEL, row(BEFORE))))
    assert list(lines(made)) == [NOT_KEPT]
    other = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE, "somebody else"))
    assert list(lines(moved(row(NOW), MODEL, other))) == [NOT_KEPT]


@pytest.mark.parametrize("last", [None, LastNight(THEN, scored(MODEL, row(BEFORE, "somebody else")))])
def test_who_was_not_scored_before_is_compared_with_nothing(last: LastNight | None) -> None:
    made = moved(row(NOW), MODEL, last)
    assert made.select("feature", "effect_pp", "since").rows() == [(NOT_SCORED_BEFORE, None, None)]
    assert changed_words(made, ENGLISH).is_empty()


def covered(**groups: str) -> Bundle:
    return drawn_bundle(**groups, **{f"cover_{n}": "covers" for n in range(9)})


COVERS = {f"cover_{n}": 0.0 for n in range(9)}


def test_what_other_customers_did_overnight_is_never_told_singly() -> None:
    bundle = covered(churn_exposure_share_30d="network", tenure_days="profile")
    bundle = replace(bundle, ignored=("n_ties", "churn_exposure_n_30d"))
    known = {"n_ties": 12.0, "churn_exposure_n_30d": 4.0, **COVERS}
    before = row({"churn_exposure_share_30d": 0.25, "tenure_days": 0.0, **known})
    now = row({"churn_exposure_share_30d": 0.33, "tenure_days": 1.0, **known})
    found = lines(moved(now, bundle, LastNight(THEN, scored(bundle, before), before)))
    assert set(found) == {"tenure_days", OTHER_INPUTS}
    assert found[OTHER_INPUTS] > 0


def test_what_a_customer_does_not_let_be_used_is_in_the_other_inputs() -> None:
    consents = pl.DataFrame({"customer_id": ["anna"], "may_use_calls": [True], "may_use_answers": [False]})
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    found = lines(moved(row(NOW), MODEL, last, consents=consents))
    assert set(found) == {"n_contacts_90d", OTHER_INPUTS}
    assert found[OTHER_INPUTS] < 0


def test_a_circle_is_told_only_when_it_was_large_enough_in_both_nights() -> None:
    bundle = replace(covered(clustering="network"), ignored=("n_ties",))
    before, now = (
        row({"clustering": value, "n_ties": ties, **COVERS}) for value, ties in ((0.1, 4.0), (0.9, 5.0))
    )
    assert "clustering" not in lines(moved(now, bundle, LastNight(THEN, scored(bundle, before), before)))
    larger = before.with_columns(n_ties=pl.lit(6.0))
    assert "clustering" in lines(moved(now, bundle, LastNight(THEN, scored(bundle, larger), larger)))


@given(
    st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.floats(-5, 5)), min_size=3, max_size=3),
    st.booleans(),
    st.permutations(range(3)),
)
def test_lines_add_up_in_any_order_of_inputs(
    before: list[float | None], now: list[float | None], is_new: bool, order: list[int]
) -> None:
    assert isinstance(MODEL.learner, Additive)
    turned = replace(
        MODEL,
        features=tuple(MODEL.features[k] for k in order),
        learner=replace(MODEL.learner, effects=tuple(MODEL.learner.effects[k] for k in order)),
    )
    names = list(BEFORE)
    one, other = row(dict(zip(names, before, strict=True))), row(dict(zip(names, now, strict=True)))
    last = LastNight(THEN, scored(MODEL, one), one)
    tonight = [steeper(each) if is_new else each for each in (MODEL, turned)]
    first, second = (lines(moved(other, bundle, last)) for bundle in tonight)
    assert first == pytest.approx(second, abs=1e-6)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Risk +5.2 points since 2026-06-29. +26.0: Service contacts in the last 90 days: 1.5. Before: 0. -20.8: Would recommend us: -0.7 of 10 in the latest answer. Before: not known."),  # noqa: E501
        ("ru", "Риск +5,2 п. п. с 2026-06-29. +26,0: Обращения в поддержку за 90 дн.: 1,5. Раньше: 0. -20,8: Готовность рекомендовать, последний ответ: -0,7 из 10. Раньше: неизвестно."),  # noqa: E501
        ("zh", "自 2026-06-29 以来风险 +5.2 个百分点。+26.0: 90 天内联系客服次数：1.5。之前：0。-20.8: 最近一次推荐意愿评分：-0.7（满分 10）。之前：未知。"),  # noqa: E501
    ],
)  # fmt: skip
def test_the_list_says_how_much_and_the_largest_moves_in_its_language(language: str, text: str) -> None:
    assert language in LANGUAGES
    words = Sentences.of(language)
    last = LastNight(THEN, scored(MODEL, row(BEFORE)), row(BEFORE))
    tonight = scored(MODEL, row(NOW))
    made = changes(row(NOW), tonight, MODEL, words, last, as_of=AS_OF, run_id="r")
    assert changed_words(made, words)["changed"].to_list() == [text]
