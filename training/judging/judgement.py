"""Everything that is said of a model, put together: which model is judged, its tables, and the sentences on top.

It decides the order and refuses to know files and pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np
import polars as pl
import polars.selectors as cs

from churnrisk import metrics
from churnrisk.bundle import Band, Bundle, Provenance

from ..evaluate import CROSS_VALIDATED, OUT_OF_TIME
from ..fit import FitSettings, Fitted, bands_of, fitted_model
from ..judged import cross_validated_risk
from ..rows import Rows, rows_together
from .blocks import blocks
from .curves import curves
from .direction import direction
from .fairness import fairness
from .groups import grouped
from .lasting import lasting
from .lead_time import lead_time
from .loyalty import loyalty
from .material import Material
from .months import months
from .opinions import named_opinions, opinions
from .segments import labels_of_column, segment_labels, segments
from .sentences import Said, sentences
from .subject import Floats, Subject, in_order, subject_of
from .surveys import survey_pairs, surveys
from .types import types
from .unseen import unseen
from .ways import leaver_kinds

CHAMPION, TWIN, FOLDS = "champion", "twin", "folds"
"""Whose risks are judged: the champion's, those of a twin trained now on earlier dates only, those of folds."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """What a model is worth.

    ``judged`` says whose risks were judged (champion, twin, folds), ``kind`` whether out of time. ``tables`` go by the
    names of docs/tables.md, undefined is null and an empty table means that the data do not tell. ``named`` names
    people and must not leave the restricted folder.
    """

    kind: str
    judged: str
    n_rows: int
    n_leavers: int
    looks: tuple[str, ...]
    tables: Mapping[str, pl.DataFrame]
    sentences: Mapping[str, tuple[str, ...]]
    """By section, in the order of the page."""
    notes: tuple[str, ...]
    named: pl.DataFrame
    regime: str = ""
    dropped: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """The model fitted on the learned rows, its risks and scores of the tested ones."""

    model: Fitted
    bundle: Bundle
    risk: Floats
    score: Floats


def judgement(
    material: Material,
    settings: FitSettings,
    *,
    by: Iterable[str] = (),
    names: Mapping[str, str] | None = None,
    readings: Mapping[str, str] | None = None,
    champion: Bundle | None = None,
) -> Judgement:
    """Return everything that the rows say of a model.

    Parameters
    ----------
    material : rows that train and rows that test; customers are cross-validated where nothing trains.
    settings : as in training.
    by : columns of the feature table by which treatment is compared (fairness), and segments made.
    names : the user's own name by column.
    readings : which way the catalogue expects each feature to work.
    champion : the model in use: it is judged itself where it has seen no outcome of the tested dates.

    Raises
    ------
    ModelUnfit
        Nothing can be fitted.
    """
    material = replace(
        material,
        tested=_sorted(material.tested),
        learned=None if material.learned is None else _sorted(material.learned),
    )
    wanted = list(by)
    fitted = None if material.learned is None else _fitted(material.learned, material.tested, settings)
    whose, risk, notes = _whose(material, fitted, champion, settings)
    subject = subject_of(material.tested, risk, seed=settings.seed)
    kind = CROSS_VALIDATED if fitted is None else OUT_OF_TIME
    labels = segment_labels(subject.rows, material.learned, by=wanted, names=names)
    chosen = {
        (names or {}).get(column, column): labels_of_column(subject.rows.frame[column]) for column in wanted
    }
    lead = lead_time(subject, material.leavings, material.counts)
    bundle = champion if whose == CHAMPION else None if fitted is None else fitted.bundle
    tables: dict[str, pl.DataFrame] = {
        **curves(subject, kind),
        "bands": _bands(subject, bundle),
        "months": months(subject),
        "segments": segments(subject, labels),
        "fairness": fairness(subject, chosen),
        "lead_time": lead.table,
        "leaver_kinds": leaver_kinds(subject),
        "opinions": opinions(subject),
        "loyalty": loyalty(subject),
        "types": types(subject),
        **_refits(material, subject, settings, fitted),
    }
    stays = lasting(material, subject, None if fitted is None else fitted.model, _starts(subject, bundle))
    if stays is not None:
        tables |= {"lifetime": stays.totals, "survival": stays.checks}
    if fitted is not None:
        tables["direction"] = direction(
            subject_of(material.tested, fitted.risk, seed=settings.seed),
            fitted.bundle,
            fitted.model.importance,
            dict(readings or {}),
        )
        tables["importance"] = fitted.model.importance
    if whose == CHAMPION and fitted is not None:
        tables["champion"] = _beside(subject, fitted.risk)
    said = Said(kind, whose, subject, tables, lead, stays)
    return Judgement(
        kind=kind,
        judged=whose,
        n_rows=len(subject.left),
        n_leavers=subject.rows.n_leavers,
        looks=tuple(subject.looks),
        tables=tables,
        sentences=sentences(said),
        notes=(*material.notes, *notes),
        named=named_opinions(subject),
        regime="" if fitted is None else fitted.model.regime,
        dropped={} if fitted is None else fitted.model.dropped,
    )


def _sorted(rows: Rows) -> Rows:
    return in_order(rows, np.lexsort((rows.customer.astype(str), rows.snapshot.astype(str))))


def _fitted(learned: Rows, tested: Rows, settings: FitSettings) -> _Fitted:
    model = fitted_model(learned, settings)
    plain = model.bundle((), Provenance())
    risk = plain.predict(tested.frame)["risk"].to_numpy()
    bands = bands_of(risk, tested.left, tested.weight, model.base_rate)
    return _Fitted(model, replace(plain, bands=bands), risk, plain.raw_score(tested.frame))


def _whose(
    material: Material, fitted: _Fitted | None, champion: Bundle | None, settings: FitSettings
) -> tuple[str, Floats, tuple[str, ...]]:
    """Return whose risks are judged, the risks, and why not the champion's."""
    if fitted is None:
        return FOLDS, cross_validated_risk(material.tested, settings)["risk"].to_numpy(), ()
    if champion is None:
        return TWIN, fitted.risk, ()
    until, first = champion.provenance.trained_until, material.first_test
    if until is None or first is None or datetime.fromisoformat(until) > first.instant:
        return TWIN, fitted.risk, ()
    missing = sorted(set(champion.kinds) - set(material.tested.frame.columns))
    if missing:
        words = f"the champion was not judged: it reads {missing[0]}, which the sources no longer give"
        return TWIN, fitted.risk, (words,)
    found = champion.predict(material.tested.frame, allow_extra=True)
    return CHAMPION, found["risk"].to_numpy(), ()


