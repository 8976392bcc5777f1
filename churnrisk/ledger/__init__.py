"""The ledger: who was asked, answered, offered, contacted, held out or must be left alone, in one database.

It decides how that is kept (SQLite, or PostgreSQL by URL), which contact rules hold, and that a date is decided once.
It refuses to know risks, effects and money, and how messages travel.
"""

from .kept import kept_tables
from .ledger import FILE_NAME, Ledger, Transaction
from .permission import crm_consents, still_allowed
from .replay import Decided, Decisions, decided, decided_calls, is_decided, newest_decided, record_decisions
from .standing import standing_of

__all__ = [
    "FILE_NAME",
    "Decided",
    "Decisions",
    "Ledger",
    "Transaction",
    "crm_consents",
    "decided",
    "decided_calls",
    "is_decided",
    "kept_tables",
    "newest_decided",
    "record_decisions",
    "standing_of",
    "still_allowed",
]
