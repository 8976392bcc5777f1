"""Which answer speaks for a customer, and what it does to the scores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import EVIDENCE, Answering, AnswerRatios, Lifetime, NpsModel
from churnrisk.bundle.lifetime import MONTH_DAYS
from churnrisk.config import ValueSettings
from churnrisk.dates import AsOf
from scoring.confirm import (
    INVITATION_COLUMNS,
    Chances,
    answer_chances,
    confirmed,
    evidence_in_force,
    is_evidence,
    lifetimes_again,
)
from tests.drawn_models import drawn_bundle

NIGHT = AsOf(date(2026, 3, 31))
NOW = NIGHT.instant
ASSUMED = AnswerRatios.assumed("drawn")

EXPECTED = 0.335754249285
"""Risk of .2 after a detractor's answer."""


def invitation(name: str, **parts: Any) -> dict[str, Any]:
    """An NPS question to anna twenty days ago, answered with 3 a day later."""
    asked = NOW - timedelta(days=20)
    row = {
        "customer_id": "anna",
        "invitation_id": name,
        "purpose": "confirm",
        "metric": "nps",
        "invited_at": asked,
        "answered_at": asked + timedelta(days=1),
        "answer_known_at": asked + timedelta(days=1),
        "score": 3.0,
    }
    return row | parts


def silent(name: str, days: float, **parts: Any) -> dict[str, Any]:
    nothing = {"answered_at": None, "answer_known_at": None, "score": None}
    return invitation(name, invited_at=NOW - timedelta(days=days), **nothing, **parts)


def in_force(*rows: dict[str, Any], wait_days: float = 7) -> list[dict[str, Any]]:
    schema = {
        name: pl.Datetime("us") if name.endswith("_at") else pl.Float64 if name == "score" else pl.String
        for name in INVITATION_COLUMNS
    }
    return evidence_in_force(pl.DataFrame(rows, schema=schema), NIGHT, wait_days=wait_days).to_dicts()


def test_the_latest_answer_counts_with_its_age() -> None:
    newer = NOW - timedelta(days=5)
    found = in_force(
        invitation("old"), invitation("new", answered_at=newer, answer_known_at=newer, score=10.0)
    )
    assert found == [
        {
            "customer_id": "anna",
            "invitation_id": "new",
            "evidence": "promoter",
            "age_days": pytest.approx(5.0),
        }
    ]


def test_silence_counts_once_the_waiting_time_is_over_and_only_without_an_answer() -> None:
    assert in_force(silent("young", 6.9)) == []
    found = in_force(silent("older", 30), silent("old", 10), silent("young", 1))
    assert [(row["invitation_id"], row["evidence"]) for row in found] == [("old", "silent")]
    assert found[0]["age_days"] == pytest.approx(3.0)
    assert in_force(invitation("answered"), silent("old", 10))[0]["invitation_id"] == "answered"


def test_an_answer_that_is_not_known_yet_is_silence() -> None:
    late = invitation("late", answer_known_at=NOW)
    assert in_force(late)[0]["evidence"] == "silent"
    assert in_force(late | {"answer_known_at": NOW - timedelta(microseconds=1)})[0]["evidence"] == "detractor"


def test_answers_over_a_year_old_are_no_evidence() -> None:
    old = NOW - timedelta(days=366)
    assert in_force(invitation("old", invited_at=old, answered_at=old, answer_known_at=old)) == []


@pytest.mark.parametrize(
    ("purpose", "counts"), [("confirm", 1), ("random", 1), ("relationship", 0), ("verify", 0)]
)
def test_an_answer_is_evidence_or_feature_and_never_both(purpose: str, counts: int) -> None:
    assert len(in_force(invitation("one", purpose=purpose))) == counts
    features = pl.DataFrame([invitation("one", purpose=purpose)]).filter(~is_evidence())
    assert features.height == 1 - counts


def test_an_invitation_of_unknown_purpose_is_a_feature() -> None:
    assert in_force(invitation("one", purpose=None)) == []


def scores(**columns: list[Any]) -> pl.DataFrame:
    plain: dict[str, Any] = {
        "customer_id": ["bert", "anna"],
        "risk": [0.1, 0.2],
        "risk_low": [0.05, 0.1],
        "risk_high": [0.2, 0.4],
        "risk_before_survey": pl.Series([None, None], dtype=pl.Float64),
        "band": ["low", "watch"],
    }
    return pl.DataFrame(plain | columns)


def said(evidence: str, age_days: float = 0.0) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": ["anna", "gone"],
            "invitation_id": ["i", "j"],
            "evidence": [evidence] * 2,
            "age_days": [age_days] * 2,
        }
    )


