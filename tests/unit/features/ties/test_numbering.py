"""Ids become node numbers in ascending order, whichever way they are looked up."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.ties import tie_graph
from features.ties.numbering import numbered_ends

IDS = st.one_of(st.integers(-20, 20), st.integers(-(2**62), 2**62))


@given(st.lists(st.tuples(IDS, IDS), min_size=1, max_size=12))
def test_numbers_are_places_among_all_ids_close_together_or_far_apart(pairs: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    expected = sorted({*first, *second})
    labels, left, right = numbered_ends(pl.Series(first, dtype=pl.Int64), pl.Series(second, dtype=pl.Int64))
    assert labels.to_list() == expected
    assert left.tolist() == [expected.index(a) for a in first]
    assert right.tolist() == [expected.index(b) for b in second]


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt8, pl.Int32, pl.UInt64, pl.Int128])
def test_every_type_of_whole_number_keeps_its_values(kind: type[pl.DataType]) -> None:
    labels, left, right = numbered_ends(pl.Series([100, 3], dtype=kind), pl.Series([4, 127], dtype=kind))
    assert labels.to_list() == [3, 4, 100, 127]
    assert labels.dtype == kind
    assert (left.tolist(), right.tolist()) == ([2, 0], [1, 3])


def test_text_is_numbered_in_the_order_of_text() -> None:
    labels, left, right = numbered_ends(pl.Series(["10", "9"]), pl.Series(["b", "10"]))
    assert labels.to_list() == ["10", "9", "b"]
    assert (left.tolist(), right.tolist()) == ([0, 1], [2, 0])


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6), st.floats(0, 1)), max_size=25))
def test_a_pair_that_comes_again_is_one_tie_with_the_sum_in_any_order(
    rows: list[tuple[int, int, float]],
) -> None:
    def graph_of(given: list[tuple[int, int, float]]) -> list[tuple[Any, ...]]:
        schema = {"customer_a": pl.Int64, "customer_b": pl.Int64, "weight": pl.Float64}
        return tie_graph(pl.DataFrame(given, schema=schema, orient="row")).ties.rows()

    found = graph_of(rows)
    assert found == graph_of(rows[::-1])
    names = sorted({node for a, b, _ in rows for node in (a, b)})
    expected: dict[tuple[int, int], list[float]] = {}
    for a, b, weight in rows:
        if a != b:
            expected.setdefault((names.index(min(a, b)), names.index(max(a, b))), []).append(weight)
    assert [row[:2] for row in found] == sorted(expected)
    for row in found:
        assert row[-1] == pytest.approx(sum(expected[row[0], row[1]]))
