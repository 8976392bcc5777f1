"""The leakage audit: which columns know the outcome, by what evidence and with what remedy; which do not."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.config import parsed_config
from churnrisk.dates import AsOf
from churnrisk.errors import GateRefused
from churnrisk.store import Engine
from churnrisk.tables.lake import Attribute, LakeTables
from tests.bench.labelled import ibm_rows, mlc_rows
from training import train
from training.folds import customer_folds
from training.joins import late_readings
from training.leakage import Leak, Origins, knowing, refuse_leaks
from training.rows import Rows
from training.single import N_FOLDS, PRIOR_ROWS, told_alone

DAY, TODAY = AsOf(date(2026, 4, 30)), AsOf(date(2026, 6, 30))


def origins(*names: str, table: str = "labelled", by_design: tuple[str, ...] = ()) -> Origins:
    attributes = tuple(
        Attribute(name, "attribute_" + name.lower().replace(" ", "_"), is_constant=True) for name in names
    )
    return Origins(table, attributes, lambda _: "usage", by_design=frozenset(by_design))


def plain_rows(frame: pl.DataFrame, left: np.ndarray) -> Rows:
    n = frame.height
    return Rows(
        frame, left.astype(float), np.ones(n), np.arange(n).astype(object), np.full(n, "", dtype=object)
    )


def ibm_with(**columns: Any) -> Rows:
    rows = ibm_rows()
    return replace(rows, frame=rows.frame.with_columns(**{k: pl.Series(v) for k, v in columns.items()}))


def scores_after_the_fact(left: np.ndarray) -> Mapping[str, Any]:
    """Columns as IBM's larger extract has them: made with the label in sight."""
    rng = np.random.default_rng(5)
    n = len(left)
    churn_score = np.where(left > 0, rng.normal(82, 8, n), rng.normal(50, 17, n)).clip(5, 100).round()
    unhappy = rng.choice([1, 2, 3], n, p=[0.5, 0.3, 0.2])
    satisfaction = np.where(left > 0, unhappy, rng.choice([3, 4, 5], n, p=[0.5, 0.3, 0.2])).astype(float)
    reasons = [f"reason {k % 20}" if gone else None for k, gone in enumerate(left)]
    return {
        "attribute_churn_score": churn_score,
        "attribute_satisfaction_score": satisfaction,
        "attribute_churn_reason": reasons,
    }


def test_columns_of_ibms_larger_extract_are_refused_by_name_with_a_remedy() -> None:
    rows = ibm_with(**scores_after_the_fact(ibm_rows().left))
    found = knowing(rows, origins("Churn Score", "Satisfaction Score", "Churn Reason"), seed=1)
    with pytest.raises(GateRefused) as caught:
        refuse_leaks(found, (), {})
    said = {fault.where: fault for fault in caught.value.faults}
    assert set(said) == {
        "feature attribute_churn_score", "feature attribute_satisfaction_score", "feature attribute_churn_reason",
    }  # fmt: skip
    assert caught.value.codes == ("leak_knows_outcome",)
    score = said["feature attribute_churn_score"]
    assert "AUC 0.9" in score.found
    assert '[sources.labelled] exclude = ["Churn Score"]' in score.remedy
    assert 'accept_leaks = ["attribute_churn_score"]' in score.remedy
    assert "= 1, 2 100% leave" in said["feature attribute_satisfaction_score"].found
    assert "of 5,174 others 0.0%" in said["feature attribute_churn_reason"].found


@pytest.mark.parametrize("rows", [ibm_rows, mlc_rows])
def test_the_public_extracts_as_they_are_pass(rows) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    drawn = rows()
    assert knowing(drawn, origins(), seed=1) == ()
    assert max(alone.auc for alone in told_alone(drawn)) < 0.75


def test_a_weaker_score_is_refused_for_what_it_carries_and_an_honest_strong_column_is_not() -> None:
    left = ibm_rows().left
    rng = np.random.default_rng(2)
    noisy = np.where(left > 0, rng.normal(72, 14, len(left)), rng.normal(50, 14, len(left))).round()
    (found,) = knowing(ibm_with(attribute_noisy=noisy), origins("Noisy"), seed=1)
    assert found.feature == "attribute_noisy"
    assert "far above all others, and a model without it loses 0.0" in found.evidence
    # a sum of what the others know anyway stands as high alone, and carries nothing
    known = ibm_rows().frame
    month, fibre = (
        known["attribute_Contract"] == "Month-to-month",
        known["attribute_InternetService"] == "Fiber optic",
    )
    unprotected = known["attribute_OnlineSecurity"] == "No"
    echo = (
        month.cast(pl.Float64) * 2 + fibre.cast(pl.Float64) + unprotected.cast(pl.Float64)
        - known["attribute_tenure"] / 24
    )  # fmt: skip
    rows = ibm_with(attribute_echo=echo)
    best = told_alone(rows)[0]
    assert best.feature == "attribute_echo"
    assert best.auc > 0.8
    assert knowing(rows, origins("Echo"), seed=1) == ()


