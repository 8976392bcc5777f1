"""The search for better settings: defaults first, resumable, in its time, and kept only if surely better."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from training import FitSettings, Trial
from training.fit import fitted_model
from training.folds import customer_folds
from training.rates import designed
from training.rows import Rows
from training.screening import screened
from training.tasks import Task
from training.trees import Watch, settings_for
from training.tuning import PLAIN, RATIO, WHOLE, Tuning, identity_of, nearest, searched

DEFAULTS = settings_for(300, seed=1, threads=1)


class Killed(BaseException):
    """What the machine does to a process."""


class Bowl:
    """A held-out loss with its floor at 30 leaves and three tenths of the columns; remembers what it was asked."""

    def __init__(self, *, killed_at: int = -1) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.killed_at = killed_at

    def __call__(self, settings: Mapping[str, Any], watch: Watch | None) -> tuple[float, int]:
        self.asked.append(settings)
        if len(self.asked) == self.killed_at:
            raise Killed
        floor = 0.4 + (settings["num_leaves"] - 30) ** 2 / 1e4 + (settings["feature_fraction"] - 0.3) ** 2
        for n_trees in range(10, 300, 10):
            if watch is not None:
                watch(n_trees, floor + 1 / n_trees)
        return floor, 290


def test_the_first_trial_is_the_defaults_and_the_best_of_all_is_found() -> None:
    bowl, told = Bowl(), list[Trial]()
    found = searched(DEFAULTS, bowl, tuning=Tuning(5, 25, on_trial=told.append), identity="bowl", seed=3)
    assert bowl.asked[0] == DEFAULTS
    assert [trial.is_default for trial in told] == [True] + [False] * 24
    assert tuple(told) == found.trials
    best = min((trial for trial in told if trial.loss is not None), key=lambda trial: trial.loss or 0)
    assert (found.is_default, found.settings["num_leaves"]) == (False, best.settings["num_leaves"])
    assert best.loss is not None
    assert best.loss < 0.42
    # what is not searched stays
    assert found.settings["seed"] == DEFAULTS["seed"]
    assert {trial.state for trial in told} == {"complete", "pruned"}
    bounds: Mapping[str, tuple[float, float]] = {**WHOLE, **RATIO, **PLAIN}
    for settings in bowl.asked[1:]:
        assert all(low <= settings[name] <= high for name, (low, high) in bounds.items())


def test_a_killed_search_goes_on_and_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole = searched(DEFAULTS, Bowl(), tuning=Tuning(5, 16), identity="bowl", seed=3)
    kept = Tuning(5, 16, tmp_path / "lake" / "tuning.db")
    for killed_at in (1, 7):
        with pytest.raises(Killed):
            searched(DEFAULTS, Bowl(killed_at=killed_at), tuning=kept, identity="bowl", seed=3)
    told: list[Trial] = []
    bowl = Bowl()
    again = searched(DEFAULTS, bowl, tuning=Tuning(5, 16, kept.storage, told.append), identity="bowl", seed=3)
    assert again.settings == whole.settings
    assert len(bowl.asked) == 10
    assert [trial.state for trial in told].count("failed") == 2
    assert [trial.loss for trial in told if trial.state != "failed"] == [trial.loss for trial in whole.trials]
    # and once it is over nothing is tried any more
    over = Bowl()
    assert searched(DEFAULTS, over, tuning=kept, identity="bowl", seed=3).settings == whole.settings
    assert over.asked == []


def test_other_rows_make_another_search_in_the_same_file(tmp_path: Path) -> None:
    kept = Tuning(5, 2, tmp_path / "tuning.db")
    for identity in ("one", "other"):
        bowl = Bowl()
        searched(DEFAULTS, bowl, tuning=kept, identity=identity, seed=3)
        assert len(bowl.asked) == 2
    rows = np.arange(6.0).reshape(2, 3)
    assert identity_of(rows, b"x") == identity_of(rows.copy(), b"x")
    assert (
        len(
            {identity_of(rows, b"x"), identity_of(rows + 1, b"x"), identity_of(rows, b"y"), identity_of(b"x")}
        )
        == 4
    )


def test_without_time_the_defaults_are_tried_and_nothing_else() -> None:
    bowl = Bowl()
    found = searched(DEFAULTS, bowl, tuning=Tuning(1e-9, 50), identity="bowl", seed=3)
    assert (found.is_default, found.settings, len(bowl.asked)) == (True, DEFAULTS, 1)


def test_the_defaults_stand_in_the_searched_space_whatever_the_number_of_leavers() -> None:
    for n_leavers in (300, 6_000, 60_000):
        defaults = settings_for(n_leavers, seed=1, threads=1)
        stands = nearest(defaults)
        assert {name: stands[name] for name in WHOLE} == {name: defaults[name] for name in WHOLE}
        assert stands["learning_rate"] == defaults["learning_rate"]
    assert Tuning(12, 50).shared(6) == Tuning(2, 50)


def drawn_rows(n: int, seed: int) -> Rows:
    """Leaving is a parity of two signs, which the small default trees hardly see, beside noise."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 5))
    odds = np.where((x[:, 0] > 0) == (x[:, 1] > 0), 1.2, -2.2)
    left = (rng.random(n) < 1 / (1 + np.exp(-odds))).astype(float)
    frame = pl.DataFrame(x, schema=[f"x{k}" for k in range(5)])
    ids = np.array([f"c{k // 2}" for k in range(n)], dtype=object)
    return Rows(frame, left, np.ones(n), ids, np.full(n, "", dtype=object))