def after(evidence: str, age_days: float = 0.0, **columns: list[Any]) -> dict[str, Any]:
    drawn = scores(**columns)
    found = confirmed(
        drawn,
        said(evidence, age_days),
        ASSUMED,
        answer_chances(drawn, ASSUMED),
        band=lambda risk: pl.Series(["high" if each > 0.25 else "low" for each in risk]),
    )
    assert found.scores.row(0) == drawn.row(0)
    return found.scores.row(1, named=True) | {"points": found.answers["points"].to_list()}


def test_a_detractor_raises_risk_ends_and_band_and_a_promoter_lowers_them() -> None:
    up, down = after("detractor"), after("promoter")
    # Chances .3 x (.25, .35, .40) and .7 of silence: the slow twin of tests/oracle/bundle finds the same.
    assert up["risk"] == pytest.approx(EXPECTED, abs=1e-9)
    assert up["risk_before_survey"] == 0.2
    assert up["points"] == [pytest.approx(100 * (up["risk"] - 0.2))]
    assert up["band"] == "high"
    assert up["risk_low"] > 0.1
    assert up["risk_high"] > 0.4
    assert down["risk"] < 0.2
    assert down["risk_high"] < 0.4
    assert down["band"] == "low"


def test_ends_move_by_as_many_log_odds_as_the_risk() -> None:
    found = after("detractor")
    odds = [
        np.log(p / (1 - p)) for p in (found["risk"], 0.2, found["risk_low"], 0.1, found["risk_high"], 0.4)
    ]
    assert odds[0] - odds[1] == pytest.approx(odds[2] - odds[3]) == pytest.approx(odds[4] - odds[5])


def test_older_answers_move_less() -> None:
    moved = [after("detractor", age)["risk"] - 0.2 for age in (0.0, 90.0, 180.0)]
    assert moved[0] > moved[1] > moved[2] > 0


def test_a_risk_without_interval_has_none_afterwards() -> None:
    found = after("detractor", risk_low=[0.0, None], risk_high=[0.0, None])
    assert (found["risk_low"], found["risk_high"]) == (None, None)
    assert found["risk"] > 0.2


def test_expected_months_follow_the_moved_risk() -> None:
    night = scores().with_columns(
        **{
            f"{name}{end}": pl.lit(1.0)
            for name in ("expected_months", "clv")
            for end in ("", "_low", "_high")
        }
    )
    monthly = pl.DataFrame({"customer_id": ["anna"], "monthly_value": [10.0]})
    for_ever = Lifetime(
        MONTH_DAYS, 0.1, rho=1.0, rho_low=0.0, rho_high=1.0, source="measured", said="in a test"
    )
    again = lifetimes_again(monthly, ValueSettings(lifetime_months=3, discount_rate=0.0), for_ever)
    chances = answer_chances(night, ASSUMED)
    found = confirmed(
        night,
        said("detractor"),
        ASSUMED,
        chances,
        band=lambda risk: pl.repeat("x", len(risk), eager=True),
        with_lifetimes=again,
    )
    stays = 1 - found.scores["risk"][1]
    assert found.scores["expected_months"].to_list() == pytest.approx([1.0, stays + stays**2 + stays**3])
    assert found.scores["clv"].to_list() == pytest.approx([1.0, 10 * (stays + stays**2 + stays**3)])


def test_chances_come_from_the_model_of_categories_where_there_is_one() -> None:
    model = NpsModel(drawn_bundle(wait_s="service"), drawn_bundle(wait_s="service"))
    frame = pl.DataFrame({"wait_s": [10.0, 500.0]})
    found = answer_chances(frame, ASSUMED, model=model, answering=Answering(0.4))
    assert found.source == "predicted"
    each = model.predict(frame)
    np.testing.assert_allclose(found.values[:, 0], 0.4 * each["detractor"].to_numpy())
    np.testing.assert_allclose(found.values[:, 3], 0.6)
    np.testing.assert_allclose(found.values.sum(axis=1), 1.0)


def test_without_a_model_shares_of_the_past_serve_and_without_those_guesses_that_say_so() -> None:
    frame = pl.DataFrame({"wait_s": [10.0]})
    assert answer_chances(frame, ASSUMED).source == "assumed"
    learned = AnswerRatios(ASSUMED.ratios, shares={"detractor": 1, "passive": 1, "promoter": 2}, response=0.5)
    found = answer_chances(frame, learned)
    assert found.source == "past"
    assert found.values.tolist() == [[0.125, 0.125, 0.25, 0.5]]


def test_nobody_who_answered_leaves_the_scores_alone() -> None:
    drawn = scores()
    found = confirmed(
        drawn,
        said("detractor").clear(),
        ASSUMED,
        Chances(np.full((2, len(EVIDENCE)), 0.25), "past"),
        band=lambda risk: risk,
    )
    assert found.scores.equals(drawn)
    assert found.answers.is_empty()
