"""Pictures of how many customers there are of each kind: by risk, by number of ties; nobody is named."""

from __future__ import annotations

import polars as pl

from . import theme
from .drawing import Picture, Words, drawn
from .scales import FINE_BELOW, count_axis, defined, percent_axis, whole_percent

LOWEST_DRAWN_RISK = 0.001
"""On the logarithmic axis smaller risks stand in the first bin."""

BINS_PER_DECADE = 10
N_EVEN_BINS = 40

TIE_STEPS: tuple[int, ...] = (0, 1, 2, 3, 5, 10, 20, 50)
"""Where groups of customers by number of ties begin; the last has no end."""


def risk_bins(risks: pl.DataFrame) -> pl.DataFrame:
    """Return customers counted by bin of risk and by band, lowest first.

    Parameters
    ----------
    risks : columns risk (0-1), band (text), one row per customer.

    Returns
    -------
    Columns risk_from, risk_to (0-1), band, n, stacked_from, stacked_to (customers), by rising risk and then by band.
    Bins are even where the median risk is at least :data:`~.scales.FINE_BELOW`, otherwise even in the logarithm.
    """
    data = defined(risks, "risk", "band")
    is_fine = _is_fine(data)
    if is_fine:
        power = pl.col("risk").clip(LOWEST_DRAWN_RISK, 1.0).log10()
        place = ((power + 3) * BINS_PER_DECADE + 1e-9).floor().cast(pl.Int64).clip(0, 3 * BINS_PER_DECADE - 1)
        edge = 10.0 ** (pl.col("place").cast(pl.Float64) / BINS_PER_DECADE - 3)
        next_edge = 10.0 ** ((pl.col("place") + 1).cast(pl.Float64) / BINS_PER_DECADE - 3)
    else:
        place = (pl.col("risk") * N_EVEN_BINS + 1e-9).floor().cast(pl.Int64).clip(0, N_EVEN_BINS - 1)
        edge, next_edge = pl.col("place") / N_EVEN_BINS, (pl.col("place") + 1) / N_EVEN_BINS
    order = [*theme.BAND_COLOURS]
    rank = pl.col("band").replace_strict(order, range(len(order)), default=len(order), return_dtype=pl.Int64)
    return (
        data.select("band", place=place)
        .group_by("place", "band")
        .agg(n=pl.len().cast(pl.Int64))
        .with_columns(rank=rank)
        .sort("place", "rank", "band")
        .with_columns(stacked_to=pl.col("n").cum_sum().over("place"))
        .select(
            risk_from=edge,
            risk_to=next_edge,
            band="band",
            n="n",
            stacked_from=pl.col("stacked_to") - pl.col("n"),
            stacked_to="stacked_to",
        )
    )


def _is_fine(data: pl.DataFrame) -> bool:
    return float(data["risk"].median() or 0.0) < FINE_BELOW  # type: ignore[arg-type]


def risk_distribution(risks: pl.DataFrame) -> Picture:
    """Return how many customers have which risk, coloured by band.

    Parameters
    ----------
    risks : columns risk (0-1), band (low, watch, high, critical), one row per customer; any number of rows.
    """
    import altair as alt

    data = defined(risks, "risk", "band")
    bins = risk_bins(data)
    is_fine = _is_fine(data)
    bands = [*theme.BAND_COLOURS, *sorted(set(bins["band"]) - set(theme.BAND_COLOURS))]
    colours = [theme.BAND_COLOURS.get(band, theme.OTHER_BAND_COLOUR) for band in bands]
    if is_fine:
        scale = alt.Scale(type="log", domain=[LOWEST_DRAWN_RISK, 1], nice=False)
        ticks = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1]
    else:
        scale, ticks = alt.Scale(domain=[0, 1], nice=False), [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    bars = (
        alt.Chart(bins)
        .mark_rect(stroke=theme.PAPER, strokeWidth=0.75)
        .encode(
            x=alt.X("risk_from:Q", scale=scale, axis=percent_axis(ticks)),
            x2="risk_to",
            y=alt.Y("stacked_from:Q", axis=count_axis(), scale=alt.Scale(zero=True)),
            y2="stacked_to",
            color=alt.Color("band:N", scale=alt.Scale(domain=bands, range=colours), legend=None),
        )
    )
    n_by_band = {band: int(n) for band, n in data.group_by("band").len().iter_rows()}
    words = Words(
        "risk-distribution",
        "How the risk is spread over customers",
        f"{len(data):,} customers, median risk {whole_percent(float(data['risk'].median()))}; "  # type: ignore[arg-type]
        + ", ".join(f"{band} {n_by_band.get(band, 0):,}" for band in bands)
        + ".",
        x_title="Risk of leaving (%" + (", each step about three times the one before)" if is_fine else ")"),
        y_title="Customers",
        legend=tuple(zip(bands, colours, strict=True)),
    )
    return drawn(bars, words)


def tie_bins(n_ties: pl.Series) -> pl.DataFrame:
    """Return customers counted by number of ties: columns ties (text), n; in rising order, empty groups with 0."""
    ends = [*(step - 1 for step in TIE_STEPS[1:]), None]
    labels = [
        f"{start}+" if end is None else str(start) if end == start else f"{start}-{end}"
        for start, end in zip(TIE_STEPS, ends, strict=True)
    ]
    place = (
        pl.Series(TIE_STEPS).search_sorted(n_ties.drop_nulls().cast(pl.Int64), side="right").cast(pl.Int64)
        - 1
    )
    counted = pl.DataFrame({"place": place}).group_by("place").agg(n=pl.len().cast(pl.Int64))
    return (
        pl.DataFrame({"place": range(len(labels)), "ties": labels})
        .join(counted, on="place", how="left")
        .sort("place")
        .select("ties", pl.col("n").fill_null(0))
    )


def ties_per_customer(ties: pl.DataFrame) -> Picture:
    """Return how many customers have how many ties.

    Parameters
    ----------
    ties : columns ties (text such as 3-5), n (customers), in the order to show; as :func:`tie_bins` gives it.
    """
    import altair as alt

    data = defined(ties, "ties", "n")
    order = data["ties"].to_list()
    base = alt.Chart(data).encode(
        x=alt.X("ties:O", sort=order, axis=alt.Axis(labelAngle=0, title=None), scale=alt.Scale(padding=0.18)),
        y=alt.Y("n:Q", axis=count_axis(), scale=alt.Scale(zero=True)),
    )
    words = Words(
        "ties-per-customer",
        "How well the network knows the customers",
        "; ".join(f"{row['ties']} ties: {row['n']:,} customers" for row in data.iter_rows(named=True)) + ".",
        x_title="Ties to other customers (number)",
        y_title="Customers",
    )
    return drawn(base.mark_bar(color=theme.MAIN, cornerRadiusEnd=2), words)
