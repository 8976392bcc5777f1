"""From features and a model to what people act on: risks, reasons and the list of whom to call."""

from .influence import Influence, influence, with_influence
from .lists import FILE_FORMATS, RankedList, at_risk, call_list, consents_in_force, ranked_list
from .reasons import effects_pp, reasons
from .risk import scores

__all__ = [
    "FILE_FORMATS",
    "Influence",
    "RankedList",
    "at_risk",
    "call_list",
    "consents_in_force",
    "effects_pp",
    "influence",
    "ranked_list",
    "reasons",
    "scores",
    "with_influence",
]
