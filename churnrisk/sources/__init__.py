"""From the user's files, databases and frames to validated tables: mapping, contracts, quarantine, keys."""

from .beginning import refuse_before_data, refuse_to_come, runs_ahead
from .loaded import LoadedSources
from .loading import load
from .quarantine import publish_quarantine
from .readiness import Readiness, readiness
from .reports import FaultCount, SourceReport

__all__ = [
    "FaultCount",
    "LoadedSources",
    "Readiness",
    "SourceReport",
    "load",
    "publish_quarantine",
    "readiness",
    "refuse_before_data",
    "refuse_to_come",
    "runs_ahead",
]
