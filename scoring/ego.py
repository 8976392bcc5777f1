"""Who is around one customer: what their leaving would put at risk there, and how much of it may be told.

It decides what is named, what is coarse and what is withheld, and keeps two views apart: what a leaving would cause
(money) and what reaches the customer (exposure, which only predicts).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from features import Ties
from features.network import FEWEST_OF_A_KIND, FEWEST_TIES
from features.ties.influence import friends_at_risk

from .influence import Influence, scale_words

MOST_SHOWN = 12
"""Friends shown, the strongest ties first: as many as a picture can hold."""

_SHARE_SHOWN = 0.7
"""Share of the friends shown; the others, at least two, are cover for those who left. A judgement."""

_COARSE_DIGITS = 1
"""Significant digits of friends' figures where they are not named: enough to see who matters, too few to find them by
in ``scores``."""

FRIEND_COLUMNS: dict[str, pl.DataType] = {
    "number": pl.Int64(),
    "customer_id": pl.String(),
    "band": pl.String(),
    "strength_share": pl.Float64(),
    "risk": pl.Float64(),
    "extra_pp": pl.Float64(),
    "value": pl.Float64(),
    "money": pl.Float64(),
}
"""A friend shown: number from the strongest tie, share of the customer's tie strength, risk, what the customer's
leaving adds to it in points, value, and what that costs. ``customer_id`` and ``risk`` are null unless friends are
named."""


@dataclass(frozen=True, eq=False)
class Ego:
    """One customer and those around.

    Attributes
    ----------
    customer_id, risk, band, value
        The customer; value None = unknown.
    why_unusable
        Why nothing below may be said (the customer refuses, or is a hub); None = it may.
    is_named
        Friends carry their ids.
    n_ties
        Customers in contact in the window, those who left since included; None as said above.
    money, low, high
        What leaving would cost around the customer, with interval; None = cannot be known.
    friends
        Columns of `FRIEND_COLUMNS`; empty where there are too few to show without pointing at somebody.
    links
        ``first``, ``second``: pairs of friends shown, by number, that are tied to each other.
    scale, scale_words
        kappa and the mean multiplier with its interval, as numbers and as a sentence says them.
    community
        Number of the customer's community at this date, None where they have none.
    exposure
        Predictive view: churn_exposure, detractor_exposure as published, None = withheld or undefined.
    """

    customer_id: str
    risk: float
    band: str
    value: float | None
    why_unusable: str | None
    is_named: bool
    n_ties: int | None
    money: float | None
    low: float | None
    high: float | None
    friends: pl.DataFrame
    links: pl.DataFrame
    scale: Mapping[str, float | int | bool]
    scale_words: str
    community: int | None
    exposure: Mapping[str, float | None]

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``, the two views under names of their own."""
        hidden = [] if self.is_named else ["customer_id", "risk"]
        return {
            "customer_id": self.customer_id,
            "risk": self.risk,
            "band": self.band,
            "value": self.value,
            "why_nothing_is_said": self.why_unusable,
            "n_ties": self.n_ties,
            "community": self.community,
            "causal_spillover": {
                "value": self.money,
                "low": self.low,
                "high": self.high,
                **self.scale,
                "friends": self.friends.drop(hidden).to_dicts(),
                "n_ties_among_friends_shown": self.links.height,
            },
            "predictive_exposure": dict(self.exposure),
        }


def ego(
    ties: Ties,
    scores: pl.DataFrame,
    network: pl.DataFrame,
    found: Influence,
    customer_id: str,
    *,
    is_named: bool = False,
) -> Ego:
    """Return one scored customer with those around.

    Unless friends are named, they are shown from seven ties on, without ids, with the band instead of the risk and
    figures of one digit. How many depends on the number of ties alone, with at least two not shown: so it tells
    nothing of who of them left; where more have left than that, nobody is shown.

    Parameters
    ----------
    ties : Ties
        Ties as of the date.
    scores, network : pl.DataFrame
        The published tables of the date.
    found : Influence
        Money around everybody.
    customer_id : str
        A customer of ``scores``.
    is_named : bool
        Name friends by id, with exact figures.
    """
    own = scores.row(by_predicate=pl.col("customer_id") == customer_id, named=True)
    node = ties.nodes.row(by_predicate=pl.col("customer_id") == customer_id, named=True)
    money = found.frame.row(by_predicate=pl.col("customer_id") == customer_id, named=True)
    reached = network.row(by_predicate=pl.col("customer_id") == customer_id, named=True)
    why = ties.why_unusable(customer_id)
    around = _friends(ties, scores, found, int(node["node"])) if why is None else None
    n_ties = None if around is None else around.height
    shown = _shown(around, is_named=is_named)
    scale = found.scale
    return Ego(
        customer_id=customer_id,
        risk=own["risk"],
        band=own["band"],
        value=own["value"],
        why_unusable=why,
        is_named=is_named,
        n_ties=n_ties,
        money=money["spillover_value"],
        low=money["spillover_low"],
        high=money["spillover_high"],
        friends=shown.select(list(FRIEND_COLUMNS)),
        links=_links(ties, shown),
        scale={
            "kappa": scale.kappa,
            "multiplier": 1 + scale.excess,
            "multiplier_low": 1 + scale.excess_low,
            "multiplier_high": 1 + scale.excess_high,
            "n_reference": scale.n_reference,
            "is_capped": scale.is_capped,
        },
        scale_words=scale_words(scale),
        community=reached["community"],
        exposure={name: reached[name] for name in ("churn_exposure", "detractor_exposure")},
    )


