"""Where customers stand among the others, and who is in contact with whom."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, FEW_FRIENDS, NO_CALLS, NO_SPILLOVER, RUN, WITHHELD
from .declaration import PublishedColumn, PublishedTable

NETWORK = PublishedTable(
    "network",
    "Where each customer stands among the others: what reaches them through their ties, and what they pass on.",
    ("as_of", "customer_id"),
    (
        AS_OF,
        CUSTOMER,
        PublishedColumn(
            "n_ties", "integer", "customers", "Customers with a contact in the window.", NO_CALLS, low=0
        ),
        PublishedColumn(
            "strength", "number", "tie strength", "Sum of the strength of all ties.", NO_CALLS, low=0
        ),
        PublishedColumn(
            "detractor_exposure",
            "number",
            "share of ties",
            "Ties to customers whose latest answer, of the last 90 days, was that of a detractor (NPS 0-6; of those "
            "without NPS answers CSAT 1-2, without these CES 1-3). Rounded to 0.05. Predictive, not causal.",
            f"{WITHHELD}; or no survey answers, or {NO_CALLS}",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "churn_exposure",
            "number",
            "share of ties",
            "Ties to customers who left in the last 90 days. Rounded to 0.05. Predictive, not causal.",
            f"{WITHHELD}; or {NO_CALLS}",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "detractor_influence",
            "number",
            "customer's currency",
            "risk x churn_influence of a detractor: what is expected to be lost around them because they leave. 0 when "
            "the latest answer says otherwise.",
            f"no answer is known, or churn_influence is null ({NO_CALLS}; {FEW_FRIENDS}; nobody around is of known "
            "value)",
            low=0,
        ),
        PublishedColumn(
            "churn_influence",
            "number",
            "customer's currency",
            "Value expected to be lost around the customer if they leave: kappa x sum over friends of attention x risk "
            "x value, kappa from the causal effect in [influence] (science.md). 0 without ties.",
            NO_SPILLOVER,
            low=0,
        ),
        PublishedColumn(
            "promoter_influence",
            "number",
            "customer's currency",
            "(1 - risk) x churn_influence of a promoter: what their staying spares around them. 0 when the latest "
            "answer says otherwise.",
            f"no answer is known, or churn_influence is null ({NO_CALLS}; {FEW_FRIENDS}; nobody around is of known "
            "value)",
            low=0,
        ),
        PublishedColumn(
            "community",
            "integer",
            "label",
            "Community of the customer: those who are mostly in contact with each other. A name for this date; the "
            "same number may mean another community at another date.",
            f"fewer than five other customers of the date are in it, no tie, or {NO_CALLS}",
            low=0,
        ),
        PublishedColumn(
            "offnet_share",
            "number",
            "share of contacts",
            "Contacts with numbers outside the customer base.",
            f"no contacts, or {NO_CALLS}",
            low=0,
            high=1,
        ),
        RUN,
    ),
)

TIES = PublishedTable(
    "ties",
    "Pairs of customers in contact; few may read it, and it is off unless [privacy] publish_ties.",
    ("as_of", "customer_a", "customer_b"),
    (
        AS_OF,
        PublishedColumn("customer_a", "text", "", "The one whose id sorts first."),
        PublishedColumn("customer_b", "text", "", "The other."),
        PublishedColumn("strength", "number", "tie strength", "How strong the tie is.", low=0),
        PublishedColumn("n_contacts", "integer", "contacts", "Contacts in the window, both ways.", low=1),
        PublishedColumn("active_days", "integer", "days", "Days with at least one contact.", low=1),
        PublishedColumn(
            "reciprocity",
            "number",
            "share",
            "2 min(n_ab, n_ba) / (n_ab + n_ba).",
            "the contacts carry no direction",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "overlap",
            "number",
            "share",
            "Common neighbours among all neighbours (Onnela et al. 2007).",
            "neither has another tie",
            0,
            1,
        ),
        PublishedColumn(
            "last_contact_on", "date", "", "Day of the last contact in the window, in the configured zone."
        ),
        RUN,
    ),
    is_restricted=True,
)
