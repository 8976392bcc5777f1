"""What came back and whom we have contacted, as the ledger knew it at the end of the day; null where it never said."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, RUN
from .declaration import PublishedColumn, PublishedTable
from .nps import NPS_CATEGORY_WORDS

KEPT_DAYS = 365
"""Days of answers, alerts, outcomes and contacts that each night publishes; all of them stay in the ledger."""

HOLDOUT_WORDS = ("permanent", "survey", "campaign")

_YEAR = f"Of the {KEPT_DAYS} days before the end of as_of, as known by then."

_INVITATION = PublishedColumn("invitation_id", "text", "", "The invitation answered.")
_METRIC = PublishedColumn("metric", "text", "", "What was asked: nps, csat or ces.")
_COMMENT = PublishedColumn("comment", "text", "", "What the customer wrote.", "nothing")
_ROOT_CAUSE = PublishedColumn(
    "root_cause", "text", "", "Why the customer was unhappy, as staff recorded it.", "not asked"
)


def _risk(when: str) -> PublishedColumn:
    return PublishedColumn(
        f"risk_{when}",
        "number",
        "probability",
        f"Risk {when} the answer changed it.",
        "the answer changed no risk: it came to no confirming survey, or too late",
        low=0,
        high=1,
    )


ANSWERS = PublishedTable(
    "answers",
    f"Every answer that counts: of several to one question the first given. {_YEAR}",
    ("as_of", "invitation_id", "metric"),
    (
        AS_OF,
        _INVITATION,
        _METRIC,
        CUSTOMER,
        PublishedColumn("purpose", "text", "", "Why it was asked: confirm, random, relationship, verify ..."),
        PublishedColumn(
            "score", "number", "points of the metric", "The answer.", "only a comment", low=0, high=10
        ),
        PublishedColumn(
            "category",
            "text",
            "",
            "Of the recommend question.",
            "another question, or no score",
            words=NPS_CATEGORY_WORDS,
        ),
        PublishedColumn("answered_at", "instant", "UTC", "When the customer answered."),
        PublishedColumn("known_at", "instant", "UTC", "When we knew it."),
        PublishedColumn(
            "is_late", "boolean", "", "Came later than [contacts] wait_for_answer_days after the invitation."
        ),
        _risk("before"),
        _risk("after"),
        RUN,
    ),
)

ALERTS = PublishedTable(
    "alerts",
    f"Answers to the recommend question within [surveys] alert_window, for somebody to see to. {_YEAR}",
    ("as_of", "alert_id"),
    (
        AS_OF,
        PublishedColumn("alert_id", "text", "", "The alert."),
        CUSTOMER,
        _INVITATION,
        PublishedColumn("score", "number", "points of 0-10", "The answer.", low=0, high=10),
        _COMMENT,
        PublishedColumn("owner", "text", "", "Who sees to it.", "nobody yet"),
        PublishedColumn("state", "text", "", "open, or what its owner made of it."),
        PublishedColumn("raised_at", "instant", "UTC", "When it was raised."),
        RUN,
    ),
)

OUTCOMES = PublishedTable(
    "outcomes",
    f"What came of contacts and offers. Notes of staff stay in the ledger. {_YEAR}",
    ("as_of", "outcome_id"),
    (
        AS_OF,
        PublishedColumn("outcome_id", "text", "", "The outcome."),
        CUSTOMER,
        PublishedColumn("treatment_id", "text", "", "The treatment it came of.", "of none, or not known"),
        PublishedColumn("at", "instant", "UTC", "When it happened."),
        PublishedColumn("outcome", "text", "", "What came of it, in the user's own words."),
        _ROOT_CAUSE,
        RUN,
    ),
)

CONTACTS = PublishedTable(
    "contacts",
    f"Contacts of the company with customers, whoever made them, as the contact rules count them. {_YEAR}",
    ("as_of", "contact_id"),
    (
        AS_OF,
        PublishedColumn("contact_id", "text", "", "The contact."),
        CUSTOMER,
        PublishedColumn("at", "instant", "UTC", "When."),
        PublishedColumn("channel", "text", "", "Through which channel.", "not known"),
        PublishedColumn("purpose", "text", "", "What for."),
        PublishedColumn("is_transactional", "boolean", "", "Had to go out, and counts towards no rule."),
        PublishedColumn("source", "text", "", "Who told of it: survey, offer, file ..."),
        RUN,
    ),
)

HOLDOUTS = PublishedTable(
    "holdouts",
    "Who among those scored is left alone to measure by: always (permanent), by surveys, or by a campaign (controls).",
    ("as_of", "kind", "campaign_id", "customer_id"),
    (
        AS_OF,
        PublishedColumn("kind", "text", "", "What they are held out of.", words=HOLDOUT_WORDS),
        PublishedColumn("campaign_id", "text", "", "The campaign; empty but for campaigns."),
        CUSTOMER,
        PublishedColumn("since", "date", "", "First day on which it kept a contact away.", "it has not yet"),
        RUN,
    ),
)
