"""The extracts and contenders of the benchmark of labelled data are what its tables say they are."""

from pathlib import Path

import numpy as np
import pytest

from churnrisk.bundle import kind_of
from tests.bench import labelled_versus
from tests.bench.kdd_like import LEVELS, N_NUMBERS, RATE, kdd_like_rows
from tests.bench.labelled_versus import Judged, _interval, _line, peers
from training.folds import customer_folds


def test_the_drawn_extract_has_the_shape_of_the_kdd_cup() -> None:
    rows = kdd_like_rows(3000, seed=1)
    kinds = [kind_of(dtype) for dtype in rows.frame.dtypes]
    assert (kinds.count("number"), kinds.count("category")) == (N_NUMBERS, len(LEVELS)) == (190, 40)
    missing = float(np.mean([series.null_count() / 3000 for series in rows.frame.get_columns()]))
    assert missing == pytest.approx(0.58, abs=0.08)
    assert rows.left.mean() == pytest.approx(RATE, abs=0.015)
    assert rows.frame.equals(kdd_like_rows(3000, seed=1).frame)


def test_contenders_get_the_same_folds_and_one_that_is_not_there_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(labelled_versus, "PEERS", tmp_path / "python")
    drawn = kdd_like_rows(400, seed=2)
    rows = drawn.without(drawn.frame.columns[4:-3])
    folds = customer_folds(rows.customer, rows.left, 5)
    found = peers(rows, folds)
    assert (found["catboost"], found["xgboost"]) == ("not installed", "not installed")
    native = found["lightgbm"]
    assert isinstance(native, Judged)
    assert native.risk.shape == (400,)
    assert ((native.risk > 0) & (native.risk < 1)).all()
    line = _line("lightgbm", native, native, rows, folds)
    assert line[3:5] == ("-", "-")
    assert _line("catboost", "not installed", native, rows, folds)[1] == "not installed"


def test_intervals_are_students_over_folds() -> None:
    # mean 0.02, sd 0.0158, t(4) 2.776: half-width 0.0196
    assert _interval(np.array([0.0, 0.01, 0.02, 0.03, 0.04]), "+.4f") == "+0.0200 [+0.0004, +0.0396]"
