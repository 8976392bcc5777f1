"""A new model is compared with the champion on rows that neither has learned from, and the verdict follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import nan
from typing import Any

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Bundle, Provenance
from churnrisk.metrics import Interval
from tests.drawn_models import drawn_bundle
from tests.drawn_trainings import drawn_result
from training import FitSettings, Rows, from_extract
from training.compare import Champion, Comparison, compared, verdict_of

FIRST_TEST = datetime(2026, 5, 17)
BEFORE, AFTER = "2026-05-17T00:00:00", "2026-05-17T00:00:01"


def seen_until(text: str | None, **changes: Any) -> Bundle:
    bundle = drawn_bundle()
    return replace(bundle, provenance=replace(bundle.provenance, trained_until=text, **changes))


def drawn_rows(n: int = 600, repeats: int = 1) -> tuple[Rows, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Customers whose waits decide, with the true risk of each."""
    rng = np.random.default_rng(4)
    tenure, wait = rng.normal(0, 0.5, n * repeats), rng.normal(0, 1.5, n * repeats)
    risk = 1 / (1 + np.exp(2 - tenure - wait))
    left = (rng.random(n * repeats) < risk).astype(np.float64)
    who = np.array([f"c{each % n}" for each in range(n * repeats)], dtype=object)
    frame = pl.DataFrame({"tenure_days": tenure, "wait_s": wait})
    return Rows(frame, left, np.ones(len(left)), who, np.full(len(left), "2026-05-17", dtype=object)), risk


def beside(champion: Champion, *, noise: float = 0.0, rows: Rows | None = None) -> Comparison:
    """The champion of these tests knows the truth; the new model knows it too, but for noise in log-odds."""
    drawn, risk = drawn_rows()
    shift = np.random.default_rng(5).normal(0, noise, len(risk))
    new = 1 / (1 + np.exp(-(np.log(risk / (1 - risk)) + shift)))
    return compared(rows or drawn, new, seen_until(BEFORE), champion, first_test=FIRST_TEST, seed=1)


def test_a_model_with_noise_is_worse_than_one_that_knows() -> None:
    found = beside(Champion("3", seen_until(BEFORE)), noise=2.0)
    assert (found.champion, found.verdict, found.side, found.n_rows) == ("3", "worse", "shipped", 600)
    assert found.gains["log_loss"].high < 0
    assert set(found.gains) == {"auc", "top_decile_lift", "log_loss", "empc"}


def test_the_same_model_twice_is_no_difference() -> None:
    found = beside(Champion("3", seen_until(BEFORE)))
    assert found.verdict == "no difference"
    assert found.gains["auc"].value == pytest.approx(0, abs=1e-12)


def test_one_that_knows_is_better_than_a_champion_that_reads_one_column_only() -> None:
    rows, _ = drawn_rows()
    poor = drawn_bundle(tenure_days="profile")
    poor = replace(poor, provenance=replace(poor.provenance, trained_until=BEFORE))
    assert beside(Champion("3", poor), rows=rows).verdict == "better"


def test_the_model_in_use_stands_for_the_champion_unless_it_has_seen_the_outcomes() -> None:
    assert beside(Champion("3", seen_until(BEFORE), seen_until(BEFORE))).side == "shipped"
    found = beside(Champion("3", seen_until(AFTER), seen_until(BEFORE)))
    assert (found.side, found.verdict) == ("judged", "no difference")
    assert "judged in its training" in found.sentences()[0]


@pytest.mark.parametrize(
    ("champion", "why"),
    [
        (Champion("3", seen_until(AFTER)), "is not kept"),
        (Champion("3", seen_until(AFTER), seen_until(AFTER)), "so has the model judged"),
        (Champion("3", seen_until(None)), "is not kept"),
        (
            Champion("3", seen_until(BEFORE, churn={"kind": "cancelled", "horizon_days": 60})),
            r"leaving meant something else to it \(horizon_days 60 then, 30 now\)",
        ),
        (Champion("3", seen_until(BEFORE, parameters={"tie_weights": {"calls": 1.0}})), "another strength"),
    ],
)
def test_a_comparison_that_would_not_be_fair_is_not_made(champion: Champion, why: str) -> None:
    found = beside(champion)
    assert (found.verdict, found.gains, found.n_rows) == ("not comparable", {}, 0)
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(found.why)
    assert found.sentences() == (f"Not comparable with the champion, version 3: {found.why}.",)


