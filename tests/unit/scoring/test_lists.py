"""The list is ranked by risk x value, cut at what the team can call, and honest about those who refuse."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from churnrisk.messages import Sentences
from churnrisk.store import Engine
from churnrisk.store.audits import audit, in_order
from churnrisk.tables.lake import LakeTables
from churnrisk.tables.published import RULES
from scoring import (
    FILE_FORMATS,
    RankedList,
    at_risk,
    call_list,
    consents_in_force,
    offers_made,
    ranked_list,
    to_call,
)
from scoring.lists import SPARES

DAY = date(2026, 6, 30)


def scored(**customers: tuple[float, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "as_of": [DAY] * len(customers),
            "customer_id": list(customers),
            "risk": [risk for risk, _ in customers.values()],
            "band": ["high"] * len(customers),
            "value": pl.Series([value for _, value in customers.values()], dtype=pl.Float64),
        }
    )


def consents(**may_contact: bool) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": list(may_contact), "may_contact": list(may_contact.values())})


def listed(ranked: RankedList) -> list[tuple[int, str, bool]]:
    return ranked.frame.select("position", "customer_id", "may_contact").rows()


def test_the_highest_expected_loss_comes_first() -> None:
    made = ranked_list(
        scored(a=(0.1, 1000.0), b=(0.5, 100.0), c=(0.4, 300.0)), consents(a=True, b=True, c=True), 2
    )
    # 100, 50, 120
    assert listed(made) == [(1, "c", True), (2, "a", True)]
    assert made.notes == ()


def test_those_who_refuse_stand_above_the_cut_and_take_no_place() -> None:
    made = ranked_list(
        scored(a=(0.9, 1.0), b=(0.8, 1.0), c=(0.7, 1.0), d=(0.6, 1.0), e=(0.5, 1.0)),
        consents(a=False, b=True, c=False, d=True, e=False),
        2,
    )
    assert listed(made) == [(1, "a", False), (2, "b", True), (3, "c", False), (4, "d", True)]


def test_the_next_who_may_be_called_are_spares_many_times_the_places_and_on_no_list_yet() -> None:
    risks = {f"c{number:02d}": 0.9 - number / 100 for number in range(60)}
    all_scored = scored(**{name: (risk, 1.0) for name, risk in risks.items()})
    made = ranked_list(all_scored, consents(**{name: name not in {"c00", "c03"} for name in risks}), 2)
    assert [name for _, name, _ in listed(made)] == ["c00", "c01", "c02"]
    both = made.with_spares()
    assert both["position"].to_list() == list(range(1, both.height + 1))
    spares = both.filter("is_spare")["customer_id"].to_list()
    assert spares == [f"c{number:02d}" for number in range(4, 4 + 2 * SPARES)]
    assert both.filter(~pl.col("is_spare"))["customer_id"].to_list() == ["c00", "c01", "c02"]
    few = ranked_list(scored(a=(0.9, 1.0), b=(0.8, 1.0)), consents(a=True, b=True), 5)
    assert few.with_spares()["is_spare"].to_list() == [False, False]


def test_refusals_are_listed_no_further_than_the_last_who_may_be_contacted_and_the_capacity() -> None:
    few = ranked_list(scored(a=(0.9, 1.0), b=(0.8, 1.0), c=(0.7, 1.0)), consents(a=False, b=True, c=False), 5)
    assert listed(few) == [(1, "a", False), (2, "b", True)]
    many = ranked_list(
        scored(a=(0.9, 1.0), b=(0.8, 1.0), c=(0.7, 1.0)), consents(a=False, b=False, c=True), 1
    )
    assert listed(many) == [(1, "a", False), (2, "c", True)]


def test_when_everybody_refuses_the_highest_refusals_up_to_the_capacity_are_listed_as_such() -> None:
    customers = scored(a=(0.7, 1.0), b=(0.9, 1.0), c=(0.8, 1.0))
    made = ranked_list(customers, consents(a=False, b=False, c=False), 2)
    assert listed(made) == [(1, "b", False), (2, "c", False)]
    assert made.notes == ("only 0 customers may be contacted, fewer than [team] daily_capacity = 2",)
    assert call_list(to_call(at_risk(made, reasons_drawn(), Sentences.of("en"), run_id="r"))).is_empty()


def test_a_customer_without_a_consent_row_is_not_called() -> None:
    assert listed(ranked_list(scored(a=(0.9, 1.0), b=(0.1, 1.0)), consents(b=True), 1)) == [
        (1, "a", False),
        (2, "b", True),
    ]


def test_unknown_values_are_ranked_with_the_median_and_said_so() -> None:
    made = ranked_list(
        scored(a=(0.5, 10.0), b=(0.5, None), c=(0.5, 30.0), d=(0.5, 20.0)),
        consents(a=True, b=True, c=True, d=True),
        4,
    )
    assert made.customer_ids[0] == "c"
    assert made.customer_ids[3] == "a"
    assert made.notes == (
        "monthly_value is unknown for 1 customers: the list ranks them with the median value",
    )


def test_without_any_value_the_list_is_ranked_by_risk_alone_and_says_so() -> None:
    made = ranked_list(scored(a=(0.2, None), b=(0.6, None)), consents(a=True, b=True), 1)
    assert listed(made) == [(1, "b", True)]
    assert "risk alone" in made.notes[0]


def test_equal_customers_stand_in_an_order_that_neither_input_nor_spelling_decides() -> None:
    customers = {f"c{n:02d}": (0.5, 1.0) for n in range(20)}
    allowed = consents(**dict.fromkeys(customers, True))
    forwards = ranked_list(scored(**customers), allowed, 7).customer_ids
    backwards = ranked_list(scored(**dict(reversed(customers.items()))), allowed.reverse(), 7).customer_ids
    assert forwards == backwards
    assert forwards != sorted(forwards)


def reasons_drawn(*rows: tuple[str, int, float, str]) -> pl.DataFrame:
    columns = {"customer_id": pl.String, "position": pl.Int64, "effect_pp": pl.Float64, "sentence": pl.String}
    drawn = pl.DataFrame(rows, schema=columns, orient="row")
    return drawn.with_columns(
        feature=pl.lit("some_feature"),
        value=pl.when(~pl.col("sentence").str.starts_with("Not known")).then(pl.lit("1")),
    )


def test_the_published_table_holds_three_raising_reasons_as_one_text() -> None:
    ranked = ranked_list(scored(a=(0.9, 1.0), b=(0.8, 1.0)), consents(a=True, b=False), 1)
    made = at_risk(
        ranked,
        reasons_drawn(("a", 1, 9.0, "One."), ("a", 2, 8.0, "Two."), ("a", 3, 7.0, "Three."), ("a", 4, 6.0, "Four."),
                      ("a", 5, -1.0, "Good.")),
        Sentences.of("en"),
        run_id="r",
    )  # fmt: skip
    assert made["reasons"].to_list() == ["One. Two. Three."]
    rules = {name: RULES[name] for name in ("at_risk",)}
    audit({"at_risk": in_order(made, RULES["at_risk"])}, rules)


def test_the_file_holds_only_those_to_call_with_the_carried_columns_first() -> None:
    ranked = ranked_list(
        scored(a=(0.9, 1.0), b=(0.8, 1.0), c=(0.7, None)), consents(a=False, b=True, c=True), 5
    )
    table = at_risk(ranked, reasons_drawn(("b", 1, 2.0, "Why.")), Sentences.of("en"), run_id="r")
    carry = pl.DataFrame({"customer_id": ["c", "b"], "name": ["Цой", "王"], "value": ["gold", None]})
    made = call_list(to_call(table), carry)
    assert made.columns[:5] == ["name", "crm_value", "customer_id", "position", "band"]
    assert made.select("position", "customer_id", "name", "crm_value").rows() == [
        (1, "b", "王", None),
        (2, "c", "Цой", "gold"),
    ]
    assert call_list(to_call(table)).columns[0] == "customer_id"


@pytest.mark.parametrize(("day", "may_contact"), [(1, True), (2, True), (3, False), (9, False)])
def test_consents_are_those_in_force_at_the_date(tmp_path: Path, day: int, may_contact: bool) -> None:
    pl.DataFrame(
        {
            "customer_key": [0, 0],
            "version": [1, 2],
            "joined_at": [datetime(2025, 12, 1)] * 2,
            "valid_from": [datetime(2026, 1, 1), datetime(2026, 1, 2)],
            "known_at": [datetime(2026, 1, 1, 12), datetime(2026, 1, 2, 12)],
            "may_contact": [True, False],
            "may_use_calls": [True, True],
            "may_use_answers": [True, False],
        }
    ).write_parquet(tmp_path / "customers.parquet")
    pl.DataFrame({"customer_key": [0], "customer_id": ["00123"]}).write_parquet(tmp_path / "keys.parquet")
    tables = LakeTables({name: tmp_path / f"{name}.parquet" for name in ("customers", "keys")})
    with Engine() as engine:
        made = consents_in_force(engine, tables, datetime(2026, 1, day))
    assert made.select("customer_id", "may_contact").rows() == [("00123", may_contact)]


def test_the_list_tells_what_is_unknown_only_of_those_of_whom_nothing_is_known() -> None:
    ranked = ranked_list(scored(b=(0.5, 10.0), c=(0.4, 10.0)), consents(b=True, c=True), 2)
    drawn = reasons_drawn(
        ("b", 1, 9.0, "Not known: data."),
        ("b", 2, 5.0, "New."),
        ("b", 3, 2.0, "Late."),
        ("c", 1, 3.0, "Not known: data."),
        ("c", 2, -3.0, "Old."),
    )
    made = at_risk(ranked, drawn, Sentences.of("en"), run_id="r")
    assert made["reasons"].to_list() == ["New. Late.", "Not known: data."]


def test_the_file_says_what_is_at_stake_and_numbers_those_to_call_without_gaps() -> None:
    customers = scored(a=(0.9, 9.0), b=(0.123456, 50.0), c=(0.5, 8.0), d=(0.3, None))
    ranked = ranked_list(customers, consents(a=False, b=True, c=False, d=True), 5)
    made = call_list(to_call(at_risk(ranked, reasons_drawn(), Sentences.of("en"), run_id="r")))
    assert made.columns == [
        "customer_id",
        "position",
        "band",
        "risk",
        "value",
        "at_stake",
        "reasons",
        "as_of",
    ]
    # 0.123456 x 50 = 6.1728
    assert made.select("position", "customer_id", "at_stake").rows() == [(1, "b", 6.17), (2, "d", None)]
    assert set(FILE_FORMATS) >= {"at_stake", "value"}


def test_an_offer_somebody_has_is_a_column_of_the_file() -> None:
    ranked = ranked_list(scored(a=(0.9, 9.0), b=(0.8, 9.0)), consents(a=True, b=True), 2)
    table = at_risk(ranked, reasons_drawn(), Sentences.of("en"), run_id="r").with_columns(
        offer_id=pl.Series(["gift", None]), treatment_id=pl.Series(["offer-1", None])
    )
    assert call_list(table)["offer_id"].to_list() == ["gift", None]
    assert call_list(table)["treatment_id"].to_list() == ["offer-1", None]
    assert "spillover_value" not in call_list(table).columns


def test_a_list_says_of_each_who_is_not_called_why() -> None:
    customers = scored(a=(0.9, 1.0), b=(0.8, 1.0), c=(0.7, 1.0), d=(0.6, 1.0), e=(0.5, 1.0), f=(0.4, 1.0))
    told = consents(a=False, b=False, c=True, d=True, e=True, f=True).with_columns(
        left_out_for=pl.Series([None, "quiet_days", None, None, None, None], dtype=pl.String)
    )
    offered = pl.DataFrame(
        [
            ("c", "gift", "hold-out", "campaign_hold_out", None),
            ("d", "gift", "offer", "chosen", "offer-1"),
            ("f", "gift", "none", "budget_spent", None),
        ],
        schema=["customer_id", "offer_id", "decision", "reason_code", "treatment_id"],
        orient="row",
    )
    asked = pl.DataFrame({"customer_id": ["c", "e", "f"], "decision": ["ask", "ask", "hold-out"]})
    table = at_risk(
        ranked_list(customers, told, 4),
        reasons_drawn(),
        Sentences.of("en"),
        run_id="r",
        offered=offered,
        asked=asked,
    )
    # who is held out of surveys is called like everybody: only asking is held back
    assert dict(table.select("customer_id", "left_out_for").iter_rows()) == {
        "a": "no_consent",
        "b": "quiet_days",
        "c": "campaign_hold_out",
        "d": None,
        "e": "asked_first",
        "f": None,
    }
    assert to_call(table)["customer_id"].to_list() == ["d", "f"]
    assert table["may_contact"].to_list() == [False, False, True, True, True, True]
    audit({"at_risk": in_order(table, RULES["at_risk"])}, {"at_risk": RULES["at_risk"]})


def test_the_file_says_what_the_offer_is_called_and_why_it_is_made() -> None:
    ranked = ranked_list(scored(a=(0.9, 9.0), b=(0.8, 9.0)), consents(a=True, b=True), 2)
    offered = pl.DataFrame(
        [
            ("a", "gift", "offer", "Worth it."),
            ("b", "gift", "none", "No budget."),
            ("z", "old", "offer", "Why."),
        ],
        schema=["customer_id", "offer_id", "decision", "why"],
        orient="row",
    )
    offers = offers_made(offered, pl.DataFrame({"offer_id": ["gift"], "name": ["A gift"]}))
    assert offers.select("customer_id", "offer_name", "offer_why").rows() == [
        ("a", "A gift", "Worth it."),
        ("z", "old", "Why."),
    ], "an offer that the catalogue no longer has goes by its id"
    table = at_risk(ranked, reasons_drawn(), Sentences.of("en"), run_id="r")
    made = call_list(to_call(table), None, offers)
    assert made.select("customer_id", "offer_name", "offer_why").rows() == [
        ("a", "A gift", "Worth it."),
        ("b", None, None),
    ]
    assert "offer_name" not in call_list(to_call(table)).columns
