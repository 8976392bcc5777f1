"""Whom to ask, and why: what an answer would be worth before it is given, and who is due for other reasons.

It decides candidates; caps, budgets, consents and hold-outs belong to the one walk over all contacts.
"""

from .alerts import alert_counts, is_alert
from .candidates import CANDIDATE_SCHEMA, AskingSettings, confirm_candidates, random_slice
from .information import NO_OFFER, Information, OfferNumbers, expected_movement, value_of_information
from .occasions import OccasionSettings, touchpoint_candidates, verify_candidates, wave_candidates
from .words import asking_words, with_words

__all__ = [
    "CANDIDATE_SCHEMA",
    "NO_OFFER",
    "AskingSettings",
    "Information",
    "OccasionSettings",
    "OfferNumbers",
    "alert_counts",
    "asking_words",
    "confirm_candidates",
    "expected_movement",
    "is_alert",
    "random_slice",
    "touchpoint_candidates",
    "value_of_information",
    "verify_candidates",
    "wave_candidates",
    "with_words",
]