def test_what_silence_tells_where_silence_is_leaving_is_no_leak_but_a_column_of_ones_own_is() -> None:
    left = np.arange(400) % 2
    near = left * 5.0 + np.random.default_rng(1).normal(size=400)
    rows = plain_rows(pl.DataFrame({"days_since_contact": near, "attribute_state": near + 1}), left)
    by_design = knowing(rows, origins("State", by_design=("calls",)), seed=1)
    assert [leak.feature for leak in by_design] == ["attribute_state"]
    assert {leak.feature for leak in knowing(rows, origins("State"), seed=1)} == {
        "days_since_contact",
        "attribute_state",
    }


def test_with_a_handful_of_leavers_nothing_is_audited_and_a_lucky_column_is_not_refused() -> None:
    rng = np.random.default_rng(3)
    left = np.zeros(300)
    left[:9] = 1
    assert knowing(plain_rows(pl.DataFrame({"attribute_x": left}), left), origins("X"), seed=1) == ()
    left[:12] = 1
    noise = pl.DataFrame({f"attribute_{k}": rng.normal(size=300) for k in range(100)})
    assert knowing(plain_rows(noise, left), origins(), seed=1) == ()


def test_remedies_name_the_setting_of_each_kind_of_column() -> None:
    made = replace(origins("Plan", table="customers"), own=frozenset({"own_thing"}))
    assert '[sources.customers] exclude = ["Plan"]' in made.remedy("attribute_plan")
    assert "monthly_value" in made.remedy("monthly_value")
    assert "your own feature" in made.remedy("own_thing")
    assert "delay_days, of [sources.usage]" in made.remedy("usage_data_mb_last")


def test_accepted_leaks_pass_under_either_name_and_are_told() -> None:
    leak = Leak("attribute_score", "knows_outcome", "alone it knows the outcome", "leave it out")
    names = {"attribute_score": "Churn Score"}
    for word in ("attribute_score", "Churn Score"):
        (told,) = refuse_leaks([leak], [word], names)
        assert told.endswith("(accepted: [training] accept_leaks)")
    with pytest.raises(GateRefused, match="the outcome") as caught:
        refuse_leaks([leak], ["Churn Reason"], names)
    assert caught.value.exit_code == 14
    assert refuse_leaks([replace(leak, is_fatal=False)], (), names) == (leak.sentence(),)
    (unused,) = refuse_leaks([], ["Churn Score"], names)
    assert "finds nothing" in unused


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.booleans()), min_size=12, max_size=40),
)
def test_what_a_column_tells_alone_is_that_of_a_plain_loop(drawn: list[tuple[str | None, bool]]) -> None:
    left = np.array([float(gone) for _, gone in drawn])
    rows = plain_rows(pl.DataFrame({"x": pl.Series([value for value, _ in drawn], dtype=pl.String)}), left)
    found = {alone.feature: alone.auc for alone in told_alone(rows)}
    if left.min() == left.max() or all(value is None for value, _ in drawn):
        assert found == {}
        return
    folds = customer_folds(rows.customer, left, N_FOLDS, salt="alone")
    sums, pairs = 0.0, 0
    for fold in range(N_FOLDS):
        others = [row for row, k in zip(drawn, folds, strict=True) if k != fold]
        base = sum(gone for _, gone in others) / len(others)

        def rate(
            value: str | None, others: list[tuple[str | None, bool]] = others, base: float = base
        ) -> float:
            same = [gone for other, gone in others if other == value]
            return (sum(same) + PRIOR_ROWS * base) / (len(same) + PRIOR_ROWS)

        held = [row for row, k in zip(drawn, folds, strict=True) if k == fold]
        gone, here = [v for v, g in held if g], [v for v, g in held if not g]
        for one, other in product(gone, here):
            a, b = rate(one), rate(other)
            sums += 1.0 if a > b else 0.5 if a == b else 0.0
        pairs += len(gone) * len(here)
    assert found["x"] == pytest.approx(max(0.5, sums / pairs) if pairs else 0.5, abs=1e-9)


def versions(folder: Path, rows: list[dict[str, object]]) -> LakeTables:
    schema: dict[str, Any] = {
        "customer_key": pl.Int64, "valid_from": pl.Datetime("us"), "known_at": pl.Datetime("us"),
        "attribute_state": pl.String,
    }  # fmt: skip
    frame = (
        pl.DataFrame(rows, schema=schema)
        .with_row_index("version")
        .with_columns(pl.col("version").cast(pl.Int64))
    )
    frame.write_parquet(folder / "customers.parquet")
    return LakeTables({"customers": folder / "customers.parquet"}, (Attribute("State", "attribute_state"),))


