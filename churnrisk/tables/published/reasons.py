"""Why a risk is what it is, and what moved it."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, POSITION, RUN
from .declaration import PublishedColumn, PublishedTable

_FEATURE = PublishedColumn(
    "feature", "text", "", "Name of the feature in the catalogue, or of a line that is no single input."
)

REASONS = PublishedTable(
    "reasons",
    "Where the risk of the customers on the list comes from: what raises it, strongest first, then what lowers it; "
    "then `other inputs` (all without a line of their own), `survey answer` (where one changed the risk) and `average "
    "customer` (where all begin). The lines of a customer add up to the risk: sum(effect_pp) = 100 x scores.risk. It "
    "is what the model saw, not what causes leaving.",
    ("as_of", "customer_id", "position"),
    (
        AS_OF,
        CUSTOMER,
        POSITION,
        _FEATURE,
        PublishedColumn(
            "value",
            "text",
            "the feature's unit",
            "The customer's own value, as text.",
            "the feature is unknown for the customer, which is itself the reason; or the line is no single input",
        ),
        PublishedColumn(
            "effect_pp",
            "number",
            "percentage points",
            "Part of the customer's risk; of an input, of its difference from the risk of the average customer: above "
            "0 raises it. Single parts exceed the difference where others pull the other way. To a tenth where the "
            "input speaks of other customers.",
        ),
        PublishedColumn("sentence", "text", "", "The reason in plain language; names nobody else."),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

CHANGES = PublishedTable(
    "changes",
    "What moved the risk of the customers on the list since the night before: inputs, the largest move first; then "
    "`other inputs` (all without a line of their own, and all that other customers did), `survey answer`, `another "
    "model` or `new calibration` (last night's inputs judged by tonight's model), `later data`; or, alone, `inputs not "
    "kept` or `not scored before`. The lines of a customer add up: sum(effect_pp) = 100 x (risk tonight - risk then).",
    ("as_of", "customer_id", "position"),
    (
        AS_OF,
        CUSTOMER,
        POSITION,
        PublishedColumn("since", "date", "", "The night compared with.", "not scored in the night before"),
        _FEATURE,
        PublishedColumn(
            "value_before",
            "text",
            "the feature's unit",
            "The customer's own value in the night before, as text.",
            "unknown then, or the line is no single input",
        ),
        PublishedColumn(
            "value_now",
            "text",
            "the feature's unit",
            "The customer's own value tonight, as text.",
            "unknown tonight, or the line is no single input",
        ),
        PublishedColumn(
            "effect_pp",
            "number",
            "percentage points",
            "How much it moved the customer's risk; above 0 raised it.",
            "not scored in the night before",
        ),
        PublishedColumn("sentence", "text", "", "What it is and was, in plain language; names nobody else."),
        RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)
