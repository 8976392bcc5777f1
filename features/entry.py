"""One feature: its name, group, source, label and reading, and what must be known for a value to be there.

It refuses to know which features there are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

Group = Literal["profile", "price", "usage", "calls", "network", "satisfaction", "service", "digital"]
Reading = Literal["higher is worse", "lower is worse", "either"]

GROUPS: Mapping[str, str] = {
    "profile": "Who the customer is",
    "price": "What the customer pays",
    "usage": "What the customer uses",
    "calls": "How the customer calls",
    "network": "Whom the customer is tied to",
    "satisfaction": "What the customer says",
    "service": "What service the customer needed",
    "digital": "What the customer does online",
}

AVAILABILITY: Mapping[str, str] = {
    "customers": "versions of the customer extract that were known and valid before the as-of instant; an extract "
    "without history is known from its own date, columns declared constant always",
    "calls": "contacts that happened and were known before the as-of instant and whose two ends allow their use",
    "surveys": "invitations known before the as-of instant; an answer only from when it was known; none of a customer "
    "whose answers may not be used",
    "interactions": "service contacts that happened and were known before the as-of instant",
    "usage": "periods known before the as-of instant, by default from the end of the period",
    "events": "events that happened and were known before the as-of instant",
}
"""By source: what must be known for a value to be there. Nothing older than [churn] history_days is read."""

WIDE_NAMES: Mapping[str, tuple[str, str]] = {
    "usage_metrics": ("metric", "usage_{metric}_{column}"),
    "event_kinds": ("event", "event_{event}_{column}"),
    "contact_topics": ("topic", "topic_{topic}_{column}"),
}
"""Statements with one row per customer and kind: the column that holds the kind, and the name of a feature."""


@dataclass(frozen=True)
class Feature:
    """One feature, or a family when ``name`` holds ``{metric}``, ``{event}``, ``{topic}`` or ``{attribute}``."""

    name: str
    group: Group
    source: str
    label: str
    reading: Reading = "either"
    unit: str = ""
    null_meaning: str = ""

    @property
    def availability(self) -> str:
        """What must be known for a value to be there."""
        return AVAILABILITY[self.source]

    @property
    def kind_name(self) -> str | None:
        """The word in braces of a family's name, None for a single feature."""
        found = re.search(r"\{(\w+)\}", self.name)
        return found[1] if found else None

    def of_kind(self, kind: str) -> Feature:
        """Return the member of the family for one metric, event, topic or attribute."""
        braces = "{" + str(self.kind_name) + "}"
        return replace(self, name=self.name.replace(braces, kind), label=self.label.replace(braces, kind))

    def matched_kind(self, name: str) -> str | None:
        """Return the kind when ``name`` belongs to this family."""
        before, after = self.name.split("{" + str(self.kind_name) + "}")
        inside = name[len(before) : len(name) - len(after)]
        return inside if inside and name.startswith(before) and name.endswith(after) else None
