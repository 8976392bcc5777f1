"""Strength as a log-linear blend of what is known of a tie, with weights learned elsewhere.

It knows terms and weights and refuses to know how the weights were found (training.persistence).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from .contract import DECAY_ONE_CONTACT

DAY_US = 86_400_000_000

LEAST_DECAYED = 1 / DECAY_ONE_CONTACT
"""Decayed contacts below this count as this: their logarithm must be a number."""

DEFAULT_WEIGHTS: Mapping[str, float] = {
    "active_days": 0.5,
    "trains": 0.5,
    "freshness_14": 0.5,
    "freshness_30": 0.5,
    "mutuality": 1.0,
    "silence": 0.0,
    "overlap": 0.0,
}
"""Weight of each term in the logarithm of the default strength."""


def blend_terms(as_of_us: int) -> dict[str, pl.Expr]:
    """Give the terms of the blend by name, from the columns of a tie table; none is ever null.

    Logarithms of active days, trains, freshness at both half-lives (decayed contacts per contact), mutuality (1 + r)/2
    and silence (1 + days since the last contact); overlap as it is, 0 where undefined.
    """
    silence_days = (as_of_us - pl.col("last_contact").dt.epoch("us")) / DAY_US
    freshness = {
        f"freshness_{days}": (
            pl.col(f"decayed_{days}").clip(lower_bound=LEAST_DECAYED) / pl.col("n_contacts")
        ).log()
        for days in (14, 30)
    }
    return {
        "active_days": pl.col("active_days").cast(pl.Float64).log(),
        "trains": pl.col("trains").cast(pl.Float64).log(),
        **freshness,
        "mutuality": ((1 + pl.col("reciprocity")) / 2).log(),
        "silence": (1 + silence_days).log(),
        "overlap": pl.col("overlap").fill_null(0.0),
    }


def blended_strength(weights: Mapping[str, float], as_of_us: int) -> pl.Expr:
    """Give the strength: exp of the weighted sum of the terms. With `DEFAULT_WEIGHTS` it is the default strength.

    Raises KeyError for a weight of a term that there is not: a blend of another version.
    """
    terms = blend_terms(as_of_us)
    total = pl.lit(0.0)
    for name, weight in sorted(weights.items()):
        total = total + weight * terms[name]
    return total.exp()
