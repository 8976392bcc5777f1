"""Offers: who may get which, what each is worth, and who gets one under budget and capacity."""

from .allocation import Allocation, Limits, allocation, prices_under
from .curve import Bought, curve_over, value_curve
from .eligibility import eligible
from .exploration import EXPLORED_SHARE, Explored, fixed_share, thompson, thompson_chances
from .value import TREAT_QUANTILE, Effects, NetValue, OfferCosts, net_value, takes_assumed

__all__ = [
    "EXPLORED_SHARE",
    "TREAT_QUANTILE",
    "Allocation",
    "Bought",
    "Effects",
    "Explored",
    "Limits",
    "NetValue",
    "OfferCosts",
    "allocation",
    "curve_over",
    "eligible",
    "fixed_share",
    "net_value",
    "prices_under",
    "takes_assumed",
    "thompson",
    "thompson_chances",
    "value_curve",
]
