"""CatBoost, XGBoost and LightGBM at their defaults on folds that tests.bench wrote: risks of the held-out rows.

CatBoost and XGBoost are installed beside the project, never in it (``make .venv-peers``); nothing of the project is
imported here. Texts are given as each library wants its categories; unknown is unknown.
"""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt


def catboost(folder: str) -> dict[str, Any]:
    from catboost import CatBoostClassifier, Pool

    numbers, texts, left, folds = _read(folder)
    n_numbers = numbers.shape[1]
    columns = [list(row) for row in zip(*numbers.T.tolist(), *texts.T.tolist(), strict=True)]
    places = list(range(n_numbers, n_numbers + texts.shape[1]))

    def risk(learn: npt.NDArray[np.intp], ask: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        taught = Pool([columns[row] for row in learn], left[learn], cat_features=places)
        model = CatBoostClassifier(verbose=False, allow_writing_files=False, random_seed=1)
        model.fit(taught)
        asked = Pool([columns[row] for row in ask], cat_features=places)
        found: npt.NDArray[np.float64] = model.predict_proba(asked)[:, 1]
        return found

    return _over(folder, folds, risk)


def xgboost(folder: str) -> dict[str, Any]:
    import xgboost as xgb

    numbers, texts, left, folds = _read(folder)
    codes = _codes(texts)
    table = np.hstack([numbers, codes])
    kinds = ["float"] * numbers.shape[1] + ["c"] * texts.shape[1]

    def risk(learn: npt.NDArray[np.intp], ask: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        data = [
            xgb.DMatrix(table[rows], left[rows], feature_types=kinds, enable_categorical=True)
            for rows in (learn, ask)
        ]
        # what XGBClassifier() does: 100 rounds of the defaults
        model = xgb.train({"objective": "binary:logistic", "seed": 1}, data[0], num_boost_round=100)
        found: npt.NDArray[np.float64] = model.predict(data[1]).astype(np.float64)
        return found

    return _over(folder, folds, risk)


def lightgbm(folder: str) -> dict[str, Any]:
    import lightgbm as lgb

    numbers, texts, left, folds = _read(folder)
    table = np.hstack([numbers, _codes(texts)])
    places = list(range(numbers.shape[1], table.shape[1]))

    def risk(learn: npt.NDArray[np.intp], ask: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
        data = lgb.Dataset(table[learn], left[learn], categorical_feature=places)
        model = lgb.train({"objective": "binary", "verbosity": -1, "seed": 1}, data, num_boost_round=100)
        return np.asarray(model.predict(table[ask]), dtype=np.float64)

    return _over(folder, folds, risk)


def _over(folder: str, folds: npt.NDArray[np.int8], risk: Any) -> dict[str, Any]:
    found = np.full(len(folds), np.nan)
    started = process_time()
    for fold in np.unique(folds[folds >= 0]):
        asked = np.flatnonzero(folds == fold)
        found[asked] = risk(np.flatnonzero(folds != fold), asked)
    place = Path(folder) / "peer.npy"
    np.save(place, found)
    return {"risk": str(place), "processor_seconds": process_time() - started}


def _read(folder: str) -> tuple[Any, Any, Any, Any]:
    read = np.load(Path(folder) / "rows.npz")
    return read["numbers"], read["texts"], read["left"], read["folds"]


def _codes(texts: npt.NDArray[np.str_]) -> npt.NDArray[np.float64]:
    """Return a code per text, column by column; nan where there is none."""
    found = np.full(texts.shape, np.nan)
    for place in range(texts.shape[1]):
        known = texts[:, place] != ""
        found[known, place] = np.unique(texts[known, place], return_inverse=True)[1]
    return found
