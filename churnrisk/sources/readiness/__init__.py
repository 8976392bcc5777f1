"""Tells whether the sources are fit for a night and for training: counts, periods, freshness, matches, verdict.

It decides what is enough to learn from and says what to do when it is not; it refuses to change anything. Counts,
column names and dates only: no value of a person leaves it.
"""

from .answer import Match, Readiness, Remark, SourceReadiness
from .judging import readiness
from .remarks import TIES_UNKNOWN

__all__ = ["TIES_UNKNOWN", "Match", "Readiness", "Remark", "SourceReadiness", "readiness"]
