"""All source tables, in the order of the documentation."""

from __future__ import annotations

from .rows import Calls, Customers, Events, Interactions, Labelled, Offers, Surveys, Treatments, Usage
from .table import SourceTable

SOURCE_TABLES: dict[str, SourceTable] = {
    table.name: table
    for table in (
        SourceTable(
            "customers", Customers, "customer_id and valid_from (or known_at)", "joined_on", "attribute"
        ),
        SourceTable("calls", Calls, "caller_id, callee_id, started_at, kind", "started_at"),
        SourceTable("surveys", Surveys, "invitation_id, metric", "invited_at"),
        SourceTable("interactions", Interactions, "interaction_id, where given", "at"),
        SourceTable("usage", Usage, "customer_id, period_start", "period_start", "metric"),
        SourceTable("events", Events, "", "at"),
        SourceTable("offers", Offers, "offer_id"),
        SourceTable("treatments", Treatments, "treatment_id", "at"),
        SourceTable(
            "labelled", Labelled, "customer_id and observed_on, where given", "observed_on", "attribute"
        ),
    )
}
"""Every source table by name."""
