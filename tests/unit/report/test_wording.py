"""Figures in words: nearly all is not all, unknown is not 0, and minus is a minus."""

from __future__ import annotations

import doctest
from datetime import date, datetime

import pytest

from churnrisk.metrics import Interval
from churnrisk.pictures import drawing, scales
from churnrisk.report import wording

NAN = float("nan")


@pytest.mark.parametrize("module", [wording, drawing, scales])
def test_the_examples_in_the_docstrings_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_what_is_undefined_is_not_known() -> None:
    assert {wording.percent(NAN), wording.count(None), wording.money(NAN), wording.figure(NAN, "plain3")} == {
        "not known"
    }
    assert wording.day(None) == wording.span(None, None) == "not known"


@pytest.mark.parametrize(
    "given", [Interval(0.5, NAN, NAN), Interval(0.006, 0.006, 0.006), Interval(0.5, 0.4, NAN)]
)
def test_an_interval_that_was_never_made_is_not_shown(given: Interval) -> None:
    assert wording.interval(given, "points") == wording.DASH


def test_an_interval_that_was_made_is_shown() -> None:
    assert wording.interval(Interval(0.5, 0.4, 0.6), "plain3") == "0.400 to 0.600"


def test_small_amounts_have_decimals_and_large_ones_none() -> None:
    assert wording.money(12.5, "EUR") == "12.50\N{NO-BREAK SPACE}EUR"
    assert wording.money(-12345.6) == "\N{MINUS SIGN}12,346"


#    first              last                          shown
@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (date(2026, 1, 1), date(2026, 2, 1), "2026-01-01 to 2026-02-01"),
        (date(2026, 1, 1), date(2026, 1, 1), "2026-01-01"),
        (None, datetime(2026, 2, 1, 13, 5), "2026-02-01"),
    ],
)
def test_a_period_is_its_days(first: date | None, last: date | None, shown: str) -> None:
    assert wording.span(first, last) == shown


def test_every_figure_of_evaluation_has_words() -> None:
    import numpy as np

    from churnrisk.metrics import figures

    left = np.array([0.0, 1.0, 0.0, 1.0])
    assert set(figures(left, np.array([0.1, 0.9, 0.2, 0.8]), np.ones(4))) <= set(wording.FIGURE_WORDS)
