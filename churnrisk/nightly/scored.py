"""What is scored in a night: risks first, then one step after the other, each of which adds tables and notes.

It decides which steps there are and in which order, and refuses to compute anything itself. A new table of the night
is a new step in ``STEPS``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from features import Catalogue, FeatureSet, library
from features.network import tells_of_others
from scoring import (
    Influence,
    RankedList,
    approach_list,
    approached,
    at_risk,
    changes,
    consents_in_force,
    influence_of_date,
    promoters,
    ranked_list,
    reasons,
    scores,
    shadow_scores,
    with_influence,
)

from ..answered import Heard, heard, with_answers
from ..bundle import Bundle, read_lifetime
from ..ledger import kept_tables
from ..ledger.rules.standing import CALL
from ..night_memory import kept_changes, last_night, staged_memory
from ..night_report import Made
from ..night_silence import silent_tonight
from ..reachable import reachable
from ..report import Silence
from .basis import Basis
from .decided import Ready, taken_before, tonight
from .listed import as_decided, list_of_calls
from .publishable import refuse_unpublishable

Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True)
class Scored:
    """What every step may read: the basis, the features, the risks, and the ranking that rests on them.

    ``listed`` are the features of those ranked, ``around`` the money around all (None where ties are not known).
    ``ranked`` is, once the night has decided, the list as it was decided.
    """

    basis: Basis
    features: FeatureSet
    scores: pl.DataFrame
    consents: pl.DataFrame
    ranked: RankedList
    around: Influence | None
    known: Heard
    open_to_calls: pl.DataFrame
    """The consents, with may_contact false for whoever must rest tonight, and left_out_for why."""

    @classmethod
    def of(cls, basis: Basis, features: FeatureSet) -> Scored:
        """Score and rank every customer of ``features``."""
        config = basis.workspace.config
        lasting = read_lifetime(basis.workspace.champion)
        alone = scores(
            features.frame,
            basis.bundle,
            config.value,
            as_of=basis.as_of,
            run_id=basis.run_id,
            lifetime=lasting,
        )
        consents = consents_in_force(basis.engine, basis.loaded.tables, basis.as_of.instant)
        known = heard(basis.workspace, basis.ledger, basis.as_of, consents)
        found = with_answers(
            alone, features, known, bundle=basis.bundle, workspace=basis.workspace, lifetime=lasting
        ).scores
        open_to_calls = consents
        if basis.extent.makes_lists:  # past dates have no lists
            open_to_calls = reachable(
                basis.workspace, basis.loaded.tables, basis.ledger, basis.as_of, consents
            )
        capacity = config.team.daily_capacity
        around = influence_of_date(features.ties, found, consents, capacity, config.influence)
        ranked = ranked_list(found, open_to_calls, capacity, None if around is None else around.frame)
        ranked = as_decided(basis, ranked, found, around)
        return cls(basis, features, found, consents, ranked, around, known, open_to_calls)

    @cached_property
    def listed(self) -> pl.DataFrame:
        """The features of the customers ranked."""
        return self.features.frame.filter(pl.col("customer_id").is_in(self.ranked.customer_ids))

    @cached_property
    def words(self) -> Catalogue:
        """What is known of each feature, the user's own included."""
        return library(self.basis.workspace.root / "features").catalogue

    @property
    def told(self) -> dict[str, Any]:
        """What reasons and changes are told alike."""
        return {
            "as_of": self.basis.as_of,
            "run_id": self.basis.run_id,
            "consents": self.consents,
            "known_features": self.words,
        }

    def stamped(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with as_of and run_id."""
        return frame.with_columns(
            pl.lit(self.basis.as_of.day).alias("as_of"), pl.lit(self.basis.run_id).alias("run_id")
        )


@dataclass(frozen=True)
class Addition:
    """What one step adds: published tables, notes, promoters to approach, files kept (place -> staged file), and what
    the report says of silent customers.
    """

    frames: Frames = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    promoters: pl.DataFrame | None = None
    kept: Mapping[Path, Path] = field(default_factory=dict)
    silence: Silence | None = None
    figures: str = ""
    """What was decided in numbers (JSON), for people."""
    is_replay: bool = False
    """Whether it was decided by an earlier run."""
    ranked: RankedList | None = None
    """The list as decided, which the steps after it read."""


Step = Callable[[Scored, Frames], Addition]
"""Reads what is scored and the tables of the steps before it; gives what it adds."""


def made_of(basis: Basis, features: FeatureSet) -> Made:
    """Return what a night makes of the features, step by step."""
    scored = Scored.of(basis, features)
    notes = () if scored.around is None else scored.around.notes
    made = Made(
        {"scores": scored.scores},
        (*_rule(basis.bundle), *_unused(features, basis.bundle), *scored.ranked.notes, *notes),
        around=scored.around,
    )
    for step in STEPS:
        added = step(scored, made.frames)
        scored = scored if added.ranked is None else replace(scored, ranked=added.ranked)
        made = replace(
            made,
            frames={**made.frames, **added.frames},
            notes=(*made.notes, *added.notes),
            promoters=made.promoters if added.promoters is None else added.promoters,
            kept={**made.kept, **added.kept},
            silence=made.silence if added.silence is None else added.silence,
            figures=added.figures or made.figures,
            is_replay=added.is_replay or made.is_replay,
        )
    return made


def _rule(bundle: Bundle) -> tuple[str, ...]:
    """Say so when the model in use learned nothing."""
    return (f"the model in use is a {bundle.provenance.regime}",) if bundle.is_prior else ()


def _unused(features: FeatureSet, bundle: Bundle) -> tuple[str, ...]:
    """Warn of features that came after the model was trained; a model of one labelled extract knows attributes only."""
    known = {*(feature.name for feature in bundle.features), *bundle.ignored}
    new = sorted(set(features.names) - known)
    if not new or bundle.provenance.churn.get("kind") == "label":
        return ()
    return (
        f"{len(new)} features are new since the model was trained and not used: train again to use {new[0]} ...",
    )


def reasons_of(scored: Scored, _: Frames) -> Addition:
    """Why those on the list are at risk."""
    why = reasons(
        scored.listed, scored.basis.bundle, scored.basis.sentences, scored=scored.scores, **scored.told
    )
    return Addition({"reasons": why})


def inputs_of(scored: Scored, _: Frames) -> Addition:
    """What the model saw and no more.

    A column it left aside may be a name or a telephone number; and not what others did, which exact figures over
    several windows and directions would give away (decision 11).
    """
    seen = (each.name for each in scored.basis.bundle.features if not tells_of_others(each.name, each.group))
    return Addition({"features": scored.stamped(scored.features.frame.select("customer_id", *seen))})


def network_of(scored: Scored, _: Frames) -> Addition:
    """Where customers stand among the others, with the money around them where ties are known."""
    network = scored.features.network
    if network is None:
        return Addition()
    if scored.around is not None:
        network = with_influence(network, scored.scores, scored.around, scored.features.opinions)
    return Addition({"network": scored.stamped(network)})


def ties_of(scored: Scored, _: Frames) -> Addition:
    """Pairs in contact, where the settings publish them."""
    basis = scored.basis
    if scored.features.ties is None or not basis.workspace.config.privacy.publish_ties:
        return Addition()
    return Addition({"ties": scored.stamped(scored.features.ties.table(basis.as_of.zone))})


def changes_of(scored: Scored, _: Frames) -> Addition:
    """What moved the risks of those on the list since the night before; not of past dates."""
    basis = scored.basis
    if not basis.extent.makes_lists:
        return Addition()
    last = last_night(basis.workspace, basis.as_of.day, basis.bundle, scored.ranked.customer_ids)
    return Addition(
        {
            "changes": changes(
                scored.listed, scored.scores, basis.bundle, scored.basis.sentences, last, **scored.told
            )
        }
    )


def list_of(scored: Scored, frames: Frames) -> Addition:
    """The list for the team, with reasons and what changed; who is called is what the contact rules decided.

    A backfill tells what the night of the date found changed, where that still explains the risk.
    """
    basis = scored.basis
    moved = frames.get("changes")
    if not basis.extent.makes_lists:
        moved = kept_changes(basis.workspace, basis.as_of.day, scored.scores)
    listed = at_risk(
        scored.ranked,
        frames["reasons"],
        basis.sentences,
        run_id=basis.run_id,
        moved=moved,
        offered=frames.get("offers_ranked"),
        asked=frames.get("survey_requests"),
    )
    return Addition({"at_risk": listed})


def _promoters(scored: Scored, frames: Frames, decided: Collection[str] = ()) -> pl.DataFrame | None:
    """Return all promoters, whoever may be contacted, best first; None without surveys."""
    features, config = scored.features, scored.basis.workspace.config
    if features.opinions is None:
        return None
    return promoters(
        scored.scores,
        features.frame,
        frames.get("network"),
        features.opinions,
        long_tenure_days=config.lists.long_tenure_days,
        decided=decided,
    )


def _to_approach(scored: Scored, frames: Frames, approaches: pl.DataFrame) -> pl.DataFrame | None:
    """Return the promoters who were decided to be approached."""
    chosen = approaches.filter(kind="promoter", decision="approach").sort("position")
    ranked = _promoters(scored, frames, decided=chosen["customer_id"].to_list())
    return (
        None if ranked is None else approached(ranked, chosen.select("customer_id", "programme", "channel"))
    )


def decisions_of(scored: Scored, frames: Frames) -> Addition:
    """Whom to ask, what to offer, which promoters to approach: decided tonight, or as the ledger has them of the date.

    A run that decides nothing, of a date that was not decided, has promoters alone: who could be approached.
    """
    basis, ledger = scored.basis, scored.basis.ledger
    if ledger is None:
        found = None
    elif basis.extent.decides:
        candidates = _promoters(scored, frames)
        ready = Ready(
            scored.features, scored.scores, scored.around, scored.known, scored.ranked, candidates, frames
        )

        def refuse(rows: pl.DataFrame, tables: Frames) -> None:
            refuse_unpublishable(basis, scored.scores, _list_as_decided(scored, rows), tables)

        found = tonight(basis, ledger, ready, refuse)
    else:
        found = taken_before(basis, ledger)
    if found is None:
        ranked, capacity = _promoters(scored, frames), basis.workspace.config.team.promoter_capacity
        listed = None if ranked is None else approach_list(ranked, scored.open_to_calls, capacity)
        return Addition(promoters=listed)
    return Addition(
        found.tables,
        ranked=_list_as_decided(scored, found.decided.frame),
        notes=found.notes,
        promoters=_to_approach(scored, frames, found.tables["approaches"]),
        figures=found.decided.figures,
        is_replay=found.decided.is_replay,
    )


def _list_as_decided(scored: Scored, decisions: pl.DataFrame) -> RankedList:
    return list_of_calls(decisions.filter(kind=CALL), scored.ranked, scored.scores, scored.around)


def challenger_of(scored: Scored, _: Frames) -> Addition:
    """What the model watched beside the champion says of the same customers."""
    basis = scored.basis
    if basis.challenger is None:
        return Addition(notes=tuple(filter(None, [basis.challenger_note])))
    beside, note = shadow_scores(
        scored.features.frame, basis.challenger, basis.bundle, as_of=basis.as_of, run_id=basis.run_id
    )
    return Addition({} if beside is None else {"shadow_scores": beside}, notes=tuple(filter(None, [note])))


def silence_of(scored: Scored, _: Frames) -> Addition:
    """What silent customers would answer, predicted; not of past dates."""
    basis = scored.basis
    if not basis.extent.makes_lists:
        return Addition()
    said = silent_tonight(
        basis.workspace,
        basis.bundle,
        scored.features,
        engine=basis.engine,
        tables=basis.loaded.tables,
        as_of=basis.as_of,
        run_id=basis.run_id,
    )
    frames = {} if said.predicted is None else {"nps_predicted": said.predicted}
    return Addition(frames, notes=said.warnings, silence=said.silence)


def memory_of(scored: Scored, frames: Frames) -> Addition:
    """What the next night needs of this one to say what changed; past dates keep nothing."""
    basis = scored.basis
    if not basis.extent.makes_lists:
        return Addition()
    return Addition(
        kept=staged_memory(
            basis.workspace,
            basis.as_of.day,
            features=scored.features,
            published=frames["features"],
            consents=scored.consents,
            words=scored.words,
            bundle=basis.bundle,
            run_id=basis.run_id,
        )
    )


def kept_of(scored: Scored, _: Frames) -> Addition:
    """What came back and whom we have contacted, as the ledger knew it; nothing where there is no ledger."""
    basis = scored.basis
    if basis.ledger is None:
        return Addition()
    with basis.ledger.reading() as db:
        kept = kept_tables(db, basis.workspace.config, basis.as_of, scored.scores["customer_id"])
    return Addition({name: scored.stamped(frame) for name, frame in kept.items()})


STEPS: tuple[Step, ...] = (
    inputs_of,
    network_of,
    ties_of,
    decisions_of,
    reasons_of,
    changes_of,
    list_of,
    challenger_of,
    silence_of,
    kept_of,
    memory_of,
)
"""What follows the risks, in the order of the tables; a step may read those of the steps before it."""

OF_NIGHTS = frozenset({"changes", "nps_predicted", "shadow_scores"})
"""Tables that no backfill makes."""
