"""All published tables, in the order of the documentation."""

from __future__ import annotations

from ...store.audits import TableRule
from .decisions import APPROACHES, OFFERS_RANKED, SURVEY_REQUESTS
from .declaration import PublishedTable
from .inputs import FEATURES
from .lists import AT_RISK
from .log import RUN_LOG
from .monitoring import MONITORING
from .network import NETWORK, TIES
from .nps import NPS_PREDICTED
from .operations import ALERTS, ANSWERS, CONTACTS, HOLDOUTS, OUTCOMES
from .reasons import CHANGES, REASONS
from .scores import SCORES, SHADOW_SCORES

PUBLISHED: dict[str, PublishedTable] = {
    table.name: table
    for table in (
        SCORES,
        REASONS,
        CHANGES,
        AT_RISK,
        SURVEY_REQUESTS,
        OFFERS_RANKED,
        APPROACHES,
        NETWORK,
        TIES,
        FEATURES,
        MONITORING,
        SHADOW_SCORES,
        NPS_PREDICTED,
        ANSWERS,
        ALERTS,
        OUTCOMES,
        CONTACTS,
        HOLDOUTS,
        RUN_LOG,
    )
}
"""Every published table of this version by name."""

RULES: dict[str, TableRule] = {name: table.rule for name, table in PUBLISHED.items()}
"""The same for audits and publishing."""


def published_markdown() -> str:
    """Document every published table."""
    return "\n".join(table.markdown() for table in PUBLISHED.values())
