"""A night: load, check, features, risk, list, report, publish; its order stands in ``order`` and nowhere else."""

from .extent import BACKFILL, DECIDE, DRY_RUN, NIGHTLY, SCORE, Extent, Night
from .order import run_night

__all__ = ["BACKFILL", "DECIDE", "DRY_RUN", "NIGHTLY", "SCORE", "Extent", "Night", "run_night"]
