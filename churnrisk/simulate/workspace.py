"""The churnrisk.toml that fits a simulated world; it knows the names of settings and nothing of how they are used."""

from __future__ import annotations

from .settings import WorldSettings

TEAM_PER_CUSTOMER = 0.005
"""Customers the demo's team can call a day, as a share of the base; guessed."""

ASKING_PER_CUSTOMER, OFFERS_PER_CUSTOMER = 0.0005, 0.02
"""Budgets of a night for asking and for offers, per customer of the base, in the customers' currency; guessed."""


def workspace_config(settings: WorldSettings, data: str = "data") -> str:
    """Return the text of a ``churnrisk.toml`` for a world written to the folder ``data`` of the workspace."""
    sources = "\n".join(_source(table, settings, data) for table in settings.tables)
    capacity = max(10, round(settings.customers * TEAM_PER_CUSTOMER))
    return f"""\
# A simulated telco: {settings.customers:,} customers over {settings.days} days up to {settings.end_on}.
# Its truth lies in {data}/truth and is no source.

[time]
zone = "UTC"

[churn]
kind = "cancelled"       # left_on in customers
horizon_days = 30        # the risk is about leaving within these days ...
gap_days = 14            # ... after this time to act
history_days = {min(365, settings.days)}

{sources}
[team]
daily_capacity = {capacity}

[surveys]
budget = {settings.customers * ASKING_PER_CUSTOMER:.2f}            # money for asking, a night

[offers]
budget = {settings.customers * OFFERS_PER_CUSTOMER:.2f}          # money for offers, a night

[privacy]
publish_ties = true      # a simulated world has no secrets

[lists]
carry = ["name", "phone", "owner"]
"""


def _source(table: str, settings: WorldSettings, data: str) -> str:
    pattern = f"{table}.csv" if settings.format_of(table) == "csv" else f"{table}/*.parquet"
    return f'[sources.{table}]\npath = "{data}/{pattern}"\n'
