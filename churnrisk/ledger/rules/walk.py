"""The walk of the contact rules: candidates in order of value, each chosen, or refused for the first reason there is.

It decides who is contacted, and refuses to know what with and what it does to them. A pure function of its arguments:
the same candidates in any order of rows give the same decisions.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from ...dates import AsOf
from ..holdouts import draws
from .reasons import CHOSEN, DREW_NONE, HELD_OUT, LEFT_ALONE, REASONS, decision_of
from .refusals import EARLY, LATE, refusals
from .standing import PROMOTERS, ContactRules, Standing

CANDIDATE_COLUMNS: dict[str, pl.DataType] = {
    "kind": pl.String(),
    "customer_id": pl.String(),
    "subject": pl.String(),
    "purpose": pl.String(),
    "channel": pl.String(),
    "value": pl.Float64(),
    "cost": pl.Float64(),
    "campaign_id": pl.String(),
    "refused_for": pl.String(),
}
"""What a candidate is; the last two may be missing."""

MICRO = 1_000_000
"""Money is counted in whole millionths, so that sums do not depend on rounding."""

_IDENTITY = ("kind", "customer_id", "subject")


def walked(candidates: pl.DataFrame, standing: Standing, rules: ContactRules, as_of: AsOf) -> pl.DataFrame:
    """Decide on every candidate.

    Parameters
    ----------
    candidates : DataFrame, one row per kind, customer, subject and channel
        kind ('survey', 'offer', 'promoter' ...), customer_id, subject (what is asked or offered), purpose ('survey',
        'offer' ...: what caps and budgets go by), channel, value (money, the order of the walk), cost (money, of the
        purpose's budget), campaign_id (whose controls are left alone) and refused_for (a code of `reasons.GIVEN` that
        is known already). A candidate that may go through several channels has a row for each; at most one is chosen.
        Further columns are carried along.
    standing : Standing
        Earlier contacts, consents, suppressions, hold-outs.
    rules : ContactRules
        Caps, quiet days, capacities, budgets.
    as_of : AsOf
        The date decided; contacts are made on the day after it.

    Returns
    -------
    DataFrame, one row per kind, customer and subject
        The columns given (of several channels that of the row chosen, else of the first looked at) without
        refused_for, and position (1 = most valuable), decision, reason_code. By position.

    Notes
    -----
    Order: value falling, then the channel preferred in the rules, then a hash of kind, customer, subject and date. One
    contact a day and customer. Who does not fit what is left of a budget is refused, and cheaper ones after may still
    fit. Reasons are looked at in the order of `reasons.REASONS`: what is given, then earlier contacts, then what the
    more valuable ones have used up, then consent and suppressions, and last hold-outs; who is refused or held out uses
    up nothing. Who is left without an offer as a control of it is left alone for the rest of the night by all that is
    worth less, as those are who are made it: else both would differ by more than the offer. Transactional purposes are
    stopped by suppressions alone. O(n log n); a million in seconds.
    """
    shaped = _shaped(candidates)
    ordered = _ordered(refusals(shaped, standing, rules, as_of), rules, as_of)
    reasons = pl.Series("reason_code", _reasons(ordered, rules), dtype=pl.String)
    decided = ordered.with_columns(reasons)
    rank = pl.col("reason_code").replace_strict(_PICKED, default=2, return_dtype=pl.Int8)
    one = (
        decided.with_row_index("_place")
        .with_columns(_best=rank)
        .sort("_best", "_place")
        .unique(_IDENTITY, keep="first", maintain_order=True)
        .sort("_place")
        .with_row_index("position", offset=1)
    )
    words = {
        (code, kind): decision_of(code, kind) for kind in one["kind"].unique().to_list() for code in REASONS
    }
    lookup = pl.DataFrame(
        [(code, kind, word) for (code, kind), word in words.items()],
        schema={"reason_code": pl.String, "kind": pl.String, "decision": pl.String},
        orient="row",
    )
    carried = [name for name in candidates.columns if name != "refused_for"]
    return (
        one.with_columns(pl.col("position").cast(pl.Int64))
        .join(lookup, on=["reason_code", "kind"], how="left", maintain_order="left")
        .select(*carried, "position", "decision", "reason_code")
    )


_PICKED: Mapping[str, int] = {CHOSEN: 0, **dict.fromkeys(HELD_OUT, 1)}


def worth_keeping(decided: pl.DataFrame) -> pl.DataFrame:
    """Return everyone whom the walk could reach, and after that as many again, so that people see who comes next.

    The walk reaches as far as the last one chosen or held out.
    """
    reached = decided.filter(~pl.col("decision").is_in(["refused", "none"]))["position"].max()
    last = 0 if reached is None else int(str(reached))
    return decided.filter(pl.col("position") <= 2 * last)


def _shaped(candidates: pl.DataFrame) -> pl.DataFrame:
    """Return the candidates with all columns that the walk reads, in its types."""
    missing = [name for name in CANDIDATE_COLUMNS if name not in candidates.columns]
    if set(missing) - {"campaign_id", "refused_for"}:
        msg = f"candidates lack {', '.join(missing)}"
        raise ValueError(msg)
    shaped = candidates.with_columns(
        *(pl.lit(None, dtype=CANDIDATE_COLUMNS[name]).alias(name) for name in missing)
    ).with_columns(pl.col(name).cast(kind) for name, kind in CANDIDATE_COLUMNS.items())
    unpriced = shaped.filter(
        pl.col("refused_for").is_null() & (pl.col("cost").is_null() | (pl.col("cost") < 0))
    )
    if unpriced.height or shaped["customer_id"].null_count():
        msg = f"{unpriced.height} candidates have no cost from 0 up, or no customer"
        raise ValueError(msg)
    return shaped


def _ordered(marked: pl.DataFrame, rules: ContactRules, as_of: AsOf) -> pl.DataFrame:
    """Sort by value falling, preferred channel, and the hash of who it is; only equals are hashed."""
    places = {channel: place for place, channel in enumerate(rules.channels)}
    preference = pl.col("channel").replace_strict(places, default=len(places), return_dtype=pl.Int32)
    ranked = marked.with_columns(_preference=preference, _value=pl.col("value").fill_nan(None))
    is_tied = ranked.select(pl.col("_value").is_duplicated()).to_series()
    names = ranked.select(pl.concat_str(*_IDENTITY, separator="\x1f")).to_series()
    lot = draws(names.set(~is_tied, None), f"walk\x1f{as_of}", "order")
    return ranked.with_columns(_lot=lot).sort(
        "_value",
        "_preference",
        "_lot",
        *_IDENTITY,
        "channel",
        descending=[True, *[False] * 6],
        nulls_last=True,
    )


def _reasons(ordered: pl.DataFrame, rules: ContactRules) -> list[str]:
    """Walk the candidates in their order: what each takes changes what is left for those after it."""
    reasons: list[str] = ordered[EARLY].to_list()
    room = dict(rules.capacity)
    left = {purpose: round(money * MICRO) for purpose, money in rules.budgets.items()}
    seen = set(ordered.filter("was_contacted_today")["customer_id"].to_list())
    alone: dict[str, str] = {}
    rows = zip(
        ordered["customer_id"].to_list(),
        ordered["channel"].to_list(),
        ordered["purpose"].to_list(),
        (ordered["cost"].fill_null(0.0) * MICRO).round().cast(pl.Int64).to_list(),
        ordered["is_exempt"].to_list(),
        ordered[LATE].to_list(),
        strict=True,
    )
    for place, (customer, channel, purpose, cost, is_exempt, refused) in enumerate(rows):
        if reasons[place] is not None:
            reasons[place] = _given(reasons[place], customer, seen, alone)
            continue
        if is_exempt:
            reasons[place] = refused or CHOSEN
        elif customer in seen:
            reasons[place] = "already_today"
        elif (full := _full(channel, purpose, cost, room, left)) is not None:
            reasons[place] = full
        elif (held := refused or alone.get(customer)) is not None:
            reasons[place] = held
            if held in LEFT_ALONE:
                alone.setdefault(customer, held)
        else:
            reasons[place] = CHOSEN
            seen.add(customer)
            if channel in room:
                room[channel] -= 1
            for each in left.keys() & _drawn_on(purpose):
                left[each] -= cost
    return reasons


def _given(reason: str, customer: str, seen: Collection[str], alone: dict[str, str]) -> str:
    """Return the reason known before; who drew no offer is left alone, unless something reached them already."""
    if reason != DREW_NONE:
        return reason
    return "already_today" if customer in seen else alone.setdefault(customer, DREW_NONE)


def _full(
    channel: str, purpose: str, cost: int, room: Mapping[str, int], left: Mapping[str, int]
) -> str | None:
    """Return what those before have used up of what this one needs; None: nothing."""
    if room.get(channel) == 0:
        return "capacity_full"
    if any(cost > left.get(each, cost) for each in _drawn_on(purpose)):
        return "programme_full" if purpose.startswith(PROMOTERS) else "budget_spent"
    return None


def _drawn_on(purpose: str) -> tuple[str, ...]:
    """Return the budgets that a purpose draws on: of promoters places of the programme, and of all programmes."""
    return (purpose, PROMOTERS) if purpose.startswith(PROMOTERS) else (purpose,)