def drawn_labels(n: int) -> tuple[pl.DataFrame, np.ndarray]:
    left = (np.arange(n) % 4 == 0).astype(np.int8)
    return pl.DataFrame({"customer_key": range(n), "left": left}), left


def test_an_attribute_that_knows_the_outcome_only_today_is_told_and_not_refused(tmp_path: Path) -> None:
    labels, left = drawn_labels(200)
    early, late = datetime(2025, 1, 1), datetime(2026, 6, 1)
    then = [str(k % 3) for k in range(200)]
    rows: list[dict[str, object]] = [
        {"customer_key": k, "valid_from": early, "known_at": early, "attribute_state": then[k]}
        for k in range(200)
    ] + [
        {"customer_key": k, "valid_from": late, "known_at": late, "attribute_state": "closing"}
        for k in range(200)
        if left[k]
    ]
    tables = versions(tmp_path, rows)
    features = pl.DataFrame(
        {"customer_key": range(200), "customer_id": [f"c{k}" for k in range(200)], "attribute_state": then}
    )
    made = replace(origins(table="customers"), attributes=tables.attributes)
    (found,) = late_readings(tables, features, labels, DAY, known_by=TODAY, origins=made)
    assert (found.feature, found.code, found.is_fatal) == ("attribute_state", "latest_join", False)
    assert "as it stands today it has AUC 1.000, as of the date 0.500" in found.evidence
    # what is known only after the day of training is nobody's to compare
    before = AsOf(date(2026, 5, 30))
    assert late_readings(tables, features, labels, DAY, known_by=before, origins=made) == ()


def test_a_constant_that_was_written_with_the_outcome_in_sight_is_refused(tmp_path: Path) -> None:
    labels, left = drawn_labels(400)
    early, late = datetime(2025, 1, 1), datetime(2026, 6, 1)
    was_late = np.arange(400) >= 200
    state = [
        "closed" if later and gone else "ab"[k % 2]
        for k, (later, gone) in enumerate(zip(was_late, left, strict=True))
    ]
    rows: list[dict[str, object]] = [
        {
            "customer_key": k,
            "valid_from": late if was_late[k] else early,
            "known_at": late if was_late[k] else early,
            "attribute_state": state[k],
        }
        for k in range(400)
    ]
    tables = versions(tmp_path, rows)
    tables = replace(tables, attributes=(Attribute("State", "attribute_state", is_constant=True),))
    features = pl.DataFrame(
        {
            "customer_key": range(400),
            "customer_id": [f"c{k}" for k in range(400)],
            "attribute_state": state,
        }
    )
    made = replace(origins(table="customers"), attributes=tables.attributes)
    (found,) = late_readings(tables, features, labels, DAY, known_by=TODAY, origins=made)
    assert (found.code, found.is_fatal) == ("read_late", True)
    assert "of 200 customers its value became known only after the date" in found.evidence
    assert 'Take "State" out of [sources.customers] constant' in found.remedy


def drawn_extract(folder: Path, n: int = 400) -> LakeTables:
    rng = np.random.default_rng(1)
    wait = rng.exponential(1, n)
    left = rng.random(n) < 1 / (1 + np.exp(2 - wait))
    pl.DataFrame(
        {
            "row": range(1, n + 1),
            "customer_id": [f"c{k}" for k in range(n)],
            "churned": left,
            "attribute_wait": wait.round(2).astype(str),
            "attribute_score": np.where(left, rng.normal(80, 8, n), rng.normal(50, 8, n)).round().astype(str),
        }
    ).write_parquet(folder / "labelled.parquet")
    return LakeTables(
        {"labelled": folder / "labelled.parquet"},
        (Attribute("Wait", "attribute_wait"), Attribute("Churn Score", "attribute_score")),
    )


def test_training_stops_at_a_leak_and_goes_on_with_the_users_word(tmp_path: Path) -> None:
    tables = drawn_extract(tmp_path)
    with Engine() as engine:
        with pytest.raises(GateRefused, match="Churn Score"):
            train(engine, tables, parsed_config('[churn]\nkind = "label"'), TODAY)
        accepted = parsed_config('[churn]\nkind = "label"\n[training]\naccept_leaks = ["Churn Score"]')
        result = train(engine, tables, accepted, TODAY)
    assert [leak.feature for leak in result.leaks] == ["attribute_score"]
    assert any("accepted: [training] accept_leaks" in note for note in result.notes)
    assert result.importance["feature"][0] == "attribute_score"
