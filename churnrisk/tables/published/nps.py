"""What silent customers would answer: predictions, in a table of their own so that nobody takes them for answers."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, RUN
from .declaration import PublishedColumn, PublishedTable

NPS_CATEGORY_WORDS = ("detractor", "passive", "promoter")


def _probability(name: str, meaning: str) -> PublishedColumn:
    return PublishedColumn(name, "number", "probability", meaning, low=0, high=1)


def _with_ends(name: str, scores: str) -> tuple[PublishedColumn, ...]:
    return (
        _probability(name, f"Calibrated probability that the answer would be {scores}."),
        *(
            _probability(f"{name}_{end}", f"{word} end of its Venn-Abers interval.")
            for end, word in (("low", "Lower"), ("high", "Upper"))
        ),
    )


NPS_PREDICTED = PublishedTable(
    "nps_predicted",
    "Predicted, not asked: what customers who gave no relationship answer in 365 days would say to the recommend "
    "question. Only of those who let their answers be used. Never part of a measured NPS, of a feature or of a risk. "
    "Not there without survey answers, nor where the training found that such predictions tell nothing: the report "
    "says why.",
    ("as_of", "customer_id"),
    (
        AS_OF,
        CUSTOMER,
        *_with_ends("detractor", "0 to 6"),
        _probability("passive", "Probability that it would be 7 or 8; the three sum to 1."),
        *_with_ends("promoter", "9 or 10"),
        PublishedColumn("category", "text", "", "The likeliest of the three.", words=NPS_CATEGORY_WORDS),
        PublishedColumn("model_version", "text", "", "The registered version of the model it lies beside."),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)