def _friends(ties: Ties, scores: pl.DataFrame, found: Influence, node: int) -> pl.DataFrame:
    """Everybody tied to the node, strongest first; those not scored have no band."""
    usable = ties.graph.without(~ties.is_usable)
    rows = friends_at_risk(usable, node, found.risk, found.value, found.scale.kappa)
    ids = ties.nodes.select(pl.col("node").cast(pl.Int32), "customer_id")
    return (
        rows.join(ids, on="node", how="left", maintain_order="left")
        .join(scores.select("customer_id", "band"), on="customer_id", how="left", maintain_order="left")
        .with_columns(
            strength_share=pl.col("strength") / pl.col("strength").sum(),
            extra_pp=100 * pl.col("extra_risk"),
        )
    )


def _shown(around: pl.DataFrame | None, *, is_named: bool) -> pl.DataFrame:
    columns = {**FRIEND_COLUMNS, "node": pl.Int32()}
    if around is None:
        return pl.DataFrame(schema=columns)
    scored = around.filter(pl.col("risk").is_not_null())
    n_shown = min(scored.height, MOST_SHOWN) if is_named else _n_discreet(around.height, scored.height)
    numbered = scored.head(n_shown).with_columns(
        pl.int_range(1, n_shown + 1, dtype=pl.Int64, eager=True).alias("number")
    )
    if not is_named:
        coarse = ("strength_share", "extra_pp", "value", "money")
        numbered = numbered.with_columns(
            *(pl.col(name).round_sig_figs(_COARSE_DIGITS) for name in coarse),
            customer_id=pl.lit(None, pl.String),
            risk=pl.lit(None, pl.Float64),
        )
    return numbered.select(pl.col(name).cast(kind) for name, kind in columns.items())


def _n_discreet(n_ties: int, n_at_risk: int) -> int:
    """How many of so many friends may be shown: it depends on the ties, so that it does not tell who of them left.

    >>> [_n_discreet(n_ties, n_ties) for n_ties in (4, 6, 7, 10, 30)], _n_discreet(10, 7), _n_discreet(10, 6)
    ([0, 0, 5, 7, 12], 7, 0)
    """
    if n_ties < FEWEST_TIES + FEWEST_OF_A_KIND:
        return 0
    n_shown = min(max(FEWEST_TIES, int(_SHARE_SHOWN * n_ties)), MOST_SHOWN)
    return n_shown if n_at_risk >= n_shown else 0


def _links(ties: Ties, shown: pl.DataFrame) -> pl.DataFrame:
    """Pairs of friends shown that are tied to each other, by number."""
    numbers = shown.select("node", "number")
    pairs = ties.graph.ties.select("node_a", "node_b").join(
        numbers.rename({"node": "node_a", "number": "one"}), on="node_a"
    )
    both = pairs.join(numbers.rename({"node": "node_b", "number": "other"}), on="node_b")
    return both.select(
        first=pl.min_horizontal("one", "other"), second=pl.max_horizontal("one", "other")
    ).sort("first", "second")


def told_amount(amount: float | None) -> str:
    """Return an amount of currency for reading.

    >>> told_amount(1234.5), told_amount(0.0123), told_amount(0.0), told_amount(None)
    ('1,234.50', '0.012', '0.00', 'not known')
    """
    if amount is None:
        return "not known"
    if amount and abs(amount) < 0.1:  # noqa: PLR2004 - two decimals would leave nothing of it
        return f"{amount:.{1 - math.floor(math.log10(abs(amount)))}f}"
    return f"{amount:,.2f}"
