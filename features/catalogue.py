"""Every feature: its name, unit, null meaning, source, availability, group and plain label. The documentation is this.

Unit and null meaning stand in the head of the SQL file that makes the column and are read from there; the rest stands
here. It refuses to know how a value is reached.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, get_args

from churnrisk.errors import Fault
from churnrisk.store.statements import Column, Statement, StatementError, statements_in

from .ties.names import TieFeature, tie_features

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


_ENTRIES: tuple[Feature, ...] = (
    Feature("tenure_days", "profile", "customers", "time as a customer", "lower is worse"),
    Feature("n_changes_365d", "profile", "customers", "changes of contract or master data in a year"),
    Feature(
        "days_since_change", "profile", "customers", "time since the last change of contract or master data"
    ),
    Feature("language", "profile", "customers", "language"),
    Feature("monthly_value", "price", "customers", "monthly value"),
    Feature(
        "monthly_value_change_90d",
        "price",
        "customers",
        "change of the monthly value in 90 days",
        "higher is worse",
    ),
    Feature(
        "monthly_value_ratio_90d",
        "price",
        "customers",
        "monthly value against 90 days ago",
        "higher is worse",
    ),
    Feature("usage_{metric}_last", "usage", "usage", "{metric} in the latest period"),
    Feature("usage_{metric}_last_age_days", "usage", "usage", "age of the latest {metric}"),
    Feature("usage_{metric}_change", "usage", "usage", "change of {metric} against the period before"),
    Feature("usage_{metric}_mean_3", "usage", "usage", "mean {metric} of the last three periods"),
    Feature(
        "usage_{metric}_trend",
        "usage",
        "usage",
        "{metric} of the last three periods against the three before",
    ),
    Feature("usage_{metric}_max_6", "usage", "usage", "highest {metric} of the last six periods"),
    Feature("usage_{metric}_n_above_zero_6", "usage", "usage", "periods of the last six with any {metric}"),
    Feature("n_calls_out_30d", "calls", "calls", "contacts made in 30 days", "lower is worse"),
    Feature("n_calls_in_30d", "calls", "calls", "contacts received in 30 days", "lower is worse"),
    Feature("n_calls_out_90d", "calls", "calls", "contacts made in 90 days", "lower is worse"),
    Feature("n_calls_in_90d", "calls", "calls", "contacts received in 90 days", "lower is worse"),
    Feature("call_seconds_out_30d", "calls", "calls", "talk time of own calls in 30 days", "lower is worse"),
    Feature(
        "call_seconds_in_30d", "calls", "calls", "talk time of received calls in 30 days", "lower is worse"
    ),
    Feature("call_seconds_90d", "calls", "calls", "talk time in 90 days", "lower is worse"),
    Feature("n_calls_missed_in_30d", "calls", "calls", "calls missed by the customer in 30 days"),
    Feature("share_calls_missed_90d", "calls", "calls", "share of contacts missed by either end in 90 days"),
    Feature("share_calls_out_90d", "calls", "calls", "share of contacts that the customer made in 90 days"),
    Feature("share_calls_night_90d", "calls", "calls", "share of contacts at night in 90 days"),
    Feature("share_calls_weekend_90d", "calls", "calls", "share of contacts at the weekend in 90 days"),
    Feature("share_calls_text_90d", "calls", "calls", "share of messages among contacts in 90 days"),
    Feature(
        "share_calls_offnet_90d",
        "calls",
        "calls",
        "share of contacts with people who are not customers",
        "higher is worse",
    ),
    Feature(
        "calls_trend_30d",
        "calls",
        "calls",
        "contacts of the last 30 days against the 60 before",
        "lower is worse",
    ),
    Feature("n_active_days_30d", "calls", "calls", "days with a contact in 30 days", "lower is worse"),
    Feature("n_active_days_90d", "calls", "calls", "days with a contact in 90 days", "lower is worse"),
    Feature("n_partners_30d", "calls", "calls", "people in contact in 30 days", "lower is worse"),
    Feature("n_partners_90d", "calls", "calls", "people in contact in 90 days", "lower is worse"),
    Feature("n_partners_new_30d", "calls", "calls", "new people in contact in 30 days"),
    Feature("days_since_contact", "calls", "calls", "time since the last contact", "higher is worse"),
    Feature(
        "days_since_contact_out", "calls", "calls", "time since the last contact made", "higher is worse"
    ),
    Feature("nps_last_score", "satisfaction", "surveys", "latest recommend score", "lower is worse"),
    Feature("nps_last_age_days", "satisfaction", "surveys", "age of the latest recommend score"),
    Feature("nps_change", "satisfaction", "surveys", "change of the recommend score", "lower is worse"),
    Feature(
        "nps_touchpoint_last_score",
        "satisfaction",
        "surveys",
        "latest recommend score after a contact",
        "lower is worse",
    ),
    Feature("csat_last_score", "satisfaction", "surveys", "latest satisfaction score", "lower is worse"),
    Feature("csat_last_age_days", "satisfaction", "surveys", "age of the latest satisfaction score"),
    Feature("ces_last_score", "satisfaction", "surveys", "latest effort score"),
    Feature("ces_last_age_days", "satisfaction", "surveys", "age of the latest effort score"),
    Feature("n_asked_365d", "satisfaction", "surveys", "surveys sent in a year"),
    Feature("n_answered_365d", "satisfaction", "surveys", "surveys answered in a year"),
    Feature(
        "share_answered_365d",
        "satisfaction",
        "surveys",
        "share of surveys answered in a year",
        "lower is worse",
    ),
    Feature("days_since_asked", "satisfaction", "surveys", "time since the last survey was sent"),
    Feature(
        "is_last_ask_silent", "satisfaction", "surveys", "last survey left unanswered", "higher is worse"
    ),
    Feature("comment_length_chars", "satisfaction", "surveys", "length of the last comment"),
    Feature("n_contacts_30d", "service", "interactions", "service contacts in 30 days", "higher is worse"),
    Feature("n_contacts_90d", "service", "interactions", "service contacts in 90 days", "higher is worse"),
    Feature("n_contacts_365d", "service", "interactions", "service contacts in a year", "higher is worse"),
    Feature("days_since_service_contact", "service", "interactions", "time since the last service contact"),
    Feature(
        "wait_mean_s_90d", "service", "interactions", "mean wait for service in 90 days", "higher is worse"
    ),
    Feature("n_channels_90d", "service", "interactions", "channels used to reach service in 90 days"),
    Feature(
        "wait_max_s_90d", "service", "interactions", "longest wait for service in 90 days", "higher is worse"
    ),
    Feature(
        "n_transfers_90d", "service", "interactions", "transfers between agents in 90 days", "higher is worse"
    ),
    Feature(
        "n_contacts_repeated_90d",
        "service",
        "interactions",
        "contacts about the same again in 90 days",
        "higher is worse",
    ),
    Feature(
        "n_contacts_unresolved_90d",
        "service",
        "interactions",
        "unresolved contacts in 90 days",
        "higher is worse",
    ),
    Feature(
        "n_contacts_abandoned_90d",
        "service",
        "interactions",
        "abandoned contacts in 90 days",
        "higher is worse",
    ),
    Feature(
        "share_contacts_not_first_time_right_90d",
        "service",
        "interactions",
        "share of contacts not resolved at once in 90 days",
        "higher is worse",
    ),
    Feature("topic_{topic}_n_90d", "service", "interactions", "service contacts about {topic} in 90 days"),
    Feature("event_{event}_n_30d", "digital", "events", "{event} in 30 days"),
    Feature("event_{event}_n_90d", "digital", "events", "{event} in 90 days"),
    Feature("event_{event}_days_since", "digital", "events", "time since {event}"),
    Feature(
        "attribute_{attribute}",
        "profile",
        "customers",
        "{attribute}",
        unit="number or category, as of the date",
        null_meaning="unknown, or the extract is younger than the date",
    ),
)

_TIE_LABELS: Mapping[str, str] = {
    "n_ties": "customers in contact",
    "n_ties_out": "customers contacted",
    "n_ties_in": "customers who made contact",
    "n_ties_mutual": "customers in contact both ways",
    "tie_strength_sum": "strength of all ties",
    "tie_reciprocity_mean": "how mutual the ties are",
    "ties_lost_30d": "ties gone silent in 30 days",
    "tie_loss_share_30d": "share of ties gone silent in 30 days",
    "tie_loss_strength_share_30d": "weight of ties gone silent in 30 days",
    "ties_gained_30d": "new ties in 30 days",
    "tie_gain_share_30d": "share of new ties in 30 days",
    "clustering": "how well the customers in contact know each other",
    "core_number": "depth in the network",
    "pagerank_ratio": "standing in the network",
    "n_second_order": "contacts of contacts",
    "leaver_similarity_max_90d": "closest likeness to one who left in 90 days",
    "leaver_similarity_mean_90d": "likeness to those nearby who left in 90 days",
    "community_size": "size of the community",
    "community_churn_rate_90d": "share of the community that left in 90 days",
    "is_community_leader": "centre of the community",
    "community_strength_share": "weight of ties inside the community",
}

_TIE_READINGS: Mapping[str, Reading] = {"community_size": "either", "clustering": "either"}
"""Readings that the name does not tell."""


def _tie_entry(column: TieFeature) -> Feature:
    is_trouble = any(word in column.name for word in ("exposure", "loss", "lost", "leaver", "churn"))
    label = _TIE_LABELS.get(column.name) or _exposure_label(column)
    told: Reading = "higher is worse" if is_trouble else "lower is worse"
    reading = _TIE_READINGS.get(column.name, told)
    return Feature(column.name, "network", "calls", label, reading, column.unit, column.null_meaning)


def _exposure_label(column: TieFeature) -> str:
    subjects = {"share of ties": "share of ", "share of tie strength": "weight of "}
    return subjects.get(column.unit, "") + column.meaning


class Catalogue:
    """All features that a set of statements and functions can give, by name; families are found by their members."""

    def __init__(self, features: Iterable[Feature]) -> None:
        listed = list(features)
        self.features: Mapping[str, Feature] = {
            feature.name: feature for feature in listed if not feature.kind_name
        }
        self.families: tuple[Feature, ...] = tuple(feature for feature in listed if feature.kind_name)

    def __iter__(self) -> Iterator[Feature]:
        """Go through single features and families, by group in the order of `GROUPS`."""
        order = list(GROUPS)
        yield from sorted(
            (*self.features.values(), *self.families), key=lambda feature: order.index(feature.group)
        )

    def find(self, name: str) -> Feature | None:
        """Return the entry of a column, a family's member with its own name and label; None when there is none."""
        if name in self.features:
            return self.features[name]
        for family in self.families:
            kind = family.matched_kind(name)
            if kind is not None:
                return family.of_kind(kind)
        return None

    def __getitem__(self, name: str) -> Feature:
        """Return the entry of a column; raise StatementError when there is none."""
        found = self.find(name)
        if found is None:
            raise StatementError(undocumented(name))
        return found


