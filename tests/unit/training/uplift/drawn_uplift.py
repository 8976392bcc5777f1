"""Treatments with a planted effect, small enough to learn from in a second."""

from __future__ import annotations

import numpy as np
import polars as pl

from training.uplift.rows import CONTROL, UpliftRows


def drawn(
    n: int = 4_000, *, seed: int = 0, effect: float = 0.5, is_recorded: bool = True, arms: int = 1
) -> tuple[UpliftRows, np.ndarray]:
    """Return rows and true effects, shape (n, arms): the first offer keeps the worried, the others do nothing."""
    rng = np.random.default_rng(seed)
    worry, noise = rng.random(n), rng.normal(size=n)
    plan = rng.integers(0, 3, n)
    risk = 0.15 + 0.35 * worry
    truth = np.zeros((n, arms))
    truth[:, 0] = effect * risk * (worry > 0.5)
    shares = np.column_stack((0.5 - 0.2 * worry, *(np.tile((0.5 + 0.2 * worry) / arms, (arms, 1)))))
    arm = (rng.random(n)[:, None] > np.cumsum(shares, axis=1)).sum(axis=1).clip(0, arms)
    gain = np.column_stack((np.zeros(n), truth))[np.arange(n), arm]
    stayed = (rng.random(n) >= risk - gain).astype(float)
    frame = pl.DataFrame({"worry": worry, "noise": noise, "plan": pl.Series(np.array(["a", "b", "c"])[plan])})
    rows = UpliftRows(
        frame,
        (CONTROL, *(f"offer {place}" for place in range(1, arms + 1))),
        arm,
        stayed,
        shares[np.arange(n), arm] if is_recorded else np.full(n, np.nan),
        np.array([f"c{number}" for number in range(n)], dtype=object),
        np.where(arm > 0, (noise > 0).astype(float), np.nan),
    )
    return rows, truth
