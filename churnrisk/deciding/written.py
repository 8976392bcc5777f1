"""A decided night as rows of the ledger: decisions, and the invitations, treatments, contacts and messages they
lead to.

It decides ids and what is kept of each decision, so that a date can be shown again from the ledger alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from scoring.asking import asking_words

from ..ledger import Decisions
from ..ledger.holdouts import CAMPAIGN, PERMANENT, SURVEY
from ..ledger.identity import stable_ids
from ..ledger.outbox import message, messages
from ..ledger.rules.reasons import ASK, CHOSEN, CONTROL, LEFT_ALONE, OFFER
from ..ledger.rules.standing import CALL
from .asking import through
from .calling import PROACTIVE, PROMOTER
from .material import Material
from .offering import rankings
from .order import DecidedNight, chosen_of

INVITED, TREATED = "ask", "offer"
"""Prefixes of ids."""

CONTROL_OFFER = "control"
STATE = "invited"
HELD_OUT = {"permanent_hold_out": PERMANENT, "survey_hold_out": SURVEY, LEFT_ALONE[0]: CAMPAIGN}


def ledger_rows(night: DecidedNight, material: Material, *, endpoint: str | None) -> Decisions:
    """Return what the ledger keeps of a night; with ``endpoint`` also a message for each survey request and offer."""
    rows = _identified(night.rows, material)
    told = _told(rows, night, material)
    return Decisions(
        run_id=material.run_id,
        settings=material.config.fingerprint(),
        figures=json.dumps(
            night.figures
            | {
                "notes": list(night.notes),
                "curve": None if night.curve is None else night.curve.fill_nan(None).to_dict(as_series=False),
            },
            sort_keys=True,
        ),
        decisions=told.select(DECISION_COLUMNS),
        invitations=_invitations(told, material),
        treatments=_treatments(told, night, material),
        contacts=_contacts(told, material),
        outbox=messages([] if endpoint is None else _messages(told, material, endpoint)),
        holdouts=_holdouts(told),
    )


DECISION_COLUMNS = (
    "kind",
    "customer_id",
    "subject",
    "position",
    "decision",
    "reason_code",
    "why",
    "value",
    "cost",
    "channel",
    "purpose",
    "propensity",
    "is_random",
    "campaign_id",
    "reference",
    "details",
)


def _identified(rows: pl.DataFrame, material: Material) -> pl.DataFrame:
    """Return the rows with ``reference``: the id of the invitation or treatment that a decision is about."""
    dated = rows.with_columns(_day=pl.lit(str(material.as_of.day)))
    of_asking = stable_ids(INVITED, dated, ["_day", "customer_id", "subject"])
    of_offering = stable_ids(TREATED, dated, ["_day", "customer_id"])
    of_others = stable_ids("touch", dated, ["_day", "kind", "customer_id", "subject"])
    return rows.with_columns(
        reference=pl.when(pl.col("kind") == "survey")
        .then(of_asking)
        .when(pl.col("kind") == OFFER)
        .then(of_offering)
        .otherwise(of_others),
        value=pl.when(pl.col("value").is_finite()).then("value"),
        campaign_id=pl.when(pl.col("reason_code").is_in(LEFT_ALONE))
        .then(pl.coalesce("campaign_id", pl.lit(material.config.offers.campaign)))
        .otherwise("campaign_id"),
    )


def _told(rows: pl.DataFrame, night: DecidedNight, material: Material) -> pl.DataFrame:
    """Return the rows with ``why`` in words and ``details``; thousands, not the base."""
    ranked = _rankings(rows, night, material)
    rules = {rule.name: rule for rule in material.config.proactive.rules}
    whys, details, values = [], [], []
    owners = {} if material.owners is None else dict(material.owners.iter_rows())
    calls = {} if material.calls is None else dict(enumerate(material.calls.select(KEPT_OF_CALLS).to_dicts()))
    asked = {} if night.asked.is_empty() else dict(enumerate(night.asked.iter_rows(named=True)))
    for row in rows.iter_rows(named=True):
        if row["kind"] == "survey":
            candidate = through(asked[row["row"]], row["channel"], row["cost"])
            detail = _asking_details(candidate) | {"owner": owners.get(row["customer_id"])}
            why = asking_words(candidate, material.sentences)
            values.append(candidate["value_of_asking"])
        elif row["kind"] == PROACTIVE:
            detail = {"message": rules[row["subject"]].message, "when": rules[row["subject"]].when}
            why = ""
            values.append(row["value"])
        elif row["kind"] == CALL:
            detail, why = calls[row["row"]], ""
            values.append(row["value"])
        else:
            found = ranked.get(row["customer_id"], []) if row["kind"] == OFFER else []
            detail = {"offers": found}
            why = _offer_words(row, found, material) if row["kind"] == OFFER else ""
            values.append(row["value"] if row["kind"] == OFFER else None)
        if row["reason_code"] != CHOSEN:
            why = " ".join(filter(None, (material.sentences.decided(row["reason_code"]), why)))
        whys.append(why)
        details.append(json.dumps(detail, sort_keys=True, ensure_ascii=False, default=str))
    return rows.with_columns(
        why=pl.Series(whys, dtype=pl.String),
        details=pl.Series(details, dtype=pl.String),
        value=pl.Series(values, dtype=pl.Float64),
        # a promoter's cost is a place in the programme, no money
        cost=pl.when(pl.col("kind") == PROMOTER).then(0.0).otherwise("cost"),
    )


def _rankings(
    rows: pl.DataFrame, night: DecidedNight, material: Material
) -> dict[str, list[Mapping[str, object]]]:
    if night.offering is None:
        return {}
    found: dict[str, list[Mapping[str, object]]] = {}
    customers = rows.filter(pl.col("kind") == OFFER)["customer_id"]
    for line in rankings(material, night.offering, customers):
        found.setdefault(str(line["customer_id"]), []).append(
            {name: value for name, value in line.items() if name != "customer_id"}
        )
    return found


KEPT_OF_CALLS = ("position", "may_contact", "stake")
KEPT_OF_ASKING = ("purpose", "metric", "occasion", "language", "risk", "value_of_asking", "basis")


def _asking_details(candidate: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: value for name, value in candidate["details"].items() if value is not None}
    return {name: candidate[name] for name in KEPT_OF_ASKING} | {"answers": inner}


def _offer_words(row: Mapping[str, Any], ranked: list[Mapping[str, Any]], material: Material) -> str:
    """Say what the offer is worth and what it costs, and how well that is known."""
    mine = next((line for line in ranked if line["offer_id"] == row["subject"]), None)
    if mine is None or mine["net_value"] is None:
        return ""
    sentences, numbers = material.sentences, material.sentences.numbers
    spilled = mine["spillover_value"]
    parts = [
        sentences.offering(
            "worth",
            offer=str(mine["offer_id"]),
            net=numbers.money(float(mine["net_value"])),
            low=numbers.money(float(mine["low"])),
            high=numbers.money(float(mine["high"])),
            cost=numbers.money(float(mine["cost"])),
            effect=numbers.percent(float(mine["effect"])),
            source=sentences.offering(str(mine["effect_source"])),
        )
    ]
    if spilled is not None and spilled > 0:
        parts.append(sentences.offering("around", spillover=numbers.money(float(spilled))))
    if row["is_random"] and row["reason_code"] == CHOSEN:
        parts.append(sentences.offering("drawn"))
    return sentences.joined(parts)


def _invitations(told: pl.DataFrame, material: Material) -> pl.DataFrame:
    asked = told.filter(pl.col("decision") == ASK)
    at = pl.lit(material.as_of.instant)
    given = asked["details"].str.json_decode(
        pl.Struct(
            {
                name: pl.Float64() if name in {"risk", "value_of_asking"} else pl.String()
                for name in KEPT_OF_ASKING
            }
        )
    )
    return asked.select("customer_id", "channel", "propensity", invitation_id="reference").with_columns(
        metric=given.struct.field("metric"),
        occasion=given.struct.field("occasion"),
        language=given.struct.field("language"),
        purpose=given.struct.field("purpose"),
        risk_at_asking=given.struct.field("risk"),
        invited_at=at,
        state=pl.lit(STATE),
    )


def _treatments(told: pl.DataFrame, night: DecidedNight, material: Material) -> pl.DataFrame:
    """Return offers made and customers left without on purpose, each with its whole chance.

    The chance of an offer is that of being chosen for it times that of not being a control; the chance of a
    control that of being left alone by any lot. A control of the campaign or of a trial says which offer it is
    ``instead_of``: the one that the choice fell on, and that the walk would have let through; ``left_alone`` is the
    chance with which those picked for it as this customer was are left without. Who drew none is instead of none.
    """
    share = material.control_share
    done = told.filter((pl.col("kind") == OFFER) & pl.col("decision").is_in([OFFER, CONTROL]))
    chances = _chances(done, night, material)
    is_control = pl.col("decision") == CONTROL
    instead_of = pl.when(pl.col("reason_code").is_in(LEFT_ALONE)).then("subject")
    return done.with_columns(
        _alone=share + (1.0 - share) * chances["left_alone"],
        _trial=share + (1.0 - share) * chances["trial"],
    ).select(
        "customer_id",
        "campaign_id",
        treatment_id="reference",
        offer_id=pl.when(is_control).then(pl.lit(CONTROL_OFFER)).otherwise("subject"),
        instead_of=instead_of,
        left_alone=pl.when(instead_of.is_not_null()).then("_trial"),
        at=pl.lit(material.as_of.instant),
        propensity=pl.when(is_control).then("_alone").otherwise((1.0 - share) * pl.col("propensity")),
        source=pl.lit("decide"),
    )


def _chances(done: pl.DataFrame, night: DecidedNight, material: Material) -> pl.DataFrame:
    """Return of each row left_alone, the chance that a lot leaves it without, and trial, that of its own offer."""
    chosen = night.chosen
    if chosen is None:
        return pl.DataFrame(schema={"left_alone": pl.Float64, "trial": pl.Float64})
    found = pl.DataFrame(
        {
            "customer_id": material.people["customer_id"],
            "left_alone": pl.Series(chosen.left_alone),
            "trial": pl.Series(chosen.trial_chance),
        }
    )
    return done.select("customer_id").join(found, on="customer_id", how="left", maintain_order="left")


def _contacts(told: pl.DataFrame, material: Material) -> pl.DataFrame:
    made = chosen_of(told)
    made = made.with_columns(_contact=stable_ids("contact", made, ["kind", "reference"]))
    return made.select(
        "customer_id",
        "channel",
        "purpose",
        contact_id="_contact",  # as `ledger.taking.contact_id`
        at=pl.lit(material.as_of.instant),
        is_transactional=pl.col("purpose").is_in(sorted(material.rules.transactional)),
        source="kind",
        source_id="reference",
    )


def _holdouts(told: pl.DataFrame) -> pl.DataFrame:
    kinds = pl.col("reason_code").replace_strict(HELD_OUT, default=None, return_dtype=pl.String)
    out = told.with_columns(_kind=kinds).filter(pl.col("_kind").is_not_null())
    campaign = pl.when(pl.col("_kind") == CAMPAIGN).then("campaign_id").otherwise(pl.lit(""))
    return out.select("customer_id", kind="_kind", campaign_id=campaign).unique(maintain_order=True)


def _messages(told: pl.DataFrame, material: Material, endpoint: str) -> Iterator[dict[str, Any]]:
    """Yield a message for each customer to contact; nothing of the customer in it but the id."""
    now = material.as_of.instant
    # the team calls from its list
    for row in chosen_of(told).filter(pl.col("kind") != CALL).iter_rows(named=True):
        if row["kind"] == "survey":
            kept = json.loads(row["details"])
            data = {name: kept[name] for name in ("metric", "occasion", "language", "purpose")}
            kind = "survey.requested"
            data["invitation_id"] = row["reference"]
        elif row["kind"] == OFFER:
            kind, data = "offer.decided", {"treatment_id": row["reference"], "offer_id": row["subject"]}
        else:
            kind, data = (
                f"{row['kind']}.decided",
                {"contact_id": row["reference"], row["kind"]: row["subject"]},
            )
        data |= {
            "customer_id": row["customer_id"],
            "channel": row["channel"],
            "as_of": str(material.as_of.day),
        }
        payload = {"type": kind, "timestamp": f"{now.isoformat()}Z", "data": data}
        yield message(
            kind,
            row["reference"],
            payload,
            endpoint=endpoint,
            now=now,
            customer_id=row["customer_id"],
            channel=row["channel"],
        )
