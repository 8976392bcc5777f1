"""Figures of predicted categories, worked by hand."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import NpsCategory
from training.nps.judged import NPS_FIGURES, nps_figures
from training.nps.pair import shares_of
from training.nps.rows import NpsRows
from training.rows import Rows

N = 4
CATEGORY = np.array([0, 1, 2, 2], dtype=np.int8)
SHARES: dict[NpsCategory, float] = {"detractor": 0.2, "passive": 0.3, "promoter": 0.5}
PREDICTED = pl.DataFrame(
    {
        "detractor": [0.6, 0.1, 0.1, 0.2],
        "passive": [0.3, 0.6, 0.2, 0.2],
        "promoter": [0.1, 0.3, 0.7, 0.6],
    }
)


def answered(weight: list[float]) -> NpsRows:
    who = np.array(list("abcd"), dtype=object)
    rows = Rows(
        pl.DataFrame({"wait_s": [1.0] * N}), np.ones(N), np.array(weight), who, np.full(N, "d", dtype=object)
    )
    return NpsRows(rows, CATEGORY, who, np.ones(N, dtype=bool), np.ones(N, dtype=bool))


def test_the_figures_are_what_their_names_say() -> None:
    found = nps_figures(answered([1, 1, 1, 1]), PREDICTED, SHARES, seed=1)
    assert list(found) == list(NPS_FIGURES)
    model = -np.log([0.6, 0.6, 0.7, 0.6]).mean()
    base = -np.log([0.2, 0.3, 0.5, 0.5]).mean()
    assert found["log_loss"][0] == pytest.approx(model)
    assert found["log_loss_of_shares"][0] == pytest.approx(base)
    assert found["log_loss_gained"][0] == pytest.approx(base - model)
    assert found["share_promoter"][0] == 0.5
    assert found["expected_detractor"][0] == pytest.approx(0.25)
    assert found["observed_over_expected_detractor"][0] == pytest.approx(1.0)
    assert found["auc_promoter"][0] == 1.0


def test_answers_count_by_their_weight() -> None:
    found = nps_figures(answered([3, 1, 1, 1]), PREDICTED, SHARES, seed=1)
    assert found["share_detractor"][0] == pytest.approx(0.5)
    assert found["expected_promoter"][0] == pytest.approx((0.3 + 0.3 + 0.7 + 0.6) / 6)
    assert found["log_loss"][0] == pytest.approx(-(4 * math.log(0.6) + math.log(0.7) + math.log(0.6)) / 6)
    assert shares_of(answered([3, 1, 1, 1])) == pytest.approx(
        {"detractor": 0.5, "passive": 1 / 6, "promoter": 1 / 3}
    )


def test_a_category_that_nobody_answered_has_no_figure_and_no_failure() -> None:
    rows = answered([1, 1, 1, 1])
    none = NpsRows(
        rows.rows, np.array([1, 1, 2, 2], dtype=np.int8), rows.answer, rows.is_drawn, rows.is_chosen
    )
    found = nps_figures(none, PREDICTED, SHARES, seed=1)
    assert found["auc_detractor"] == (None, None, None)
    assert found["observed_over_expected_detractor"][0] == 0.0
