"""A model on disk, and prediction: used by evaluation and by the night alike."""

from .answering import Answering
from .answers import (
    ANSWERS_FILE,
    DEFAULT_LOG_RATIOS,
    EVIDENCE,
    EVIDENCE_PURPOSES,
    SILENT,
    AnswerRatios,
    Evidence,
    Ratio,
    answer_category,
    evidence_weight,
    read_answers,
)
from .bundle import LOGISTIC, PRIOR, TIE_WEIGHTS, Band, Bundle, Provenance
from .calibrator import Beta, Calibrator, Knots, Platt, VennAbersGrid, calibrator_from, merged
from .encoding import KEY_COLUMNS, Feature, Kind, codes, digest_of, kind_of, matrix
from .learners import Additive, Effect, Learner, Trees
from .leaver_kinds import LeaverKinds
from .lifetime import Lifetime, monthly_hazard, read_lifetime
from .nps import (
    NPS_CATEGORIES,
    NPS_FOLDER,
    NpsCategory,
    NpsFindings,
    NpsModel,
    PredictedNps,
    nps_category,
    read_predicted_nps,
)
from .posterior import moved_by, posterior
from .reference import Bins, Histogram, Reference, bins_of, histogram_of, read_reference, reference_of
from .segments import Calibrated, RowCalibration, Segments

__all__ = [
    "ANSWERS_FILE",
    "DEFAULT_LOG_RATIOS",
    "EVIDENCE",
    "EVIDENCE_PURPOSES",
    "KEY_COLUMNS",
    "LOGISTIC",
    "NPS_CATEGORIES",
    "NPS_FOLDER",
    "PRIOR",
    "SILENT",
    "TIE_WEIGHTS",
    "Additive",
    "AnswerRatios",
    "Answering",
    "Band",
    "Beta",
    "Bins",
    "Bundle",
    "Calibrated",
    "Calibrator",
    "Effect",
    "Evidence",
    "Feature",
    "Histogram",
    "Kind",
    "Knots",
    "Learner",
    "LeaverKinds",
    "Lifetime",
    "NpsCategory",
    "NpsFindings",
    "NpsModel",
    "Platt",
    "PredictedNps",
    "Provenance",
    "Ratio",
    "Reference",
    "RowCalibration",
    "Segments",
    "Trees",
    "VennAbersGrid",
    "answer_category",
    "bins_of",
    "calibrator_from",
    "codes",
    "digest_of",
    "evidence_weight",
    "histogram_of",
    "kind_of",
    "matrix",
    "merged",
    "monthly_hazard",
    "moved_by",
    "nps_category",
    "posterior",
    "read_answers",
    "read_lifetime",
    "read_predicted_nps",
    "read_reference",
    "reference_of",
]
