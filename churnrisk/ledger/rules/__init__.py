"""One set of contact rules over surveys, calls and offers.

``walked`` decides on all candidates of a night; ``Standing`` and ``ContactRules`` are what it looks at.
"""

from .reasons import DECISIONS, REASONS
from .standing import ContactRules, Standing, action_day
from .walk import CANDIDATE_COLUMNS, walked, worth_keeping

__all__ = [
    "CANDIDATE_COLUMNS",
    "DECISIONS",
    "REASONS",
    "ContactRules",
    "Standing",
    "action_day",
    "walked",
    "worth_keeping",
]
