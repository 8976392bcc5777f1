"""Fills the report of a night from what the night has at hand; decides nothing about how the page looks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

import churnrisk
from features import FeatureSet, catalogue
from features.network import PUBLISHED_EXPOSURE_DAYS
from scoring import Influence, changed_words, ego, offers_made, scale_words, to_call
from scoring.monitor import Monitored

from .bundle import Bundle
from .config import SOURCE_NAMES
from .dates import AsOf
from .evidence import read_evidence
from .ledger.rules.reasons import REASONS
from .messages import Sentences
from .report import (
    Asking,
    Circle,
    Decided,
    Handed,
    ReportContent,
    RunDetails,
    Silence,
    SourceLine,
    Told,
    Watching,
    report_html,
)
from .sources import LoadedSources
from .sources.readiness import Readiness
from .store import Workspace
from .tables.lake import ATTRIBUTE_PREFIX
from .tables.lines import inputs_only

N_CIRCLES = 4
"""Customers from the top of the list whose circle the page shows."""


@dataclass(frozen=True)
class Made:
    """What a night has made: published tables by name, warnings, promoters to approach, the money around all, what it
    keeps for the next night (place -> staged file), what was watched, what silent customers would say, what was decided
    in numbers (JSON), and whether an earlier run decided it.
    """

    frames: dict[str, pl.DataFrame]
    notes: tuple[str, ...]
    promoters: pl.DataFrame | None = None
    around: Influence | None = None
    kept: Mapping[Path, Path] = field(default_factory=dict)
    monitored: Monitored | None = None
    silence: Silence | None = None
    figures: str = ""
    is_replay: bool = False


@dataclass(frozen=True)
class Written:
    """What was written for people: its lists by name; who was taken off the calls then (customer_id, reason_code, None
    where nobody was looked at again); names of offers (offer_id, name).
    """

    handed: Mapping[str, Handed]
    withdrawn: pl.DataFrame | None
    offer_names: pl.DataFrame


def night_report(
    workspace: Workspace,
    as_of: AsOf,
    bundle: Bundle,
    *,
    run_id: str,
    loaded: LoadedSources,
    ready: Readiness,
    features: FeatureSet,
    made: Made,
    lists: Written,
    asking: Asking | None = None,
) -> str:
    """Return the page of one night as HTML."""
    config = workspace.config
    frames = made.frames
    listed = _as_written(frames["at_risk"], lists.withdrawn)
    content = ReportContent(
        as_of=as_of.day,
        zone=as_of.zone,
        horizon_days=int(bundle.provenance.churn.get("horizon_days") or config.churn.horizon_days),
        gap_days=config.churn.gap_days,
        run=RunDetails(
            run_id=run_id,
            model_version=bundle.model_version,
            software_version=churnrisk.__version__,
            fingerprints={**loaded.fingerprints, "settings": config.fingerprint()},
        ),
        scores=frames["scores"],
        at_risk=listed,
        churn_kind=config.churn.kind,
        inactive_days=config.churn.inactive_days if config.churn.kind == "inactive" else None,
        value_months=config.value.months,
        capacity=config.team.daily_capacity,
        warnings=_page_warnings(made),
        watching=_watching(made),
        silence=made.silence,
        decided=_decided(made),
        asking=asking,
        uses_current_attributes=any(
            source.accept_current_attributes for source in config.sources.get("customers", ())
        ),
        evidence=read_evidence(workspace.champion),
        reasons=inputs_only(frames["reasons"]),
        offered=_offered(frames, listed, lists.offer_names),
        changed=_changed(made, config.lists.language),
        network=_network(frames, features),
        attributes=_attributes(loaded, features),
        sources=ready.source_lines(SourceLine),
        absent_sources=tuple(name for name in SOURCE_NAMES if not loaded.tables.has(name)),
        circles=tuple(_circles(made, features, listed)),
        effect_words=_effect_words(workspace, made),
        feature_labels=_labels(bundle, config.lists.language),
        sentence_language=config.lists.language,
        handed=lists.handed,
        sends_messages=config.webhooks.endpoint is not None and bool(made.figures),
        n_alerts=_n_alerts(frames, as_of),
    )
    return report_html(content)


ALERT_DAYS = 7
"""Alerts so old are told on the page. A judgement: who has not been called back within a week will not be."""


def _n_alerts(frames: Mapping[str, pl.DataFrame], as_of: AsOf) -> int:
    if "alerts" not in frames:
        return 0
    is_open = (pl.col("state") == "open") & (pl.col("raised_at") >= as_of.days_before(ALERT_DAYS))
    return frames["alerts"].filter(is_open).height


def _as_written(at_risk: pl.DataFrame, withdrawn: pl.DataFrame | None) -> pl.DataFrame:
    """Return the table as the file has it: who was taken off when it was written is left out, with why."""
    if withdrawn is None:
        return at_risk
    told = withdrawn.unique("customer_id", keep="first", maintain_order=True)
    joined = at_risk.join(told, on="customer_id", how="left", maintain_order="left")
    return joined.with_columns(left_out_for=pl.coalesce("left_out_for", "reason_code")).drop("reason_code")


def _offered(
    frames: Mapping[str, pl.DataFrame], at_risk: pl.DataFrame, names: pl.DataFrame
) -> pl.DataFrame | None:
    """Return what is offered to those to be called, why nothing is to the others; None where nobody was decided on."""
    table = frames.get("offers_ranked")
    if table is None:
        return None
    called = to_call(at_risk).select("customer_id")
    mine = table.join(called, on="customer_id", how="semi", maintain_order="left")
    offers = offers_made(mine, names).with_columns(why_none=pl.lit(None, dtype=pl.String))
    # the decision stands at the offer that it is about; of the others it is told only that they are others
    english, others = Sentences.of("en"), pl.col("reason_code") == ANOTHER
    none = (
        mine.join(offers.select("customer_id"), on="customer_id", how="anti", maintain_order="left")
        .sort("customer_id", others, "position")
        .unique("customer_id", keep="first", maintain_order=True)
    )
    codes = none["reason_code"].unique().sort().to_list()
    words = [english.decided(code) for code in codes]
    none = none.with_columns(
        offer_name=pl.lit(None, dtype=pl.String),
        why_none=pl.col("reason_code").replace_strict(codes, words, return_dtype=pl.String),
    )
    shown = pl.concat([offers.select(OFFERED), none.select(OFFERED)])
    return None if shown.is_empty() else shown


OFFERED = (
    "customer_id", "offer_name", "net_value", "low", "high", "cost", "effect", "effect_source", "is_random", "why_none",
)  # fmt: skip
ANOTHER = "another_offer"


def _decided(made: Made) -> Decided | None:
    if not made.figures:
        return None
    figures = json.loads(made.figures)
    codes = {row["reason_code"] for row in figures.get("counts", ())}
    english = Sentences.of("en")
    words = {code: english.decided(code) for code in sorted(codes & {*REASONS})}
    return Decided(figures, words, tuple(figures.get("notes", ())))


def _changed(made: Made, language: str) -> pl.DataFrame | None:
    """What moved since the night before; None when there was none, or nobody listed was scored in it."""
    if "changes" not in made.frames:
        return None
    found = changed_words(made.frames["changes"], Sentences.of(language))
    return None if found.is_empty() else found


def _watching(made: Made) -> Watching | None:
    seen = made.monitored
    if seen is None:
        return None
    told = tuple(Told(each.severity, each.sentence, each.advice) for each in seen.findings)
    return Watching(seen.frame, told, seen.notes)


def _page_warnings(made: Made) -> tuple[str, ...]:
    """Of what was watched the head of the page tells alarms only: the rest has a section."""
    if made.monitored is None:
        return made.notes
    quiet = {finding.text for finding in made.monitored.findings if finding.severity != "alarm"}
    return tuple(note for note in made.notes if note not in quiet)


def _effect_words(workspace: Workspace, made: Made) -> str:
    words = workspace.config.influence.effect_words
    return words if made.around is None else f"{words}: {scale_words(made.around.scale)}"


def _circles(made: Made, features: FeatureSet, at_risk: pl.DataFrame) -> Iterator[Circle]:
    """Those around the first to be called, as far as they may be shown without naming anybody."""
    if made.around is None or _network(made.frames, features) is None or features.ties is None:
        return
    for customer_id in to_call(at_risk).head(N_CIRCLES)["customer_id"]:
        found = ego(features.ties, made.frames["scores"], made.frames["network"], made.around, customer_id)
        yield Circle(customer_id, found.money, found.low, found.high, found.friends, found.links)


def _network(frames: Mapping[str, pl.DataFrame], features: FeatureSet) -> pl.DataFrame | None:
    """The published table with exact exposures: the page tells means over groups of customers, nobody's own figure.

    None where ties are not known.
    """
    if "network" not in frames or features.ties is None or features.ties.silence is not None:
        return None
    exact = features.frame.select(
        "customer_id", churn_exposure=pl.col(f"churn_exposure_weighted_{PUBLISHED_EXPOSURE_DAYS}d")
    )
    table = frames["network"].drop("churn_exposure")
    return table.join(exact, on="customer_id", how="left", maintain_order="left")


def _labels(bundle: Bundle, language: str) -> dict[str, str]:
    sentences = Sentences.of(language)
    return {
        feature.name: sentences.label(feature.name, _label(feature.name) or feature.name)
        for feature in bundle.features
    }


def _label(name: str) -> str:
    entry = catalogue().find(name)
    return entry.label if entry is not None else ""


def _attributes(loaded: LoadedSources, features: FeatureSet) -> pl.DataFrame | None:
    """The customers' text attributes under the user's own names; numbers make no segments."""
    names = {attribute.column: attribute.name for attribute in loaded.tables.attributes}
    wanted = [
        name
        for name in features.frame.columns
        if name.startswith(ATTRIBUTE_PREFIX) and features.frame.schema[name] == pl.String
    ]
    if not wanted:
        return None
    return features.frame.select(
        "customer_id", *(pl.col(name).alias(names.get(name, name)) for name in wanted)
    )
