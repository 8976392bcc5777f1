"""The decisions of a night: what they rest on is put together here, and what came of them is read from the ledger.

It decides nothing: the order of a decision is ``deciding``'s, the date's decisions are the ledger's, taken once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from features import FeatureSet
from scoring import Influence, RankedList, consents_in_force
from scoring.offers.eligibility import eligible

from ..acting import as_rule
from ..answered import Heard
from ..bundle.effects import OfferEffects, read_effects
from ..config import Config
from ..dates import AsOf
from ..deciding import Circle, DecidedNight, Material, decided_night, decision_tables, ledger_rows
from ..errors import ConfigError, ContractError
from ..ledger import Decided, Ledger, decided, facts, newest_decided, record_decisions
from ..ledger.arms import Campaign, arms_of, campaign_of, drawn_arms, frozen_arms, running_campaign
from ..ledger.holdouts import CONTROL
from ..ledger.replay import contacted_by
from ..ledger.rules import ContactRules
from ..ledger.rules.reasons import REASONS
from ..reachable import standing_tonight
from .basis import Basis
from .cases import closed_cases, root_causes, told_of_cases
from .turn import out_of_turn

DECIDED = "decide"
"""Who wrote a treatment that a night decided."""


@dataclass(frozen=True, eq=False)
class Tonight:
    """The decisions of the date as the ledger has them (a dry run: as it would), and what they rest on.

    ``night`` is None when they were taken before.
    """

    decided: Decided
    night: DecidedNight | None
    tables: dict[str, pl.DataFrame]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Ready:
    """What a night has at hand when it decides; ``published`` are its tables so far, ``ranked`` its list."""

    features: FeatureSet
    scores: pl.DataFrame
    around: Influence | None
    known: Heard
    ranked: RankedList
    promoters: pl.DataFrame | None
    published: Mapping[str, pl.DataFrame]


Refusal = Callable[[pl.DataFrame, Mapping[str, pl.DataFrame]], None]
"""Given decisions and the tables made from them, raises where these could not be published."""


def tonight(basis: Basis, ledger: Ledger, ready: Ready, refuse: Refusal) -> Tonight:
    """Return the decisions of the date: those taken before, else taken now and written in one transaction.

    A dry run (``basis.extent.is_dry``) takes them anew and writes nothing. What ``refuse`` refuses is not written
    either: nobody rests for a contact that stands in no list.
    """
    day, is_dry = basis.as_of.day, basis.extent.is_dry
    with ledger.reading() as db:
        before, newest = decided(db, day), newest_decided(db)
    config = basis.workspace.config
    budgets = {"survey": config.surveys.budget, "offer": config.offers.budget}
    remarks = out_of_turn(day, before, newest, is_dry=is_dry, budgets=budgets)
    before = None if is_dry else before
    night = None
    if before is None:
        material = _material(basis, ledger, ready)
        night = decided_night(material)
        rows = ledger_rows(night, material, endpoint=basis.workspace.config.webhooks.endpoint)
        now = datetime.now(UTC).replace(tzinfo=None)
        if is_dry:
            stamped = rows.decisions.with_columns(as_of=pl.lit(day))
            before = Decided(day, now, basis.run_id, rows.figures, stamped, is_replay=False)
            refuse(before.frame, _tables(basis, before))
        else:

            def refused(made: Decided) -> None:
                refuse(made.frame, _tables(basis, made))

            before = record_decisions(ledger, day, basis.as_of.instant, rows, now, refused)
    return _told(basis, before, night, remarks)


def taken_before(basis: Basis, ledger: Ledger) -> Tonight | None:
    """Return the decisions that the ledger has of the date, None where it was not decided; nothing is decided."""
    with ledger.reading() as db:
        before = decided(db, basis.as_of.day)
    return None if before is None else _told(basis, before, None, ())


def _told(basis: Basis, found: Decided, night: DecidedNight | None, remarks: Sequence[str]) -> Tonight:
    notes = tuple(json.loads(found.figures)["notes"])
    return Tonight(found, night, _tables(basis, found), (*remarks, *notes))


def _tables(basis: Basis, found: Decided) -> dict[str, pl.DataFrame]:
    words = {code: basis.sentences.decided(code) for code in (*REASONS, "another_offer")}
    return decision_tables(found, words, basis.run_id)


def _material(basis: Basis, ledger: Ledger, ready: Ready) -> Material:
    workspace, instant = basis.workspace, basis.as_of.instant
    config = workspace.config
    offers, effects = _offers(basis), read_effects(workspace.champion)
    with ledger.reading() as db:
        outcomes, treatments = facts.outcomes(db, instant), facts.treatments(db, instant)
    causes = root_causes(outcomes, treatments, instant)
    people = _people(ready, causes)
    frame = people.select("customer_id").join(
        ready.features.frame, on="customer_id", how="left", maintain_order="left"
    )
    network = ready.published.get("network")
    tables = [ready.published[name] for name in ("scores", "network", "features") if name in ready.published]
    tables.append(told_of_cases(outcomes, causes, instant))
    arms, share = _arms(basis, ledger, config, people["customer_id"], network)
    with ledger.reading() as db:
        standing = standing_tonight(workspace, basis.loaded.tables, ledger, db, basis.as_of, arms=arms)
    return Material(
        as_of=basis.as_of,
        run_id=basis.run_id,
        config=config,
        sentences=basis.sentences,
        rules=ContactRules.of(config),
        standing=standing,
        people=people,
        features=frame,
        ratios=ready.known.ratios,
        evidence=ready.known.evidence,
        offers=offers,
        effects=effects,
        nps=ready.known.nps,
        answering=ready.known.answering,
        eligible=None if offers is None else _eligible(offers, tables, people),
        cases=closed_cases(outcomes, instant),
        contacts=_contacts(basis),
        owners=_owners(basis),
        unheard=_unheard(basis),
        listed=ready.ranked.frame["customer_id"],
        calls=_calls(ready),
        promoters=ready.promoters,
        circle=_circle(ready),
        due=_due(basis, ledger, tables, people),
        campaign_share=share,
        tried=_tried(treatments, effects, basis.as_of),
    )


def _tried(treatments: pl.DataFrame, effects: OfferEffects | None, as_of: AsOf) -> dict[str, int]:
    """Return by offer_id how often each was made so late that the effects in use know nothing of its outcome."""
    made = treatments.filter((pl.col("offer_id") != CONTROL) & (pl.col("source") == DECIDED))
    if effects is not None and effects.as_of:
        learned = AsOf(date.fromisoformat(effects.as_of), as_of.zone)
        made = made.filter(pl.col("at") >= learned.days_before(effects.window_days))
    return dict(made.group_by("offer_id").len().sort("offer_id").iter_rows())


def _calls(ready: Ready) -> pl.DataFrame:
    """Return the list and its spares with what is at stake with each, by which calls stand among other contacts."""
    usual = ready.scores["value"].cast(pl.Float64).median()
    known = pl.col("value").cast(pl.Float64).fill_null(pl.lit(usual, dtype=pl.Float64))
    # an extract without money has no value of anybody: then the risk alone
    whole = pl.lit(1.0) if usual is None else known + pl.col("spillover_value").fill_null(0.0)
    return ready.ranked.with_spares().select(
        "customer_id",
        "position",
        "may_contact",
        "left_out_for",
        "is_spare",
        stake=pl.col("risk") * whole,
    )


def _circle(ready: Ready) -> Circle | None:
    """Return what stands around customers, along ties whose owners' data may be used."""
    ties, around = ready.features.ties, ready.around
    if ties is None or around is None:
        return None
    return Circle(
        ties.graph.without(~ties.is_usable),
        ties.nodes.select("customer_id", "node"),
        around.risk,
        around.value,
        around.scale.kappa,
        around.scale.excess,
    )


