"""What was watched in a night."""

from __future__ import annotations

from collections.abc import Mapping

from .columns import AS_OF, RUN
from .declaration import PublishedColumn, PublishedTable

MONITORING_WORDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("source", "population", "input", "missing", "score", "calibration", "performance"),
    "baseline": ("last_night", "training", "outcomes", "test", "none"),
    "verdict": (
        *("there", "missing", "shrunk"),
        *("steady", "moved", "drift", "strong drift"),
        *("calibrated", "off", "miscalibrated"),
        *("as expected", "below", "not valid", "not judged"),
    ),
}
"""Words of the table monitoring, in their order."""

MONITORING = PublishedTable(
    "monitoring",
    "What was watched in the night: sources, customers, drift of inputs and risks, predictions that have come true or "
    "not, and what tonight's risks promise. docs/operations.md says what to do about each.",
    ("as_of", "kind", "baseline", "name"),
    (
        AS_OF,
        PublishedColumn(
            "kind",
            "text",
            "",
            "source: facts known. population: customers scored. input, score: distribution of an input, of the risk. "
            "missing: share without a value. calibration: matured predictions of untreated customers. performance: "
            "what risks promise of themselves.",
            words=MONITORING_WORDS["kind"],
        ),
        PublishedColumn(
            "baseline",
            "text",
            "",
            "What it is compared with: the last published night, the training, what really happened (outcomes), or the "
            "test of the model.",
            words=MONITORING_WORDS["baseline"],
        ),
        PublishedColumn("name", "text", "", "The source, input, band (or all, controls, slope) or figure."),
        PublishedColumn(
            "source", "text", "", "The source an input is made from.", "not an input, or not known"
        ),
        PublishedColumn("baseline_on", "date", "", "Day of the baseline.", "it has no day"),
        PublishedColumn(
            "value",
            "number",
            "",
            "input, score: population stability index. source, population: tonight over before. missing: tonight minus "
            "before. calibration: observed over expected, or the slope. performance: the figure promised.",
            "there is no baseline, or it is not defined",
        ),
        PublishedColumn(
            "low", "number", "", "Lower end of the 95 % interval of value.", "value has no interval"
        ),
        PublishedColumn("high", "number", "", "Upper end.", "value has no interval"),
        PublishedColumn(
            "threshold",
            "number",
            "",
            "input, score: the index that chance alone stays under in 95 % of nights. performance: lower end of the "
            "test's interval.",
            "none",
        ),
        PublishedColumn("p_value", "number", "", "Of no movement, of right risks.", "not tested", 0, 1),
        PublishedColumn(
            "q_value",
            "number",
            "",
            "The same, for all tests of the kind and baseline together (Benjamini & Hochberg).",
            "not tested",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "observed",
            "number",
            "",
            "source: facts tonight. population: customers. missing: share. score: mean risk. calibration: leavers. "
            "performance: the figure as it came out.",
            "none of these",
        ),
        PublishedColumn("expected", "number", "", "The same at the baseline.", "none of these, or not known"),
        PublishedColumn("n", "integer", "customers", "Customers compared, tonight.", "not counted", 0),
        PublishedColumn("n_before", "integer", "customers", "Customers of the baseline.", "not counted", 0),
        PublishedColumn(
            "verdict",
            "text",
            "",
            "What to think of it; docs/operations.md.",
            words=MONITORING_WORDS["verdict"],
        ),
        PublishedColumn("advice", "text", "", "What should be done.", "nothing needs to be done"),
        RUN,
    ),
)
