"""Labels, snapshots, fit, calibration, evaluation and gates: makes a bundle, and refuses to know the registry."""

from .evaluate import CROSS_VALIDATED, FIGURES, OUT_OF_TIME, Evaluation
from .fit import FitSettings
from .gates import GateFinding
from .judged import cross_validated_risk
from .result import SnapshotUse, TrainingResult
from .rows import Rows
from .ship import from_extract
from .train import train
from .tuning import Trial

__all__ = [
    "CROSS_VALIDATED",
    "FIGURES",
    "OUT_OF_TIME",
    "Evaluation",
    "FitSettings",
    "GateFinding",
    "Rows",
    "SnapshotUse",
    "TrainingResult",
    "Trial",
    "cross_validated_risk",
    "from_extract",
    "train",
]
