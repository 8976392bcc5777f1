"""Does churn spread between customers here, or do similar people merely leave alike?

It decides nothing for other rooms: what it finds is evidence, in words and figures.
"""

from .panel import NEVER, Sighting, carried_labels, closeness_of
from .study import StudySettings, contagion_study, unidentified
from .watch import Watch

__all__ = [
    "NEVER",
    "Sighting",
    "StudySettings",
    "Watch",
    "carried_labels",
    "closeness_of",
    "contagion_study",
    "unidentified",
]
