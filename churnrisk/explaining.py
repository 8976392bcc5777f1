"""The order of the stages of explaining one customer: from what the night published, or else computed now.

It decides where the inputs come from, and refuses to know how a risk is taken apart or put into words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from features import FeatureSet, build, library
from scoring import (
    LastNight,
    changes,
    consents_in_force,
    explained,
    influence_of_date,
    lines_of,
    parts_of,
    scores,
    with_influence,
)

from .answered import heard, with_answers
from .bundle import Bundle, read_lifetime
from .dates import AsOf
from .explanation import Explanation, Group
from .inputs import Inputs
from .learning import champion_bundle
from .loaded import loaded_sources
from .logs import Stages
from .messages import Sentences
from .night_memory import CONSENTS, is_of_model, last_night, remembered
from .reachable import ledger_there
from .sources import LoadedSources
from .sources.keys import known_keys
from .store import Engine, Workspace
from .store.publish import published_frame
from .tables.published import RULES
from .tie_strength import rules_of
from .unscored import not_scored
from .untold import no_kind, predicted_answer


@dataclass(frozen=True, eq=False)
class _Seen:
    """What is known of one customer: a row of inputs, of scores, of the network; consents; the night before."""

    frame: pl.DataFrame
    scored: pl.DataFrame
    network: Mapping[str, Any] | None
    consents: pl.DataFrame
    last: LastNight | None
    is_published: bool


def explain(workspace: Workspace, as_of: AsOf, inputs: Inputs, customer_id: str) -> Explanation:
    """Explain the risk of one customer as of a day.

    Where the night of that day is published by the present champion and what it saw is still kept, that is what is
    explained, at once, also while another run holds the workspace; otherwise everybody is scored anew, as the network
    and money around need everybody.

    Raises
    ------
    UsageError
        The customer is not scored on that day, or not known.
    ModelUnfit
        There is no champion, or the features do not fit it.
    """
    bundle = champion_bundle(workspace)
    seen = _published(workspace, as_of, bundle, customer_id)
    if seen is None:
        with workspace.held("explain"), workspace.engine() as engine:
            seen = _computed(workspace, as_of, inputs, bundle, engine=engine, customer_id=customer_id)
    return _told(workspace, as_of, bundle, seen)


def _published(workspace: Workspace, as_of: AsOf, bundle: Bundle, customer_id: str) -> _Seen | None:
    """Return what the night of the day left of the customer; None when it is not the champion's, or not kept."""
    scored = published_frame(workspace, RULES["scores"], as_of.day, customers=[customer_id])
    kept = remembered(workspace, as_of.day, [customer_id])
    if scored is None or kept is None or not is_of_model(kept, bundle):
        return None
    if scored.is_empty():
        raise not_scored(as_of, is_known=_is_known(workspace, customer_id))
    if scored["run_id"][0] != kept.model["run_id"]:
        return None  # a night is being published just now
    network = published_frame(workspace, RULES["network"], as_of.day, customers=[customer_id])
    return _Seen(
        kept.frame.drop(CONSENTS),
        scored,
        None if network is None or network.is_empty() else network.row(0, named=True),
        kept.frame.select("customer_id", *CONSENTS),
        last_night(workspace, as_of.day, bundle, [customer_id]),
        is_published=True,
    )


