"""Contracts of the published tables: one declaration per table gives its audit, its documentation and its comments.

They decide which columns BI tools and people may rely on, with type, unit, range and what null means, and refuse to
know how a value is reached. Tables of later stages (offers, survey requests, alerts ...) join ``every`` with them.
"""

from .columns import BANDS, FEW_FRIENDS, NO_CALLS, WITHHELD
from .declaration import Kind, PublishedColumn, PublishedTable
from .every import PUBLISHED, RULES, published_markdown
from .inputs import FEATURES
from .lists import AT_RISK
from .log import RUN_LOG
from .monitoring import MONITORING, MONITORING_WORDS
from .network import NETWORK, TIES
from .nps import NPS_CATEGORY_WORDS, NPS_PREDICTED
from .operations import ALERTS, ANSWERS, CONTACTS, HOLDOUTS, KEPT_DAYS, OUTCOMES
from .reasons import CHANGES, REASONS
from .scores import ASKED, KINDS, NON_PAYMENT, OTHER_KIND, SCORES, SHADOW_SCORES, SILENT

__all__ = [
    "ALERTS",
    "ANSWERS",
    "ASKED",
    "AT_RISK",
    "BANDS",
    "CHANGES",
    "CONTACTS",
    "FEATURES",
    "FEW_FRIENDS",
    "HOLDOUTS",
    "KEPT_DAYS",
    "KINDS",
    "MONITORING",
    "MONITORING_WORDS",
    "NETWORK",
    "NON_PAYMENT",
    "NO_CALLS",
    "NPS_CATEGORY_WORDS",
    "NPS_PREDICTED",
    "OTHER_KIND",
    "OUTCOMES",
    "PUBLISHED",
    "REASONS",
    "RULES",
    "RUN_LOG",
    "SCORES",
    "SHADOW_SCORES",
    "SILENT",
    "TIES",
    "WITHHELD",
    "Kind",
    "PublishedColumn",
    "PublishedTable",
    "published_markdown",
]
