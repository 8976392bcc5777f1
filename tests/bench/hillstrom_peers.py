"""Held-out effects by econml's learners on LightGBM, run by the interpreter of .venv-peers; knows arrays alone."""

import json
import sys
from collections.abc import Callable
from typing import Any

import numpy as np


def main(given: str, answer: str) -> None:
    """Read features, outcome, arm and folds; write one prediction per learner and division."""
    from econml.dr import DRLearner
    from econml.metalearners import SLearner, TLearner, XLearner
    from lightgbm import LGBMClassifier, LGBMRegressor

    told = np.load(given)
    x, y, t = told["x"], told["y"], told["t"]
    small: dict[str, Any] = {
        "n_estimators": 100,
        "num_leaves": 8,
        "learning_rate": 0.05,
        "min_child_samples": 200,
        "verbosity": -1,
    }

    def outcome() -> Any:
        return LGBMRegressor(**small, n_jobs=2)

    learners: dict[str, Callable[[], Any]] = {
        "S": lambda: SLearner(overall_model=outcome()),
        "T": lambda: TLearner(models=outcome()),
        "X": lambda: XLearner(models=outcome(), propensity_model=LGBMClassifier(**small, n_jobs=2)),
        "DR": lambda: DRLearner(
            model_propensity=LGBMClassifier(**small, n_jobs=2),
            model_regression=outcome(),
            model_final=outcome(),
            random_state=0,
        ),
    }
    found: dict[str, Any] = {name: np.zeros((len(told["folds"]), len(y))) for name in learners}
    for division, folds in enumerate(told["folds"]):
        for fold in np.unique(folds):
            here, others = folds == fold, folds != fold
            for name, made in learners.items():
                model = made()
                model.fit(y[others], t[others], X=x[others])
                found[name][division, here] = np.asarray(model.effect(x[here])).ravel()
    np.savez(answer, names=np.array(json.dumps(list(found))), **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
