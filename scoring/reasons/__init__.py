"""Why the model sees a customer as it does: contributions in points of risk, told as sentences that add up.

It refuses to call them causes. Reasons are for customers on lists: contributions cost milliseconds a customer.
"""

from .effects import Effects, effects_of, effects_pp
from .groups import Part, parts_of
from .table import N_LOWERING, N_PER_GROUP, N_RAISING, Explained, explained, lines_of, reasons

__all__ = [
    "N_LOWERING",
    "N_PER_GROUP",
    "N_RAISING",
    "Effects",
    "Explained",
    "Part",
    "effects_of",
    "effects_pp",
    "explained",
    "lines_of",
    "parts_of",
    "reasons",
]
