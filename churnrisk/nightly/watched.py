"""What a night is watched for: fills the watch from what is at hand, and stops the night on alarms."""

from __future__ import annotations

from features import FeatureSet, library
from scoring.monitor import Monitored, Tonight, monitored, refuse

from ..night_monitor import watch_of
from ..night_report import Made
from ..sources.readiness import Readiness
from .basis import Basis
from .extent import BACKFILL


def watched(basis: Basis, ready: Readiness, features: FeatureSet, made: Made) -> Monitored:
    """Compare the night with earlier ones; on alarms that the settings name nothing is published."""
    catalogue = library(basis.workspace.root / "features").catalogue

    def source_of(name: str) -> str:
        entry = catalogue.find(name)
        return entry.source if entry is not None else ""

    risk, names = made.frames["scores"]["risk"], basis.bundle.features
    tonight = Tonight(basis.as_of.day, features.frame, risk, names, basis.bundle.model_version, source_of)
    watch = watch_of(
        basis.workspace,
        basis.as_of,
        basis.bundle,
        basis.past,
        engine=basis.engine,
        loaded=basis.loaded,
        ready=ready,
    )
    settings = basis.workspace.config.monitoring
    seen = monitored(tonight, watch, settings)
    if basis.extent is not BACKFILL:
        refuse(seen.findings, settings)
    return seen
