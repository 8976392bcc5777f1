"""Which answer is a label of which look, and how much it weighs: every case drawn as a line."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.dates import AsOf
from churnrisk.store import Engine
from tests.drawn_nps import DrawnLook
from tests.spec.features.drawn import lake, rows
from training.nps.answers import first_answers, known_answers
from training.nps.response import fitted_answering, trimmed
from training.nps.rows import drawn_customers, nps_rows
from training.rows import Rows

LOOK, LATER = AsOf(date(2026, 3, 31)), AsOf(date(2026, 4, 30))
KNOWN_BY = AsOf(date(2026, 6, 30))

ANSWERS = """
invitation_id | customer_key | answered_at | answer_known_at | score | is a label
a             | 0            | 2026-03-31  | 2026-03-31      | 0     | before the look
b             | 0            | 2026-04-01  | 2026-04-01      | 6     | first instant of the window
c             | 0            | 2026-04-09  | 2026-04-09      | 9     | second answer of the same customer
d             | 1            | 2026-06-29  | 2026-06-29      | 7     | last day of the window
e             | 2            | 2026-06-30  | 2026-06-30      | 9     | ninety days after
f             | 3            | 2026-05-01  | 2026-07-02      | 9     | known after the training
g             | 4            | 2026-05-01  | 2026-05-02      | 8.5   | between the whole scores
"""


def drawn() -> pl.DataFrame:
    frame = pl.DataFrame(rows(ANSWERS))
    instants = ("answered_at", "answer_known_at")
    return frame.with_columns(
        pl.col("customer_key").cast(pl.Int64),
        pl.col("score").cast(pl.Float64),
        *(pl.col(name).str.to_datetime("%Y-%m-%d", time_unit="us") for name in instants),
    )


def test_the_label_is_the_first_answer_in_ninety_days_that_was_known() -> None:
    found = first_answers(drawn(), LOOK, KNOWN_BY.instant)
    assert found.rows() == [(0, "b", 0), (1, "d", 1), (4, "g", 1)]


def test_what_was_known_earlier_is_less() -> None:
    found = first_answers(drawn(), LOOK, datetime(2026, 5, 2))
    assert found["invitation_id"].to_list() == ["b"]


def looked(day: AsOf, n: int = 6) -> DrawnLook:
    keys = np.arange(n)
    frame = pl.DataFrame(
        {"customer_key": keys, "customer_id": [f"c{key}" for key in keys], "wait_s": keys * 1.0}
    )
    return DrawnLook(day, frame)


def test_an_answer_after_several_looks_is_learned_once_and_who_forbids_is_not_there() -> None:
    permitted = pl.Series("customer_key", [0, 1, 4, 5])
    looks = [looked(LOOK), looked(LATER)]
    found = nps_rows(
        looks,
        drawn(),
        permitted,
        KNOWN_BY.instant,
        is_hidden=lambda _: False,
        drawn=drawn_customers(looks),
    )
    who = list(zip(found.rows.customer, found.rows.snapshot, found.answer, strict=True))
    assert [each for each in who if each[2] == "d"] == [
        ("c1", "2026-03-31", "d"),
        ("c1", "2026-04-30", "d"),
    ]
    assert sorted(found.answer[found.is_chosen]) == ["b", "d", "g"]
    assert set(found.rows.customer) == {"c0", "c1", "c4", "c5"}
    assert found.rows.left.tolist() == [1, 1, 1, 0, 0, 1, 1, 0]
    assert found.category.tolist() == [0, 1, 1, -1, -1, 1, 1, -1]
    assert found.is_drawn.all()  # so few that everybody tells who answers


def test_among_many_customers_some_are_drawn_and_every_answer_stays() -> None:
    n = 12_000
    answers = pl.DataFrame(
        {
            "invitation_id": [f"i{key}" for key in range(300)],
            "customer_key": np.arange(300),
            "answered_at": [LOOK.instant + timedelta(days=1)] * 300,
            "answer_known_at": [LOOK.instant + timedelta(days=1)] * 300,
            "score": [9.0] * 300,
        }
    )
    permitted = pl.Series("customer_key", np.arange(n))
    looks = [looked(LOOK, n), looked(LATER, n)]
    found = nps_rows(
        looks,
        answers,
        permitted,
        KNOWN_BY.instant,
        is_hidden=lambda _: False,
        drawn=drawn_customers(looks),
    )
    assert int(found.is_chosen.sum()) == 300
    assert 0.38 < found.is_drawn.sum() / (2 * n) < 0.46  # 10,000 of 24,000
    drawn_once, drawn_twice = (
        set(found.rows.customer[found.is_drawn & (found.rows.snapshot == str(day))]) for day in (LOOK, LATER)
    )
    assert drawn_once == drawn_twice
    only = nps_rows(looks, answers, permitted, KNOWN_BY.instant, is_hidden=lambda _: False)
    assert only.is_drawn.sum() == 0
    assert sorted(only.answer[only.is_chosen]) == sorted(found.answer[found.is_chosen])


def test_forbidden_answers_and_other_surveys_never_leave_the_database(tmp_path: Path) -> None:
    tables = lake(
        tmp_path,
        customers="""
customer_key | may_use_answers
0 | yes
1 | no
""",
        surveys="""
customer_key | invited_at | answered_at | score | metric | occasion
0 | 2026-05-01 | 2026-05-02 | 3 | nps | relationship
0 | 2026-05-01 | 2026-05-03 | 4 | csat | relationship
0 | 2026-05-01 | 2026-05-04 | 8 | nps | store contact
0 | 2026-05-01 | | | nps | relationship
1 | 2026-05-01 | 2026-05-06 | 9 | nps | relationship
""",
    )
    with Engine(threads=1) as engine:
        tables.register(engine)
        answers, permitted = known_answers(engine, [looked(LOOK)], KNOWN_BY)
    assert answers["score"].to_list() == [3.0]
    assert permitted.to_list() == [0]


def test_who_answers_less_weighs_more() -> None:
    rng = np.random.default_rng(4)
    wait = rng.normal(0, 1, 4000)
    chance = 1 / (1 + np.exp(1.2 + wait))
    answers = (rng.random(4000) < chance).astype(np.float64)
    who = np.array([f"c{each}" for each in range(4000)], dtype=object)
    asked = Rows(
        pl.DataFrame({"wait_s": wait}), answers, np.ones(4000), who, np.full(4000, "d", dtype=object)
    )
    answered = asked.where(answers > 0)
    weight = fitted_answering(asked, seed=1).weights(answered)
    naive, mended = answered.frame["wait_s"].mean(), np.average(answered.frame["wait_s"], weights=weight)
    assert isinstance(naive, float)
    assert naive < -0.5
    assert abs(mended - wait.mean()) < 0.2 * abs(
        naive - wait.mean()
    )  # science, section 7: four fifths removed


def test_where_everybody_answers_every_answer_weighs_one() -> None:
    asked = Rows(
        pl.DataFrame({"wait_s": [1.0, 2.0]}), np.ones(2), np.ones(2), np.array(["a", "b"], dtype=object),
        np.array(["d", "d"], dtype=object),
    )  # fmt: skip
    assert fitted_answering(asked, seed=1).weights(asked).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(("weights", "cut"), [([1, 1, 50], [1, 1, 10]), ([2, 4, 6], [2, 4, 6])])
def test_no_answer_weighs_more_than_ten_times_the_median(weights: list[float], cut: list[float]) -> None:
    assert trimmed(np.array(weights, dtype=np.float64)).tolist() == cut