def _computed(
    workspace: Workspace,
    as_of: AsOf,
    inputs: Inputs,
    bundle: Bundle,
    *,
    engine: Engine,
    customer_id: str,
) -> _Seen:
    """Score everybody as of the day."""
    config = workspace.config
    with (
        Stages("explain", 1, interactive=inputs.interactive) as stages,
        stages.stage("features and scores"),
    ):
        loaded = loaded_sources(workspace, engine, inputs, as_of)
        built = _built(workspace, as_of, bundle, engine, loaded)
        consents = consents_in_force(engine, loaded.tables, as_of.instant)
        own = built.frame.filter(pl.col("customer_id") == customer_id)
        if own.is_empty():
            raise not_scored(as_of, is_known=_is_known(workspace, customer_id))
        lifetime = read_lifetime(workspace.champion)
        alone = scores(built.frame, bundle, config.value, as_of=as_of, run_id="", lifetime=lifetime)
        with ledger_there(workspace, inputs) as ledger:
            known = heard(workspace, ledger, as_of, consents)
        scored = with_answers(
            alone, built, known, bundle=bundle, workspace=workspace, lifetime=lifetime
        ).scores
        around = influence_of_date(built.ties, scored, consents, config.team.daily_capacity, config.influence)
        network = built.network
        if network is not None and around is not None:
            network = with_influence(network, scored, around, built.opinions)
        last = last_night(workspace, as_of.day, bundle, [customer_id])
        if last is not None and last.inputs is None and not last.scores.is_empty():
            then = AsOf(last.as_of, as_of.zone)
            rebuilt = _built(workspace, then, bundle, engine, loaded, customer_id=customer_id)
            last = LastNight(last.as_of, last.scores, rebuilt.frame.drop("customer_key"))
    is_own = pl.col("customer_id") == customer_id
    return _Seen(
        own,
        scored.filter(is_own),
        None if network is None else network.row(by_predicate=is_own, named=True),
        consents.filter(is_own),
        last,
        is_published=False,
    )


def _built(
    workspace: Workspace,
    as_of: AsOf,
    bundle: Bundle,
    engine: Engine,
    loaded: LoadedSources,
    *,
    customer_id: str | None = None,
) -> FeatureSet:
    return build(
        engine,
        loaded.tables,
        as_of,
        workspace.config.churn,
        customers=None if customer_id is None else [customer_id],
        consent_as_of=as_of,
        kinds={feature.name: feature.kind for feature in bundle.features},
        rules=rules_of(workspace, bundle),
        own=workspace.root / "features",
    )


def _is_known(workspace: Workspace, customer_id: str) -> bool:
    return customer_id in known_keys(workspace.lake)["customer_id"]


def _told(workspace: Workspace, as_of: AsOf, bundle: Bundle, seen: _Seen) -> Explanation:
    """Put everything into values and sentences."""
    sentences = Sentences.of(workspace.config.lists.language)
    words = library(workspace.root / "features").catalogue
    found = explained(seen.frame, bundle, words, consents=seen.consents, scored=seen.scored)
    lines = list(lines_of(found, 0, seen.frame.row(0, named=True), sentences, words))
    by_place = dict(zip(found.told[0], lines, strict=False))
    groups = tuple(
        Group(part.groups, part.points, tuple(by_place[k] for k in part.told)) for part in parts_of(found, 0)
    )
    moved = changes(
        seen.frame,
        seen.scored,
        bundle,
        sentences,
        seen.last,
        as_of=as_of,
        run_id="",
        consents=seen.consents,
        known_features=words,
    )
    score = seen.scored.row(0, named=True)
    may_use_answers = bool(seen.consents["may_use_answers"].fill_null(value=False)[0])
    nps, no_nps = predicted_answer(
        workspace, as_of, score, may_use_answers=may_use_answers, sentences=sentences
    )
    return Explanation(
        as_of=as_of.day,
        score=score,
        band=next(band for band in bundle.bands if band.name == score["band"]),
        groups=groups,
        lines=tuple(lines),
        moved=moved,
        since=_since(seen.last),
        network=seen.network,
        published=None if seen.is_published else _published_score(workspace, as_of.day, score),
        sentences=sentences,
        nps=nps,
        no_nps=no_nps,
        no_kind=no_kind(bundle, score, sentences),
        learner=str(bundle.provenance.parameters.get("learner", "")),
        regime=bundle.provenance.regime,
    )


def _since(last: LastNight | None) -> tuple[date, float] | None:
    """Return the night compared with and the risk then."""
    if last is None or last.scores.is_empty():
        return None
    return last.as_of, float(last.scores["risk"][0])


def _published_score(workspace: Workspace, day: date, score: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return risk and model version as published for the day, where another risk was."""
    found = published_frame(workspace, RULES["scores"], day, customers=[score["customer_id"]])
    if found is None or found.is_empty():
        return None
    published = found.row(0, named=True)
    is_same = published["risk"] == score["risk"] and published["model_version"] == score["model_version"]
    return None if is_same else {"risk": published["risk"], "model_version": published["model_version"]}
