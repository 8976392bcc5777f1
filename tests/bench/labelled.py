"""Benchmark: 5-fold AUC and log loss on the two public labelled extracts, through the product's own training.

Folds are fixed by the hash of the customer's id (or row); everything, the calibrator too, is fitted inside the folds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import polars as pl

from churnrisk import metrics
from features import typed_attributes
from training import FitSettings, Rows, cross_validated_risk
from training.extract import attributes_of, extract_rows_of

DATA = Path(__file__).parent.parent / "data"
IBM = DATA / "ibm_telco" / "WA_Fn-UseC_-Telco-Customer-Churn.csv.gz"
MLC = DATA / "mlc_churn" / "mlc_churn_5000.csv.gz"

SEEDS = (1, 2, 3)
"""Each gives its own outer folds; the first is the bar's."""

BARS = {"ibm_telco": (0.8436, 0.420), "mlc_churn": (0.920, None)}
"""5-fold AUC at least, log loss at most: published figures of CatBoost and LightGBM on these sets."""


def ibm_rows(path: Path = IBM) -> Rows:
    """Return IBM's 7,043 telco customers, 26.5 % leavers."""
    return _rows(path, customer="customerID", churned="Churn", positive="Yes")


def mlc_rows(path: Path = MLC) -> Rows:
    """Return churn-5000, 14.1 % leavers, which has no ids."""
    return _rows(path, customer=None, churned="churn", positive="yes")


def five_fold(rows: Rows, seed: int = SEEDS[0]) -> dict[str, float]:
    """Return mean over folds of AUC and log loss, and the calibration slope over all rows."""
    from training.folds import customer_folds

    settings = FitSettings(seed=seed)
    folds = customer_folds(rows.customer, rows.left, settings.n_folds, salt=f"judge-{seed}")
    started = perf_counter()
    risk = cross_validated_risk(rows, settings)["risk"].to_numpy()
    by_fold = [
        metrics.figures(rows.left[folds == k], risk[folds == k], rows.weight[folds == k]) for k in range(5)
    ]
    return {
        **{name: sum(found[name] for found in by_fold) / len(by_fold) for name in ("auc", "log_loss")},
        "slope": metrics.calibration_line(rows.left, risk).slope.value,
        "seconds": perf_counter() - started,
    }


def tables(full: bool) -> Sequence[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
    """Return the table for ``python -m tests.bench``: one fold seed, or three in full."""
    return [_table({"ibm_telco": ibm_rows(), "mlc_churn": mlc_rows()}, SEEDS if full else SEEDS[:1])]


def _table(
    data: dict[str, Rows], seeds: Sequence[int]
) -> tuple[str, Sequence[str], Sequence[Sequence[object]]]:
    head = ("data", "fold seed", "AUC", "bar", "log loss", "bar", "calibration slope", "seconds")
    lines: list[Sequence[object]] = []
    for name, rows in data.items():
        auc_bar, loss_bar = BARS[name]
        for seed in seeds:
            found = five_fold(rows, seed)
            figures = (
                found["auc"],
                f">= {auc_bar}",
                found["log_loss"],
                f"<= {loss_bar}" if loss_bar else "-",
            )
            lines.append((name, seed, *figures, found["slope"], found["seconds"]))
    return "Labelled extracts, 5-fold, everything nested in the folds", head, lines


def _rows(path: Path, *, customer: str | None, churned: str, positive: str) -> Rows:
    read = pl.read_csv(path, infer_schema=False, null_values=["", " "])
    keys = [name for name in (customer, churned) if name is not None]
    attributes = read.drop(keys).rename(lambda name: f"attribute_{name}")
    frame = attributes.with_columns(
        row=pl.int_range(pl.len()),
        churned=read[churned] == positive,
        customer_id=read[customer] if customer else pl.lit(None, dtype=pl.String),
    )
    return extract_rows_of(typed_attributes(frame, attributes_of(frame)).frame)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ibm", type=Path, default=IBM)
    parser.add_argument("--mlc", type=Path, default=MLC)
    paths = parser.parse_args()
    title, head, lines = _table({"ibm_telco": ibm_rows(paths.ibm), "mlc_churn": mlc_rows(paths.mlc)}, SEEDS)
    print(title, head, *lines, sep="\n")
