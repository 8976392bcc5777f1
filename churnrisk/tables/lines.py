"""Lines of ``reasons`` and ``changes`` that are no input: what makes each customer's lines add up.

It decides their names, which hold a blank so that no feature can be called so.
"""

from __future__ import annotations

import polars as pl

OTHER_INPUTS = "other inputs"
"""Every input that has no line of its own: small ones, further members of a family told already, and what may not be
told. It never says which."""

SURVEY_ANSWER = "survey answer"
AVERAGE_CUSTOMER = "average customer"
ANOTHER_MODEL = "another model"
NEW_CALIBRATION = "new calibration"
LATER_DATA = "later data"
NOT_KEPT = "inputs not kept"
NOT_SCORED_BEFORE = "not scored before"

REASON_LINES = (OTHER_INPUTS, SURVEY_ANSWER, AVERAGE_CUSTOMER)
"""After the reasons of a customer, in this order; the survey's only where an answer changed the risk."""

CHANGE_LINES = (
    OTHER_INPUTS,
    SURVEY_ANSWER,
    NEW_CALIBRATION,
    ANOTHER_MODEL,
    LATER_DATA,
    NOT_KEPT,
    NOT_SCORED_BEFORE,
)
"""After the inputs that moved, in this order; each only where there is something to say."""


def inputs_only(lines: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of ``reasons`` or ``changes`` that speak of a single input."""
    return lines.filter(~pl.col("feature").is_in((*REASON_LINES, *CHANGE_LINES)))
