"""Which invitations teach, with which evidence and which outcome."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest

from training.answers import ASKED_COLUMNS, asked_rows

ASKED = datetime(2026, 1, 10, 12)
INSTANT = pl.Datetime("us")


def invitation(**parts: Any) -> dict[str, Any]:
    """Anna, asked on 10 January at a risk of .2, answers 4 two days later."""
    answered = ASKED + timedelta(days=2)
    row = {
        "customer_id": "anna",
        "invitation_id": "i",
        "purpose": "confirm",
        "metric": "nps",
        "invited_at": ASKED,
    }
    row |= {"risk_at_asking": 0.2, "answered_at": answered, "answer_known_at": answered, "score": 4.0}
    return row | parts


SILENCE = {"answered_at": None, "answer_known_at": None, "score": None}


def rows(
    *invitations: dict[str, Any],
    left_day: float | None = None,
    treated_day: float | None = None,
    known_day: float = 60,
    wait_days: float = 7,
) -> list[dict[str, Any]]:
    schema = {
        name: INSTANT
        if name.endswith("_at")
        else pl.Float64
        if name in {"risk_at_asking", "score"}
        else pl.String
        for name in invitation()
    } | {"risk_at_asking": pl.Float64}

    def happened(day: float | None, name: str) -> pl.DataFrame:
        at = [] if day is None else [ASKED + timedelta(days=day)]
        return pl.DataFrame(
            {"customer_id": ["anna"] * len(at), name: at}, schema={"customer_id": pl.String, name: INSTANT}
        )

    found = asked_rows(
        pl.DataFrame(invitations, schema=schema),
        happened(left_day, "left_at"),
        happened(treated_day, "at"),
        known_by=ASKED + timedelta(days=known_day),
        gap_days=14,
        horizon_days=30,
        wait_days=wait_days,
    )
    assert found.columns == list(ASKED_COLUMNS)
    return found.to_dicts()


def test_an_answer_before_the_window_is_evidence_with_its_age_there() -> None:
    assert rows(invitation()) == [
        {
            "customer_id": "anna",
            "risk": 0.2,
            "evidence": "detractor",
            "age_days": pytest.approx(12.0),
            "left": 0,
            "is_random": False,
            "weight": 1.0,
        }
    ]


@pytest.mark.parametrize(("day", "left"), [(14.0, 1), (43.9, 1), (44.0, 0), (None, 0)])
def test_leavers_leave_inside_the_window(day: float | None, left: int) -> None:
    assert rows(invitation(), left_day=day)[0]["left"] == left


def test_who_left_before_the_window_is_no_row() -> None:
    assert rows(invitation(), left_day=13.9) == []


@pytest.mark.parametrize(("day", "n"), [(-1.0, 1), (0.0, 0), (43.0, 0), (44.0, 1)])
def test_treated_between_asking_and_the_end_are_left_out(day: float, n: int) -> None:
    assert len(rows(invitation(), treated_day=day)) == n


def test_silence_is_aged_from_the_end_of_waiting() -> None:
    found = rows(invitation(**SILENCE))[0]
    assert (found["evidence"], found["age_days"]) == ("silent", pytest.approx(7.0))


def test_a_late_answer_is_silence_so_far() -> None:
    late = ASKED + timedelta(days=20)
    assert rows(invitation(answered_at=late, answer_known_at=late))[0]["evidence"] == "silent"
    assert rows(invitation(answer_known_at=late))[0]["evidence"] == "silent"


def test_waiting_that_reaches_into_the_window_teaches_nothing_of_silence() -> None:
    assert rows(invitation(**SILENCE), wait_days=15) == []


@pytest.mark.parametrize(("known_day", "n"), [(43.9, 0), (44.0, 1)])
def test_windows_that_have_not_ended_wait(known_day: float, n: int) -> None:
    assert len(rows(invitation(), known_day=known_day)) == n


def test_only_confirming_and_random_invitations_teach() -> None:
    found = rows(
        invitation(purpose="relationship"),
        invitation(invitation_id="j", purpose="random"),
        invitation(invitation_id="k"),
    )
    assert [row["is_random"] for row in found] == [True, False]
