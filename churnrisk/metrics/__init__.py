"""Evaluation figures of a risk: ranking, probability, money, and their intervals; knows arrays, refuses to know files.

Everywhere ``left`` is 0 or 1, ``probability`` lies in 0..1 and ``weight`` defaults to 1. Undefined is nan, never 0.
"""

from .contagion import Contagion
from .effects import CONTROL, Contrast, aipw_scores, mean_effect, weighted_contrast
from .intervals import bootstrap_intervals, figures
from .paired import paired_differences, paired_gain
from .policies import FEWEST_EFFECTIVE, PolicyValue, policy_value
from .probability import (
    CalibrationError,
    CalibrationLine,
    Interval,
    brier,
    calibration_line,
    ece,
    log_loss,
    observed_over_expected,
    reliability_table,
    wilson,
)
from .profit import VERBRAKEN, Campaign, ExpectedProfit, empc, mpc, profit_table, treat_all
from .ranking import auc, gain_table, lift, pr_auc, roc_table
from .resampling import percentile_ends, resampled, share_ends
from .uplift import qini, qini_table, rate, rate_intervals, uplift_at, uplift_intervals
from .uplift_joint import Batch, JointRates, joint_rates
from .uplift_share import ShareKept, share_kept

__all__ = [
    "CONTROL",
    "FEWEST_EFFECTIVE",
    "VERBRAKEN",
    "Batch",
    "CalibrationError",
    "CalibrationLine",
    "Campaign",
    "Contagion",
    "Contrast",
    "ExpectedProfit",
    "Interval",
    "JointRates",
    "PolicyValue",
    "ShareKept",
    "aipw_scores",
    "auc",
    "bootstrap_intervals",
    "brier",
    "calibration_line",
    "ece",
    "empc",
    "figures",
    "gain_table",
    "joint_rates",
    "lift",
    "log_loss",
    "mean_effect",
    "mpc",
    "observed_over_expected",
    "paired_differences",
    "paired_gain",
    "percentile_ends",
    "policy_value",
    "pr_auc",
    "profit_table",
    "qini",
    "qini_table",
    "rate",
    "rate_intervals",
    "reliability_table",
    "resampled",
    "roc_table",
    "share_ends",
    "share_kept",
    "treat_all",
    "uplift_at",
    "uplift_intervals",
    "weighted_contrast",
    "wilson",
]
