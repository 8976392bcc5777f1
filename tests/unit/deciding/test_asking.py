"""Who else is due to be asked in a night: the wave, after contacts, after closed cases; each where its share is set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from churnrisk.deciding import decided_night
from tests.unit.deciding.drawn import AS_OF, material, people

MANY = people([0.02] * 500)
RICH = "[surveys]\nbudget = 1000\n"


def purposes(settings: str, **more: Any) -> dict[str, int]:
    night = decided_night(material(MANY, RICH + settings, offers=None, **more))
    kinds = night.rows.filter(kind="survey")["subject"].str.split(":").list.first()
    return dict(kinds.value_counts().iter_rows())


def test_a_wave_takes_its_share_of_customers_whose_turn_it_is() -> None:
    all_at_once = purposes("wave_every_days = 1\nwave_share = 1.0\nvalue_of_answer = 50\n")
    assert all_at_once["relationship"] == 500
    some = purposes("wave_share = 0.5\nwave_every_days = 5\nvalue_of_answer = 50\n")
    assert 20 < some["relationship"] < 90
    assert "relationship" not in purposes("wave_share = 0\n")


def test_after_a_contact_of_the_last_day_satisfaction_or_effort_is_asked() -> None:
    since = AS_OF.instant - timedelta(hours=3)
    contacts = MANY.head(40).select(
        "customer_id",
        interaction_id="customer_id",
        at=pl.lit(since, dtype=pl.Datetime("us")),
        channel=pl.lit("phone"),
    )
    assert purposes("touchpoint_share = 1.0\nvalue_of_answer = 50\n", contacts=contacts)["touchpoint"] == 40
    assert "touchpoint" not in purposes("value_of_answer = 50\n", contacts=contacts)


def test_some_days_after_a_case_was_closed_it_is_asked_whether_it_helped() -> None:
    closed = AS_OF.instant - timedelta(days=5)
    cases = MANY.head(30).select(
        "customer_id", case_id="customer_id", closed_at=pl.lit(closed, dtype=pl.Datetime("us"))
    )
    assert purposes("verify_share = 1.0\nvalue_of_answer = 50\n", cases=cases)["verify"] == 30


def test_answers_worth_less_than_asking_are_not_asked_for() -> None:
    assert "relationship" not in purposes("wave_share = 1.0\nwave_every_days = 1\nvalue_of_answer = 0.01\n")


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_a_share_of_the_budget_goes_to_customers_drawn_by_lot(share: float) -> None:
    settings = f"[surveys]\nbudget = 10\nrandom_share = {share}\n"
    night = decided_night(material(MANY, settings, offers=None))
    drawn = night.rows.filter((pl.col("is_random")) & (pl.col("decision") == "ask"))
    assert drawn.height == round(share * 100)
    assert night.rows.filter(decision="ask").height == 100


def test_who_forbids_the_use_of_answers_is_not_asked_to_confirm() -> None:
    unheard = MANY["customer_id"].gather_every(2)
    everybody = decided_night(material(MANY, RICH, offers=None)).asked
    heard = decided_night(material(MANY, RICH, offers=None, unheard=unheard)).asked
    assert set(everybody["customer_id"]) & set(unheard)
    assert heard.equals(everybody.filter(~pl.col("customer_id").is_in(unheard.implode())))
