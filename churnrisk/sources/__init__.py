"""From the user's files, databases and frames to validated tables: mapping, contracts, quarantine, keys."""

from .load import LoadedSources, load
from .quarantine import publish_quarantine
from .reports import FaultCount, SourceReport

__all__ = ["FaultCount", "LoadedSources", "SourceReport", "load", "publish_quarantine"]
