"""Whatever answers are worth: their mean leaves the risk where it was, and a worse answer never lowers it."""

from __future__ import annotations

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import EVIDENCE, AnswerRatios, Ratio, moved_by, posterior
from scoring.confirm import Chances, confirmed

risks = st.one_of(
    st.floats(0, 1), st.floats(1e-300, 1e-6), st.sampled_from([0.0, 1.0, 1 - 1e-12, 1e-15, 0.5])
)
ratios = st.floats(-6, 6)


@st.composite
def shares(draw: st.DrawFn) -> list[float]:
    """Chances of four outcomes, some perhaps nearly or exactly nothing."""
    mass = draw(
        st.lists(
            st.one_of(st.floats(0, 1), st.floats(0, 1e-12), st.just(0.0)), min_size=4, max_size=4
        ).filter(lambda each: sum(each) > 1e-9)
    )
    return [each / sum(mass) for each in mass]


@given(risks, shares(), st.lists(ratios, min_size=4, max_size=4))
def test_the_mean_over_answers_is_the_risk(risk: float, chances: list[float], worth: list[float]) -> None:
    after = posterior([risk], [chances], worth)[0]
    assert ((after >= 0) & (after <= 1)).all()
    np.testing.assert_allclose(np.dot(after, chances), risk, rtol=1e-9, atol=1e-300)


@given(risks, shares(), st.lists(ratios, min_size=4, max_size=4))
def test_answers_keep_the_order_of_their_ratios(
    risk: float, chances: list[float], worth: list[float]
) -> None:
    after = posterior([risk], [chances], worth)[0]
    assert (np.diff(after[np.argsort(worth)]) >= 0).all()


@given(risks, shares(), ratios, st.lists(ratios, min_size=4, max_size=4))
def test_a_number_added_to_all_ratios_changes_nothing(
    risk: float, chances: list[float], more: float, worth: list[float]
) -> None:
    one, other = (posterior([risk], [chances], np.array(worth) + add)[0] for add in (0.0, more))
    np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-300)


@given(risks, shares(), ratios)
def test_answers_that_all_say_the_same_change_nothing_at_all(
    risk: float, chances: list[float], ratio: float
) -> None:
    assert posterior([risk], [chances], [ratio] * 4)[0].tolist() == [risk] * 4


@given(risks, risks, ratios)
def test_moved_ends_keep_their_order(one: float, other: float, by: float) -> None:
    low, high = moved_by(sorted([one, other]), by)
    assert low <= high


@st.composite
def nights(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame, AnswerRatios, Chances]:
    """Scores of some customers, of whom some were asked."""
    n = draw(st.integers(1, 6))
    risk = [draw(risks) for _ in range(n)]
    low = [draw(st.floats(0, each)) for each in risk]
    high = [draw(st.floats(each, 1)) for each in risk]
    scores = pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in range(n)],
            "risk": risk,
            "risk_low": low,
            "risk_high": high,
            "risk_before_survey": pl.Series([None] * n, dtype=pl.Float64),
            "band": ["low"] * n,
        }
    )
    asked = draw(st.lists(st.integers(0, n), unique=True, max_size=n))
    evidence = pl.DataFrame(
        {
            "customer_id": [f"c{k}" for k in asked],
            "invitation_id": [f"i{k}" for k in asked],
            "evidence": [draw(st.sampled_from(EVIDENCE)) for _ in asked],
            "age_days": [draw(st.floats(0, 400)) for _ in asked],
        },
        schema={
            "customer_id": pl.String,
            "invitation_id": pl.String,
            "evidence": pl.String,
            "age_days": pl.Float64,
        },
    )
    worth = sorted((draw(st.floats(-3, 3)) for _ in range(3)), reverse=True)
    learned = AnswerRatios(
        {name: Ratio(value) for name, value in zip(EVIDENCE, [*worth, draw(st.floats(-1, 1))], strict=True)},
        slope=Ratio(draw(st.floats(0, 1.5))),
    )
    return scores, evidence, learned, Chances(np.array([draw(shares()) for _ in range(n)]), "past")


@given(nights())
def test_a_night_changes_only_those_who_answered_and_keeps_every_interval(
    night: tuple[pl.DataFrame, pl.DataFrame, AnswerRatios, Chances],
) -> None:
    scores, evidence, learned, chances = night
    found = confirmed(
        scores, evidence, learned, chances, band=lambda risk: pl.repeat("x", len(risk), eager=True)
    )
    after = found.scores
    assert after["customer_id"].to_list() == scores["customer_id"].to_list()
    assert after.columns == scores.columns
    for old, new in zip(scores.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        assert new["risk_low"] <= new["risk"] <= new["risk_high"]
        if new["risk_before_survey"] is None:
            assert new == old
        else:
            assert new["risk_before_survey"] == old["risk"] != new["risk"]
            assert old["customer_id"] in evidence["customer_id"]
    told = {row["customer_id"]: row for row in found.answers.iter_rows(named=True)}
    for row in after.iter_rows(named=True):
        if row["customer_id"] in told:
            assert told[row["customer_id"]]["risk_after"] == row["risk"]
            # the lines of the reasons: risk before + points of the answer = risk shown
            before, points = (told[row["customer_id"]][name] for name in ("risk_before", "points"))
            np.testing.assert_allclose(100 * before + points, 100 * row["risk"], atol=1e-9)


@given(nights())
def test_ratios_of_one_leave_every_score_as_it_was(
    night: tuple[pl.DataFrame, pl.DataFrame, AnswerRatios, Chances],
) -> None:
    scores, evidence, _, chances = night
    nothing = AnswerRatios({name: Ratio(0.0) for name in EVIDENCE})
    found = confirmed(
        scores, evidence, nothing, chances, band=lambda risk: pl.repeat("x", len(risk), eager=True)
    )
    assert found.scores.equals(scores)


@given(st.floats(0, 500), st.floats(0, 500))
def test_older_evidence_never_weighs_more(one: float, other: float) -> None:
    young, old = sorted([one, other])
    learned = AnswerRatios.assumed("drawn")
    assert (np.abs(learned.aged([old])) <= np.abs(learned.aged([young]))).all()
