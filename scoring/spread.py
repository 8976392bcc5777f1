"""Who is near a list of seeds: activation by customer, ranked. It predicts, and is no estimate of any effect."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from features import Ties
from features.ties.spreading import spreading_activation


def spread_from(ties: Ties, seeds: pl.DataFrame, here: pl.Series, day: date) -> pl.DataFrame:
    """Spread energy from seeds along the ties and rank whom it reaches.

    Seeds may be customers who have left. Those reached are customers of the date with some activation whose call data
    may be used.

    Parameters
    ----------
    ties : Ties
        Ties as of the date.
    seeds : pl.DataFrame
        customer_id, energy (above 0).
    here : pl.Series
        Ids of the customers of the date.
    day : date
        The date.

    Returns
    -------
    pl.DataFrame
        as_of, position, customer_id, activation (energy at rest, a seed's own included), received (what came along
        ties), is_seed; by falling activation, equal ones by id. The energy of all nodes sums to that of the seeds.
    """
    nodes = ties.nodes.sort("node").join(seeds, on="customer_id", how="left", maintain_order="left")
    energy = nodes["energy"].fill_null(0.0).to_numpy().astype(np.float64)
    at_rest = spreading_activation(ties.graph.without(~ties.is_usable), energy)
    return (
        nodes.select(
            "customer_id",
            is_usable=pl.Series(ties.is_usable),
            activation=pl.Series(at_rest.total),
            received=pl.Series(at_rest.received),
            is_seed=pl.col("energy").is_not_null(),
        )
        .filter(
            pl.col("is_usable") & (pl.col("activation") > 0) & pl.col("customer_id").is_in(here.implode())
        )
        .sort(["activation", "customer_id"], descending=[True, False])
        .with_row_index("position", offset=1)
        .select(
            pl.lit(day).alias("as_of"),
            pl.col("position").cast(pl.Int64),
            "customer_id",
            "activation",
            "received",
            "is_seed",
        )
    )
