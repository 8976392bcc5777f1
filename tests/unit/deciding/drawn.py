"""What a decision night works on, as small tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from churnrisk.bundle import AnswerRatios
from churnrisk.config import parsed_config
from churnrisk.dates import AsOf
from churnrisk.deciding import Material
from churnrisk.ledger.rules import ContactRules, Standing
from churnrisk.messages import Sentences

AS_OF = AsOf(date(2026, 6, 30))

OFFERS = """
offer_id   | name       | contact_cost | incentive_cost | capacity | channel   | suits
call       | A call     | 4            | 0              |          | call      |
discount10 | 10 % off   | 0.5          | 28             |          | email;sms | price
"""

PLAIN = """
[contacts]
caps = []
quiet_days = 0
[surveys]
budget = 10
cost = { email = 0.1 }
caps = []
random_share = 0
holdout_share = 0
[offers]
budget = 1000
control_share = 0
exploration_share = 0
trial_share = 1
trial_control_share = 0
[holdout]
share = 0
"""


def table(text: str, **kinds: Any) -> pl.DataFrame:
    """Read a small table of columns parted by bars; an empty cell is null."""
    head, *rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pl.DataFrame(
        [[cell or None for cell in row] for row in rows],
        schema=dict.fromkeys(head, pl.String()),
        orient="row",
    )
    numbers = {"contact_cost", "incentive_cost", "capacity", "value", "risk", "spillover_value"} & set(head)
    return frame.with_columns(pl.col(name).cast(pl.Float64) for name in sorted(numbers)).with_columns(
        pl.col(name).cast(kind) for name, kind in kinds.items()
    )


def people(
    risks: Sequence[float], values: Sequence[float | None] | float = 300.0, **columns: Any
) -> pl.DataFrame:
    """Return customers c0000, c0001 ... of these risks."""
    n = len(risks)
    each = [values] * n if isinstance(values, int | float) else list(values)
    frame = pl.DataFrame(
        {
            "customer_id": [f"c{number:04d}" for number in range(n)],
            "risk": pl.Series(risks, dtype=pl.Float64),
            "value": pl.Series(each, dtype=pl.Float64),
        }
    )
    unknown = pl.lit(None, dtype=pl.Float64)
    plain = {
        "risk_low": pl.col("risk") * 0.8,
        "risk_high": (pl.col("risk") * 1.2).clip(upper_bound=1.0),
        "band": pl.lit("high"),
        "spillover_value": unknown,
        "spillover_low": unknown,
        "spillover_high": unknown,
        "language": pl.lit("en"),
        "root_cause": pl.lit(None, dtype=pl.String),
    }
    given = {name: pl.Series(name, value) for name, value in columns.items()}
    return frame.with_columns(**(plain | given))


def material(
    who: pl.DataFrame,
    settings: str = "",
    *,
    offers: str | None = OFFERS,
    standing: Standing | None = None,
    **more: Any,
) -> Material:
    """Return a night about ``who`` under :data:`PLAIN`, whose lines ``settings`` replace by name."""
    config = parsed_config(merged(PLAIN, settings))
    willing = who.select("customer_id", may_survey=pl.lit(value=True), may_contact=pl.lit(value=True))
    return Material(
        as_of=AS_OF,
        run_id="run",
        config=config,
        sentences=Sentences.of("en"),
        rules=ContactRules.of(config),
        standing=standing or Standing(consents=willing),
        people=who,
        features=who.select("customer_id"),
        ratios=AnswerRatios.assumed("nothing was learned"),
        evidence=pl.DataFrame(
            schema={"customer_id": pl.String, "evidence": pl.String, "age_days": pl.Float64}
        ),
        offers=None if offers is None else table(offers, capacity=pl.Int64),
        **more,
    )


def merged(plain: str, given: str) -> str:
    """Return settings as text, those given in place of those of the same section and name."""
    import tomllib

    whole = tomllib.loads(plain)
    for section, values in tomllib.loads(given).items():
        whole.setdefault(section, {}).update(values)
    return "\n".join(
        f"[{section}]\n" + "\n".join(f"{k} = {_toml(v)}" for k, v in each.items())
        for section, each in whole.items()
    )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def spread_risks(n: int, seed: int = 1) -> list[float]:
    """Return risks between .01 and .6, most of them low."""
    return [float(each) for each in np.random.default_rng(seed).beta(1, 8, n) * 0.6 + 0.01]
