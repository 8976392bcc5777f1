"""A frame passes its audit or is refused with table, column and count, never a value."""

from __future__ import annotations

import polars as pl
import pytest

from churnrisk.errors import GateRefused
from churnrisk.store.audits import ColumnRule, TableRule, audit, in_order

RULE = TableRule(
    "scores",
    ("customer_id",),
    (
        ColumnRule("customer_id", "text"),
        ColumnRule("risk", "number", low=0, high=1),
        ColumnRule("risk_high", "number", may_be_null=True, low=0, high=1),
        ColumnRule("band", "text", words=("low", "high")),
    ),
    {},
    rising=("risk", "risk_high"),
    min_rows=1,
)
LISTED = TableRule(
    "at_risk",
    ("customer_id",),
    (ColumnRule("customer_id", "text"),),
    {"customer_id": ("scores", "customer_id")},
)


def drawn(*rows: tuple[object, ...]) -> pl.DataFrame:
    return in_order(
        pl.DataFrame(
            rows,
            schema={"customer_id": pl.String, "risk": pl.Float64, "risk_high": pl.Float64, "band": pl.String},
            orient="row",
        ),
        RULE,
    )


GOOD = (("a", 0.1, 0.2, "low"), ("b", 0.9, None, "high"))


def test_a_frame_that_keeps_the_rules_passes() -> None:
    audit({"scores": drawn(*GOOD)}, {"scores": RULE}, {"scores": 2})


@pytest.mark.parametrize(
    ("rows", "code", "where", "found"),
    [
        ((*GOOD, ("a", 0.2, 0.3, "low")), "audit_key", "scores.customer_id", "1 row repeating a key"),
        ((("a", None, None, "low"), ("b", None, None, "low")), "audit_null", "scores.risk", "2 rows null"),
        ((("a", 1.2, None, "low"),), "audit_range", "scores.risk", "1 row outside"),
        ((("a", -0.2, None, "low"),), "audit_range", "scores.risk", "1 row outside"),
        ((("a", 0.5, 0.4, "low"),), "audit_order", "scores.risk, risk_high", "1 row the other way round"),
        ((("a", 0.5, None, "huge"),), "audit_word", "scores.band", "1 row with another word"),
        ((("a", 0.5, float("nan"), "low"),), "audit_not_finite", "scores.risk_high", "1 row not finite"),
        ((), "audit_rows", "scores", "0 rows"),
    ],
)
def test_each_way_to_break_a_rule_is_named(
    rows: tuple[tuple[object, ...], ...], code: str, where: str, found: str
) -> None:
    with pytest.raises(GateRefused) as refusal:
        audit({"scores": drawn(*rows)}, {"scores": RULE})
    fault = next(fault for fault in refusal.value.faults if fault.code == code)
    assert (fault.where, fault.found) == (where, found)
    assert refusal.value.exit_code == 14


def test_all_findings_come_in_one_go() -> None:
    with pytest.raises(GateRefused) as refusal:
        audit(
            {"scores": drawn(("a", 2.0, None, "huge"), ("a", None, None, "low"))},
            {"scores": RULE},
            {"scores": 5},
        )
    assert set(refusal.value.codes) == {"audit_key", "audit_null", "audit_range", "audit_word", "audit_rows"}


def test_missing_unknown_and_mistyped_columns_are_named_before_anything_else() -> None:
    frame = pl.DataFrame({"customer_id": [1], "risk": [0.5], "band": ["low"], "phone": ["+7"]})
    with pytest.raises(GateRefused) as refusal:
        audit({"scores": in_order(frame, RULE)}, {"scores": RULE})
    assert [(fault.code, fault.where) for fault in refusal.value.faults] == [
        ("audit_type", "scores.customer_id"),
        ("audit_column_missing", "scores.risk_high"),
        ("audit_column_unknown", "scores.phone"),
    ]


def test_a_reference_is_checked_against_the_table_of_the_same_run() -> None:
    listed = pl.DataFrame({"customer_id": ["a", "z"]})
    with pytest.raises(GateRefused, match=r"at_risk\.customer_id.*1 row not in scores"):
        audit({"scores": drawn(*GOOD), "at_risk": listed}, {"scores": RULE, "at_risk": LISTED})


def test_no_message_holds_a_customer() -> None:
    with pytest.raises(GateRefused) as refusal:
        audit({"scores": drawn(("Иванова", 2.0, 1.0, "x"), ("Иванова", 2.0, 1.0, "x"))}, {"scores": RULE})
    assert "Иванова" not in str(refusal.value)


def test_an_all_null_column_takes_the_declared_type() -> None:
    frame = pl.DataFrame({"customer_id": ["a"], "risk": [1], "risk_high": [None], "band": ["low"]})
    assert in_order(frame, RULE).schema["risk_high"] == pl.Float64
    audit({"scores": in_order(frame, RULE)}, {"scores": RULE})


def test_order_of_rows_and_columns_does_not_matter() -> None:
    frame = drawn(*GOOD)
    assert in_order(frame.reverse().select(reversed(frame.columns)), RULE).equals(frame)
