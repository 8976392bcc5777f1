"""The risk of every customer: of the model in use, and of the one that may follow it."""

from __future__ import annotations

from collections.abc import Iterator

from .columns import AS_OF, BAND, CUSTOMER, RISK, RUN, VALUE
from .declaration import PublishedColumn, PublishedTable

_RISKS = (
    RISK,
    *(
        PublishedColumn(
            name,
            "number",
            "probability",
            f"{end} end of the Venn-Abers interval.",
            "the model has no interval",
            low=0,
            high=1,
        )
        for name, end in (("risk_low", "Lower"), ("risk_high", "Upper"))
    ),
)
ASKED, SILENT, NON_PAYMENT, OTHER_KIND = KINDS = ("asked", "silent", "non_payment", "other")
"""How customers leave: they say so before, they just go, they are let go; kinds too seldom to be told apart."""

_RISING = ("risk_low", "risk", "risk_high")


def _origin(model: str, version: str) -> tuple[PublishedColumn, ...]:
    """Return the columns that say which model a row comes from, and whether it knew better than it could."""
    return (
        PublishedColumn("model_version", "text", "", version),
        PublishedColumn(
            "is_hindsight",
            "boolean",
            "",
            f"{model} learned from outcomes after as_of: do not judge it by this row.",
            "the model's training data carry no dates",
        ),
    )


_NO_LIFETIME = (
    "the model does not know over which time its risk speaks (an extract), or was trained without lifetimes"
)


def _lifetimes() -> Iterator[PublishedColumn]:
    """Yield expected months and lifetime value, each with what the ends of the risk's interval make of it."""
    months = "Months the customer is expected to stay, of the next [value] lifetime_months (60 by default)"
    clv = "Margin expected in these months, discounted by [value] discount_rate a year"
    unknown = f"monthly_value is not known, or {_NO_LIFETIME}"
    ends = {"": "", "_low": ", if the risk is at the upper end", "_high": ", if the risk is at the lower end"}
    for end, words in ends.items():
        yield PublishedColumn(
            f"expected_months{end}", "number", "months", f"{months}{words}.", _NO_LIFETIME, low=0
        )
    for end, words in ends.items():
        yield PublishedColumn(f"clv{end}", "number", "customer's currency", f"{clv}{words}.", unknown)


SCORES = PublishedTable(
    "scores",
    "The risk of every customer who has not left, and what they are worth.",
    ("as_of", "customer_id"),
    (
        AS_OF,
        CUSTOMER,
        *_RISKS,
        PublishedColumn(
            "risk_before_survey",
            "number",
            "probability",
            "Risk before the answer to a confirming survey changed it.",
            "no such answer has changed the risk",
            low=0,
            high=1,
        ),
        BAND,
        VALUE,
        PublishedColumn(
            "leaver_kind",
            "text",
            "",
            "How the customer would most likely leave: asked (says so before, or why), silent, non_payment, or other.",
            "the data do not tell kinds of leavers apart",
            words=KINDS,
        ),
        PublishedColumn(
            "leaver_kind_share",
            "number",
            "probability",
            "Probability of that kind, given that the customer leaves; risk times it is the risk of leaving so.",
            "as leaver_kind",
            low=0,
            high=1,
        ),
        *_lifetimes(),
        *_origin("The model", "The registered version of the model."),
        RUN,
    ),
    rising=_RISING,
    min_rows=1,
)

SHADOW_SCORES = PublishedTable(
    "shadow_scores",
    "What the challenger, the newest fit model that is not in use, says of the same customers on the same night: to "
    "watch it before it is promoted. Nobody acts on it. Not there without a challenger, nor where it lacks a feature.",
    ("as_of", "customer_id"),
    (
        AS_OF,
        CUSTOMER,
        *_RISKS,
        BAND,
        *_origin("The challenger", "The challenger's registered version."),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
    rising=_RISING,
)
