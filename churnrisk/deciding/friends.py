"""Friends are not counted twice: where what happens around customers is worth much, a set of them is chosen together.

It decides when that is worth its while, and refuses to know contact rules. Two friends of one customer would each be
credited with sparing that customer; chosen together they are not (science, section 9).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.ties import TieGraph
from scoring.offers.sets import Around, friends_set

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ints = NDArray[np.int64]

COUNTS_FROM = 0.02
"""Mean spillover over value from which sets are chosen: below it, counting friends twice errs by less than a choice of
one customer in fifty, and capacities are kept better by the allocation (judgement)."""


@dataclass(frozen=True, eq=False)
class Circle:
    """Ties that may be used, with risk and value of every node (nan: unknown), and the scale of spillover."""

    graph: TieGraph
    nodes: pl.DataFrame
    """customer_id, node."""
    risk: Floats
    value: Floats
    kappa: float
    excess: float

    @property
    def counts(self) -> bool:
        """Whether enough is at stake around customers for sets to differ from single ones."""
        return self.excess >= COUNTS_FROM


def chosen_together(
    circle: Circle,
    customers: pl.Series,
    *,
    net: Floats,
    effect: Floats,
    cost: Floats,
    is_option: Flags,
    budget: float,
    per_offer: dict[int, int],
) -> Ints:
    """Return the offer of each customer (-1: none) so that what is spared around them is counted once.

    Parameters
    ----------
    circle : what stands around.
    customers : n ids, each once; those who are no node of the graph get nothing here.
    net, effect, cost, is_option : shape (n, o). Of each customer the option of highest net value is looked at.
    budget : greatest sum of costs.
    per_offer : place of an offer -> how many at most; the last chosen give way.

    Returns
    -------
    array
        Shape (n,), place of the offer. At least 63.2 % of the best set there is at equal costs, capacities apart.
    """
    n = len(customers)
    best = np.where(is_option, net, -np.inf).argmax(axis=1)
    rows = np.arange(n)
    places = (
        pl.DataFrame({"customer_id": customers})
        .join(circle.nodes, on="customer_id", how="left", maintain_order="left")["node"]
        .cast(pl.Int64)
        .fill_null(-1)
        .to_numpy()
    )
    here = np.flatnonzero(is_option.any(axis=1) & (places >= 0))
    by_node: dict[str, Floats] = {name: np.zeros(circle.risk.size) for name in ("effect", "cost")}
    by_node["effect"][places[here]] = effect[rows, best][here]
    by_node["cost"][places[here]] = cost[rows, best][here]
    is_candidate = np.zeros(circle.risk.size, dtype=np.bool_)
    is_candidate[places[here]] = True
    found = friends_set(
        circle.graph,
        Around(circle.risk, circle.value, circle.kappa),
        by_node["effect"],
        by_node["cost"],
        is_candidate=is_candidate,
        budget=budget,
    )
    row_of = np.full(circle.risk.size, -1, dtype=np.int64)
    row_of[places[here]] = here
    chosen = row_of[np.asarray(found.nodes, dtype=np.int64)]
    choice = np.full(n, -1, dtype=np.int64)
    for place in range(is_option.shape[1]):
        mine = chosen[best[chosen] == place]
        choice[mine[: per_offer.get(place, mine.size)]] = place
    return choice
