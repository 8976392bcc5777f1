"""What each feature adds to a customer's risk, in points that add up to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.bundle import Bundle

from ..points import in_points

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Effects:
    """Risk of n customers, taken apart.

    Attributes
    ----------
    points
        (n, features): percentage points of each feature, in the order of ``bundle.features``.
    average
        (n,): risk of the average customer in percent; the same for all of a segment that is calibrated apart.
    survey
        (n,): points that the answer to a confirming survey added; 0 where there is none.

    A row's points, average and survey add up to 100 times the risk shown.
    """

    points: Floats
    average: Floats
    survey: Floats


def effects_of(bundle: Bundle, frame: pl.DataFrame, scored: pl.DataFrame | None = None) -> Effects:
    """Take the risk of each row apart.

    Contributions phi_k are exact Shapley values (Lundberg et al. 2020, TreeSHAP) of the raw score in log-odds, before
    calibration. The difference between the customer's calibrated risk p and that of the average score, p_average, is
    shared out in proportion: ``points_k = 100 phi_k (p - p_average) / sum(phi)``; see `in_points`.

    Parameters
    ----------
    bundle : Bundle
        The model.
    frame : pl.DataFrame
        n rows with every feature of the model, and customer_id where ``scored`` is given.
    scored : pl.DataFrame, optional
        customer_id, risk, risk_before_survey as published, of every row's customer; by default the model's own risk
        and no survey.

    Notes
    -----
    Milliseconds a customer on large models: for those on lists.
    """
    contributions = bundle.contributions(frame, allow_extra=True)
    base = contributions[:, -1]
    calibration = bundle.calibration_of(frame)
    average = calibration.risk(base)
    shown, modelled = _risks(bundle, frame, scored)
    points = in_points(contributions[:, :-1], modelled - average, calibration.slope(base))
    return Effects(points, 100.0 * average, 100.0 * (shown - modelled))


def effects_pp(bundle: Bundle, frame: pl.DataFrame) -> Floats:
    """Return what each feature adds to each row's risk, in percentage points: (n, features), see `effects_of`."""
    return effects_of(bundle, frame).points


def _risks(bundle: Bundle, frame: pl.DataFrame, scored: pl.DataFrame | None) -> tuple[Floats, Floats]:
    """Return the risk shown and the risk before any survey of each row."""
    if scored is None:
        own = bundle.predict(frame, allow_extra=True)["risk"].to_numpy()
        return own, own
    wanted = scored.select("customer_id", "risk", before=pl.coalesce("risk_before_survey", "risk"))
    found = frame.select("customer_id").join(
        wanted, on="customer_id", how="left", maintain_order="left", validate="1:1"
    )
    return found["risk"].to_numpy(), found["before"].to_numpy()
