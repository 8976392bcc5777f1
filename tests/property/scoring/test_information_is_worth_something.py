"""The value of asking is never below nothing, and nothing where no answer changes what is done."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from churnrisk.bundle import EVIDENCE
from scoring.asking import OfferNumbers, value_of_information

N_ANSWERS = len(EVIDENCE)


@st.composite
def questions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray, OfferNumbers]:
    n, o = draw(st.integers(1, 4)), draw(st.integers(0, 3))
    risk = draw(arrays(np.float64, n, elements=st.floats(0, 1)))
    mass = draw(arrays(np.float64, (n, N_ANSWERS), elements=st.floats(0, 1))) + 1e-6
    ratios = draw(arrays(np.float64, N_ANSWERS, elements=st.floats(-4, 4)))
    offers = OfferNumbers(
        [f"o{k}" for k in range(o)],
        draw(arrays(np.float64, n, elements=st.floats(0, 1e4))),
        draw(arrays(np.float64, (n, o), elements=st.floats(-1, 1))),
        draw(arrays(np.float64, (n, o), elements=st.floats(0, 100) | st.just(np.inf))),
    )
    return risk, mass / mass.sum(axis=1, keepdims=True), ratios, offers


def net(offers: OfferNumbers, row: int, risk: float) -> list[float]:
    return [
        risk * offers.saved_share[row, o] * offers.worth[row] - offers.cost[row, o]
        for o in range(len(offers.names))
    ]


@given(questions())
def test_it_is_what_plain_loops_find(
    question: tuple[np.ndarray, np.ndarray, np.ndarray, OfferNumbers],
) -> None:
    risk, chances, ratios, offers = question
    found = value_of_information(risk, chances, ratios, offers)
    for row in range(len(risk)):
        now = max([0.0, *net(offers, row, risk[row])])
        later = sum(
            chances[row, c] * max([0.0, *net(offers, row, found.after[row, c])]) for c in range(N_ANSWERS)
        )
        scale = 1.0 + now + later
        assert found.value[row] >= 0
        assert abs(found.value[row] - max(later - now, 0.0)) <= 1e-8 * scale


@given(questions())
def test_it_is_nothing_where_every_answer_leads_to_the_same_decision(
    question: tuple[np.ndarray, np.ndarray, np.ndarray, OfferNumbers],
) -> None:
    found = value_of_information(*question)
    same = (found.offer_after == found.offer_before[:, None]).all(axis=1)
    assert (found.value[same] == 0).all()


@given(questions())
def test_answers_that_say_nothing_are_worth_nothing(
    question: tuple[np.ndarray, np.ndarray, np.ndarray, OfferNumbers],
) -> None:
    risk, chances, _, offers = question
    assert (value_of_information(risk, chances, np.full(N_ANSWERS, 0.3), offers).value == 0).all()


@given(questions())
def test_perfect_knowledge_is_worth_at_least_as_much(
    question: tuple[np.ndarray, np.ndarray, np.ndarray, OfferNumbers],
) -> None:
    # Knowing who leaves: p max(0, max_o net(1)) + (1 - p) max(0, max_o net(0)) bounds what any answer can be worth.
    risk, chances, ratios, offers = question
    found = value_of_information(risk, chances, ratios, offers)
    for row, p in enumerate(risk):
        best = [max([0.0, *net(offers, row, each)]) for each in (p, 0.0, 1.0)]
        bound = (1 - p) * best[1] + p * best[2] - best[0]
        assert found.value[row] <= bound + 1e-6 * (1 + best[2])
