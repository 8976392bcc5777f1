"""What answers to confirming surveys are worth: likelihood ratios, learned from what came of those who were asked.

It decides which past invitations teach, and when they are too few; it refuses to know how a risk is made.
"""

from .judged import answer_figures, confirmation_rates
from .learned import ASKED_COLUMNS, FEWEST_ANSWERS, FEWEST_LEAVERS, learned_answers
from .rows import asked_rows
from .surveyed import SurveyEffect, effect_of_asking

__all__ = [
    "ASKED_COLUMNS",
    "FEWEST_ANSWERS",
    "FEWEST_LEAVERS",
    "SurveyEffect",
    "answer_figures",
    "asked_rows",
    "confirmation_rates",
    "effect_of_asking",
    "learned_answers",
]