def _offers(basis: Basis) -> pl.DataFrame | None:
    tables = basis.loaded.tables
    return pl.read_parquet(tables.paths["offers"]) if tables.has("offers") else None


def _people(ready: Ready, causes: pl.DataFrame) -> pl.DataFrame:
    money = ["spillover_value", "spillover_low", "spillover_high"]
    unknown = pl.DataFrame(schema={"customer_id": pl.String, **dict.fromkeys(money, pl.Float64())})
    spilled = unknown if ready.around is None else ready.around.frame.select("customer_id", *money)
    frame = ready.features.frame
    spoken = pl.col("language").cast(pl.String) if "language" in frame.columns else pl.lit(None, pl.String)
    risks = ready.scores.select(
        "customer_id", "risk", "risk_low", "risk_high", "band", pl.col("value").cast(pl.Float64)
    )
    for more in (spilled, frame.select("customer_id", language=spoken), causes):
        risks = risks.join(more, on="customer_id", how="left", maintain_order="left")
    return risks.sort("customer_id")


def _contacts(basis: Basis) -> pl.DataFrame | None:
    """Return contacts that customers made on the last day, known by the as-of instant."""
    tables = basis.loaded.tables
    if not tables.has("interactions"):
        return None
    known = (pl.col("known_at") < basis.as_of.instant) & (pl.col("at") >= basis.as_of.days_before(1))
    keys = pl.scan_parquet(tables.paths["keys"])
    found = pl.scan_parquet(tables.paths["interactions"]).filter(known).join(keys, on="customer_key")
    number = pl.col("interaction_id").fill_null(pl.col("at").cast(pl.String))
    return found.select("customer_id", "at", "channel", interaction_id=number).collect()


def _unheard(basis: Basis) -> pl.Series:
    consents = consents_in_force(basis.engine, basis.loaded.tables, basis.as_of.instant)
    return consents.filter(~pl.col("may_use_answers").fill_null(value=False))["customer_id"]


OWNER = "owner"
"""Column of ``[lists] carry`` that says who looks after a customer: alerts name them."""


