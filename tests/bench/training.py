"""Benchmark: what training takes, against LightGBM's own calls for the same fits in the same run.

    python -m tests.bench training [--full]

20,000 rows of 60 columns, and 1,000,000 of 150 (`--full`), a twentieth of them leavers; then as many rows are scored.
The other side is what an analyst would write by hand with the same settings: one binned table, `lightgbm.cv` over the
same folds, `lightgbm.train` on all rows, `predict`. Each side has a process of its own. What churnrisk does beside
(choosing columns, encoding, calibration, intervals) is the overhead; no more than a tenth is wanted. Of the million
both sides grow a hundred trees at most: enough to show the overhead, which more trees make smaller. Scoring is
measured once more with a forest of 300 trees, about what a search over folds finds, grown on 20,000 of the rows.

Processor seconds; threads that wait do so asleep (`OMP_WAIT_POLICY`), since on a busy machine spinning would be counted
as work. Each side first does the same with a small table, so that loading libraries is not counted. The small size is
measured three times in turn, and the least counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import process_time
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from tests.bench.measure import Measure, measured
from training.rows import Rows

SEED, N_FOLDS, THREADS = 5, 5, 2
WARM = (8_000, 10)
"""Rows and columns of the small table."""

N_TREES, N_GROWN = 300, 20_000
"""Trees of the forest that scoring is measured with, and rows it is grown on."""

Row = Sequence[object]


def drawn(n_rows: int, n_columns: int) -> Rows:
    """Rows of numbers, a third of them counts with many zeros, a tenth missing; ten columns drive leaving."""
    rng = np.random.default_rng(SEED)
    columns: dict[str, NDArray[Any]] = {}
    driven = np.full(n_rows, -3.6)
    for place in range(n_columns):
        values = rng.poisson(0.4, n_rows).astype(float) if place % 3 == 0 else rng.normal(size=n_rows)
        driven += 0.35 * values * (place % (n_columns // 10) == 0)
        values[rng.random(n_rows) < 0.1] = np.nan
        columns[f"number_{place:03d}"] = values
    left = (rng.random(n_rows) < 1 / (1 + np.exp(-driven))).astype(float)
    frame = pl.DataFrame(columns).fill_nan(None)
    who = np.arange(n_rows).astype(str).astype(object)
    return Rows(frame, left, np.ones(n_rows), who, np.full(n_rows, "", dtype=object))


def ours(n_rows: int, n_columns: int, most_trees: int) -> dict[str, Any]:
    """Fit, calibrate and score as a training does; processor seconds of each."""
    from training import trees

    trees.MOST_TREES = most_trees
    _ours(*WARM)
    return _ours(n_rows, n_columns)


def _ours(n_rows: int, n_columns: int) -> dict[str, Any]:
    from churnrisk.bundle import Provenance
    from training.fit import FitSettings, fitted_model

    rows = drawn(n_rows, n_columns)
    begun = process_time()
    model = fitted_model(rows, FitSettings(SEED, N_FOLDS, THREADS))
    fitted = process_time()
    model.bundle((), Provenance()).predict(rows.frame)
    return {"fit": fitted - begun, "score": process_time() - fitted, "n_trees": model.parameters["n_trees"]}


def lightgbm_alone(n_rows: int, n_columns: int, most_trees: int) -> dict[str, Any]:
    """Make the same fits by LightGBM's own calls; processor seconds of each."""
    _alone(*WARM, most_trees)
    return _alone(n_rows, n_columns, most_trees)


def _alone(n_rows: int, n_columns: int, most_trees: int) -> dict[str, Any]:
    import lightgbm as lgb

    from training.folds import customer_folds
    from training.trees import PATIENCE, laid_out, settings_for, threads_for

    rows = drawn(n_rows, n_columns)
    encoded, left = rows.frame.fill_null(np.nan).to_numpy(), rows.left
    threads = threads_for(encoded.size, THREADS)
    settings = laid_out(settings_for(rows.n_rarer, seed=SEED, threads=threads), encoded.size)
    folds = customer_folds(rows.customer, left, N_FOLDS, salt=f"fit-{SEED}")
    begun = process_time()
    data = lgb.Dataset(encoded, left, params=settings).construct()
    held = [np.flatnonzero(folds == fold) for fold in range(N_FOLDS)]
    found = lgb.cv(
        settings,
        data,
        num_boost_round=most_trees,
        folds=[(np.flatnonzero(folds != fold), rows) for fold, rows in enumerate(held)],
        callbacks=[lgb.early_stopping(PATIENCE, verbose=False)],
        return_cvbooster=True,
    )
    boosters: Any = found["cvbooster"]
    for rows_held, booster in zip(held, boosters.boosters, strict=True):
        booster.predict(encoded[rows_held], num_iteration=boosters.best_iteration)
    booster = lgb.train(settings, data, num_boost_round=boosters.best_iteration)
    fitted = process_time()
    booster.predict(encoded)
    return {"fit": fitted - begun, "score": process_time() - fitted, "n_trees": boosters.best_iteration}


