"""Columns and reasons for null that several published tables share."""

from __future__ import annotations

from .declaration import PublishedColumn

BANDS = ("low", "watch", "high", "critical")
"""Words of risk, by realised rate of leaving, lowest first."""

AS_OF = PublishedColumn("as_of", "date", "", "The day whose end is the limit of what was known.")
RUN = PublishedColumn(
    "run_id", "text", "", "The run that made the row: a hash of as_of, inputs, settings, code and model."
)
CUSTOMER = PublishedColumn("customer_id", "text", "", "The customer, as the user's own systems name them.")
RISK = PublishedColumn(
    "risk", "number", "probability", "Calibrated probability of leaving in the outcome window.", low=0, high=1
)
BAND = PublishedColumn(
    "band", "text", "", "Word for the risk, by the rate at which such customers really left.", words=BANDS
)
POSITION = PublishedColumn("position", "integer", "rank", "1 is first.", low=1)
VALUE = PublishedColumn(
    "value",
    "number",
    "customer's currency",
    "Expected margin over [value] months (12 by default): monthly_value x margin_share x months.",
    "the customer's monthly_value is not known",
)
NO_CALLS = "nobody's calls have come, or they may not be used for this customer, or the customer is a hub"
FEW_FRIENDS = "it would point at somebody: 1 to 4 ties, or fewer than 2 friends still at risk"
WITHHELD = (
    "withheld: fewer than 5 ties, or fewer than 2 of those tied did it, or fewer than 2 did not, so that no single "
    "one's doing can be inferred"
)
NO_SPILLOVER = f"{NO_CALLS}; or {FEW_FRIENDS}; or friends are at risk but no one's value is known"
