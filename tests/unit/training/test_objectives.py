"""A user's own objective: loaded from the workspace, refused when it is nonsense, learned by, calibrated, shipped."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import expit

from churnrisk.bundle import Bundle, Provenance
from churnrisk.errors import ConfigError
from churnrisk.metrics import auc, log_loss
from tests.property.training.test_models import drawn_rows
from training import FitSettings
from training.fit import fitted_model
from training.folds import customer_folds
from training.objectives import Objective, loaded_objective
from training.rates import designed
from training.screening import screened
from training.trees import Crossed, crossed_trees, fitted_trees, settings_for

FOCAL = '''
"""Focal loss (Lin et al. 2017): customers the model is sure about count less."""
import numpy as np


def focal(score, left, gamma=1.0):
    sign = 2 * left - 1
    p = 1 / (1 + np.exp(-sign * score))
    gradient = -sign * (1 - p) ** gamma * (gamma * p * -np.log(p) + 1 - p)
    return gradient, np.maximum(p * (1 - p), 1e-3)


def backwards(score, left):
    return left - 1 / (1 + np.exp(-score)), np.ones_like(score)


def lossless(score, left):
    return np.full_like(score, np.nan), np.ones_like(score)


def short(score, left):
    return score[:1], score


number = 3
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "features"
    place.mkdir()
    (place / "mine.py").write_text(FOCAL, "utf-8")
    return place


def logistic(score: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return expit(score) - left, expit(score) * (1 - expit(score))


def test_an_objective_is_a_function_of_a_file_in_the_workspace_and_its_text_identifies_it(
    folder: Path,
) -> None:
    before = loaded_objective("mine:focal", folder)
    assert before.name == "mine:focal"
    (folder / "mine.py").write_text(FOCAL + "# changed\n", "utf-8")
    assert loaded_objective("mine:focal", folder).source != before.source


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("focal", "two names with a colon"),
        ("../mine:focal", "two names with a colon"),
        ("yours:focal", "a file yours.py in features/"),
        ("mine:vocal", "a function vocal in mine.py"),
        ("mine:number", "a function number in mine.py"),
        ("mine:backwards", "gradients below 0 for leavers"),
        ("mine:lossless", "finite numbers"),
        ("mine:short", "two arrays of 4 numbers"),
    ],
)
def test_what_is_no_objective_is_refused_with_what_was_expected(folder: Path, named: str, words: str) -> None:
    with pytest.raises(ConfigError, match="objective") as refused:
        loaded_objective(named, folder)
    assert words in str(refused.value)


@pytest.mark.parametrize("is_weighted", [False, True])
def test_the_logistic_loss_given_as_ones_own_learns_what_lightgbm_learns_by_its_own(
    is_weighted: bool,
) -> None:
    """With as many trees; not to the bit, since a split that is nearly a tie may fall the other way."""
    rows = drawn_rows(1500, seed=5)
    folds = customer_folds(rows.customer, rows.left, 5)
    design = designed(rows, screened(rows, lambda _: "").features, folds)
    weight = np.where(rows.left > 0, 0.5, 1.2) if is_weighted else None
    settings = settings_for(300, seed=1, threads=1) | {"feature_fraction": 1.0, "bagging_fraction": 1.0}
    ours, theirs = (
        fitted_trees(
            design.encoded, rows.left, weight, features=design.features, folds=folds, settings=settings,
            objective=objective, crossed=Crossed(np.zeros(1500), 40, 0.0),
        ).learner.score(design.encoded)
        for objective in (Objective("mine:logistic", "", logistic), None)
    )  # fmt: skip
    assert np.corrcoef(ours, theirs)[0, 1] > 0.999
    assert ours.mean() == pytest.approx(theirs.mean(), abs=0.01)
    crossed = [
        crossed_trees(
            design.encoded, rows.left, weight, features=design.features, folds=folds, settings=settings,
            objective=objective,
        )
        for objective in (Objective("mine:logistic", "", logistic), None)
    ]  # fmt: skip
    # how many trees is chosen by AUC for the one and by log loss for the other
    assert auc(rows.left, crossed[0].score) == pytest.approx(auc(rows.left, crossed[1].score), abs=0.01)
    assert crossed[0].score.mean() == pytest.approx(crossed[1].score.mean(), abs=0.1)


def test_a_model_of_ones_own_objective_is_calibrated_and_scores_the_same_from_its_folder(
    folder: Path, tmp_path: Path
) -> None:
    rows, fresh = drawn_rows(2000, seed=6), drawn_rows(2000, seed=7)
    plain = fitted_model(rows, FitSettings(seed=1))
    model = fitted_model(rows, FitSettings(seed=1, objective=loaded_objective("mine:focal", folder)))
    assert model.parameters["objective"] == "mine:focal"
    bundle = model.bundle((), Provenance())
    bundle.save(tmp_path / "bundle")
    (folder / "mine.py").unlink()
    again = Bundle.load(tmp_path / "bundle")
    risk = again.predict(fresh.frame)["risk"].to_numpy()
    assert np.array_equal(risk, bundle.predict(fresh.frame)["risk"].to_numpy())
    # calibrated like the usual model, and about as good, on fresh customers
    usual = plain.bundle((), Provenance()).predict(fresh.frame)["risk"].to_numpy()
    assert risk.mean() == pytest.approx(usual.mean(), abs=0.01)
    assert log_loss(fresh.left, risk) == pytest.approx(log_loss(fresh.left, usual), abs=0.01)
    parts = again.contributions(fresh.frame)
    np.testing.assert_allclose(parts.sum(axis=1), again.raw_score(fresh.frame), atol=1e-9)
