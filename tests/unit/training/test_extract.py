"""Labelled extracts: the days of a dated one train and judge; a resampled one gives probabilities at the true rate."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Provenance
from churnrisk.metrics import observed_over_expected
from training import CROSS_VALIDATED, OUT_OF_TIME, FitSettings, Rows, from_extract
from training.extract import extract_days, extract_rows_of

SETTINGS = FitSettings(seed=1)
FIRST = datetime(2026, 1, 1)


def drawn(n: int, seed: int, *, day: int | None = None, base: float = -3.0) -> pl.DataFrame:
    """Customers whose waits drive them away; observed at the end of day ``day`` of 2026, or never."""
    rng = np.random.default_rng(seed)
    wait = rng.exponential(1, n)
    left = rng.random(n) < 1 / (1 + np.exp(-base - wait))
    observed = None if day is None else FIRST + timedelta(days=day)
    return pl.DataFrame(
        {
            "customer_id": [f"c{seed}-{k}" for k in range(n)],
            "churned": left,
            "attribute_wait": wait,
            "attribute_noise": rng.normal(size=n),
            "observed_at": pl.Series([observed] * n, dtype=pl.Datetime("us")),
        }
    )


def rows_of_days(*days: int | None, zone: str = "UTC") -> Rows:
    frames = [drawn(200, seed, day=day) for seed, day in enumerate(days)]
    return extract_rows_of(pl.concat(frames).with_row_index("row"), zone=zone)


def test_the_last_day_judges_and_only_days_before_its_reach_train() -> None:
    rows = rows_of_days(31, 59, 90, None)
    used = [(day.day, day.use) for day in extract_days(rows, 44)]
    # the end of day 31 of the year is midnight after 31 January
    assert used == [
        ("2026-03-31", "test"),
        ("2026-02-28", "embargo"),
        ("2026-01-31", "train"),
        ("", "embargo"),
    ]
    assert extract_days(rows, 100) == ()
    assert extract_days(rows_of_days(31), 0) == ()
    assert extract_days(rows_of_days(None), 0) == ()
    stayed = rows_of_days(31, 90)
    stayed.left[stayed.snapshot == "2026-03-31"] = 0
    assert extract_days(stayed, 44) == ()


def test_days_are_those_of_the_zone() -> None:
    assert set(rows_of_days(31, zone="America/New_York").snapshot) == {"2026-01-31"}
    late = drawn(3, 1, day=31).with_columns(pl.col("observed_at") + timedelta(hours=5)).with_row_index("row")
    assert set(extract_rows_of(late, zone="America/New_York").snapshot) == {"2026-01-31"}
    assert set(extract_rows_of(late).snapshot) == {"2026-02-01"}


def test_a_dated_extract_is_judged_out_of_time_by_a_model_that_had_not_seen_its_last_day() -> None:
    found = from_extract(rows_of_days(31, 59, 90), SETTINGS, Provenance(), reach_days=44)
    assert found.evaluation.kind == OUT_OF_TIME
    assert [(use.as_of, use.use, use.n_rows) for use in found.snapshots] == [
        ("2026-03-31", "test", 200), ("2026-02-28", "embargo", 200), ("2026-01-31", "train", 200),
    ]  # fmt: skip
    assert found.judged["as_of"].unique().to_list() == ["2026-03-31"]
    assert found.twin is not None
    assert found.twin.provenance.snapshots == ("2026-01-31",)
    assert str(found.twin.provenance.trained_until) <= "2026-04-01T00:00:00"
    assert found.bundle.provenance.snapshots == ("2026-03-31", "2026-02-28", "2026-01-31")
    assert not any("not out of time" in note for note in found.notes)


def test_days_too_close_together_are_cross_validated_and_say_so() -> None:
    found = from_extract(rows_of_days(31, 59), SETTINGS, Provenance(), reach_days=44)
    assert found.evaluation.kind == CROSS_VALIDATED
    assert any("no two days, 44 days apart" in note for note in found.notes)


def test_a_resampled_extract_gives_probabilities_at_the_true_rate() -> None:
    everybody = drawn(6000, 5, base=-3.5)
    rate = float(everybody["churned"].mean())  # type: ignore[arg-type]
    assert 0.07 < rate < 0.13
    leavers, stayers = (everybody.filter(pl.col("churned") == gone).head(190) for gone in (True, False))
    resampled = pl.concat([leavers, stayers]).with_row_index("row").drop("observed_at")
    population = drawn(6000, 6, base=-3.5)
    attributes = population.select("attribute_wait", "attribute_noise")
    left = population["churned"].cast(pl.Float64).to_numpy()

    def judged(true_base_rate: float | None) -> tuple[float, float, float]:
        rows = extract_rows_of(resampled, true_base_rate=true_base_rate)
        found = from_extract(rows, SETTINGS, Provenance())
        own = found.evaluation.figures["observed_over_expected"]
        assert own == pytest.approx(1, abs=0.15)
        assert found.evaluation.figures["base_rate"] == pytest.approx(true_base_rate or 0.5)
        at_true_rate = observed_over_expected(left, found.bundle.predict(attributes)["risk"].to_numpy())
        return at_true_rate.low, at_true_rate.value, at_true_rate.high

    low, value, high = judged(rate)
    assert low <= 1 <= high
    assert value == pytest.approx(1, abs=0.15)
    # without the true rate the sample's is believed: the risk is several times too high
    assert judged(None)[2] < 0.4
