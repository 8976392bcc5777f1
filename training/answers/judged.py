"""How asking went: who confirmed a risk, and whether risks after the answer are better than before.

It decides figures with intervals for the report, and refuses to know how the posterior was made.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk import metrics
from churnrisk.metrics.probability import log_losses

Floats = NDArray[np.float64]

FIGURES = ("log_loss", "brier", "ece", "slope", "observed_over_expected")
"""Rows of :func:`answer_figures`; log loss in nats per customer."""

FIGURE_SCHEMA = {
    "figure": pl.String,
    "before": pl.Float64,
    "before_low": pl.Float64,
    "before_high": pl.Float64,
    "after": pl.Float64,
    "after_low": pl.Float64,
    "after_high": pl.Float64,
    "gain": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "n": pl.Int64,
    "n_leavers": pl.Int64,
}

RATE_SCHEMA = {
    "band": pl.String,
    "n_asked": pl.Int64,
    "n_answered": pl.Int64,
    "response": pl.Float64,
    "n_confirmed": pl.Int64,
    "confirmed": pl.Float64,
    "confirmed_low": pl.Float64,
    "confirmed_high": pl.Float64,
    "n_cleared": pl.Int64,
    "cleared": pl.Float64,
}


def answer_figures(judged: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Return figures of the risk before and after the answer, one row per figure; null where undefined.

    Parameters
    ----------
    judged : customer_id, risk_before, risk_after, left (0/1), weight: answers in force whose outcome window has ended,
        without treated customers.
    seed : of the resamples, which draw customers with all their rows.

    Returns
    -------
    polars.DataFrame
        :data:`FIGURE_SCHEMA`. ``gain`` is before - after, so more is better, with the paired interval (95 %), for
        log loss and Brier score. The ends of ``ece`` are 0 and the null mean + 2 standard errors of a perfectly
        calibrated risk.
    """
    y, w = (judged[name].cast(pl.Float64).to_numpy() for name in ("left", "weight"))
    who = judged["customer_id"].to_numpy().astype(str)
    if not judged.height:
        return pl.DataFrame(schema=FIGURE_SCHEMA)
    found: dict[str, dict[str, tuple[float, float, float]]] = {name: {} for name in FIGURES}
    risks = {name: judged[f"risk_{name}"].to_numpy() for name in ("before", "after")}
    for when, p in risks.items():
        error = metrics.ece(y, p, w, seed=seed)
        line = metrics.calibration_line(y, p, w, customer=who)
        ratio = metrics.observed_over_expected(y, p, w, customer=who)
        found["ece"][when] = (error.value, 0.0, error.null_mean + 2 * error.null_se)
        found["slope"][when] = (line.slope.value, line.slope.low, line.slope.high)
        found["observed_over_expected"][when] = (ratio.value, ratio.low, ratio.high)
    columns = [kind(y, p) for kind in (log_losses, _squares) for p in (risks["before"], risks["after"])]
    means = np.column_stack([*columns, columns[0] - columns[1], columns[2] - columns[3]])
    value, drawn = metrics.resampled(lambda weight: weight @ means / weight.sum(), w, customer=who, seed=seed)
    low, high = metrics.percentile_ends(value, drawn)
    for name, places in {"log_loss": (0, 1, 4), "brier": (2, 3, 5)}.items():
        for when, place in zip(("before", "after", "gain"), places, strict=True):
            found[name][when] = (float(value[place]), float(low[place]), float(high[place]))
    rows = [
        {"figure": name}
        | {
            f"{when}{end}": _known(part)
            for when, three in ends.items()
            for end, part in zip(("", "_low", "_high"), three, strict=True)
        }
        | {"n": judged.height, "n_leavers": int(y.sum())}
        for name, ends in found.items()
    ]
    return pl.DataFrame(rows, schema=FIGURE_SCHEMA)


def confirmation_rates(asked: pl.DataFrame) -> pl.DataFrame:
    """Return by band of risk at asking who answered, and who of them confirmed it (detractor) or not (promoter).

    Parameters
    ----------
    asked : band, evidence; one row per invitation whose answer is in or whose waiting time is over.

    Returns
    -------
    polars.DataFrame
        :data:`RATE_SCHEMA`, one row per band there is, by name. Shares of the answers, Wilson's interval (95 %); null
        where nobody answered.
    """
    counted = (
        asked.group_by("band")
        .agg(
            n_asked=pl.len(),
            n_answered=(pl.col("evidence") != "silent").sum(),
            n_confirmed=(pl.col("evidence") == "detractor").sum(),
            n_cleared=(pl.col("evidence") == "promoter").sum(),
        )
        .sort("band")
    )
    some = pl.when(pl.col("n_answered") > 0).then("n_answered")
    shares = counted.with_columns(
        response=pl.col("n_answered") / pl.col("n_asked"),
        confirmed=pl.col("n_confirmed") / some,
        cleared=pl.col("n_cleared") / some,
    )
    low, high = metrics.wilson(shares["confirmed"].fill_null(0.0).to_numpy(), shares["n_answered"].to_numpy())
    ends = shares.with_columns(
        confirmed_low=pl.Series(low, nan_to_null=True), confirmed_high=pl.Series(high, nan_to_null=True)
    )
    return ends.select(pl.col(name).cast(dtype) for name, dtype in RATE_SCHEMA.items())


def _squares(y: Floats, p: Floats) -> Floats:
    return (y - p) ** 2


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
