"""What is enough to learn from and what is worth a remark, each with what to do about it."""

from __future__ import annotations

from collections.abc import Iterator

from ...config import FEWEST_FOR_TREES, FEWEST_LEAVERS, REGIMES_AHEAD, Config
from ...dates import AsOf
from ..beginning import before_data
from ..loaded import LoadedSources
from .answer import Match, Remark, SourceReadiness, Verdict, counted
from .counting import DAYS_PER_MONTH, HAPPENED, TIE_DAYS

LEAST_MONTHS = 3
"""Observation, gap and outcome of one snapshot, and one more to test on. A judgement."""

LEAST_ANSWERS = 100
"""Fewer answers than this tell little: +-20 points of NPS. A judgement."""

LEAST_MATCH = 0.5
"""A share of matching ids below it is usually a mapping mistake (leading zeros, another numbering). A judgement."""

MANY_NULLS = 0.9
"""An attribute with more nulls than this is remarked on. A judgement."""

OLD_DAYS = 35
"""Without max_age_days, a newest fact older than this is remarked on: a monthly delivery did not come. A judgement."""

MOST_KNOWN_AHEAD = 0.5
"""More leavings than this known before the whole window are remarked on. A judgement."""

TIES_UNKNOWN = "ties_unknown"
"""Code of the remark that no contact makes a tie; a night says it in more words, as building features finds it."""


def begun(loaded: LoadedSources, as_of: AsOf) -> Iterator[Remark]:
    """Remark on a date before anything had happened."""
    fault = before_data(loaded, as_of)
    if fault is not None:
        firsts = ", ".join(fault.available)
        yield Remark(
            fault.code, "not enough", f"Nothing had happened yet by {as_of}: {firsts}.", fault.remedy
        )


def enough(
    config: Config, n_leavers: int | None, n_months: float | None, n_labels: int | None
) -> Iterator[Remark]:
    """Remark on too few leavers, and on too short a history; ``n_months`` is null where no fact has a date."""
    n_found = n_labels if n_labels is not None else n_leavers
    if n_found is not None and n_found < FEWEST_FOR_TREES:
        is_prior = n_found < FEWEST_LEAVERS
        level: Verdict = "not enough" if is_prior else "warn"
        meanwhile = (
            "too few to learn from, a rule prior scores meanwhile"
            if is_prior
            else "a logistic regression learns from them, with wide intervals"
        )
        yield Remark(
            "few_leavers",
            level,
            f"{counted(n_found, 'leaver')}: {meanwhile}. {REGIMES_AHEAD}.",
            "Give a longer history of left_on, a labelled extract, or churn by inactivity ([churn] kind).",
        )
    window = config.churn.gap_days + max(
        config.churn.horizon_days, config.churn.inactive_days if config.churn.kind == "inactive" else 0
    )
    if (
        n_labels is None
        and n_months is not None
        and n_months * DAYS_PER_MONTH < min(LEAST_MONTHS * DAYS_PER_MONTH, 2 * window + window)
    ):
        yield Remark(
            "short_history",
            "warn",
            f"{counted(n_months, 'month')} of facts; {LEAST_MONTHS} are the least for a test out of time.",
            "Load older files, or shorten horizon_days and gap_days.",
        )


def notice(found: tuple[float, float] | None) -> Iterator[Remark]:
    """Remark on leavings that were known long before they happened: nobody is left to learn from."""
    if found is None or found[1] <= MOST_KNOWN_AHEAD:
        return
    days, share = found
    yield Remark(
        "known_ahead",
        "warn",
        f"{share:.0%} of past leavings were known before gap and outcome window began (median {days:,.0f} days ahead): "
        "such customers count as in notice, and are neither learned from nor judged.",
        "If left_on was written into rows with an older valid_from, give left_known_at, or load all versions.",
    )


def few_answers(loaded: LoadedSources, n_answers: int) -> Iterator[Remark]:
    """Remark on surveys with too few answers."""
    if loaded.tables.has("surveys") and n_answers < LEAST_ANSWERS:
        yield Remark(
            "few_answers",
            "warn",
            f"{counted(n_answers, 'survey answer')}; under {LEAST_ANSWERS} they tell little.",
            "Load older waves; the model works without them meanwhile.",
        )


def matching(matches: tuple[Match, ...]) -> Iterator[Remark]:
    """Remark on ids that do not find each other."""
    for match in matches:
        if match.share is not None and match.share < LEAST_MATCH and "known customers" in match.name:
            yield Remark(
                "low_match",
                "warn",
                f"{match.name}: {match.share:.0%} of {match.n_total}.",
                "Compare how ids are written; id_digits pads ids that one source wrote as numbers.",
            )
    callers = next((match for match in matches if match.name == "callers that are customers"), None)
    if callers is not None and callers.n_matched == 0 and callers.n_total:
        yield Remark(
            "no_match",
            "not enough",
            "No caller is a customer.",
            "Compare how ids are written in calls and customers; see id_digits.",
        )


def states(sources: tuple[SourceReadiness, ...], loaded: LoadedSources) -> Iterator[Remark]:
    """Remark on sources that are stale, have rows in quarantine, or attributes that are hardly ever known."""
    for item in sources:
        if item.is_stale:
            yield Remark(
                "stale", "warn", f"{item.source} is older than its max_age_days.", "Deliver newer data."
            )
        if loaded.reports[item.source].bad_share > 0:
            yield Remark(
                "rejected_rows",
                "warn",
                f"{item.source}: {item.n_quarantined} of {counted(item.n_read, 'row')} in quarantine.",
                f"Look at {loaded.quarantine[item.source]}.",
            )
        empty = [
            name
            for name, share in item.null_shares.items()
            if share > MANY_NULLS and name.startswith("attribute_")
        ]
        if empty:
            yield Remark(
                "empty_attributes",
                "warn",
                f"{item.source}: more than {MANY_NULLS:.0%} empty: {', '.join(empty)}.",
                "Exclude them, or declare in missing what their values mean.",
            )


def dates(sources: tuple[SourceReadiness, ...], config: Config, as_of: AsOf) -> Iterator[Remark]:
    """Remark on sources that ended long ago, and on facts of days to come.

    Facts of the day after are usual: a delivery of today is looked at as of yesterday.
    """
    tie_days = TIE_DAYS + (config.churn.inactive_days if config.churn.kind == "inactive" else 0)
    for item in sources:
        if item.source not in HAPPENED:
            continue
        if item.source == "calls" and (item.age_days is None or item.age_days > tie_days):
            yield Remark(
                TIES_UNKNOWN,
                "warn",
                f"calls: no contact known in the {tie_days} days before the end of {as_of}: ties, exposures and "
                "influence are unknown, not 0.",
                "Deliver newer calls, or name the day that is meant with --as-of.",
            )
        parts = config.sources.get(item.source, ())  # type: ignore[call-overload]
        is_limited = any(part.max_age_days is not None for part in parts)
        if not is_limited and item.age_days is not None and item.age_days > OLD_DAYS:
            yield Remark(
                "old",
                "warn",
                f"{item.source}: the newest fact known on {as_of} is {item.age_days:g} days old.",
                "Deliver newer data, name the day that is meant with --as-of, or say in max_age_days what is old.",
            )
        if item.last_happened is not None and item.last_happened >= as_of.shifted(1).instant:
            yield Remark(
                "ahead",
                "warn",
                f"{item.source}: facts up to {item.last_happened.date()} lie after {as_of} and are not used.",
                "Name the day that is meant with --as-of; facts of days to come have wrong dates or a wrong zone.",
            )
