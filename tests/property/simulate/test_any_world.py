"""What holds in every world, whatever its settings."""

from __future__ import annotations

import tempfile
from datetime import date
from pathlib import Path

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.simulate import World, WorldSettings, simulate

worlds = st.builds(
    WorldSettings,
    customers=st.integers(50, 150),
    days=st.integers(28, 80),
    end_on=st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    seed=st.integers(0, 2**63 - 1),
    contagion=st.sampled_from([1.0, 1.6, 4.0]),
    homophily=st.floats(0, 0.6),
    monthly_churn=st.floats(0.002, 0.08),
    response_rate=st.floats(0.02, 0.9),
    mean_degree=st.floats(1, 6),
    community_size=st.integers(12, 60),
    inside_share=st.floats(0, 1),
    calls_per_day=st.floats(0.01, 2),
    decision_lag_days=st.floats(5, 60),
    file_format=st.fixed_dictionaries(
        dict.fromkeys(
            ("calls", "usage", "interactions", "surveys", "events", "customers"), st.just("parquet")
        )
    ),
)


@given(worlds)
@settings(max_examples=20, deadline=None)
def test_no_fact_is_about_strangers_or_lies_outside_the_world(chosen: WorldSettings) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = simulate(folder, chosen)
        customers = table(world, "customers")
        known = customers["customer_id"].implode()
        for name, times in FACTS.items():
            rows = table(world, name)
            assert rows["customer_id"].is_in(known).all()
            for when in times:
                days = rows[when].drop_nulls().cast(pl.Date)
                assert (days <= chosen.end_on).all()
                assert (days >= pl.Series([chosen.end_on]).dt.offset_by(f"-{chosen.days - 1}d")[0]).all()
        assert (customers["valid_from"] <= chosen.end_on).all()
        assert (customers["left_known_at"].drop_nulls() <= chosen.end_on).all()
        assert (customers["left_on"] > customers["joined_on"]).fill_null(value=True).all()
        assert (customers["left_on"] >= customers["left_known_at"]).fill_null(value=True).all()
        calls = table(world, "calls")
        ends = calls.select(pl.col("caller_id").is_in(known), pl.col("callee_id").is_in(known))
        assert ends.max_horizontal().all()


FACTS = {
    "interactions": ("at",),
    "events": ("at",),
    "surveys": ("invited_at", "answered_at"),
    "usage": ("period_start",),
}


def table(world: World, name: str) -> pl.DataFrame:
    if not Path(world.paths[name].parent).is_dir():
        columns = ("customer_id", *FACTS.get(name, ()))
        return pl.DataFrame(
            schema={column: pl.Date if column != "customer_id" else pl.String for column in columns}
        )
    return pl.read_parquet(world.paths[name])
