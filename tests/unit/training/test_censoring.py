"""Weights for the untreated: exact where the chance of being left alone was recorded, estimated where it was not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.censoring import FEWEST_CONTROL_LEAVERS, TRIM, Censoring, cumulative_hazard, weighted
from training.labels import Labels
from training.rows import rows_of

END = 44.0


@dataclass(frozen=True)
class Drawn:
    """One snapshot as training sees it."""

    day: str
    features: pl.DataFrame
    labels: Labels
    would_leave: NDArray[np.bool_]
    """What nobody sees: who leaves when left alone."""


def a_programme(*, control_share: float, seed: int, n: int = 20_000, is_recorded: bool = True) -> Drawn:
    """Draw customers of whom the likeliest leavers are picked early; an action keeps most of them."""
    rng = np.random.default_rng(seed)
    worry, wealth = rng.normal(0, 1, n), rng.normal(0, 1, n)
    would_leave = rng.random(n) < 1 / (1 + np.exp(2.5 - 1.5 * worry))
    leaves_on = np.where(would_leave, rng.uniform(14, END, n), np.inf)
    picked_on = np.where(rng.random(n) < 1 / (1 + np.exp(1.0 - 2.0 * worry)), rng.uniform(0, END, n), np.inf)
    is_picked = picked_on < leaves_on
    is_control = is_picked & (rng.random(n) < control_share)
    is_treated = is_picked & ~is_control
    left = would_leave & ~is_treated
    chance = np.log(control_share) if is_recorded and control_share else None
    followed = pl.DataFrame(
        {
            "customer_key": np.arange(n),
            "days": np.where(is_treated, picked_on, np.where(left, leaves_on, END)),
            "is_treated": is_treated,
            "is_control": is_control,
            "left": left,
            "log_control_chance": [chance if control else None for control in is_control],
        },
        schema_overrides={"log_control_chance": pl.Float64},
    )
    frame = followed.filter(~pl.col("is_treated")).select(
        "customer_key", pl.col("left").cast(pl.Int8), "is_control"
    )
    features = pl.DataFrame(
        {
            "customer_key": np.arange(n),
            "customer_id": np.arange(n).astype(str),
            "worry": worry,
            "wealth": wealth,
        }
    )
    return Drawn(f"2026-0{1 + seed % 9}-01", features, Labels(frame, {}, followed), would_leave)


def rate_of(labels: Labels) -> float:
    """The weighted share of leavers."""
    frame = labels.frame
    weight, left = frame["weight"].to_numpy(), frame["left"].to_numpy()
    return float(weight @ left / weight.sum())


def done(drawn: Drawn) -> tuple[Labels, Censoring]:
    (labels,), found = weighted([drawn], seed=1, threads=1)
    assert found is not None
    return labels, found


@pytest.mark.parametrize("seed", range(3))
def test_recorded_controls_bring_back_the_rate_of_leaving_without_actions(seed: int) -> None:
    drawn = a_programme(control_share=0.2, seed=seed)
    labels, found = done(drawn)
    truth = drawn.would_leave.mean()
    spread = 3 * np.sqrt(truth * (1 - truth) / found.n_effective)
    assert found.source == "recorded"
    assert abs(rate_of(labels) - truth) < spread
    # those who were merely not treated leave less often: the likely leavers were treated
    assert labels.frame["left"].mean() < truth - spread
    assert float(labels.frame["weight"].sum()) == pytest.approx(drawn.features.height, rel=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_without_controls_the_features_that_picked_bring_it_nearer(seed: int) -> None:
    drawn = a_programme(control_share=0.0, seed=seed)
    labels, found = done(drawn)
    truth = drawn.would_leave.mean()
    assert found.source == "estimated"
    assert found.n_controls == 0
    assert abs(rate_of(labels) - truth) < 0.35 * abs(float(labels.frame["left"].mean()) - truth)  # type: ignore[arg-type]


def test_controls_without_a_recorded_chance_are_not_taken_at_their_word() -> None:
    _, found = done(a_programme(control_share=0.2, seed=1, is_recorded=False))
    assert found.source == "estimated"
    assert found.n_control_leavers >= FEWEST_CONTROL_LEAVERS


def test_actions_beside_the_drawn_ones_are_noticed() -> None:
    drawn = a_programme(control_share=0.2, seed=1)
    followed = drawn.labels.followed
    assert followed is not None
    others = (pl.col("customer_key") % 3 == 0) & ~pl.col("is_control") & ~pl.col("left")
    more = followed.with_columns(is_treated=pl.col("is_treated") | others)
    gone = more.filter("is_treated")["customer_key"]
    frame = drawn.labels.frame.filter(~pl.col("customer_key").is_in(gone.implode()))
    (_,), found = weighted(
        [Drawn(drawn.day, drawn.features, Labels(frame, {}, more), drawn.would_leave)], seed=1, threads=1
    )
    assert found is not None
    assert found.source == "estimated"


def test_few_leaving_controls_are_not_enough() -> None:
    _, found = done(a_programme(control_share=0.2, seed=1, n=800))
    assert found.n_control_leavers < FEWEST_CONTROL_LEAVERS
    assert found.source == "estimated"


def test_estimated_weights_are_cut_at_ten_times_their_median() -> None:
    labels, found = done(a_programme(control_share=0.0, seed=4))
    weight = labels.frame["weight"].to_numpy()
    assert weight.max() <= TRIM * np.median(weight) * (1 + 1e-9)
    assert weight.min() >= 1
    assert found.n_effective <= len(weight)


def test_nothing_changes_where_nobody_got_an_action() -> None:
    drawn = a_programme(control_share=0.0, seed=1)
    bare = Labels(drawn.labels.frame.select("customer_key", "left"), {"leaver": 3})
    quiet = Drawn(drawn.day, drawn.features, bare, drawn.would_leave)
    labels, found = weighted([quiet], seed=1, threads=1)
    assert found is None
    assert labels == [bare]
    rows = rows_of([(quiet.day, quiet.features, bare.frame)])
    assert (rows.weight == 1.0).all()
    assert rows.is_control is None


def test_weights_reach_the_training_rows_with_a_mean_of_one() -> None:
    first, second = a_programme(control_share=0.2, seed=1), a_programme(control_share=0.2, seed=2)
    labels, _ = weighted([first, second], seed=1, threads=1)
    rows = rows_of(
        [(look.day, look.features, found.frame) for look, found in zip([first, second], labels, strict=True)]
    )
    assert rows.weight.mean() == pytest.approx(1.0)
    assert rows.is_weighted
    assert rows.is_control is not None
    assert {"weight", "is_control", "left"}.isdisjoint(rows.frame.columns)
    kept = rows.where(rows.is_control)
    assert kept.is_control is not None
    assert kept.is_control.all()
    by_hand = [1.0 if not control else 5.0 for control in rows.is_control]
    np.testing.assert_allclose(rows.weight, np.array(by_hand) / np.mean(by_hand))


@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), min_size=1, max_size=30),
    st.lists(st.integers(0, 13), min_size=1, max_size=5),
)
def test_the_summed_rate_is_that_of_counting_one_by_one(
    histories: list[tuple[int, bool]], asked: list[int]
) -> None:
    days = np.array([float(day) for day, _ in histories])
    is_treated = np.array([treated for _, treated in histories])
    found = cumulative_hazard(days, is_treated)(np.array([float(day) for day in asked]))
    slow = []
    for until in asked:
        summed = 0.0
        for day in sorted({d for d, treated in histories if treated and d <= until}):
            n_treated = sum(1 for d, treated in histories if treated and d == day)
            summed += n_treated / sum(1 for d, _ in histories if d >= day)
        slow.append(summed)
    np.testing.assert_allclose(found, slow, rtol=1e-12, atol=1e-15)


def test_what_was_done_is_said_in_words() -> None:
    told = Censoring("estimated", 12_000, 0, 0, 3, 40, 55_000.4).sentences()
    assert "12,000 customer dates" in told[0]
    assert "estimated" in told[0]
    assert "recorded as control" in told[1]
    assert len(Censoring("recorded", 10, 5, 2, 0, 0, 12.0).sentences()) == 1
