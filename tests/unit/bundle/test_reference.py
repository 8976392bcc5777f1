"""The histogram of the training beside a model: how values fall into bins, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import Bins, Feature, Histogram, bins_of, histogram_of, read_reference, reference_of

NUMBERS = st.lists(
    st.one_of(st.none(), st.integers(-3, 3).map(float), st.floats(-1e6, 1e6)), min_size=1, max_size=80
)


def number(name: str = "wait_s") -> Feature:
    return Feature(name, "number")


def test_a_number_of_few_values_has_a_bin_per_value_and_one_for_missing() -> None:
    found = histogram_of(number(), pl.Series([0, 0, 1, 2, 2, 2, None]))
    assert list(found.bins.cuts) == [0.5, 1.5]
    assert list(found.counts) == [2, 1, 3, 1]
    assert found.n == 7


def test_a_number_of_many_values_falls_into_tenths() -> None:
    found = histogram_of(number(), pl.Series(range(1000)))
    assert list(found.counts) == [*[100.0] * 10, 0.0]


def test_ties_that_fill_several_tenths_share_one_bin() -> None:
    found = histogram_of(number(), pl.Series([0.0] * 700 + [float(each) for each in range(1, 301)]))
    assert list(found.bins.cuts) == [0, 100, 200]
    assert list(found.counts) == [700, 100, 100, 100, 0]


def test_values_beyond_those_seen_fall_into_the_outer_bins() -> None:
    bins = Bins("wait_s", "number", cuts=(0.0, 10.0))
    assert bins.codes(pl.Series([-5.0, 0.0, 0.1, 10.0, 99.0, None, float("nan")])).tolist() == [
        0, 0, 1, 1, 2, 3, 3,
    ]  # fmt: skip


def test_texts_beyond_the_most_frequent_share_a_bin_and_missing_ones_have_their_own() -> None:
    texts = pl.Series(["上海"] * 5 + ["Москва"] * 3 + [None])
    bins = bins_of("region", "category", [texts])
    assert bins.values == ("上海", "Москва")
    assert bins.counts(pl.Series(["上海", "Atlantis", None, "Москва"])).tolist() == [1, 1, 1, 1]
    many = bins_of("code", "category", [pl.Series([str(each) for each in range(100)])])
    assert many.n_bins == 22


def test_a_column_without_any_value_is_missing_everywhere() -> None:
    for kind, dtype in (("number", pl.Null), ("number", pl.Float64), ("category", pl.String)):
        found = histogram_of(Feature("gone", kind), pl.Series([None, None], dtype=dtype))  # type: ignore[arg-type]
        assert found.counts[-1] == found.n == 2


def test_weights_count_as_so_many_independent_rows() -> None:
    found = histogram_of(number(), pl.Series([0, 0, 1]), np.array([1.0, 1.0, 2.0]))
    assert found.n == pytest.approx(16 / 6)
    assert np.array(found.counts) / found.n == pytest.approx([0.5, 0.5, 0.0])


@given(values=NUMBERS)
def test_every_value_falls_into_one_bin_and_larger_ones_never_below(values: list[float | None]) -> None:
    series = pl.Series(values, dtype=pl.Float64)
    bins = bins_of("x", "number", [series])
    codes = bins.codes(series)
    assert bins.counts(series).sum() == len(values)
    known = [(value, code) for value, code in zip(values, codes, strict=True) if value is not None]
    assert [code for _, code in sorted(known)] == sorted(code for _, code in known)
    assert all(
        (code == bins.n_bins - 1) == (value is None) for value, code in zip(values, codes, strict=True)
    )


@given(values=NUMBERS)
def test_no_two_values_share_a_bin_when_there_are_few(values: list[float | None]) -> None:
    known = sorted({value for value in values if value is not None})
    if len(known) > 10:
        return
    codes = bins_of("x", "number", [pl.Series(values, dtype=pl.Float64)]).codes(
        pl.Series(known, dtype=pl.Float64)
    )
    assert len(set(codes.tolist())) == len(known)


def test_a_reference_comes_back_from_disk_as_it_was(tmp_path: Path) -> None:
    frame = pl.DataFrame({"wait_s": [0.1, 0.2, None], "plan": ["a", "b", "b"]})
    features = [number(), Feature("plan", "category"), number("absent")]
    made = reference_of(features, frame, as_of="2026-05-01", risk=pl.Series([0.1, 0.2, 0.3]))
    made.save(tmp_path)
    first = (tmp_path / "reference.json").read_bytes()
    assert read_reference(tmp_path) == made
    assert made.features["absent"].counts[-1] == 3
    made.save(tmp_path)
    assert (tmp_path / "reference.json").read_bytes() == first


def test_a_model_without_the_file_has_no_reference(tmp_path: Path) -> None:
    assert read_reference(tmp_path) is None
    assert Histogram(Bins("x", "number"), (3.0, 1.0)).n == 4
