"""The sections of the page but for list and trust: each takes the content and says what there is, or why nothing is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from .. import pictures
from . import summaries
from .content import ReportContent, SourceLine
from .leaving import kinds_part
from .parts import Head, Part, Section, Table
from .wording import (
    DASH,
    MINUS,
    UNKNOWN,
    count,
    counted,
    day,
    is_known,
    listing,
    money,
    percent,
    percent_range,
    span,
)

OTHER_WAY_OF_WORKING = "labelled"
"""The source of those who have one labelled extract instead of sources with dates: nobody misses it."""


def risk_section(content: ReportContent) -> Section:
    """Return how the risk is spread, and the bands with what happened to each in the test."""
    name = "How the risk is spread"
    scored = content.scores.filter(pl.col("risk").is_not_null())
    if scored.is_empty():
        return Section("risk", name, ("No customer was scored, so there is nothing to spread.",))
    realised = content.evidence.bands if content.evidence is not None else None
    by_band = summaries.bands(content.scores, realised)
    has_stake = by_band["stake"].null_count() < len(by_band)
    heads = [
        Head("Band", "band"),
        Head("Customers", "number"),
        Head("Share", "number"),
        Head("Mean risk", "number"),
    ]
    if has_stake:
        heads.append(Head(f"At stake{f' ({content.currency})' if content.currency else ''}", "number"))
    if realised is not None:
        heads.append(Head("Left in the test", "number"))
    rows = []
    for row in by_band.iter_rows(named=True):
        cells = [
            row["band"],
            count(row["n"]),
            percent(row["share"]),
            percent(row["mean_risk"]) if row["n"] else DASH,
        ]
        if has_stake:
            cells.append(money(row["stake"]) if row["n"] else DASH)
        if realised is not None:
            cells.append(_realised(row))
        rows.append(tuple(cells))
    table = Table("Bands, riskiest first", tuple(heads), tuple(rows), folds=True)
    drawing = pictures.risk_distribution(scored.select("risk", pl.col("band").fill_null(UNKNOWN)))
    kinds = kinds_part(content)
    parts = (Part(picture=drawing), Part(table=table), *(() if kinds is None else (kinds,)))
    return Section("risk", name, (), parts, is_paired=True)


def _realised(row: Mapping[str, float | None]) -> str:
    rate, low, high = row["realised_rate"], row["realised_low"], row["realised_high"]
    if not is_known(rate):
        return "nobody in it"
    return (
        percent(rate)
        if low is None or high is None or not is_known(low)
        else f"{percent(rate)} ({percent_range(low, high)})"
    )


def reasons_section(content: ReportContent) -> Section:
    """Return what puts the listed customers at risk, all of them together."""
    name = "What puts them at risk"
    listed = summaries.actionable(content.at_risk)
    if listed.is_empty():
        return Section("reasons", name, ("Nobody is on the list, so there are no reasons to count.",))
    if content.reasons is None:
        return Section("reasons", name, ("The reasons of this night were not kept.",))
    counted_reasons = summaries.reasons(content.reasons, listed["customer_id"], content.feature_labels)
    if counted_reasons.is_empty():
        return Section(
            "reasons", name, ("No input raises the risk of a listed customer above that of the others.",)
        )
    caption = "Only inputs that raise the risk, each once per customer, most frequent first."
    drawing = pictures.top_reasons(counted_reasons)
    rows = tuple(
        (row["reason"], count(row["n"]), f"{row['mean_effect_pp']:+.1f}".replace("-", MINUS))
        for row in counted_reasons.iter_rows(named=True)
    )
    heads = (Head("Reason", is_data=True), Head("Customers", "number"), Head("Risk, points", "number"))
    table = Table("How much it adds to their risk, on average", heads, rows)
    return Section(
        "reasons", name, (), (Part(picture=drawing, caption=caption), Part(table=table)), is_paired=True
    )


def segments_section(content: ReportContent) -> Section:
    """Return the attributes in which risk differs most, with the mean risk of each segment."""
    name = "Who is at risk: segments"
    if content.attributes is None or len(content.attributes.columns) <= 1:
        return Section("segments", name, ("The customers have no attributes, so there are no segments.",))
    found = summaries.segmentations(content.scores, content.attributes)
    if not found:
        line = (
            f"No attribute parts the customers into segments of at least {summaries.LEAST_GROUP}: too few customers, "
            "or nearly as many values as customers."
        )
        return Section("segments", name, (line,))
    overall = summaries.headline(content.scores, content.at_risk).mean_risk or 0.0
    parts = tuple(
        Part(
            picture=pictures.segments(
                table, attribute=attribute.replace("_", " "), overall=overall, name=f"segments-{position}"
            )
        )
        for position, (attribute, table) in enumerate(found.items(), 1)
    )
    line = (
        f"Mean predicted risk by segment, for the {counted(len(found), 'attribute')} in which it differs most. "
        f"Segments of fewer than {summaries.LEAST_GROUP} customers are put together. A difference is no cause."
    )
    return Section("segments", name, (line,), parts, is_paired=True)


def network_section(content: ReportContent) -> Section:
    """Return what the ties between customers say, without naming anybody."""
    name = "The network around them"
    network = content.network
    if network is None:
        absent = "calls" in content.absent_sources
        because = (
            "There is no calls source, so there is no network"
            if absent
            else "Nobody's ties are known for this date"
        )
        return Section("network", name, (f"{because}: risks rest on each customer's own data.",))
    joined = content.scores.select("customer_id").join(network, on="customer_id", how="left")
    n_ties = joined["n_ties"].drop_nulls()  # null: call data may not be used, or a hub
    if not (n_ties > 0).any():
        return Section(
            "network", name, ("Calls were read, but no scored customer has a tie to another one.",)
        )
    lines = list(_ties_in_words(n_ties, joined))
    parts = [Part(picture=pictures.ties_per_customer(pictures.tie_bins(n_ties)))]
    exposed = summaries.exposures(content.scores, network)
    if len(exposed) > 1:
        overall = summaries.headline(content.scores, content.at_risk).mean_risk or 0.0
        caption = (
            "People who call each other are alike and live alike: a higher risk around leavers is a good prediction, "
            "and no proof that leaving is catching."
        )
        parts.insert(
            0, Part(picture=pictures.exposure_against_risk(exposed, overall=overall), caption=caption)
        )
    else:
        lines.append(
            "Customers differ too little in how many of their contacts have left to compare their risk: no two groups "
            f"have {summaries.LEAST_GROUP} customers."
        )
    return Section("network", name, tuple(lines), tuple(parts), is_paired=True)


def _ties_in_words(n_ties: pl.Series, joined: pl.DataFrame) -> Iterator[str]:
    tied = n_ties.filter(n_ties > 0)
    share = percent(len(tied) / len(n_ties))
    yield (
        f"{count(len(tied))} of {counted(len(n_ties), 'scored customer')} whose calls may be used ({share}) have a tie "
        f"to another customer; half of these have {_number(tied.median()):.0f} or fewer."
    )
    if "offnet_share" in joined.columns and joined["offnet_share"].count():
        outside = percent(_number(joined["offnet_share"].drop_nulls().sort().mean()))
        yield f"On average {outside} of a customer's contacts are outside the customer base."


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def data_section(content: ReportContent) -> Section:
    """Return what became of every source: rows, period, rejected rows with reasons, matches."""
    name = "The data behind it"
    lines = []
    absent = [source for source in content.absent_sources if source != OTHER_WAY_OF_WORKING]
    if absent:
        missing = listing(absent)
        lines.append(f"No source of {missing}: what it would say is not in the risks.")
    if not content.sources:
        return Section("data", name, (*lines, "How the sources were read was not kept with this run."))
    heads = (
        Head("Source"),
        Head("Read", "number"),
        Head("Kept", "number"),
        Head("Quarantined", "number"),
        Head("Period", "unbroken"),
        Head("Freshness"),
        Head("Remarks", "list"),
    )
    rows = tuple(
        (
            source.name,
            count(source.n_read),
            count(source.n_kept),
            _quarantined(source),
            span(source.first_happened, source.last_happened) if source.last_happened else "no dates",
            _freshness(source),
            _remarks(source),
        )
        for source in content.sources
    )
    table = Table("Sources: kept and quarantined rows are all rows read", heads, rows, folds=True)
    return Section("data", name, tuple(lines), (Part(table=table),))


def _quarantined(source: SourceLine) -> str:
    if not source.n_quarantined:
        return "0"
    return f"{count(source.n_quarantined)} ({percent(source.n_quarantined / source.n_read)})"


def _freshness(source: SourceLine) -> str:
    if source.age_days is None:
        return UNKNOWN
    words = "less than a day old" if source.age_days < 1 else f"{counted(int(source.age_days), 'day')} old"
    return f"stale: {words}" if source.is_stale else words


def _remarks(source: SourceLine) -> tuple[str, ...]:
    faults = sorted(source.faults.items(), key=lambda item: (-item[1], item[0]))
    found = [f"{code.replace('_', ' ')}: {count(number)}" for code, number in faults]
    return (*found, *(_matched(words, share) for words, share in source.match_rates.items()))


def _matched(words: str, share: float) -> str:
    """Return a match as a sentence would say it: "callers that are customers" is "41 % of callers are customers"."""
    said = words.removeprefix("of ").replace(" that are ", " are ", 1)
    return f"{percent(share)} of {said}"


def run_section(content: ReportContent) -> Section:
    """Return which run this was."""
    run, evidence = content.run, content.evidence
    terms = [
        ("Run", run.run_id),
        ("As of", f"end of {content.as_of.isoformat()}, {content.zone}"),
        ("Model", run.model_version),
        *([("Trained until", day(evidence.trained_until))] if evidence is not None else []),
        ("Software", f"churnrisk {run.software_version}"),
        *((f"Fingerprint of {name}", text) for name, text in sorted(run.fingerprints.items())),
    ]
    return Section("run", "This run", (), (Part(terms=tuple(terms), is_code=True),))
