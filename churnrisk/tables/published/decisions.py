"""What was decided of a date: whom to ask, and what every offer would be worth to whom."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, POSITION, RUN
from .declaration import PublishedColumn, PublishedTable

ASK_DECISIONS = ("ask", "hold-out", "refused")
OFFER_DECISIONS = ("offer", "hold-out", "none")
PURPOSES = ("confirm", "random", "relationship", "touchpoint", "verify")
EFFECT_SOURCES = ("measured", "average", "assumed")

_REASON = PublishedColumn(
    "reason_code",
    "text",
    "",
    "Why, as a code: see the contact rules in the documentation; chosen = goes out.",
)


def _money(name: str, meaning: str, null: str = "") -> PublishedColumn:
    return PublishedColumn(name, "number", "customer's currency", meaning, null)


SURVEY_REQUESTS = PublishedTable(
    "survey_requests",
    "Who is asked, and who would be: everybody whom the contact rules reached in order of value, hold-outs "
    "included, and as many again, so that it shows who comes next. Only rows with decision ask stand in "
    "lists/YYYY-MM-DD/survey_requests.csv and go out as messages. Not there of dates that were not decided.",
    ("as_of", "invitation_id"),
    (
        AS_OF,
        PublishedColumn(
            "invitation_id", "text", "", "Stable: the same customer, question and date have the same id."
        ),
        CUSTOMER,
        PublishedColumn("metric", "text", "", "What is asked.", words=("nps", "csat", "ces")),
        PublishedColumn(
            "occasion", "text", "", "confirmation, relationship, a contact, or a case that was closed."
        ),
        PublishedColumn("channel", "text", "", "How it is sent."),
        PublishedColumn("language", "text", "", "Language of the question.", "not known"),
        PublishedColumn("purpose", "text", "", "What the answer is for.", words=PURPOSES),
        PublishedColumn(
            "risk", "number", "probability", "Risk when it was decided.", "not scored", low=0, high=1
        ),
        _money(
            "value_of_asking",
            "Expected gain of deciding offers with the answer rather than without it, less what asking costs.",
            "there is no offer that an answer could decide",
        ),
        _money("cost", "What asking costs."),
        PublishedColumn(
            "is_random", "boolean", "", "Drawn by lot, so that what answers tell stays measurable."
        ),
        PublishedColumn(
            "propensity",
            "number",
            "probability",
            "Chance of having been drawn.",
            "chosen, not drawn",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "decision", "text", "", "Asked, held out to measure by, or refused.", words=ASK_DECISIONS
        ),
        _REASON,
        PublishedColumn("why", "text", "", "The reason, and what each answer would change, as sentences."),
        POSITION,
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

OFFERS_RANKED = PublishedTable(
    "offers_ranked",
    "Every offer of everybody whom the contact rules reached, the best first, with its expected net value; the "
    "decision stands at the offer that was chosen for the customer. Those on the at-risk list are always here. Only "
    "rows with decision offer stand in lists/YYYY-MM-DD/offers.csv and go out as messages. Not there without the "
    "source offers, nor of dates that were not decided.",
    ("as_of", "customer_id", "position"),
    (
        AS_OF,
        CUSTOMER,
        PublishedColumn("position", "integer", "rank", "1 is the customer's best offer by net value.", low=1),
        PublishedColumn("offer_id", "text", "", "The offer."),
        PublishedColumn(
            "treatment_id",
            "text",
            "",
            "Names the offer to this customer: what came of it is recorded under this id.",
            "the customer does not get it, and is no control either",
        ),
        PublishedColumn(
            "effect",
            "number",
            "probability",
            "By how much the offer lowers the probability of leaving; below 0 it does harm.",
            "not known",
            low=-1,
            high=1,
        ),
        PublishedColumn(
            "effect_source",
            "text",
            "",
            "measured on your own treatments, only its average measured, or assumed (Beta(6, 14) of the risk).",
            words=EFFECT_SOURCES,
        ),
        _money("net_value", "direct_value + spillover_value - cost.", "the customer's value is not known"),
        _money("direct_value", "Effect x the customer's value.", "the customer's value is not known"),
        _money(
            "spillover_value",
            "Effect x the bounded value of sparing those tied to the customer.",
            "not known, or it would point at somebody; net_value then counts none",
        ),
        _money(
            "cost", "Contact and incentive, those included who take it and would have stayed.", "not known"
        ),
        _money("low", "Low end of net_value ([offers] treat_quantile).", "the customer's value is not known"),
        _money("high", "High end of net_value.", "the customer's value is not known"),
        PublishedColumn("channel", "text", "", "How it is made.", "it is not made"),
        PublishedColumn(
            "propensity",
            "number",
            "probability",
            "Chance that the choice fell on this offer, before the campaign's controls are drawn.",
            "not the offer chosen",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "is_random", "boolean", "", "Drawn by lot, to explore, among the offers that may be worth making."
        ),
        PublishedColumn(
            "decision",
            "text",
            "",
            "Offered, chosen and left alone to measure by, or not made.",
            words=OFFER_DECISIONS,
        ),
        _REASON,
        PublishedColumn("why", "text", "", "The reason, and what the offer is worth, as sentences."),
        PublishedColumn(
            "priority", "integer", "rank", "Place in the walk of the contact rules over all customers.", low=1
        ),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

APPROACHES = PublishedTable(
    "approaches",
    "Promoters to approach and customers to contact unasked: everybody whom the contact rules reached, with the "
    "programme (referral, community ...) or the rule of [proactive], and what to say. Only rows with decision approach "
    "stand in lists/YYYY-MM-DD/promoters.csv and proactive.csv and go out as messages. Not there of dates "
    "that were not decided.",
    ("as_of", "kind", "customer_id", "programme"),
    (
        AS_OF,
        PublishedColumn("kind", "text", "", "A promoter, or a rule.", words=("promoter", "proactive")),
        CUSTOMER,
        PublishedColumn("programme", "text", "", "The programme of promoters, or the rule."),
        PublishedColumn("message", "text", "", "What the rule says to tell or recommend.", "a promoter"),
        PublishedColumn("channel", "text", "", "How the customer is contacted."),
        PublishedColumn("purpose", "text", "", "What the caps of the contact rules went by."),
        PublishedColumn(
            "decision",
            "text",
            "",
            "Approached, held out to measure by, or refused.",
            words=("approach", "hold-out", "refused"),
        ),
        _REASON,
        PublishedColumn("why", "text", "", "The reason as a sentence.", "approached"),
        POSITION,
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)
