"""Charts as SVG text and PNG bytes: decides how figures are drawn, and refuses to know where they come from.

Every function takes one small frame (:func:`risk_distribution` any number of customers) and returns a
:class:`Picture`. A frame without a defined row raises ValueError: whoever asks says instead why there is nothing.
"""

from . import theme
from .budgets import budget_curve
from .circles import ego_network
from .counts import risk_bins, risk_distribution, tie_bins, ties_per_customer
from .drawing import Picture, plain, shortened
from .evaluation import by_date, calibration, gain, lift, profit
from .rows import exposure_against_risk, feature_importance, intervals, segments, top_reasons

__all__ = [
    "Picture",
    "budget_curve",
    "by_date",
    "calibration",
    "ego_network",
    "exposure_against_risk",
    "feature_importance",
    "gain",
    "intervals",
    "lift",
    "plain",
    "profit",
    "risk_bins",
    "risk_distribution",
    "segments",
    "shortened",
    "theme",
    "tie_bins",
    "ties_per_customer",
    "top_reasons",
]
