"""The list that the retention team works through."""

from __future__ import annotations

from .columns import AS_OF, BAND, CUSTOMER, NO_SPILLOVER, POSITION, RISK, RUN, VALUE
from .declaration import PublishedColumn, PublishedTable

AT_RISK = PublishedTable(
    "at_risk",
    "The list for the retention team: highest risk x (value + spillover_value) first, as many who may be contacted as "
    "the team can call. Of a date that was decided it is the list as decided: whoever withdrew since stands in it as "
    "then, and is in no file of lists/, which is what to act on. "
    "Those ranked above the last of them who are not called stand in it too, with the reason in left_out_for, so that "
    "they can be counted: of those who may not be called (consent, contact rules, the permanent hold-out) the highest "
    "alone, at most as many as the team can call, and none ranked below its places. "
    "lists/YYYY-MM-DD/at_risk.csv and .xlsx hold only those to call, numbered from 1, the columns of [lists] carry "
    "first: without may_contact, left_out_for and run_id, with at_stake (risk x value), at_stake_around (risk x "
    "spillover_value), and the name of the offer and why it is made (offer_name, offer_why).",
    ("as_of", "position"),
    (
        AS_OF,
        POSITION,
        CUSTOMER,
        RISK,
        BAND,
        VALUE,
        PublishedColumn(
            "spillover_value",
            "number",
            "customer's currency",
            "Value expected to be lost around the customer if they leave (network.churn_influence).",
            NO_SPILLOVER,
            low=0,
        ),
        PublishedColumn("offer_id", "text", "", "The offer proposed.", "no offer is proposed"),
        PublishedColumn(
            "treatment_id",
            "text",
            "",
            "Names the offer to this customer: what came of it is recorded under this id.",
            "no offer is proposed",
        ),
        PublishedColumn(
            "reasons", "text", "", "The reasons that raise the risk, as sentences.", "nothing raises the risk"
        ),
        PublishedColumn(
            "changed",
            "text",
            "",
            "How much the risk changed since the night before, and its largest moves, as sentences.",
            "not scored in the night before, or the run was a backfill",
        ),
        PublishedColumn(
            "may_contact",
            "boolean",
            "",
            "Whether the customer might be called when it was decided: consent, contact rules and the permanent "
            "hold-out; false is never in lists/, and whoever withdrew since is not either.",
        ),
        PublishedColumn(
            "left_out_for",
            "text",
            "",
            "Why the customer is not called, as a code: see the contact rules in the documentation. asked_first: is "
            "asked a question tonight, and the call waits for the answer; offered_instead: is made an offer tonight "
            "that needs no call; capacity_full: no call is left for tonight.",
            "the customer is to be called",
        ),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)