def task_of(rows: Rows) -> Task:
    folds = customer_folds(rows.customer, rows.left, 5, salt="fit-1")
    features = screened(rows, lambda _: "").features
    return Task(rows, features, designed(rows, features, folds), folds)


POOR = DEFAULTS | {"num_leaves": 2, "learning_rate": 0.1, "feature_fraction": 0.2}


def test_settings_that_are_surely_better_on_other_folds_are_kept() -> None:
    """From stumps, which cannot see a parity at all, any tree with more leaves is far better."""
    rows = drawn_rows(600, seed=1)
    tuned = task_of(rows).tuned(POOR, Tuning(2, 6), seed=1)
    assert tuned.parameters == {"tuning_trials": 6, "tuning_kept": "tuned"}
    assert tuned.chosen["num_leaves"] > 2
    assert tuned.sentence.startswith("tuned in 6 trials: log loss better by 0.")
    assert tuned.crossed.loss < 0.6


def test_settings_that_win_by_chance_are_not_kept() -> None:
    rng = np.random.default_rng(2)
    rows = drawn_rows(600, seed=2)
    noise = Rows(rows.frame, rng.permutation(rows.left), rows.weight, rows.customer, rows.snapshot)
    tuned = task_of(noise).tuned(POOR, Tuning(2, 5), seed=1)
    assert tuned.parameters["tuning_kept"] == "defaults"
    assert (tuned.settings, tuned.chosen) == (POOR, {})
    assert "the defaults stay" in tuned.sentence


def test_the_search_has_folds_of_its_own_that_keep_customers_together_too() -> None:
    rows = drawn_rows(400, seed=3)
    task = task_of(rows)
    other = task.on_other_folds("tune-1")
    assert (other.folds != task.folds).any()
    for name in np.unique(rows.customer.astype(str)):
        assert len(set(other.folds[rows.customer == name].tolist())) == 1
    assert other.identity(DEFAULTS) == task_of(rows).on_other_folds("tune-1").identity(
        DEFAULTS | {"num_threads": 7}
    )
    assert other.identity(DEFAULTS) != task.identity(DEFAULTS)


def test_a_model_says_what_its_search_came_to_and_hands_its_settings_on() -> None:
    rows = drawn_rows(1600, seed=4)
    model = fitted_model(rows, FitSettings(seed=1, trees=POOR, tuning=Tuning(2, 3)))
    assert model.parameters["tuning_trials"] == 3
    assert model.notes[0].startswith("tuned in 3 trials")
    again = fitted_model(rows, FitSettings(seed=1, trees={**POOR, **model.chosen}))
    assert again.learner.text == model.learner.text


def test_minutes_that_are_not_used_are_told() -> None:
    """Too few leavers for trees: there is nothing to search for. Time for one trial: only the defaults were tried."""
    few = fitted_model(drawn_rows(120, seed=5), FitSettings(seed=1, tuning=Tuning(2, 3)))
    assert few.parameters["learner"] == "logistic"
    assert few.notes[0].startswith("not tuned: ")
    assert not any(
        "tuned" in note for note in fitted_model(drawn_rows(120, seed=5), FitSettings(seed=1)).notes
    )
    alone = task_of(drawn_rows(200, seed=6)).tuned(POOR, Tuning(2, 1), seed=1)
    assert alone.sentence.startswith("tuned in 1 trial, and the defaults stay: time for nothing else")
