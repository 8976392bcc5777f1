"""Counts, remarks and verdict put together."""

from __future__ import annotations

from ...config import Config
from ...dates import AsOf
from ...store import Engine
from ..loaded import LoadedSources
from .answer import WITHOUT_FACTS, Readiness, Verdict
from .counting import Counts
from .remarks import begun, dates, enough, few_answers, matching, notice, states


def readiness(loaded: LoadedSources, engine: Engine, config: Config, as_of: AsOf) -> Readiness:
    """Judge loaded sources as of a date."""
    for name, path in loaded.tables.paths.items():
        engine.register(name, path)
    counts = Counts(loaded, engine, config, as_of)
    sources = tuple(counts.source(report) for report in loaded.reports.values())
    n_customers, n_leavers = counts.customers(), counts.leavers()
    n_months, n_answers = counts.months(sources), counts.answers()
    matches = tuple(counts.matches())
    dated_months = n_months if any(item.source not in WITHOUT_FACTS for item in sources) else None
    remarks = (
        *begun(loaded, as_of),
        *enough(config, n_leavers, dated_months, counts.label_count()),
        *notice(counts.notice()),
        *few_answers(loaded, n_answers),
        *matching(matches),
        *states(sources, loaded),
        *dates(sources, config, as_of),
    )
    hubs = counts.hubs()
    for name in loaded.tables.paths:
        engine.drop(name)
    levels = {remark.level for remark in remarks}
    verdict: Verdict = (
        "not enough" if "not enough" in levels else "warn" if levels or loaded.warnings else "ok"
    )
    return Readiness(
        str(as_of),
        verdict,
        sources,
        matches,
        n_customers,
        n_leavers,
        n_months,
        n_answers,
        remarks,
        (*loaded.warnings, *hubs),
        config.quality.publish_despite_stale,
    )