def test_a_champion_that_cannot_read_the_features_is_named_with_what_it_lacks() -> None:
    rows, _ = drawn_rows()
    found = beside(Champion("3", seen_until(BEFORE)), rows=rows.without(["wait_s"]))
    assert found.verdict == "not comparable"
    assert "feature wait_s" in found.why


def test_two_leavers_are_too_few_for_a_verdict() -> None:
    rows, _ = drawn_rows()
    left = np.zeros(600)
    left[:1] = 1
    found = beside(Champion("3", seen_until(BEFORE)), rows=replace(rows, left=left))
    assert (found.verdict, found.why[:9]) == ("not comparable", "1 leavers")


def test_rows_of_one_customer_are_drawn_together() -> None:
    """Five copies of every customer tell no more than one: the interval stays as wide."""
    rows, risk = drawn_rows(200)
    noise = np.random.default_rng(6).normal(0, 1, 200)
    new = 1 / (1 + np.exp(-(np.log(risk / (1 - risk)) + noise)))
    champion = Champion("1", seen_until(BEFORE))
    once = compared(rows, new, seen_until(BEFORE), champion, first_test=FIRST_TEST, seed=1)
    copies = Rows(
        pl.concat([rows.frame] * 5),
        np.tile(rows.left, 5),
        np.ones(1000),
        np.tile(rows.customer, 5),
        np.tile(rows.snapshot, 5),
    )
    many = compared(copies, np.tile(new, 5), seen_until(BEFORE), champion, first_test=FIRST_TEST, seed=1)
    widths = [each.gains["log_loss"].high - each.gains["log_loss"].low for each in (once, many)]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


@pytest.mark.parametrize(
    ("log_loss", "auc", "verdict"),
    [
        (Interval(0.1, 0.01, 0.2), Interval(0.1, -0.1, 0.2), "better"),
        (Interval(0.1, -0.01, 0.2), Interval(0.1, 0.01, 0.2), "better"),
        (Interval(0.1, 0.01, 0.2), Interval(-0.1, -0.2, -0.01), "worse"),
        (Interval(0.0, 0.0, 0.0), Interval(0.0, 0.0, 0.0), "no difference"),
    ],
)
def test_worse_in_one_figure_outweighs_better_in_the_other(
    log_loss: Interval, auc: Interval, verdict: str
) -> None:
    assert verdict_of({"log_loss": log_loss, "auc": auc}) == verdict


def test_undefined_ends_are_null_in_plain_values() -> None:
    found = Comparison("1", "no difference", gains={"auc": Interval(0.1, nan, 0.2)})
    assert found.as_plain()["gains"] == {"auc": [0.1, None, 0.2]}


def test_a_training_is_compared_with_the_twin_of_a_champion_trained_on_the_same_days() -> None:
    first = drawn_result()
    assert first.comparison is None
    champion = Champion("1", first.bundle, first.twin)
    again = drawn_result(champion=champion).comparison
    assert again is not None
    assert (again.verdict, again.side) == ("no difference", "judged")


def test_a_champion_that_learned_from_noise_is_beaten() -> None:
    blind = drawn_result(is_blind=True)
    found = drawn_result(champion=Champion("1", blind.bundle, blind.twin)).comparison
    assert found is not None
    assert (found.verdict, found.side) == ("better", "judged")


def test_an_extract_without_dates_cannot_be_compared() -> None:
    rows, _ = drawn_rows(400)
    origin = Provenance(churn={"kind": "label"})
    found = from_extract(rows, FitSettings(1), origin, Champion("2", drawn_bundle())).comparison
    assert found is not None
    assert (found.champion, found.verdict, found.why) == (
        "2",
        "not comparable",
        "customers were cross-validated",
    )
