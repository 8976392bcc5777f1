"""Draws a labelled extract of the KDD Cup 2009 kind: 190 numbers and 40 texts, mostly empty, few leavers.

Known of the original: 50,000 customers, 230 columns of which 190 are numbers, about 60 % of cells missing, texts with
up to 15,000 values, 7.3 % leavers. It may not be copied; what drives leaving here is invented: twelve numbers, twelve
of their gaps, and every third text, whose values each have an effect of their own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from scipy.optimize import brentq
from scipy.special import expit

from training import Rows

N_NUMBERS = 190
N_TELLING = 12
N_BLOCKS = 12
"""Columns that come from one source are missing together."""

RATE = 0.073
MISSING = ((0.0, 0.1), (0.1, 0.1), (0.5, 0.2), (0.6, 0.2), (0.9, 0.2), (0.97, 0.1), (0.99, 0.1))
"""Share of a number's cells that are missing, and share of numbers that are so."""

LEVELS = (
    2, 2, 3, 3, 4, 5, 5, 6, 7, 9, 12, 15, 20, 23, 30, 38, 50, 70, 100, 100, 150, 200, 300, 400, 500, 700, 1000, 1000,
    1500, 2000, 2500, 3000, 4000, 4000, 5000, 5500, 6000, 9000, 13000, 15000,
)  # fmt: skip
"""Values that each text can have; how often falls with their rank (Zipf)."""

TEXT_SD = 0.55
"""Standard deviation of the effect of a value on the log-odds."""


def kdd_like_rows(n: int, seed: int) -> Rows:
    """Return ``n`` customers."""
    rng = np.random.default_rng(seed)
    score = np.zeros(n)
    columns: dict[str, pl.Series] = {}
    blocks = rng.random((N_BLOCKS, n))
    shares, often = np.array(MISSING).T
    for place in range(N_NUMBERS):
        values = np.exp(rng.normal(0, 1.2, n)) if place % 2 else rng.normal(size=n)
        values = np.round(2 * values) if place % 3 == 0 else values
        missing = 0.85 * blocks[place % N_BLOCKS] + 0.15 * rng.random(n) < rng.choice(shares, p=often)
        if place < N_TELLING:
            slope, gap = rng.normal(0, 0.5), rng.normal(0, 0.2)
            score += np.where(missing, gap, slope * np.tanh(2 * (values - np.median(values))))
        columns[f"number_{place}"] = pl.Series(np.where(missing, np.nan, values)).fill_nan(None)
    for place, n_levels in enumerate(LEVELS):
        share = np.arange(1, n_levels + 1) ** -rng.uniform(0.7, 1.3)
        value = rng.choice(n_levels, n, p=share / share.sum())
        missing = rng.random(n) < rng.choice([0.0, 0.05, 0.3, 0.7, 0.95], p=[0.3, 0.2, 0.2, 0.2, 0.1])
        if place % 3 == 0:
            score += np.where(missing, 0.0, rng.normal(0, TEXT_SD, n_levels)[value])
        names = [f"v{name}" for name in rng.permutation(n_levels)]
        texts = [None if gone else names[k] for k, gone in zip(value.tolist(), missing.tolist(), strict=True)]
        columns[f"text_{place}"] = pl.Series(texts, dtype=pl.String)
    shift = float(brentq(lambda shift: float(expit(score + shift).mean()) - RATE, -20, 20))
    left = (rng.random(n) < expit(score + shift)).astype(np.float64)
    ids = np.array([f"c{row}" for row in range(n)], dtype=object)
    return Rows(pl.DataFrame(columns), left, np.ones(n), ids, np.full(n, "", dtype=object))
