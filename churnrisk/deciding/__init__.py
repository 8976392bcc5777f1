"""A decision night: whom to ask, what to offer, whom to leave alone; taken once per date and then read from the ledger.

The order stands in ``order``; ``offering`` and ``asking`` name candidates, ``written`` makes rows of the ledger and
``shown`` published tables of them.
"""

from .friends import Circle
from .material import Material
from .order import DecidedNight, decided_night
from .shown import decision_tables, offers_made
from .written import ledger_rows

__all__ = [
    "Circle",
    "DecidedNight",
    "Material",
    "decided_night",
    "decision_tables",
    "ledger_rows",
    "offers_made",
]
