"""What reasons and moves cost a customer, beside LightGBM's own ``pred_contrib`` in the same run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from time import process_time

import lightgbm
import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Bundle, Feature, Platt, Provenance, Trees, VennAbersGrid
from churnrisk.bundle.bundle import Band
from churnrisk.dates import AsOf
from churnrisk.messages import Sentences
from scoring import LastNight, changes, reasons
from scoring.reasons import effects_pp

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]

N_FEATURES = 150
N_REPEATS = 3
SIZES: tuple[tuple[int, int], ...] = ((100, 31), (300, 63))
"""Trees and leaves; the second is the model of the architecture's trial (5.4 ms a customer)."""


def tables(full: bool) -> Iterator[Table]:
    """Yield the table; ``full`` takes more customers."""
    n_customers = 2000 if full else 300
    rows = [row for size in SIZES for row in _rows(n_customers, *size)]
    title = f"Reasons and moves: processor ms a customer, {n_customers} customers, {N_FEATURES} inputs"
    yield (
        f"{title} (best of {N_REPEATS}; 1 thread for pred_contrib and all else)",
        ("model", "step", "ms a customer", "of pred_contrib"),
        rows,
    )


def _rows(n_customers: int, n_trees: int, n_leaves: int) -> Iterator[tuple[str, str, float, float]]:
    draws = np.random.default_rng(1)
    values = draws.normal(size=(20_000, N_FEATURES))
    booster = _grown(values, draws, n_trees, n_leaves)
    bundle = _bundle(booster)
    before, now = _frames(values, n_customers, draws)
    encoded = now.drop("customer_id").to_numpy()
    scored = _scored(bundle, now)
    last = LastNight(date(2026, 6, 29), _scored(bundle, before), before)
    tonight = AsOf(date(2026, 6, 30))
    english = Sentences.of("en")
    model = f"{n_trees} trees of {n_leaves} leaves"
    alone = _seconds(lambda: booster.predict(encoded, pred_contrib=True, num_threads=1))
    bundle.moves(before.head(1), now.head(1))  # reads the trees once, as a night does
    steps: dict[str, Callable[[], object]] = {
        "pred_contrib alone": lambda: booster.predict(encoded, pred_contrib=True, num_threads=1),
        "points that add up": lambda: effects_pp(bundle, now),
        "table reasons, with sentences": lambda: reasons(
            now, bundle, english, scored=scored, as_of=tonight, run_id="b"
        ),
        "moves between two nights": lambda: bundle.moves(before, now),
        "table changes, with sentences": lambda: changes(
            now, scored, bundle, english, last, as_of=tonight, run_id="b"
        ),
    }
    for step, work in steps.items():
        taken = _seconds(work)
        yield model, step, 1000 * taken / n_customers, taken / alone


def _seconds(work: Callable[[], object]) -> float:
    """Return the least processor seconds of all threads over some repeats."""
    taken = []
    for _ in range(N_REPEATS):
        started = process_time()
        work()
        taken.append(process_time() - started)
    return min(taken)


def _grown(
    values: NDArray[np.float64], draws: np.random.Generator, n_trees: int, n_leaves: int
) -> lightgbm.Booster:
    lean = values[:, :40] @ draws.normal(size=40) / 6 + values[:, 0] * values[:, 1]
    left = (lean + draws.logistic(size=len(values)) > 2).astype(float)
    settings = {"objective": "binary", "num_leaves": n_leaves, "verbose": -1, "num_threads": 1, "seed": 1}
    return lightgbm.train(settings, lightgbm.Dataset(values, left), num_boost_round=n_trees)


def _frames(
    values: NDArray[np.float64], n_customers: int, draws: np.random.Generator
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Two nights of the same customers: a third of the inputs moved."""
    names = [f"input_{place}" for place in range(N_FEATURES)]
    now = values[:n_customers]
    moved = draws.random(now.shape) < 1 / 3
    before = np.where(moved, values[n_customers : 2 * n_customers], now)
    ids = pl.Series("customer_id", [f"{place:05d}" for place in range(n_customers)])
    was, is_ = (pl.DataFrame(rows, schema=names).insert_column(0, ids) for rows in (before, now))
    return was, is_


def _bundle(booster: lightgbm.Booster) -> Bundle:
    groups = ("profile", "price", "usage", "calls", "service")
    features = tuple(
        Feature(f"input_{place}", "number", groups[place % len(groups)]) for place in range(N_FEATURES)
    )
    return Bundle(
        features=features,
        learner=Trees(booster.model_to_string()),
        calibrator=Platt(0.9, -0.1),
        intervals=VennAbersGrid(np.array([0.0]), np.array([0.1]), np.array([0.2])),
        base_rate=0.1,
        bands=(Band("low", 0.0, 1, None, None, None),),
        provenance=Provenance(),
        model_version="1",
    )


def _scored(bundle: Bundle, frame: pl.DataFrame) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_id": frame["customer_id"],
            "risk": bundle.predict(frame)["risk"],
            "risk_before_survey": pl.Series([None] * frame.height, dtype=pl.Float64),
            "model_version": ["1"] * frame.height,
        }
    )
