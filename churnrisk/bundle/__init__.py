"""A model on disk, and prediction: used by evaluation and by the night alike."""

from .bundle import TIE_WEIGHTS, Band, Bundle, Provenance
from .calibrator import Beta, Calibrator, Knots, Platt, VennAbersGrid, calibrator_from, merged
from .encoding import KEY_COLUMNS, Feature, Kind, kind_of, matrix
from .learners import Additive, Effect, Learner, Trees

__all__ = [
    "KEY_COLUMNS",
    "TIE_WEIGHTS",
    "Additive",
    "Band",
    "Beta",
    "Bundle",
    "Calibrator",
    "Effect",
    "Feature",
    "Kind",
    "Knots",
    "Learner",
    "Platt",
    "Provenance",
    "Trees",
    "VennAbersGrid",
    "calibrator_from",
    "kind_of",
    "matrix",
    "merged",
]
