"""The search for the number of trees, folds side by side on shared bins, against LightGBM's own cross-validation."""

from typing import Any

import lightgbm as lgb
import numpy as np
import pytest

from churnrisk.bundle import Feature
from training import trees
from training.trees import (
    MOST_TREES,
    PATIENCE,
    SMALL_TABLE,
    best_number,
    fitted_trees,
    laid_out,
    settings_for,
)


def drawn(
    n: int = 1500, n_columns: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray, tuple[Feature, ...]]:
    """A table with missing numbers and one category, whose first columns drive leaving; leavings; five folds."""
    rng = np.random.default_rng(3)
    encoded = rng.normal(size=(n, n_columns))
    encoded[rng.random(encoded.shape) < 0.1] = np.nan
    encoded[:, -1] = rng.integers(0, 6, n)
    driven = -2 + np.nan_to_num(encoded[:, 0]) + (encoded[:, -1] == 2)
    left = (rng.random(n) < 1 / (1 + np.exp(-driven))).astype(float)
    kinds = ["number"] * (n_columns - 1) + ["category"]
    features = tuple(
        Feature(f"c{place}", "category" if kind == "category" else "number")
        for place, kind in enumerate(kinds)
    )
    return encoded, left, rng.integers(0, 5, n).astype(np.int8), features


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("is_weighted", [False, True])
def test_number_of_trees_scores_and_trees_are_those_of_lightgbm_cv(threads: int, is_weighted: bool) -> None:
    encoded, left, folds, features = drawn()
    weight = np.where(left > 0, 0.5, 1.5) if is_weighted else None
    settings = settings_for(100, seed=7, threads=threads)
    found = fitted_trees(encoded, left, weight, features=features, folds=folds, settings=settings)

    plain = {**laid_out(settings, encoded.size), "num_threads": 1}
    data = lgb.Dataset(
        encoded, left, weight=weight, categorical_feature=[7], params=plain, free_raw_data=False,
        feature_name=[f"f{place}" for place in range(8)],
    )  # fmt: skip
    held = [np.flatnonzero(folds == fold) for fold in range(5)]
    expected: Any = lgb.cv(
        plain,
        data,
        num_boost_round=MOST_TREES,
        folds=[(np.setdiff1d(np.arange(len(left)), rows), rows) for rows in held],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )["cvbooster"]
    assert found.n_trees == expected.best_iteration
    for rows, booster in zip(held, expected.boosters, strict=True):
        score = booster.predict(encoded[rows], raw_score=True, num_iteration=found.n_trees)
        assert np.array_equal(found.out_of_fold_score[rows], score)
    whole: Any = lgb.train(plain, data, num_boost_round=found.n_trees)
    assert np.array_equal(found.learner.score(encoded), whole.predict(encoded, raw_score=True))


def test_reading_by_column_changes_scores_in_their_last_digits_only(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded, left, folds, features = drawn()
    settings = settings_for(100, seed=7, threads=1)
    by_row = fitted_trees(encoded, left, None, features=features, folds=folds, settings=settings)
    monkeypatch.setattr(trees, "SMALL_TABLE", 0)
    by_column = fitted_trees(encoded, left, None, features=features, folds=folds, settings=settings)
    assert (by_row.settings.get("force_row_wise"), by_column.settings.get("force_col_wise")) == (True, True)
    assert by_column.n_trees == by_row.n_trees
    assert np.allclose(by_column.out_of_fold_score, by_row.out_of_fold_score, atol=1e-6)


def test_how_a_table_is_read_depends_on_its_size_and_on_no_machine() -> None:
    for threads in (1, 8):
        settings = settings_for(6_000, seed=1, threads=threads)
        assert "force_row_wise" in laid_out(settings, SMALL_TABLE)
        assert "force_col_wise" in laid_out(settings, SMALL_TABLE + 1)


def test_the_first_of_equal_losses_is_best_and_patience_ends_the_search() -> None:
    falling = np.linspace(1, 0.5, 30)
    assert best_number(falling) == (30, False)
    assert best_number(np.r_[falling, falling[-1], np.ones(PATIENCE - 2)]) == (30, False)
    assert best_number(np.r_[falling, np.ones(PATIENCE)]) == (30, True)
    assert best_number(np.r_[falling, np.ones(PATIENCE - 1), 0.1]) == (30 + PATIENCE, False)
    assert best_number(np.r_[falling, np.ones(PATIENCE), 0.1]) == (30, True)


def test_nothing_is_printed_while_folds_are_learned_in_threads(capfd: pytest.CaptureFixture[str]) -> None:
    encoded, left, folds, features = drawn()
    settings = settings_for(100, seed=7, threads=3)
    fitted_trees(encoded, left, None, features=features, folds=folds, settings=settings)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""
