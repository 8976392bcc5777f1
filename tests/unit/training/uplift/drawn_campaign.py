"""A campaign whose dear offer goes to those at risk and whose cheap one to the others, with what each truly does."""

from __future__ import annotations

import numpy as np
import polars as pl

from training.uplift.rows import CONTROL, Lot, UpliftRows

ARMS = (CONTROL, "dear", "cheap")
FIRST = np.datetime64("2026-03-01", "us")
NIGHT = np.timedelta64(1, "D").astype("timedelta64[us]")

EFFECT = np.array([0.0, 0.3, 0.1])
"""Share of the risk that each arm takes away."""


def drawn_campaign(
    n: int = 3_000, *, seed: int = 0, explored: float = 0.1, again: int = 0
) -> tuple[UpliftRows, dict[str, float]]:
    """Return rows as a decided night would write them, and by offer the true effect on those made it first.

    Two of ten are controls. Of ``explored`` either offer or none is drawn. Controls at risk are picked again on
    ``again`` further nights: whoever got an offer rests.
    """
    rng = np.random.default_rng(seed)
    share = 0.2
    risk = 0.05 + 0.4 * rng.random(n)
    best = np.where(risk > 0.25, 1, 2)
    is_drawn = rng.random(n) < explored
    fell_on = np.where(is_drawn, rng.integers(0, 3, n), best)
    arm = np.where(rng.random(n) < share, 0, fell_on)
    stayed = (rng.random(n) >= risk * (1 - EFFECT[arm])).astype(float)
    chance = np.where(fell_on == best, 1 - 2 * explored / 3, explored / 3)
    left_alone = share + (1 - share) * explored / 3
    propensity = np.where(arm == 0, left_alone, (1 - share) * chance)
    names = np.array(ARMS, dtype=object)[fell_on]
    instead_of = np.where((arm == 0) & (fell_on > 0), names, np.array(None))
    nights = 1 + np.where((arm == 0) & (best == 1), again, 0)
    row = np.repeat(np.arange(n), nights)
    night = np.arange(len(row)) - np.repeat(np.cumsum(nights) - nights, nights)
    frame = pl.DataFrame({"risk_seen": risk + rng.normal(0, 0.05, n), "noise": rng.normal(size=n)})
    rows = UpliftRows(
        frame[row],
        ARMS,
        arm[row],
        stayed[row],
        propensity[row],
        np.array([f"c{number}" for number in row], dtype=object),
        lot=Lot(instead_of[row], FIRST + night * NIGHT),
    )
    truth = {ARMS[place]: float((EFFECT[place] * risk)[arm == place].mean()) for place in (1, 2)}
    return rows, truth