def undocumented(name: str) -> Fault:
    """Give the fault of a column without an entry."""
    return Fault(
        code="feature_undocumented",
        where="features/catalogue.py",
        expected="an entry for every feature",
        found=f"none for {name}",
        remedy="Add one, or write group and label into the head: name | unit | null meaning | group | label.",
    )


def is_feature_statement(statement: Statement) -> bool:
    """Say whether a statement gives features: one row per customer of the population."""
    return (
        not statement.is_ephemeral
        and statement.grain == ("customer_key",)
        and "population" in statement.reads
    )


def feature_columns(statement: Statement) -> dict[str, Column]:
    """Return the features that a statement gives, by name; a family's by its name with braces."""
    columns = {column.name: column for column in statement.columns if column.unit != "key"}
    if statement.output in WIDE_NAMES:
        key, template = WIDE_NAMES[statement.output]
        return {template.replace("{column}", name): column for name, column in columns.items() if name != key}
    return columns if is_feature_statement(statement) else {}


def own_entries(statement: Statement) -> dict[str, Feature]:
    """Return the entries written into a head: ``name | unit | null meaning | group | label``, the reading optional."""
    found = {}
    for line in statement.sql.splitlines():
        cells = [cell.strip() for cell in line.removeprefix("--").split("|")]
        if line.startswith("--") and len(cells) >= len(("name", "unit", "null", "group", "label")):
            found[cells[0]] = _own_entry(statement, cells)
    return found


