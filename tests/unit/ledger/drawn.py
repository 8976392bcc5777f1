"""Candidates and standings as small tables, and the slow twin of the walk: one candidate after the other, in words."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from churnrisk.config import Cap
from churnrisk.dates import AsOf
from churnrisk.ledger.rules import ContactRules, Standing
from churnrisk.ledger.rules.reasons import decision_of
from churnrisk.ledger.rules.standing import CONTACT_COLUMNS

Rows = list[dict[str, Any]]

CANDIDATE = {
    "kind": "survey",
    "subject": "nps",
    "purpose": "survey",
    "channel": "email",
    "value": 1.0,
    "cost": 1.0,
    "campaign_id": None,
    "refused_for": None,
}
KINDS = {
    "kind": pl.String,
    "customer_id": pl.String,
    "subject": pl.String,
    "purpose": pl.String,
    "channel": pl.String,
    "value": pl.Float64,
    "cost": pl.Float64,
    "campaign_id": pl.String,
    "refused_for": pl.String,
}


def candidate(customer_id: str, **columns: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, **CANDIDATE, **columns}


def candidates(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=KINDS)


def contact(customer_id: str, at: datetime, **columns: Any) -> dict[str, Any]:
    plain = {"channel": "email", "purpose": "survey", "is_transactional": False}
    return {"customer_id": customer_id, "at": at, **plain, **columns}


def standing(*contacts: dict[str, Any], customers: str = "abcdefgh", **parts: pl.DataFrame) -> Standing:
    """Everybody named by a letter has consented, unless ``consents`` is given."""
    willing = pl.DataFrame({"customer_id": list(customers)}).with_columns(
        may_survey=pl.lit(value=True), may_contact=pl.lit(value=True)
    )
    return Standing(
        pl.DataFrame(
            [{name: row[name] for name in CONTACT_COLUMNS} for row in contacts], schema=CONTACT_COLUMNS
        ),
        **{"consents": willing, **parts},
    )


def local_day(at: datetime, zone: str) -> date:
    return at.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date()


def lot(row: dict[str, Any], as_of: AsOf) -> float:
    key = hashlib.blake2b(f"order\x1fwalk\x1f{as_of}".encode(), digest_size=32).digest()
    name = "\x1f".join(row[part] for part in ("kind", "customer_id", "subject"))
    return int.from_bytes(hashlib.blake2b(name.encode(), key=key, digest_size=8).digest(), "big") / 2**64


class Night:
    """What the twin knows of a night, and uses up."""

    def __init__(self, standing: Standing, rules: ContactRules, as_of: AsOf) -> None:
        self.rules = rules
        self.today = as_of.day + timedelta(days=1)
        self.history = [
            {**row, "day": local_day(row["at"], as_of.zone)}
            for row in standing.contacts.to_dicts()
            if not row["is_transactional"]
        ]
        self.seen = {row["customer_id"] for row in self.history if row["day"] == self.today}
        self.alone: dict[str, str] = {}
        self.room = dict(rules.capacity)
        self.left = {name: round(money * 1e6) for name, money in rules.budgets.items()}
        self.waiting = set(standing.waiting["customer_id"])
        self.may = {row["customer_id"]: row for row in standing.consents.to_dicts()}
        self.stopped = {(row["customer_id"], row["channel"]) for row in standing.suppressed.to_dicts()}
        self.out = {
            (row["kind"], row["campaign_id"], row["customer_id"]) for row in standing.held_out.to_dicts()
        }

    def is_capped(self, row: dict[str, Any]) -> bool:
        return any(self._reaches(cap, row) for cap in self.rules.caps)

    def _reaches(self, cap: Cap, row: dict[str, Any]) -> bool:
        parts = {
            name: wanted for name, wanted in (("purpose", cap.purpose), ("channel", cap.channel)) if wanted
        }
        first = self.today - timedelta(days=cap.days - 1)
        n = sum(
            each["day"] >= first and all(each[name] == wanted for name, wanted in parts.items())
            for each in self._of(row)
        )
        return n >= cap.most and all(row[name] == wanted for name, wanted in parts.items())

    def is_resting(self, row: dict[str, Any]) -> bool:
        first = self.today - timedelta(days=self.rules.quiet_days)
        return self.rules.quiet_days > 0 and any(each["day"] >= first for each in self._of(row))

    def _of(self, row: dict[str, Any]) -> Rows:
        return [each for each in self.history if each["customer_id"] == row["customer_id"]]

    def forbidden(self, row: dict[str, Any]) -> list[tuple[bool, str]]:
        name = row["customer_id"]
        return [
            ((name, "") in self.stopped, "do_not_contact"),
            ((name, row["channel"]) in self.stopped, "suppressed"),
        ]

    def checks(self, row: dict[str, Any]) -> list[tuple[bool, str]]:
        name, purpose, cost = row["customer_id"], row["purpose"], round(row["cost"] * 1e6)
        given = [(bool(row["refused_for"]), str(row["refused_for"]))]
        if row["refused_for"] == "drawn_none":
            given.insert(0, (name in self.seen, "already_today"))
        if purpose in self.rules.transactional:
            return given + self.forbidden(row)
        is_survey = purpose == "survey"
        consent = self.may.get(name, {}).get("may_survey" if is_survey else "may_contact")
        return [
            *given,
            (self.rules.is_quiet(self.today), "quiet_period"),
            (is_survey and name in self.waiting, "waiting_for_answer"),
            (self.is_capped(row), "cap_reached"),
            (self.is_resting(row), "quiet_days"),
            (name in self.seen, "already_today"),
            (self.room.get(row["channel"]) == 0, "capacity_full"),
            (
                any(cost > self.left.get(end, cost) for end in self.ends(purpose)),
                "programme_full" if purpose.startswith("promoter:") else "budget_spent",
            ),
            (not consent, "no_consent"),
            *self.forbidden(row),
            (("permanent", "", name) in self.out, "permanent_hold_out"),
            (("campaign", row["campaign_id"], name) in self.out, "campaign_hold_out"),
            (("trial", row["campaign_id"], name) in self.out, "trial_hold_out"),
            (is_survey and ("survey", "", name) in self.out, "survey_hold_out"),
            (name in self.alone, self.alone.get(name, "")),
        ]

    def use(self, row: dict[str, Any]) -> None:
        if row["purpose"] in self.rules.transactional:
            return
        self.seen.add(row["customer_id"])
        if row["channel"] in self.room:
            self.room[row["channel"]] -= 1
        for end in self.ends(row["purpose"]):
            if end in self.left:
                self.left[end] -= round(row["cost"] * 1e6)

    @staticmethod
    def ends(purpose: str) -> list[str]:
        """Whose places or money a purpose takes: its own, and of promoters those of all programmes."""
        return [purpose, "promoter:"] if purpose.startswith("promoter:") else [purpose]


def slowly_walked(rows: Rows, standing: Standing, rules: ContactRules, as_of: AsOf) -> Rows:
    """The twin: kind, customer_id, subject, channel, position, decision, reason_code in the order of the walk."""

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        channel = row["channel"]
        preferred = rules.channels.index(channel) if channel in rules.channels else len(rules.channels)
        same = [row[part] for part in ("kind", "customer_id", "subject")]
        has_twins = sum(other["value"] == row["value"] for other in rows) > 1
        return -row["value"], preferred, lot(row, as_of) if has_twins else 0, same, channel

    night = Night(standing, rules, as_of)
    found: Rows = []
    for row in sorted(rows, key=place):
        code = next((code for holds, code in night.checks(row) if holds), "chosen")
        found.append({**row, "reason_code": code, "decision": decision_of(code, row["kind"])})
        if code == "chosen":
            night.use(row)
        elif code == "drawn_none" or (
            code in {"campaign_hold_out", "trial_hold_out"} and row["purpose"] not in rules.transactional
        ):
            night.alone.setdefault(row["customer_id"], code)
    return _one_each(found)


def _one_each(found: Rows) -> Rows:
    """Of the channels of one candidate: the chosen row, else the hold-out, else the first."""
    ranks = {"chosen": 0, **dict.fromkeys(("permanent_hold_out", "campaign_hold_out"), 1)}
    ranks |= dict.fromkeys(("trial_hold_out", "survey_hold_out"), 1)
    names = Counter((row["kind"], row["customer_id"], row["subject"]) for row in found)
    picked = {
        name: min(
            (
                place
                for place, row in enumerate(found)
                if (row["kind"], row["customer_id"], row["subject"]) == name
            ),
            key=lambda place: (ranks.get(found[place]["reason_code"], 2), place),
        )
        for name in names
    }
    return [{**found[place], "position": n} for n, place in enumerate(sorted(picked.values()), start=1)]
