"""Features of calls, surveys and usage in plain loops over rows: slow, obvious, and written from the definitions."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from churnrisk.dates import AsOf

Row = dict[str, Any]


def known(rows: pl.DataFrame, as_of: AsOf, happened: str, history_days: int = 365) -> list[Row]:
    begin, now = as_of.days_before(history_days), as_of.instant
    return [
        row for row in rows.iter_rows(named=True) if begin <= row[happened] < now and row["known_at"] < now
    ]


def _days(now: datetime, then: datetime | None) -> int | None:
    return None if then is None else (now - then) // timedelta(days=1)


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def call_features(calls: pl.DataFrame, customers: list[int], as_of: AsOf) -> dict[int, Row]:
    """Everything of calls_volume, calls_partners and calls_silence, when everybody allows the use of calls."""
    zone = ZoneInfo(as_of.zone)
    from_30d, from_90d = as_of.days_before(30), as_of.days_before(90)
    ends: dict[int, list[Row]] = defaultdict(list)
    for row in known(calls, as_of, "started_at"):
        local = row["started_at"].replace(tzinfo=UTC).astimezone(zone)
        for mine, other in ((row["caller_key"], row["callee_key"]), (row["callee_key"], row["caller_key"])):
            ends[mine].append({**row, "other": other, "out": mine == row["caller_key"], "local": local})
    has_durations = any(
        row["duration_s"] is not None and row["started_at"] >= from_90d
        for rows in ends.values()
        for row in rows
    )
    tells = any(_is_timed(row) for rows in ends.values() for row in rows if row["started_at"] >= from_90d)
    table = {}
    for key in customers:
        every = ends[key]
        long = [row for row in every if row["started_at"] >= from_90d]
        short = [row for row in long if row["started_at"] >= from_30d]
        first_met: dict[int, datetime] = {}
        for row in long:
            first_met[row["other"]] = min(first_met.get(row["other"], row["started_at"]), row["started_at"])

        def seconds(rows: list[Row]) -> int | None:
            return sum(row["duration_s"] or 0 for row in rows) if has_durations else None

        n = len(long)
        table[key] = {
            "n_calls_out_30d": sum(row["out"] for row in short),
            "n_calls_in_30d": sum(not row["out"] for row in short),
            "n_calls_out_90d": sum(row["out"] for row in long),
            "n_calls_in_90d": sum(not row["out"] for row in long),
            "call_seconds_out_30d": seconds([row for row in short if row["out"]]),
            "call_seconds_in_30d": seconds([row for row in short if not row["out"]]),
            "call_seconds_90d": seconds(long),
            "n_calls_missed_in_30d": sum(row["is_missed"] and not row["out"] for row in short)
            if tells
            else None,
            "share_calls_missed_90d": _share(sum(row["is_missed"] for row in long), n) if tells else None,
            "share_calls_out_90d": _share(sum(row["out"] for row in long), n),
            "share_calls_night_90d": _share(sum(not 6 <= row["local"].hour < 22 for row in long), n),
            "share_calls_weekend_90d": _share(sum(row["local"].isoweekday() > 5 for row in long), n),
            "share_calls_text_90d": _share(sum(row["kind"] != "voice" for row in long), n),
            "share_calls_offnet_90d": _share(sum(row["other"] not in customers for row in long), n),
            "calls_trend_30d": (len(short) / 30) / ((n - len(short)) / 60) if n > len(short) else None,
            "n_active_days_30d": len({row["local"].date() for row in short}),
            "n_active_days_90d": len({row["local"].date() for row in long}),
            "n_partners_30d": len({row["other"] for row in short}),
            "n_partners_90d": len(first_met),
            "n_partners_new_30d": sum(met >= from_30d for met in first_met.values()),
            "days_since_contact": _days(
                as_of.instant, max((row["started_at"] for row in every), default=None)
            ),
            "days_since_contact_out": _days(
                as_of.instant, max((row["started_at"] for row in every if row["out"]), default=None)
            ),
        }
    return table


def pair_features(calls: pl.DataFrame, customers: list[int], as_of: AsOf) -> dict[tuple[int, int], Row]:
    """Facts of each pair of customers in 90 days, numbered by key."""
    zone = ZoneInfo(as_of.zone)
    pairs: dict[tuple[int, int], list[Row]] = defaultdict(list)
    for row in known(calls, as_of, "started_at"):
        ends = (row["caller_key"], row["callee_key"])
        if row["started_at"] >= as_of.days_before(90) and all(end in customers for end in ends):
            pairs[min(ends), max(ends)].append(row)
    found = {}
    for (low, high), rows in pairs.items():
        times = sorted(row["started_at"] for row in rows)
        gaps = [later - earlier for earlier, later in pairwise(times)]
        found[low, high] = {
            "n_ab": sum(row["caller_key"] == low for row in rows),
            "n_ba": sum(row["caller_key"] == high for row in rows),
            "n_recent": sum(time >= as_of.days_before(30) for time in times),
            "seconds": sum(row["duration_s"] or 0 for row in rows) if any(map(_is_timed, rows)) else None,
            "active_days": len({time.replace(tzinfo=UTC).astimezone(zone).date() for time in times}),
            "trains": 1 + sum(gap > timedelta(hours=4) for gap in gaps),
            "last_contact": times[-1],
        }
    return found


def _is_timed(row: Row) -> bool:
    return row["duration_s"] is not None or row["is_missed"]


def survey_features(surveys: pl.DataFrame, customers: list[int], as_of: AsOf) -> dict[int, Row]:
    """Everything of satisfaction, when everybody allows the use of answers."""
    now = as_of.instant
    asked: dict[int, list[Row]] = defaultdict(list)
    for row in known(surveys, as_of, "invited_at"):
        is_known = (
            row["answered_at"] is not None and row["answered_at"] < now and row["answer_known_at"] < now
        )
        asked[row["customer_key"]].append({**row, "is_known": is_known})

    def latest(rows: list[Row], by: str) -> list[Row]:
        return sorted(rows, key=lambda row: (row[by], row["invitation_id"]), reverse=True)

    table = {}
    for key in customers:
        asks = latest(asked[key], "invited_at")
        answers = latest([row for row in asks if row["is_known"]], "answered_at")
        scored = [row for row in answers if row["score"] is not None]
        nps = [row for row in scored if row["metric"] == "nps" and row["occasion"] == "relationship"]
        touch = [row for row in scored if row["metric"] == "nps" and row["occasion"] != "relationship"]
        csat = [row for row in scored if row["metric"] == "csat"]
        ces = [row for row in scored if row["metric"] == "ces"]
        year = [row for row in asks if row["invited_at"] >= as_of.days_before(365)]
        n_answered = sum(row["is_known"] for row in year)
        table[key] = {
            "nps_last_score": nps[0]["score"] if nps else None,
            "nps_last_age_days": _days(now, nps[0]["answered_at"]) if nps else None,
            "nps_change": nps[0]["score"] - nps[1]["score"] if len(nps) > 1 else None,
            "nps_touchpoint_last_score": touch[0]["score"] if touch else None,
            "csat_last_score": csat[0]["score"] if csat else None,
            "csat_last_age_days": _days(now, csat[0]["answered_at"]) if csat else None,
            "ces_last_score": ces[0]["score"] if ces else None,
            "ces_last_age_days": _days(now, ces[0]["answered_at"]) if ces else None,
            "n_asked_365d": len(year),
            "n_answered_365d": n_answered,
            "share_answered_365d": _share(n_answered, len(year)),
            "days_since_asked": _days(now, asks[0]["invited_at"]) if asks else None,
            "is_last_ask_silent": int(not asks[0]["is_known"]) if asks else None,
            "comment_length_chars": len(answers[0]["comment"]) if answers and answers[0]["comment"] else None,
        }
    return table


PRECEDENCE = ("nps", "csat", "ces")
LOW_TO_HIGH = {"nps": (6, 9), "csat": (2, 5), "ces": (3, 7)}


def opinions(surveys: pl.DataFrame, customers: list[int], as_of: AsOf) -> dict[int, tuple[str, int]]:
    """Opinion and its age in calendar days, of whoever has one: by the first of NPS, CSAT and CES they answered."""
    zone = ZoneInfo(as_of.zone)
    found = {}
    for key in customers:
        for metric in PRECEDENCE:
            answers = [
                row
                for row in known(surveys, as_of, "invited_at")
                if (row["customer_key"], row["metric"]) == (key, metric)
                and (metric != "nps" or row["occasion"] == "relationship")
                and row["score"] is not None
                and row["answered_at"] < as_of.instant
                and row["answer_known_at"] < as_of.instant
            ]
            if not answers:
                continue
            last = max(answers, key=lambda row: (row["answered_at"], row["invitation_id"]))
            low, high = LOW_TO_HIGH[metric]
            words = "detractor" if last["score"] <= low else "passive" if last["score"] < high else "promoter"
            day = last["answered_at"].replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
            found[key] = (words, (as_of.day - day).days + 1)
            break
    return found


def usage_features(usage: pl.DataFrame, customers: list[int], as_of: AsOf, metric: str) -> dict[int, Row]:
    """The columns of one metric."""
    series: dict[int, list[Row]] = defaultdict(list)
    for row in known(usage, as_of, "period_start"):
        if row["metric"] == metric:
            series[row["customer_key"]].append(row)
    table = {}
    for key in customers:
        rows = sorted(series[key], key=lambda row: row["period_start"], reverse=True)
        values = [row["value"] for row in rows]
        last, before = values[:3], values[3:6]
        mean = sum(last) / len(last) if last else None
        mean_before = sum(before) / len(before) if before else None
        table[key] = {
            f"usage_{metric}_last": values[0] if values else None,
            f"usage_{metric}_last_age_days": _days(as_of.instant, rows[0]["period_start"]) if rows else None,
            f"usage_{metric}_change": values[0] - values[1] if len(values) > 1 else None,
            f"usage_{metric}_mean_3": mean,
            f"usage_{metric}_trend": mean / mean_before if mean is not None and mean_before else None,
        }
    return table
