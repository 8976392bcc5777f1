"""The head of the page: what is meant by risk, the night in figures, what to be careful about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from .content import ReportContent
from .parts import Stat
from .summaries import Headline, headline
from .wording import SPACE, capitalised, count, counted, listing, money, percent

LONG_AGO_DAYS = 120
"""A model that was trained on nothing younger is called old; a judgement."""


def title(content: ReportContent) -> str:
    """Return the name of the page."""
    return f"Who is likely to leave, as of {content.as_of.isoformat()}"


def lead(content: ReportContent) -> str:
    """Return what the risk is the probability of."""
    if content.churn_kind == "label":
        return (
            "Risk is the probability that a customer is one who leaves, as the labelled extract defines leaving, "
            "if nobody does anything."
        )
    length = content.horizon_days
    what = "cancels"
    if content.churn_kind == "inactive":
        length = content.inactive_days or content.horizon_days
        what = f"shows no activity in the {counted(length, 'day')}"
    first = content.as_of + timedelta(days=content.gap_days + 1)
    last = content.as_of + timedelta(days=content.gap_days + length)
    return (
        f"Risk is the probability that a customer {what} from {first.isoformat()} to {last.isoformat()}, "
        f"if nobody does anything. What was known by the end of {content.as_of.isoformat()} ({content.zone}) was used."
    )


def stats(content: ReportContent) -> Iterator[Stat]:
    """Yield the figures of the headline."""
    night = headline(content.scores, content.at_risk)
    yield Stat(
        "Customers scored",
        count(night.n_scored),
        f"{_people(night.expected_leavers)} expected to leave" if night.n_scored else "nobody to score",
    )
    yield Stat(
        "At risk",
        count(night.n_at_risk),
        f"{percent(night.n_at_risk / night.n_scored)} of them; bands high and critical"
        if night.n_scored
        else "",
    )
    yield Stat("Value at stake", money(night.stake_at_risk, content.currency), _stake_note(content, night))
    yield Stat("On tonight's list", count(night.n_listed), _capacity_note(content))


def _people(expected: float) -> str:
    return "fewer than one" if expected < 1 else f"about {expected:,.0f}"


def _stake_note(content: ReportContent, night: Headline) -> str:
    if night.stake_at_risk is None:
        known_elsewhere = night.stake is not None or not night.n_at_risk
        return (
            "nobody is at risk"
            if known_elsewhere
            else "no customer has a value, so the list is by risk alone"
        )
    missing = f"; value unknown for {count(night.n_without_value)}" if night.n_without_value else ""
    return f"risk times margin of {counted(content.value_months, 'month')}, of those at risk{missing}"


def _capacity_note(content: ReportContent) -> str:
    return f"the team can contact {count(content.capacity)} a day" if content.capacity is not None else ""


def warnings(content: ReportContent) -> Iterator[str]:
    """Yield what a reader must know before believing a figure, each once."""
    yield from dict.fromkeys(capitalised(told) for told in (*_derived_warnings(content), *content.warnings))


def _derived_warnings(content: ReportContent) -> Iterator[str]:
    evidence = content.evidence
    if evidence is None:
        yield "There are no test figures of this model here, so nothing says how far its risks can be trusted."
    elif evidence.protocol == "cross_validated":
        yield (
            "The model was cross-validated by customer, not tested out of time: its figures say how well it tells "
            "leavers from stayers of the same period, and are usually better than what comes next."
        )
    if evidence is not None and evidence.trained_until is not None:
        age = (content.as_of - evidence.trained_until).days
        if age < 0:
            yield (
                f"The model has seen data up to {evidence.trained_until.isoformat()}, later than this date: these "
                "scores are for looking back and are no forecast."
            )
        elif age > LONG_AGO_DAYS:
            yield f"The newest data the model was trained on are {age}{SPACE}days old: train again."
    if content.uses_current_attributes:
        yield (
            "Attributes as they are today were used for past dates, as your settings accept it. That flatters the test "
            "figures: what changed because a customer left is known too early."
        )
    stale = [source.name for source in content.sources if source.is_stale]
    if stale:
        yield f"Older than your settings allow: {listing(stale)}. What happened since is not in the risks."
