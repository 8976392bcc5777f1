"""Tested looks are followed and compared with what risks say; learned looks teach how fast risks fade."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from churnrisk.bundle import Provenance
from tests.drawn_judging import SETTINGS, material, rows
from training.fit import fitted_model
from training.judging.lasting import lasting
from training.judging.material import Material
from training.judging.subject import subject_of


def followed(given: Material) -> Material:
    """Everybody of the looks is followed for 90 days; who left did so after ten."""
    parts = [part for part in (given.learned, given.tested) if part is not None]
    fates = [
        pl.DataFrame(
            {
                "customer_id": part.customer.astype(str),
                "as_of": part.snapshot.astype(str),
                "left_days": pl.Series(np.where(part.left > 0, 10.0, np.nan)).fill_nan(None),
                "followed_days": np.full(len(part.left), 90.0),
                "taught_days": np.full(len(part.left), 30.0),
            }
        )
        for part in parts
    ]
    return replace(given, fates=pl.concat(fates), horizon_days=30.0)


def test_looks_that_no_model_had_seen_are_judged_out_of_time() -> None:
    given = followed(material())
    assert given.learned is not None
    model = fitted_model(given.learned, SETTINGS)
    risk = model.bundle((), Provenance()).predict(given.tested.frame)["risk"].to_numpy()
    found = lasting(given, subject_of(given.tested, risk), model, ())
    assert found is not None
    by_cohorts = dict(found.totals.select("cohorts", "n").iter_rows())
    assert by_cohorts == {"out of time": 900, "all": 1500}
    first = found.checks.filter((pl.col("month") == 1) & (pl.col("cohorts") == "out of time")).row(
        0, named=True
    )
    assert first["realised"] == 1 - given.tested.left.mean()
    assert abs(first["expected"] - (1 - risk.mean())) < 1e-9


def test_where_nobody_left_the_risks_themselves_are_the_average() -> None:
    quiet = rows([f"c{place}" for place in range(30)], [0] * 30)
    given = followed(Material(quiet))
    found = lasting(given, subject_of(quiet, np.full(30, 0.02)), None, ())
    assert found is not None
    assert found.source == "assumed"
    assert 0 < found.base < 0.03


def test_an_extract_has_no_lifetimes() -> None:
    quiet = rows(["a", "b"], [0, 1])
    assert lasting(Material(quiet), subject_of(quiet, np.array([0.1, 0.2])), None, ()) is None
