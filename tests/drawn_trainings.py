"""Small trainings that really happen: one column that tells, five looks, a second or two."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from churnrisk.bundle import Provenance
from churnrisk.config import ChurnSettings, TrainingSettings
from churnrisk.dates import AsOf
from training import FitSettings, TrainingResult
from training.compare import Champion
from training.labels import Labels
from training.looks import Look
from training.ship import from_snapshots
from training.snapshots import snapshot_schedule


def drawn_looks(seed: int, *, is_blind: bool = False) -> list[Look]:
    """Snapshots as of one day; a blind training sees noise in place of the waits that tell."""
    schedule = snapshot_schedule(AsOf(date(2026, 6, 30)), ChurnSettings(), TrainingSettings(n_snapshots=3))
    found = []
    for position, snapshot in enumerate(schedule[:5]):
        rng = np.random.default_rng((seed, position))
        wait = rng.exponential(1, 300)
        left = (rng.random(300) < 1 / (1 + np.exp(3 - 1.5 * wait))).astype(np.int8)
        keys = np.arange(300)
        shown = rng.exponential(1, 300) if is_blind else wait
        frame = pl.DataFrame({"customer_key": keys, "customer_id": keys.astype(str), "wait_s": shown})
        counts = {"leaver": int(left.sum()), "stayer": int(300 - left.sum())}
        found.append(
            Look(snapshot, frame, Labels(pl.DataFrame({"customer_key": keys, "left": left}), counts))
        )
    return found


def drawn_result(*, is_blind: bool = False, champion: Champion | None = None) -> TrainingResult:
    churn = {"kind": "cancelled", "horizon_days": 30, "gap_days": 14, "inactive_days": None}
    origin = Provenance(churn=churn, trained_until="2026-07-01T00:00:00")
    return from_snapshots(drawn_looks(1, is_blind=is_blind), FitSettings(seed=1), origin, champion=champion)
