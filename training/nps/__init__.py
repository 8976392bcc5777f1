"""What customers who are silent would answer to the recommend question (F19): learned from those who answered.

It decides whether a prediction is made at all, and how it is judged. What is predicted is no answer: it is kept apart
from measured NPS, in a model, a table and a section of its own, and no feature reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl

from churnrisk.bundle import NpsFindings, PredictedNps, Provenance
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables

from ..fit import FitSettings
from .answers import ANSWER_DAYS, Seen, known_answers, past_response
from .judged import GAIN, NPS_FIGURES, nps_figures
from .pair import fitted_pair, shares_of
from .response import Answering, fitted_answering
from .rows import SATISFACTION, SURVEYS, NpsRows, drawn_customers, nps_rows

FEWEST_ANSWERS = 200
"""Relationship answers below which nothing is predicted (judgement: as for trees of leaving, science, section 6)."""

FEWEST_LEARNED = 100
FEWEST_JUDGED = 50
"""Of them at least so many to learn from before the test, and to judge on after it (judgement)."""

JUDGED_SHARE = 1 / 3
"""The newest look after which so many of the answers came begins the test (judgement)."""

__all__ = ["ANSWER_DAYS", "FEWEST_ANSWERS", "NPS_FIGURES", "predicted_nps"]


def predicted_nps(
    engine: Engine,
    tables: LakeTables,
    looks: Sequence[Seen],
    settings: FitSettings,
    *,
    origin: Provenance,
    as_of: AsOf,
    source_of: Callable[[str], str] = lambda _: "",
) -> PredictedNps | None:
    """Return the models of the category, judged out of time, or why there are none; None without survey answers.

    Parameters
    ----------
    engine : with the tables registered.
    tables : validated tables.
    looks : past looks at all customers with their features.
    settings : as for risks; groups of features are read from it. Settings that were searched for risks are not used.
    origin : what the risk model says of where it comes from.
    as_of : answers known later, and consents changed later, are not known.
    source_of : names each feature's source.

    Notes
    -----
    The test begins at the newest look T after which a third of the answers came. The judged twin learns from looks
    before T and from answers known by T alone, and is judged on the first answer of each customer in the 90 days after
    each look from T on. The shipped pair learns from all. Both weigh an answer by one over its chance of being given.
    """
    if not tables.has("surveys") or not looks:
        return None
    ordered = sorted(looks, key=lambda look: look.instant.instant)
    answers, permitted = known_answers(engine, ordered, as_of)
    if answers.height < FEWEST_ANSWERS:
        return _not_made(answers.height, _too_few(answers.height))
    first = first_test(ordered, answers)
    if first is None:
        return _not_made(answers.height, NO_TEST)

    def is_hidden(name: str) -> bool:
        return settings.group_of(name) == SATISFACTION or source_of(name) == SURVEYS

    def rows(chosen: Sequence[Seen], known_by: AsOf, drawn: pl.Series | None = None) -> NpsRows:
        return nps_rows(chosen, answers, permitted, known_by.instant, is_hidden=is_hidden, drawn=drawn)

    learned = rows(ordered[:first], ordered[first].instant, drawn_customers(ordered[:first]))
    tested = rows(ordered[first:], as_of)
    everybody = learned.where(learned.is_drawn).rows
    answering = fitted_answering(everybody, seed=settings.seed)
    response, n_invited = past_response(engine, ordered, as_of)
    kept = None if response is None else answering.kept(everybody, response=response, n_invited=n_invited)
    taught, judged = (weighted_answers(found, answering) for found in (learned, tested))
    plain = replace(settings, tuning=None, objective=None, trees={}, leaking={}, calibrate_by=None)
    findings = NpsFindings(
        n_answers=answers.height,
        tested_from=ordered[first].day,
        tested_until=ordered[-1].day,
        n_judged_answers=len(judged.category),
    )
    try:
        findings = judged_findings(findings, taught, judged, plain, origin)
        if findings.reason:
            return PredictedNps(findings, answering=kept)
        pair = fitted_pair(weighted_answers(rows(ordered, as_of), answering), plain)
    except ModelUnfit as error:
        return _not_made(answers.height, "; ".join(fault.sentence() for fault in error.faults))
    return PredictedNps(replace(findings, regime=pair.regime), pair.model(origin), kept)


def judged_findings(
    findings: NpsFindings, taught: NpsRows, judged: NpsRows, settings: FitSettings, origin: Provenance
) -> NpsFindings:
    """Return the findings with the figures of a twin of ``taught`` on ``judged``, and the reason if it tells nothing.

    It must beat the shares of the answers it learned from by a log loss whose interval excludes 0 (science, section 6).
    Raises ModelUnfit where nothing can be learned.
    """
    twin = fitted_pair(taught, settings)
    predicted = twin.model(origin).predict(judged.rows.frame)
    figures = nps_figures(judged, predicted, shares_of(taught), seed=settings.seed)
    least = figures[GAIN][1]
    reason = NO_GAIN if least is None or least <= 0 else ""
    return replace(findings, regime=twin.regime, figures=figures, reason=reason)


def first_test(looks: Sequence[Seen], answers: pl.DataFrame) -> int | None:
    """Return the place of the look that begins the test: nearest to a third of the answers after it; None without any.

    Parameters
    ----------
    looks : by rising day.
    answers : answered_at, answer_known_at.
    """
    found: list[tuple[float, int]] = []
    for place, look in enumerate(looks):
        then = look.instant.instant
        n_after = answers.filter(pl.col("answered_at") >= then).height
        n_before = answers.filter(pl.col("answered_at") < then, pl.col("answer_known_at") < then).height
        if n_before >= FEWEST_LEARNED and n_after >= FEWEST_JUDGED:
            found.append((abs(n_after / answers.height - JUDGED_SHARE), -place))
    return -min(found)[1] if found else None


def weighted_answers(found: NpsRows, answering: Answering) -> NpsRows:
    """Return one row of ``found`` per answer, weighted to stand for everybody."""
    answered = found.where(found.is_chosen)
    return answered.weighted(answering.weights(answered.rows))


def _not_made(n_answers: int, reason: str) -> PredictedNps:
    return PredictedNps(NpsFindings(reason=reason, n_answers=n_answers))


NO_TEST = (
    f"no look at customers has {FEWEST_LEARNED} relationship answers before it and {FEWEST_JUDGED} after it, so "
    "nothing could be judged out of time: another wave would lift it"
)

NO_GAIN = (
    "out of time, what is known of customers told no more of what they answer, beyond chance, than the shares of the "
    "answers before: more answers, or sources nearer to what customers go through, may lift it"
)


def _too_few(n_answers: int) -> str:
    return (
        f"{n_answers:,} relationship answers are known since the first look at customers, and {FEWEST_ANSWERS} are "
        "needed: another wave, a larger share asked, or looks further back ([training] n_snapshots) would lift it"
    )
