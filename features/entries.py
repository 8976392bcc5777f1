"""The entries of the package's own features: what each is called and which way it is expected to work.

Unit and null meaning stand in the head of the SQL file that makes the column, and of ties in `ties.names`.
"""

from __future__ import annotations

from collections.abc import Mapping

from .entry import Feature, Reading
from .ties.names import TieFeature

ENTRIES: tuple[Feature, ...] = (
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


def tie_entry(column: TieFeature) -> Feature:
    """Return the entry of a measure of ties."""
    is_trouble = any(word in column.name for word in ("exposure", "loss", "lost", "leaver", "churn"))
    label = _TIE_LABELS.get(column.name) or _exposure_label(column)
    told: Reading = "higher is worse" if is_trouble else "lower is worse"
    reading = _TIE_READINGS.get(column.name, told)
    return Feature(column.name, "network", "calls", label, reading, column.unit, column.null_meaning)


def _exposure_label(column: TieFeature) -> str:
    subjects = {"share of ties": "share of ", "share of tie strength": "weight of "}
    return subjects.get(column.unit, "") + column.meaning
