"""What silent customers would answer to the recommend question, beside what the others did answer; never mixed.

It decides who is silent, and refuses to know how the models were made. Nothing that measures NPS, and no feature, may
read what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from churnrisk.bundle import NPS_CATEGORIES, NpsModel, nps_category
from churnrisk.dates import AsOf
from churnrisk.store import Engine
from churnrisk.store.statements import statements_in
from churnrisk.tables.lake import LakeTables

SILENT_DAYS = 365
"""Silent is who gave no relationship answer in so many days (judgement: as long as an answer is read as evidence)."""


def latest_nps(engine: Engine, tables: LakeTables, as_of: AsOf) -> pl.DataFrame | None:
    """Return customer_id and score (0 to 10) of the latest relationship answer; None without survey data.

    One row per customer who lets answers be used, by rising id; score is null for those who are silent.
    """
    if not tables.has("surveys"):
        return None
    tables.register(engine)
    consents = statements_in("features")["consents"]
    engine.create(consents, {"consent_as_of": as_of.instant})
    try:
        found = engine.frame(
            statements_in("scoring")["latest_nps"],
            {"as_of": as_of.instant, "silent_from": as_of.days_before(SILENT_DAYS)},
        )
    finally:
        engine.drop(consents.output)
    keys = pl.read_parquet(tables.paths["keys"])
    return found.join(keys, on="customer_key").select("customer_id", "score").sort("customer_id")


def nps_predicted(
    frame: pl.DataFrame, model: NpsModel, heard: pl.DataFrame, *, as_of: AsOf, run_id: str
) -> pl.DataFrame:
    """Return the published table ``nps_predicted``: one row per silent customer of ``frame``, in its order.

    Parameters
    ----------
    frame : the feature table as of the date, customer_id included.
    model : the two models.
    heard : as :func:`latest_nps` gives it; who is not in it forbids the use of answers and gets no row.
    as_of, run_id : the date of the features and the run.

    Raises
    ------
    ModelUnfit
        The feature table is not the one the models were taught; the message names every column.
    """
    silent = heard.filter(pl.col("score").is_null())
    chosen = frame.join(silent, on="customer_id", how="semi", maintain_order="left")
    return model.predict(chosen).select(
        pl.lit(as_of.day).alias("as_of"),
        chosen["customer_id"],
        pl.all(),
        pl.lit(model.detractor.model_version).alias("model_version"),
        pl.lit(run_id).alias("run_id"),
    )


def measured_shares(heard: pl.DataFrame, frame: pl.DataFrame) -> tuple[int, Mapping[str, float]]:
    """Return how many customers of ``frame`` answered, and the share of each category among them (0 to 1)."""
    here = heard.join(frame.select("customer_id"), on="customer_id", how="semi")
    place = here.select(place=nps_category(pl.col("score")))["place"].drop_nulls()
    counts = dict(place.value_counts().iter_rows())
    if not counts:
        return 0, {}
    return place.len(), {
        name: counts.get(number, 0) / place.len() for number, name in enumerate(NPS_CATEGORIES)
    }


def predicted_shares(predicted: pl.DataFrame) -> Mapping[str, float]:
    """Return the mean probability of each category (0 to 1): the expected shares, not those of the likeliest ones."""
    if predicted.is_empty():
        return {}
    return {name: float(predicted[name].to_numpy().mean()) for name in NPS_CATEGORIES}
