"""Benchmark: churnrisk by its defaults and tuned, CatBoost, XGBoost and LightGBM at theirs, in the same folds.

Two public labelled extracts, and a drawn one of the KDD Cup 2009 kind. Folds are fixed; churnrisk's screening, rates of
texts, number of trees, calibrator and search for settings are all fitted inside them.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import process_time

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.stats import t as student

from churnrisk import metrics
from churnrisk.bundle import kind_of
from tests.bench.graph_scale import PEERS
from tests.bench.kdd_like import kdd_like_rows
from tests.bench.labelled import SEEDS, ibm_rows, mlc_rows
from tests.bench.measure import measured
from training import FitSettings, Rows, cross_validated_risk
from training.folds import customer_folds
from training.tuning import Tuning

Floats = NDArray[np.float64]
Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]

N_FOLDS = 5
TRIALS, TRIALS_FULL = 8, 60
"""Settings tried in each fold."""

ROWS, ROWS_FULL = 10_000, 50_000
"""Of the drawn extract; KDD Cup 2009 had 50,000."""

PEER_NAMES = ("catboost", "xgboost", "lightgbm")


@dataclass(frozen=True)
class Judged:
    """Risks of one contender for all rows, and the processor seconds of learning in all folds."""

    risk: Floats
    seconds: float

    def by_fold(self, rows: Rows, folds: NDArray[np.int8], figure: str) -> Floats:
        """Return AUC or log loss of each fold."""
        score = {"auc": metrics.auc, "log_loss": metrics.log_loss}[figure]
        return np.array(
            [
                score(rows.left[folds == fold], self.risk[folds == fold])
                for fold in range(int(folds.max()) + 1)
            ]
        )


def tables(full: bool) -> Iterator[Table]:
    """Yield one table per extract."""
    trials = TRIALS_FULL if full else TRIALS
    yield versus("ibm_telco", ibm_rows(), trials)
    yield versus("mlc_churn", mlc_rows(), trials)
    yield versus("KDD-like, drawn", kdd_like_rows(ROWS_FULL if full else ROWS, seed=1), trials if full else 0)


def versus(name: str, rows: Rows, trials: int) -> Table:
    """Return the table of one extract; ``trials`` 0 leaves tuning out."""
    seed = SEEDS[0]
    folds = customer_folds(rows.customer, rows.left, N_FOLDS, salt=f"judge-{seed}")
    found: dict[str, Judged | str] = {"churnrisk": ours(rows, FitSettings(seed=seed))}
    if trials:
        tuning = Tuning(minutes=60.0 * (N_FOLDS + 1), n_trials=trials)
        found["churnrisk, tuned"] = ours(rows, FitSettings(seed=seed, tuning=tuning))
    found |= peers(rows, folds)
    first = found["churnrisk"]
    assert isinstance(first, Judged)
    lines = [_line(label, judged, first, rows, folds) for label, judged in found.items()]
    head = ("model", "AUC", "log loss", "AUC less churnrisk's", "log loss over churnrisk's", "processor s")
    title = (
        f"{name}: {len(rows.left):,} rows, {rows.frame.width} columns, {rows.left.mean():.1%} leavers; {N_FOLDS} "
        f"folds, {trials or 'no'} trials in each; differences with 95 % intervals paired over folds"
    )
    return title, head, lines


def ours(rows: Rows, settings: FitSettings) -> Judged:
    """Return what churnrisk finds, everything nested in the folds."""
    started = process_time()
    return Judged(cross_validated_risk(rows, settings)["risk"].to_numpy(), process_time() - started)


def peers(rows: Rows, folds: NDArray[np.int8]) -> Mapping[str, Judged | str]:
    """Return what the others find, or why they do not."""
    found: dict[str, Judged | str] = {}
    with tempfile.TemporaryDirectory() as folder:
        write(rows, folds, Path(folder))
        for name in PEER_NAMES:
            python = sys.executable if name == "lightgbm" else str(PEERS)
            if not Path(python).exists():
                found[name] = "not installed"
                continue
            try:
                result = measured(
                    f"tests.bench.labelled_peers:{name}", {"folder": folder}, python=python
                ).result
            except subprocess.CalledProcessError as error:
                found[name] = f"failed ({error.returncode})"
                continue
            found[name] = Judged(np.load(result["risk"]), float(result["processor_seconds"]))
    return found


def write(rows: Rows, folds: NDArray[np.int8], folder: Path) -> None:
    """Write numbers (nan = unknown), texts ("" = unknown), outcomes and folds for the peers."""
    numbers = [name for name, dtype in rows.frame.schema.items() if kind_of(dtype) == "number"]
    texts = [name for name, dtype in rows.frame.schema.items() if kind_of(dtype) == "category"]
    np.savez(
        folder / "rows.npz",
        numbers=rows.frame.select(pl.col(numbers).cast(pl.Float64).fill_null(np.nan)).to_numpy(),
        texts=rows.frame.select(pl.col(texts).cast(pl.String).fill_null("")).to_numpy().astype(str),
        left=rows.left,
        folds=folds,
    )


def _line(
    label: str, judged: Judged | str, first: Judged, rows: Rows, folds: NDArray[np.int8]
) -> Sequence[object]:
    if isinstance(judged, str):
        return (label, judged, "-", "-", "-", "-")
    auc, loss = (judged.by_fold(rows, folds, figure) for figure in ("auc", "log_loss"))
    less = auc - first.by_fold(rows, folds, "auc")
    over = loss / first.by_fold(rows, folds, "log_loss")
    beside = ("-", "-") if judged is first else (_interval(less, "+.4f"), _interval(over, ".3f"))
    return (label, f"{auc.mean():.4f}", f"{loss.mean():.4f}", *beside, f"{judged.seconds:.0f}")


def _interval(values: Floats, form: str) -> str:
    """Return the mean with its 95 % interval by Student's t over folds."""
    half = float(student.ppf(0.975, len(values) - 1)) * float(values.std(ddof=1)) / len(values) ** 0.5
    mean = float(values.mean())
    return f"{mean:{form}} [{mean - half:{form}}, {mean + half:{form}}]"
