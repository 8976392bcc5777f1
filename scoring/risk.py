"""The risk and the value of every customer as of one date; refuses to know who will be called."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from churnrisk.bundle import Bundle, Lifetime
from churnrisk.config import ValueSettings
from churnrisk.dates import AsOf

from .lifetime import lifetimes

MONTHLY_VALUE = "monthly_value"
"""The feature from which a customer's value is made; without it nobody's value is known."""


def scores(
    frame: pl.DataFrame,
    bundle: Bundle,
    values: ValueSettings,
    *,
    as_of: AsOf,
    run_id: str,
    lifetime: Lifetime | None = None,
) -> pl.DataFrame:
    """Return the published table ``scores``: one row per row of ``frame``, in its order.

    Parameters
    ----------
    frame : pl.DataFrame
        The feature table as of the date: customer_id and every feature the model was taught.
    bundle : Bundle
        The model.
    values : ValueSettings
        value = monthly_value x margin_share x months, in the customer's currency; null where monthly_value is unknown.
    as_of : AsOf
        The date of the features.
    run_id : str
        The run.
    lifetime : Lifetime, optional
        How the model's risks fade; without it nobody has expected months or a lifetime value.

    Raises
    ------
    ModelUnfit
        The feature table is not the one the model was taught; the message names every column.
    """
    risks = bundle.predict(frame, allow_extra=True)
    kind, share = _likeliest_kind(frame, bundle)
    monthly_value = frame[MONTHLY_VALUE] if MONTHLY_VALUE in frame.columns else None
    return pl.DataFrame(
        {
            "as_of": pl.repeat(as_of.day, frame.height, dtype=pl.Date, eager=True),
            "customer_id": frame["customer_id"],
            "risk": risks["risk"],
            "risk_low": risks["risk_low"],
            "risk_high": risks["risk_high"],
            "risk_before_survey": pl.repeat(None, frame.height, dtype=pl.Float64, eager=True),
            "band": bundle.band(risks["risk"]),
            "value": _value(frame, values),
            "leaver_kind": kind,
            "leaver_kind_share": share,
            **lifetimes(risks, monthly_value, values, lifetime).to_dict(),
            "model_version": pl.repeat(bundle.model_version, frame.height, dtype=pl.String, eager=True),
            "is_hindsight": pl.repeat(
                is_hindsight(bundle, as_of), frame.height, dtype=pl.Boolean, eager=True
            ),
            "run_id": pl.repeat(run_id, frame.height, dtype=pl.String, eager=True),
        }
    )


def _likeliest_kind(frame: pl.DataFrame, bundle: Bundle) -> tuple[pl.Series, pl.Series]:
    shares = bundle.kind_shares(frame)
    if shares is None:
        nothing = pl.repeat(None, frame.height, dtype=pl.Null, eager=True)
        return nothing.cast(pl.String), nothing.cast(pl.Float64)
    found = shares.to_numpy()
    place = found.argmax(axis=1)
    return pl.Series(shares.columns, dtype=pl.String).gather(place), pl.Series(found.max(axis=1))


def _value(frame: pl.DataFrame, values: ValueSettings) -> pl.Series:
    if MONTHLY_VALUE not in frame.columns:
        return pl.repeat(None, frame.height, dtype=pl.Float64, eager=True)
    return frame[MONTHLY_VALUE].cast(pl.Float64) * values.margin_share * values.months


def is_hindsight(bundle: Bundle, as_of: AsOf) -> bool | None:
    """Say whether the model saw outcomes later than the date; None when its training data carry no dates."""
    until = bundle.provenance.trained_until
    return None if until is None else datetime.fromisoformat(until) > as_of.instant