def _owners(basis: Basis) -> pl.DataFrame | None:
    paths = basis.loaded.tables.paths
    if "carry" not in paths:
        return None
    carried = pl.scan_parquet(paths["carry"])
    if OWNER not in carried.collect_schema().names():
        return None
    keys = pl.scan_parquet(paths["keys"]).select("customer_key", "customer_id")
    found = carried.join(keys, on="customer_key").select("customer_id", pl.col(OWNER).cast(pl.String))
    return found.drop_nulls().collect()


def _columns(published: Sequence[pl.DataFrame], people: pl.DataFrame) -> pl.DataFrame:
    """Return the published columns of ``people``, row by row: of two tables with the same column the first counts."""
    columns = people.select("customer_id")
    for frame in published:
        new = [name for name in frame.columns if name == "customer_id" or name not in columns.columns]
        columns = columns.join(frame.select(new), on="customer_id", how="left", maintain_order="left")
    return columns


def _eligible(offers: pl.DataFrame, published: Sequence[pl.DataFrame], people: pl.DataFrame) -> pl.DataFrame:
    """Return who may get which offer."""
    return eligible(_columns(published, people), dict(offers.select("offer_id", "eligible").iter_rows()))


def _due(
    basis: Basis, ledger: Ledger, published: Sequence[pl.DataFrame], people: pl.DataFrame
) -> pl.DataFrame | None:
    """Return whom the proactive rules concern and were not contacted by them lately, with their latest channel."""
    rules = basis.workspace.config.proactive.rules
    if not rules:
        return None
    columns = _columns(published, people)
    try:
        holds = eligible(columns, {rule.name: rule.when for rule in rules})
    except ContractError as error:
        raise ConfigError(as_rule(fault) for fault in error.faults) from error
    lately = _latest_channels(basis)
    parts = []
    with ledger.reading() as db:
        for rule in rules:
            since = basis.as_of.day - timedelta(days=rule.every_days)
            told = contacted_by(db, "proactive", rule.name, since, basis.as_of.day)
            mine = people.filter(holds[rule.name].fill_null(value=False)).select("customer_id")
            parts.append(mine.join(told, on="customer_id", how="anti").with_columns(rule=pl.lit(rule.name)))
    found = pl.concat(parts)
    return found.join(lately, on="customer_id", how="left", maintain_order="left")


def _latest_channels(basis: Basis) -> pl.DataFrame:
    """Return the channel through which each customer made contact last, of those that the contact rules know."""
    tables, channels = basis.loaded.tables, basis.workspace.config.contacts.channels
    empty = pl.DataFrame(schema={"customer_id": pl.String, "latest_channel": pl.String})
    if not tables.has("interactions"):
        return empty
    known = (pl.col("known_at") < basis.as_of.instant) & pl.col("channel").is_in(channels)
    keys = pl.scan_parquet(tables.paths["keys"]).select("customer_key", "customer_id")
    found = pl.scan_parquet(tables.paths["interactions"]).filter(known).join(keys, on="customer_key")
    return (
        found.select("customer_id", "at", latest_channel="channel")
        .sort("customer_id", "at", "latest_channel")
        .unique("customer_id", keep="last", maintain_order=True)
        .drop("at")
        .collect()
    )


def _arms(
    basis: Basis, ledger: Ledger, config: Config, customers: pl.Series, network: pl.DataFrame | None
) -> tuple[pl.DataFrame | None, float | None]:
    """Return the arms of the campaign running, frozen as customers come, and its share of controls as it was started.

    None where offers have no budget. What the settings say of arms later is for the next campaign.
    """
    settings = config.offers
    if settings.budget <= 0:
        return None, None
    wanted = Campaign(settings.campaign, basis.as_of.day, settings.unit, settings.control_share)
    people = pl.DataFrame({"customer_id": customers})
    if network is not None and "community" in network.columns:
        names = network.select("customer_id", pl.col("community").cast(pl.String))
        people = people.join(names, on="customer_id", how="left", maintain_order="left")
    else:
        people = people.with_columns(community=pl.lit(None, dtype=pl.String))
    now = basis.as_of.instant
    if basis.extent.is_dry:
        with ledger.reading() as db:
            frozen, wanted = (
                arms_of(db, wanted.campaign_id),
                running_campaign(db, wanted.campaign_id) or wanted,
            )
        new = people.join(frozen, on="customer_id", how="anti")
        drawn = drawn_arms(wanted, new, frozen, people, salt=config.holdout.salt)
        named = pl.lit(wanted.campaign_id).alias("campaign_id")
        columns = ["campaign_id", "customer_id", "arm"]
        arms = pl.concat([frozen.select(columns), drawn.with_columns(named).select(columns)])
        return arms, wanted.control_share
    with ledger.writing() as db:
        campaign = campaign_of(db, wanted, now)
        arms = frozen_arms(db, campaign, people, salt=config.holdout.salt, now=now)
    return arms, campaign.control_share
