"""The challenger's risks of a night, beside the champion's; refuses to know who will be called. Nobody acts on them."""

from __future__ import annotations

import polars as pl

from churnrisk.bundle import Bundle
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit

from .risk import is_hindsight

MOST_NAMED = 3
"""Faults of the feature table that a warning names; the others are counted."""


def shadow_scores(
    frame: pl.DataFrame, challenger: Bundle, champion: Bundle, *, as_of: AsOf, run_id: str
) -> tuple[pl.DataFrame | None, str]:
    """Return the published table ``shadow_scores`` and a warning; one of the two is there.

    Parameters
    ----------
    frame : the feature table that the champion scores, customer_id included.
    challenger, champion : the models.
    as_of, run_id : the date of the features and the run.

    Returns
    -------
    tuple
        The table, or None and why the challenger cannot score what the champion can: features that are gone or of
        another type, or ties of another strength. A night never fails for its challenger.
    """
    version = challenger.model_version
    if (challenger.tie_weights or {}) != (champion.tie_weights or {}):
        return None, f"the challenger, version {version}, was not scored: its ties have another strength"
    try:
        risks = challenger.predict(frame, allow_extra=True)
    except ModelUnfit as error:
        named = [f"{fault.where} ({fault.found})" for fault in error.faults[:MOST_NAMED]]
        more = len(error.faults) - len(named)
        told = ", ".join(named) + (f" and {more} more" if more else "")
        return None, f"the challenger, version {version}, was not scored: {told}"
    return (
        pl.DataFrame({"customer_id": frame["customer_id"], **risks.to_dict()}).with_columns(
            as_of=pl.lit(as_of.day),
            band=challenger.band(risks["risk"]),
            model_version=pl.lit(version),
            is_hindsight=pl.lit(is_hindsight(challenger, as_of), dtype=pl.Boolean),
            run_id=pl.lit(run_id),
        ),
        "",
    )