def scored(n_rows: int, n_columns: int, n_trees: int) -> dict[str, Any]:
    """Score with a forest of so many trees; processor seconds of LightGBM from rows, from the table, and churnrisk."""
    import lightgbm as lgb

    from churnrisk.bundle import Provenance, Trees
    from training.fit import FitSettings, fitted_model
    from training.trees import settings_for

    rows = drawn(n_rows, n_columns)
    few = rows.where(np.arange(n_rows) < N_GROWN)
    model = fitted_model(few, FitSettings(SEED, N_FOLDS, THREADS))
    settings = settings_for(rows.n_rarer, seed=SEED, threads=THREADS)
    grown = few.frame.fill_null(np.nan).to_numpy()
    booster = lgb.train(settings, lgb.Dataset(grown, few.left), num_boost_round=n_trees)
    bundle = replace(model.bundle((), Provenance()), learner=Trees(booster.model_to_string()))
    bundle.predict(few.frame)
    encoded = rows.frame.fill_null(np.nan).to_numpy()
    begun = process_time()
    booster.predict(encoded)
    alone = process_time()
    booster.predict(rows.frame.fill_null(np.nan).to_numpy())
    from_table = process_time()
    bundle.predict(rows.frame)
    return {"rows": alone - begun, "table": from_table - alone, "churnrisk": process_time() - from_table}


def _scoring(n_rows: int, n_columns: int) -> tuple[str, Sequence[str], Sequence[Row]]:
    size = {"n_rows": n_rows, "n_columns": n_columns, "n_trees": N_TREES}
    found = measured("tests.bench.training:scored", size, {"OMP_WAIT_POLICY": "passive"}).result
    names = {
        "rows": "LightGBM, rows laid out before",
        "table": "LightGBM, from the table",
        "churnrisk": "churnrisk",
    }
    lines = [(words, found[name], found[name] / found["rows"]) for name, words in names.items()]
    head = ("side", "score, processor s", "of LightGBM's")
    return f"scoring {n_rows:,} rows of {n_columns} columns with {N_TREES} trees", head, lines


def tables(full: bool) -> Sequence[tuple[str, Sequence[str], Sequence[Row]]]:
    """Give the figures for `python -m tests.bench training`."""
    from training.trees import MOST_TREES

    sizes = [(20_000, 60, MOST_TREES, 3)] + ([(1_000_000, 150, 100, 1)] if full else [])
    head = (
        "side",
        "fit, processor s",
        "of LightGBM's",
        "score, processor s",
        "of LightGBM's",
        "trees",
        "peak MB",
    )
    found: list[tuple[str, Sequence[str], Sequence[Row]]] = []
    for n_rows, n_columns, most_trees, times in sizes:
        size = {"n_rows": n_rows, "n_columns": n_columns, "most_trees": most_trees}
        alone, whole = _least(size, times)
        rows = [_row("LightGBM's own calls", alone, alone), _row("churnrisk", whole, alone)]
        found.append((f"training on and scoring {n_rows:,} rows of {n_columns} columns", head, rows))
        found.append(_scoring(n_rows, n_columns))
    return found


def _least(size: dict[str, int], times: int) -> list[Measure]:
    """Measure both sides in turn; of each return the run with the least processor seconds, scoring apart."""
    runs: list[list[Measure]] = [[], []]
    for _ in range(times):
        for side, function in zip(runs, ("lightgbm_alone", "ours"), strict=True):
            side.append(measured(f"tests.bench.training:{function}", size, {"OMP_WAIT_POLICY": "passive"}))
    return [
        replace(
            side[0],
            result={key: min(run.result[key] for run in side) for key in side[0].result},
            peak_mb=min(run.peak_mb for run in side),
        )
        for side in runs
    ]


def _row(name: str, side: Measure, alone: Measure) -> Row:
    fit, score = side.result["fit"], side.result["score"]
    ratios = fit / alone.result["fit"], score / alone.result["score"]
    return (name, fit, ratios[0], score, ratios[1], side.result["n_trees"], side.peak_mb)