def _own_entry(statement: Statement, cells: list[str]) -> Feature:
    name, unit, null_meaning, group, label = cells[:5]
    reading = cells[5] if len(cells) > len(cells[:5]) else "either"
    for word, allowed in ((group, get_args(Group)), (reading, get_args(Reading))):
        if word not in allowed:
            raise StatementError(
                Fault(
                    code="feature_entry",
                    where=f"{statement.output}.sql, head, {name}",
                    expected=f"one of {', '.join(allowed)}",
                    found=repr(word),
                    remedy="Write name | unit | null meaning | group | label | reading.",
                )
            )
    return Feature(name, group, _source_of(statement), label, reading, unit, null_meaning)  # type: ignore[arg-type]


def _source_of(statement: Statement) -> str:
    """The user's source behind a statement: that of the first known_ table it reads, else customers."""
    for name in statement.reads:
        source = name.removeprefix("known_")
        if source in AVAILABILITY:
            return source
    return "calls" if {"call_pairs", "last_contact"} & set(statement.reads) else "customers"


def catalogue_of(statements: Mapping[str, Statement], more: Iterable[Feature] = ()) -> Catalogue:
    """Merge the entries with ``more`` and the heads of ``statements``; raise StatementError for one without."""
    entries = {feature.name: feature for feature in (*_ENTRIES, *more)}
    merged: dict[str, Feature] = {name: feature for name, feature in entries.items() if feature.unit}
    for statement in statements.values():
        own = own_entries(statement)
        for name, column in feature_columns(statement).items():
            entry = own.get(column.name) or entries.get(name)
            if entry is None:
                raise StatementError(undocumented(name))
            merged[name] = replace(entry, unit=column.unit, null_meaning=column.null_meaning)
    return Catalogue([*merged.values(), *map(_tie_entry, tie_features())])


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue of the package's own features."""
    from .functions import functions

    own = [feature for function in functions().values() for feature in function.features]
    return catalogue_of(statements_in("features"), own)


def catalogue_markdown() -> str:
    """Return the documentation of all features as Markdown."""
    lines = [
        "# Features",
        "",
        "Made from `features/catalogue.py` and the heads of `features/sql/*.sql`. A name in braces stands for one",
        "feature per metric, event, topic or attribute of your own data. Null is unknown or undefined, never 0; 0 is a",
        "real count. Windows end at the as-of instant and never reach back further than `[churn] history_days`.",
        "",
        "## When a value is there",
        "",
        "| source | known as of the date |",
        "| --- | --- |",
        *[f"| {source} | {text} |" for source, text in AVAILABILITY.items()],
    ]
    features = list(catalogue())
    for group, title in GROUPS.items():
        members = [feature for feature in features if feature.group == group]
        lines += ["", f"## {title} (`{group}`)", ""]
        lines += [
            "| feature | what | unit | null says | source | reading |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        lines += [
            f"| `{f.name}` | {f.label} | {f.unit} | {f.null_meaning} | {f.source} | {f.reading} |"
            for f in members
        ]
    return "\n".join(lines) + "\n"
