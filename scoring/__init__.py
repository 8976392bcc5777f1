"""From features and a model to what people act on: risks, reasons and the list of whom to call."""

from .changes import LastNight, changed_words, changes
from .ego import Ego, ego, told_amount
from .influence import Influence, influence, influence_of_date, scale_words, with_influence
from .lists import (
    ASKED_FIRST,
    FILE_FORMATS,
    RankedList,
    at_risk,
    call_list,
    consents_in_force,
    offers_made,
    ranked_list,
    to_call,
    with_carried,
)
from .nps import SILENT_DAYS, latest_nps, measured_shares, nps_predicted, predicted_shares
from .promoters import approach_list, approached, promoters
from .reasons import Part, effects_pp, explained, lines_of, parts_of, reasons
from .risk import scores
from .shadow import shadow_scores
from .spread import spread_from

__all__ = [
    "ASKED_FIRST",
    "FILE_FORMATS",
    "SILENT_DAYS",
    "Ego",
    "Influence",
    "LastNight",
    "Part",
    "RankedList",
    "approach_list",
    "approached",
    "at_risk",
    "call_list",
    "changed_words",
    "changes",
    "consents_in_force",
    "effects_pp",
    "ego",
    "explained",
    "influence",
    "influence_of_date",
    "latest_nps",
    "lines_of",
    "measured_shares",
    "nps_predicted",
    "offers_made",
    "parts_of",
    "predicted_shares",
    "promoters",
    "ranked_list",
    "reasons",
    "scale_words",
    "scores",
    "shadow_scores",
    "spread_from",
    "to_call",
    "told_amount",
    "with_carried",
    "with_influence",
]
