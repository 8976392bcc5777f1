"""A simulated workspace has the sources that were asked for, and a config that names them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import parsed_config
from churnrisk.starting import simulated


@pytest.mark.parametrize("has_programme", [False, True])
def test_with_programme_there_is_a_source_of_treatments_with_controls_and_chances(
    tmp_path: Path, has_programme: bool
) -> None:
    counts = simulated(
        tmp_path,
        customers=400,
        days=120,
        seed=3,
        contagion=1.6,
        homophily=0.3,
        file_format="parquet",
        has_programme=has_programme,
    )
    config = parsed_config((tmp_path / "churnrisk.toml").read_text("utf-8"))
    assert ("treatments" in config.sources) == has_programme == ("treatments" in counts)
    if has_programme:
        made = pl.read_csv(tmp_path / "data" / "treatments.csv")
        assert {"control", "discount10"} == set(made["offer_id"])
        assert made["propensity"].is_between(0.05, 0.95).all()
        assert 0 < made.filter(offer_id="control").height < made.height / 4
