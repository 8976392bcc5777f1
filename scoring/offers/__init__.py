"""Offers: who may get which, what each is worth, and who gets one under budget and capacity."""

from .allocation import Allocation, Limits, allocation
from .curve import value_curve
from .value import Effects, NetValue, OfferCosts, net_value, takes_assumed

__all__ = [
    "Allocation",
    "Effects",
    "Limits",
    "NetValue",
    "OfferCosts",
    "allocation",
    "net_value",
    "takes_assumed",
    "value_curve",
]
