"""What is known against each candidate before any is chosen: earlier contacts, consent, hold-outs. Vectorised.

It decides the first reason of each of two kinds, and refuses to know the other candidates.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from ...config import Cap
from ...dates import AsOf
from .standing import SURVEY, ContactRules, Standing, action_day

EARLY, LATE = "refused_early", "refused_late"


def refusals(candidates: pl.DataFrame, standing: Standing, rules: ContactRules, as_of: AsOf) -> pl.DataFrame:
    """Return the candidates with two columns more, null where nothing speaks against them.

    ``refused_early`` is what was given or comes of earlier contacts; ``refused_late`` a lack of consent, a suppression
    or a hold-out, which count only after capacity and budget, so that who is held out is who would have been reached.
    ``was_contacted_today`` says that the day of action has a contact already.
    """
    exempt = pl.col("purpose").is_in(sorted(rules.transactional))
    marked = _marked(candidates, standing, rules, as_of)
    early = [
        pl.col("refused_for"),
        _code("quiet_period", pl.lit(rules.is_quiet(action_day(as_of)))),
        _code("waiting_for_answer", (pl.col("purpose") == SURVEY) & pl.col("is_waiting")),
        _code("cap_reached", pl.col("is_capped")),
        _code("quiet_days", pl.col("is_resting")),
    ]
    forbidden = [
        _code("do_not_contact", pl.col("is_suppressed")),
        _code("suppressed", pl.col("is_suppressed_here")),
    ]
    may = pl.when(pl.col("purpose") == SURVEY).then("may_survey").otherwise("may_contact")
    late = [
        _code("no_consent", ~may.fill_null(value=False)),
        *forbidden,
        _code("permanent_hold_out", pl.col("is_out_permanent")),
        _code("campaign_hold_out", pl.col("is_out_campaign")),
        _code("trial_hold_out", pl.col("is_out_trial")),
        _code("survey_hold_out", (pl.col("purpose") == SURVEY) & pl.col("is_out_survey")),
    ]
    return marked.select(
        *candidates.columns,
        "was_contacted_today",
        pl.when(exempt).then("refused_for").otherwise(pl.coalesce(early)).alias(EARLY),
        pl.when(exempt).then(pl.coalesce(forbidden)).otherwise(pl.coalesce(late)).alias(LATE),
        exempt.alias("is_exempt"),
    )


def probed(
    customers: pl.Series, purpose: str, channel: str, *, standing: Standing, rules: ContactRules, as_of: AsOf
) -> pl.DataFrame:
    """Return customer_id and reason: why each may not be contacted for a purpose through a channel, null: may be.

    What no rule can let through comes first: who refuses is told so, also while they rest.
    """
    probes = pl.DataFrame({"customer_id": customers}).with_columns(
        kind=pl.lit(purpose),
        subject=pl.lit(""),
        purpose=pl.lit(purpose),
        channel=pl.lit(channel),
        value=pl.lit(0.0),
        cost=pl.lit(0.0),
        campaign_id=pl.lit(None, dtype=pl.String),
        refused_for=pl.lit(None, dtype=pl.String),
    )
    today = pl.when("was_contacted_today").then(pl.lit("already_today"))
    marked = refusals(probes, standing, rules, as_of)
    return marked.select("customer_id", reason=pl.coalesce(LATE, EARLY, today))


def _code(code: str, holds: pl.Expr) -> pl.Expr:
    return pl.when(holds).then(pl.lit(code))


def _marked(candidates: pl.DataFrame, standing: Standing, rules: ContactRules, as_of: AsOf) -> pl.DataFrame:
    """Return the candidates with one flag per thing that may speak against them."""
    days = _contact_days(standing.contacts, as_of)
    today = action_day(as_of)
    marks = candidates.with_row_index("_place")
    for name, flagged, keys in _flagged(days, standing, rules, today):
        found = flagged.select(keys).unique().with_columns(pl.lit(value=True).alias(name))
        marks = marks.join(found, on=keys, how="left").with_columns(pl.col(name).fill_null(value=False))
    marks = marks.join(
        standing.consents.select("customer_id", "may_survey", "may_contact"), on="customer_id", how="left"
    )
    return _capped(marks, days, rules.caps, today).sort("_place")


def _flagged(
    days: pl.DataFrame, standing: Standing, rules: ContactRules, today: object
) -> Iterator[tuple[str, pl.DataFrame, list[str]]]:
    since = pl.lit(today, dtype=pl.Date)
    resting = (pl.col("day") >= since.dt.offset_by(f"-{rules.quiet_days}d")) & (rules.quiet_days > 0)
    yield "was_contacted_today", days.filter(pl.col("day") == since), ["customer_id"]
    yield "is_resting", days.filter(resting), ["customer_id"]
    yield "is_waiting", standing.waiting, ["customer_id"]
    yield "is_suppressed", standing.suppressed.filter(pl.col("channel") == ""), ["customer_id"]
    here = standing.suppressed.filter(pl.col("channel") != "")
    yield "is_suppressed_here", here, ["customer_id", "channel"]
    out = standing.held_out
    yield "is_out_permanent", out.filter(pl.col("kind") == "permanent"), ["customer_id"]
    yield "is_out_survey", out.filter(pl.col("kind") == "survey"), ["customer_id"]
    yield "is_out_campaign", out.filter(pl.col("kind") == "campaign"), ["customer_id", "campaign_id"]
    yield "is_out_trial", out.filter(pl.col("kind") == "trial"), ["customer_id", "campaign_id"]


def _contact_days(contacts: pl.DataFrame, as_of: AsOf) -> pl.DataFrame:
    """Return the contacts that count, with the local day of each."""
    local = pl.col("at").dt.replace_time_zone("UTC").dt.convert_time_zone(as_of.zone).dt.date()
    return contacts.filter(~pl.col("is_transactional")).with_columns(day=local)


def _capped(marks: pl.DataFrame, days: pl.DataFrame, caps: tuple[Cap, ...], today: object) -> pl.DataFrame:
    """Add whether one more contact would break a cap; contacts dated after today count as if made today."""
    is_capped = pl.lit(value=False)
    for place, cap in enumerate(caps):
        name = f"_n{place}"
        fits = pl.col("day") > pl.lit(today, dtype=pl.Date).dt.offset_by(f"-{cap.days}d")
        asked = pl.lit(value=True)
        for column, wanted in (("purpose", cap.purpose), ("channel", cap.channel)):
            if wanted is not None:
                fits &= pl.col(column) == wanted
                asked &= (pl.col(column) == wanted).fill_null(value=False)
        counted = days.filter(fits).group_by("customer_id").agg(pl.len().alias(name))
        marks = marks.join(counted, on="customer_id", how="left")
        is_capped |= asked & (pl.col(name).fill_null(0) >= cap.most)
    return marks.with_columns(is_capped.alias("is_capped"))