def _bands(subject: Subject, bundle: Bundle | None) -> pl.DataFrame:
    """Return the realised rate by band of risk; of folds, bands by the odds of the average customer."""
    starts = _starts(subject, bundle)
    member = np.searchsorted([band.risk_from for band in starts], subject.risk, side="right") - 1
    found = grouped(subject, np.maximum(member, 0), [band.name for band in starts], key="band")
    limits = pl.Series("risk_from", [band.risk_from for band in starts], dtype=pl.Float64)
    return found.with_columns(limits).select("band", "risk_from", pl.exclude("band", "risk_from"))


def _starts(subject: Subject, bundle: Bundle | None) -> tuple[Band, ...]:
    rows = subject.rows
    return bands_of(subject.risk, rows.left, rows.weight, rows.base_rate) if bundle is None else bundle.bands


def _refits(
    material: Material, subject: Subject, settings: FitSettings, fitted: _Fitted | None
) -> dict[str, pl.DataFrame]:
    """Return what needs models of its own: blocks, surveys over CRM, people never seen."""
    looked = material.tested
    if fitted is None or material.learned is None:
        return {
            "surveys": surveys(looked, subject, None),
            "survey_pairs": survey_pairs(looked, seed=settings.seed),
        }
    looked = rows_together([material.learned, material.tested])
    ablated = blocks(material.learned, material.tested, settings, full=fitted.model)
    return {
        "blocks": ablated.table,
        "surveys": surveys(looked, subject, ablated.crm_risk),
        "survey_pairs": survey_pairs(looked, seed=settings.seed),
        "unseen": unseen(material.learned, material.tested, fitted.score, settings, like=fitted.model),
    }


def _beside(subject: Subject, twin_risk: Floats) -> pl.DataFrame:
    """Return by how much a model trained now is better than the champion: figure, gained, low, high."""
    found = metrics.paired_differences(
        subject.left,
        twin_risk,
        subject.risk,
        subject.weight,
        customer=subject.customer,
        seed=subject.seed,
    )
    rows = [(name, each.value, each.low, each.high) for name, each in found.items()]
    schema = {"figure": pl.String(), **dict.fromkeys(("gained", "low", "high"), pl.Float64())}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(cs.float().fill_nan(None))


def shareable(found: Judgement, chosen: Iterable[str]) -> Judgement:
    """Return what may leave the workspace, for tracking: no groups by which treatment was compared, no names."""
    gone = set(chosen)
    tables = dict(found.tables)
    # several attributes may share a row: it goes with any of them
    names = [pl.col("attribute").str.contains(name, literal=True) for name in sorted(gone)]
    tables["segments"] = tables["segments"].filter(~pl.any_horizontal(pl.lit(value=False), *names))
    tables["fairness"] = tables["fairness"].clear()
    said = {
        **found.sentences,
        "fairness": ("Figures by chosen groups stay in the workspace.",),
        "segments": tuple(
            each for each in found.sentences["segments"] if not any(name in each for name in gone)
        ),
    }
    notes = tuple(note for note in found.notes if not any(name in note for name in gone))
    return replace(found, tables=tables, sentences=said, notes=notes, named=found.named.clear())
