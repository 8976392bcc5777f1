"""The feature table of a telco workspace as an analyst writes it in pandas: from the source files, without churnrisk.

It decides nothing of its own: every column follows the definitions in the catalogue, so that the two ways check each
other. It covers leaving by cancellation, and files with the columns that `churnrisk simulate` writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

Frame: TypeAlias = Any
"""A pandas frame; pandas brings no types."""

CONSENTS = {"may_survey": "bool", "may_contact": "bool", "may_use_calls": "bool", "may_use_answers": "bool"}
NO_ATTRIBUTES = {
    "customer_id", "valid_from", "known_at", "joined_at", "left_at", "left_known_at", "left_reason", "monthly_value",
    "language", "name", "phone", "owner", *CONSENTS,
}  # fmt: skip
DAY = pd.Timedelta(days=1)
TIE_DAYS = 90
HALF_LIVES_DAYS = (14, 30)
ONE_CONTACT = 1 << 20
TRAIN_GAP = pd.Timedelta(hours=4)
WINDOWS = (7, 30, 90)


@dataclass(frozen=True)
class When:
    """The end of a local day, before which everything must have happened and be known."""

    day: str
    zone: str
    history_days: int

    @property
    def as_of(self) -> Any:
        return self.days_before(0)

    def days_before(self, days: int) -> Any:
        """The instant at which the local day so many days earlier ended."""
        return (pd.Timestamp(self.day) - (days - 1) * DAY).tz_localize(self.zone).tz_convert("UTC")

    def days_since(self, at: Any) -> Any:
        """Whole days of 24 hours."""
        return ((self.as_of - at) // DAY).astype("Int64")

    def calendar_days_since(self, at: Any) -> Any:
        """Days by the calendar, the as-of day and the other counted."""
        day = at.dt.tz_convert(self.zone).dt.tz_localize(None).dt.normalize()
        return (pd.Timestamp(self.day) - day) // DAY + 1

    def known(self, rows: Frame, at: str) -> Frame:
        """The rows that had happened and were known, back to the beginning of the history."""
        is_known = (rows["known_at"] < self.as_of) & (rows[at] < self.as_of)
        return rows[is_known & (rows[at] >= self.days_before(self.history_days))]

    def instants(self, texts: Any) -> Any:
        """Local times as UTC; a time that comes twice is the earlier one, one that was skipped is not a time."""
        times = pd.to_datetime(texts).dt.as_unit("us")
        earlier = np.ones(len(times), dtype=bool)
        return times.dt.tz_localize(self.zone, ambiguous=earlier, nonexistent="NaT").dt.tz_convert("UTC")

    def day_ends(self, days: Any) -> Any:
        """The last microsecond of local days."""
        ends = (pd.to_datetime(days).dt.as_unit("us") + DAY).dt.tz_localize(self.zone).dt.tz_convert("UTC")
        return ends - pd.Timedelta(microseconds=1)


def feature_table(data: Path, when: When) -> Frame:
    """Return the features of every customer as of a date, one row each, by customer_id."""
    versions = read_customers(data, when)
    everybody, states = customer_states(versions, when)
    members = states[states["is_here"] & states["left_at"].isna()].drop(columns=["is_here", "left_at"])
    surveys = read_surveys(data, when, everybody)
    calls, ids = read_calls(data, when, everybody)
    here = states[states["is_here"]]
    parts = [
        profile(members, versions, when),
        price(versions, when),
        call_features(calls, ids, everybody, here, when),
        satisfaction(surveys, everybody, when),
        service(read_interactions(data, when, everybody), when),
        events(read_events(data, when, everybody), when),
        usage(read_usage(data, when, everybody), when),
        network(calls, ids, here, surveys, when),
    ]
    table = reduce(lambda left, right: left.join(right), parts, members[[]])
    return with_counts_of_nothing(table, everybody).sort_index().reset_index()


def with_counts_of_nothing(table: Frame, everybody: Frame) -> Frame:
    """Fill the counts of customers without a row by 0, where counting them is allowed."""
    always = [
        name
        for name in table
        if name.startswith(("n_contacts_", "n_channels_", "n_transfers_", "event_", "topic_"))
    ]
    always = [name for name in always if "days_since" not in name and table[name].notna().any()]
    table[always] = table[always].fillna(0)
    may_call = everybody["may_use_calls"].reindex(table.index)
    starts = (
        "n_calls_",
        "call_seconds_",
        "n_partners_",
        "n_active_",
        "n_ties",
        "tie_strength_",
        "ties_lost_",
    )
    of_calls = [name for name in table if name.startswith(starts) and table[name].notna().any()]
    table[of_calls] = table[of_calls].fillna(0).where(may_call)
    may_answer = everybody["may_use_answers"].reindex(table.index)
    of_answers = ["n_asked_365d", "n_answered_365d"]
    table[of_answers] = table[of_answers].fillna(0).where(may_answer)
    return table


# the sources


def files(data: Path, table: str, **options: Any) -> Frame:
    """Read a table from its CSV file, or from a folder of Parquet files."""
    path = data / f"{table}.csv"
    return pd.read_csv(path, **options) if path.exists() else pd.read_parquet(data / table)


def read_customers(data: Path, when: When) -> Frame:
    """Versions of customers with the dates they hold and were known from, place 1 = in force."""
    texts = dict.fromkeys(("customer_id", "joined_on", "left_on", "left_known_at", "valid_from"), str)
    rows = files(data, "customers", dtype=texts | CONSENTS)
    rows["known_at"] = when.day_ends(rows["valid_from"])
    for name, day in (("valid_from", "valid_from"), ("joined_at", "joined_on"), ("left_at", "left_on")):
        rows[name] = when.instants(rows.pop(day))
    rows["left_known_at"] = when.instants(rows["left_known_at"])
    rows["left_known_at"] = rows["left_known_at"].fillna(rows["known_at"].where(rows["left_at"].notna()))
    rows = rows.sort_values(["customer_id", "valid_from"], kind="stable")
    rows = rows.drop_duplicates(["customer_id", "valid_from"]).reset_index(drop=True)
    rows["left_known_at"] = rows.groupby(["customer_id", "left_at"], dropna=False)["left_known_at"].transform(
        "min"
    )
    rows["is_known"] = (rows["known_at"] < when.as_of) & (rows["valid_from"] < when.as_of)
    place_of_known = rows[rows["is_known"]].groupby("customer_id").cumcount(ascending=False) + 1
    place_of_later = rows[~rows["is_known"]].groupby("customer_id").cumcount() + 1
    n_known = rows["customer_id"].map(rows[rows["is_known"]].groupby("customer_id").size()).fillna(0)
    rows["place"] = place_of_known.reindex(rows.index).fillna(place_of_later + n_known).astype("int64")
    rows["left_at"] = rows["left_at"].where(rows["left_known_at"] < when.as_of)
    return rows


def customer_states(versions: Frame, when: When) -> tuple[Frame, Frame]:
    """Everybody's consents, and who is or was a customer, with joining and leaving as far as known."""
    first = versions[versions["place"] == 1].set_index("customer_id")
    known = versions[versions["is_known"]].groupby("customer_id")
    states = pd.DataFrame({"joined_at": first["joined_at"]})
    states["joined_at"] = states["joined_at"].fillna(known["joined_at"].max())
    states["left_at"] = versions.groupby("customer_id")["left_at"].max()
    open_versions = versions[versions["is_known"] & versions["left_at"].isna()]
    came_back = (
        open_versions.groupby("customer_id")["valid_from"].max().reindex(states.index) > states["left_at"]
    )
    states["left_at"] = states["left_at"].mask(came_back)
    is_known = states.index.isin(known.groups)
    states["is_here"] = (states["joined_at"] < when.as_of).where(states["joined_at"].notna(), is_known)
    return first[list(CONSENTS)], states


def of_customers(rows: Frame, everybody: Frame) -> Frame:
    """The rows whose customer is one."""
    return rows[rows["customer_id"].isin(everybody.index)]


def read_calls(data: Path, when: When, everybody: Frame) -> tuple[Frame, Any]:
    """Known calls between numbered people, and the id of each number."""
    kinds = {"caller_id": str, "callee_id": str, "duration_s": float}
    rows = files(data, "calls", dtype=kinds, engine="pyarrow")
    rows = rows[rows["caller_id"] != rows["callee_id"]]
    if rows["started_at"].dt.tz is None:
        rows["started_at"] = when.instants(rows["started_at"])
    rows["is_missed"] = (rows["duration_s"] == -1).fillna(value=False)
    rows["duration_s"] = rows["duration_s"].mask(rows["is_missed"])
    rows["known_at"] = rows["started_at"] + pd.to_timedelta(rows["duration_s"].fillna(0), unit="s")
    rows = when.known(rows, "started_at")
    numbers, ids = pd.factorize(pd.concat([rows["caller_id"], rows["callee_id"]]))
    rows = rows.drop(columns=["caller_id", "callee_id"])
    rows["caller"], rows["callee"] = numbers[: len(rows)], numbers[len(rows) :]
    rows = rows.sort_values("known_at").drop_duplicates(["caller", "callee", "started_at", "kind"])
    refused = ids.isin(everybody.index[~everybody["may_use_calls"]])
    rows = rows[~refused[rows["caller"]] & ~refused[rows["callee"]]]
    return rows.drop(columns="known_at"), ids


def read_surveys(data: Path, when: When, everybody: Frame) -> Frame:
    """Known invitations, their answers only where these are known too."""
    texts = dict.fromkeys(("invitation_id", "customer_id", "answered_at", "comment", "incentive"), str)
    rows = of_customers(files(data, "surveys", dtype=texts), everybody)
    is_answered = rows["answered_at"].notna()
    rows["invited_at"] = when.instants(rows["invited_at"])
    rows["answered_at"] = when.instants(rows["answered_at"])
    rows = rows[rows["answered_at"].notna() == is_answered]  # answered in an hour that the clocks skipped
    rows["occasion"] = rows["occasion"].fillna("relationship")
    rows = rows.sort_values(["answered_at"]).drop_duplicates(["invitation_id", "metric"])
    rows["known_at"] = rows["invited_at"]
    rows = when.known(rows, "invited_at")
    is_unknown = ~(rows["answered_at"] < when.as_of)
    for name in ("answered_at", "score", "comment"):
        rows[name] = rows[name].mask(is_unknown)
    may_use = everybody["may_use_answers"].reindex(rows["customer_id"]).to_numpy()
    return rows[may_use]


def read_interactions(data: Path, when: When, everybody: Frame) -> Frame:
    """Known service contacts."""
    rows = of_customers(
        files(data, "interactions", dtype={"interaction_id": str, "customer_id": str}), everybody
    )
    rows = rows.drop_duplicates("interaction_id")
    rows["at"] = rows["known_at"] = when.instants(rows["at"])
    return when.known(rows, "at")


def read_events(data: Path, when: When, everybody: Frame) -> Frame:
    """Known events."""
    rows = of_customers(files(data, "events", dtype={"customer_id": str}), everybody).drop_duplicates()
    rows["at"] = rows["known_at"] = when.instants(rows["at"])
    return when.known(rows, "at")


def read_usage(data: Path, when: When, everybody: Frame) -> Frame:
    """Known monthly figures, long: a row per customer, month and metric."""
    rows = of_customers(files(data, "usage", dtype={"customer_id": str, "period_start": str}), everybody)
    rows = rows.drop_duplicates(["customer_id", "period_start"])
    first_day = pd.to_datetime(rows["period_start"])
    rows["period_start"] = when.instants(first_day)
    rows["known_at"] = when.day_ends(first_day + pd.DateOffset(months=1) - DAY)
    long = when.known(rows, "period_start").drop(columns="known_at")
    return long.melt(["customer_id", "period_start"], var_name="metric").dropna(subset="value")


# the features


def profile(members: Frame, versions: Frame, when: When) -> Frame:
    known = versions[versions["is_known"]]
    of_customer = known.groupby("customer_id")
    changes = known[of_customer.cumcount() > 0]
    current = known[known["place"] == 1].set_index("customer_id")
    attributes = [name for name in current if name not in NO_ATTRIBUTES | {"place", "is_known"}]
    table = pd.DataFrame({"tenure_days": when.days_since(members["joined_at"])})
    recent = changes[changes["valid_from"] >= when.days_before(365)].groupby("customer_id").size()
    table["n_changes_365d"] = recent.reindex(of_customer.size().index, fill_value=0)
    table["days_since_change"] = when.days_since(changes.groupby("customer_id")["valid_from"].max())
    table["language"] = current["language"]
    return table.join(current[attributes].add_prefix("attribute_"))


def price(versions: Frame, when: When) -> Frame:
    known = versions[versions["is_known"]]
    current = known[known["place"] == 1].set_index("customer_id")["monthly_value"]
    former = known[known["valid_from"] < when.days_before(90)].groupby("customer_id").tail(1)
    former = former.set_index("customer_id")["monthly_value"]
    return pd.DataFrame(
        {
            "monthly_value": current,
            "monthly_value_change_90d": current - former,
            "monthly_value_ratio_90d": current / former.where(former != 0),
        }
    )


def call_features(calls: Frame, ids: Any, everybody: Frame, here: Frame, when: When) -> Frame:
    """Volume, partners and silence; rows of everybody who appears in a call."""
    since = when.days_before(TIE_DAYS)
    recent = calls[calls["started_at"] >= since]
    is_here = ids.isin(here.index)
    table = volume(recent, is_here, when).join(partners(recent, when), how="outer")
    last_out = calls.groupby("caller")["started_at"].max()
    last_in = calls.groupby("callee")["started_at"].max()
    last = pd.concat([last_out, last_in], axis=1).max(axis=1)
    silence = {
        "days_since_contact": when.days_since(last),
        "days_since_contact_out": when.days_since(last_out),
    }
    table = table.join(pd.DataFrame(silence), how="outer")
    table.index = ids[table.index]
    return table[table.index.isin(everybody.index)]


def both_ends(calls: Frame) -> Frame:
    """Every contact twice: seen from the one who made it, and from the other."""
    out = calls.rename(columns={"caller": "person", "callee": "partner"}).assign(is_out=True)
    into = calls.rename(columns={"callee": "person", "caller": "partner"}).assign(is_out=False)
    return pd.concat([out, into], ignore_index=True)


def volume(calls: Frame, is_here: Any, when: When) -> Frame:
    local = calls["started_at"].dt.tz_convert(when.zone)
    hour = local.dt.hour
    is_recent = calls["started_at"] >= when.days_before(30)
    ends = both_ends(
        calls[["caller", "callee", "is_missed"]].assign(
            day=when.calendar_days_since(calls["started_at"]).astype("int32"),
            seconds=calls["duration_s"].fillna(0).astype("int64"),
            is_recent=is_recent,
            is_night=(hour >= 22) | (hour < 6),
            is_weekend=local.dt.day_of_week >= 5,
            is_text=calls["kind"] != "voice",
        )
    )
    is_out, is_recent = ends["is_out"], ends["is_recent"]
    ends["out_30d"], ends["in_30d"], ends["in"] = is_out & is_recent, ~is_out & is_recent, ~is_out
    ends["missed_in_30d"] = ends["in_30d"] & ends["is_missed"]
    ends["is_offnet"] = ~is_here[ends["partner"]]
    ends["seconds_out_30d"] = ends["seconds"].where(ends["out_30d"], 0)
    ends["seconds_in_30d"] = ends["seconds"].where(ends["in_30d"], 0)
    of_person = ends.drop(columns=["partner", "day"]).groupby("person")
    n, sums = of_person.size(), of_person.sum()
    days = ends[["person", "day"]].drop_duplicates()
    shares = {"missed": "is_missed", "out": "is_out", "night": "is_night", "weekend": "is_weekend"}
    shares |= {"text": "is_text", "offnet": "is_offnet"}
    earlier = n - sums["is_recent"]
    table = pd.DataFrame(
        {
            "n_calls_out_30d": sums["out_30d"],
            "n_calls_in_30d": sums["in_30d"],
            "n_calls_out_90d": sums["is_out"],
            "n_calls_in_90d": sums["in"],
            "call_seconds_out_30d": sums["seconds_out_30d"],
            "call_seconds_in_30d": sums["seconds_in_30d"],
            "call_seconds_90d": sums["seconds"],
            "n_calls_missed_in_30d": sums["missed_in_30d"],
            **{f"share_calls_{name}_90d": sums[column] / n for name, column in shares.items()},
            "calls_trend_30d": 2 * sums["is_recent"] / earlier.where(earlier > 0),
            "n_active_days_30d": days[days["day"] <= 30].groupby("person").size(),
            "n_active_days_90d": days.groupby("person").size(),
        }
    )
    seconds = [name for name in table if name.startswith("call_seconds_")]
    return table if calls["duration_s"].notna().any() else table.assign(**dict.fromkeys(seconds, np.nan))


def partners(calls: Frame, when: When) -> Frame:
    """People met; those whose first contact in 90 days is recent are new."""
    of_pair = both_ends(calls[["caller", "callee", "started_at"]]).groupby(["person", "partner"])[
        "started_at"
    ]
    pairs = pd.DataFrame({"first": of_pair.min(), "last": of_pair.max()}).reset_index()
    since = when.days_before(30)
    flags = pairs[["person"]].assign(
        n_partners_30d=pairs["last"] >= since, n_partners_90d=True, n_partners_new_30d=pairs["first"] >= since
    )
    return flags.groupby("person").sum()


def satisfaction(surveys: Frame, everybody: Frame, when: When) -> Frame:
    is_relationship = surveys["occasion"] == "relationship"
    series = surveys["metric"].mask((surveys["metric"] == "nps") & ~is_relationship, "nps_touchpoint")
    surveys = surveys.assign(series=series)
    table = pd.DataFrame(index=everybody.index)
    answers = surveys[surveys["answered_at"].notna()].sort_values(["answered_at", "invitation_id"])
    scored = answers[answers["score"].notna()]
    for name in ("nps", "nps_touchpoint", "csat", "ces"):
        of_series = scored[scored["series"] == name].groupby("customer_id")
        last = of_series.tail(1).set_index("customer_id")
        table[f"{name}_last_score"] = last["score"]
        if name != "nps_touchpoint":
            table[f"{name}_last_age_days"] = when.days_since(last["answered_at"])
        if name == "nps":
            table["nps_change"] = last["score"] - of_series.nth(-2).set_index("customer_id")["score"]
    asks = surveys.sort_values(["invited_at", "invitation_id"])
    asks["is_silent"] = asks["answered_at"].isna()
    of_year = asks[asks["invited_at"] >= when.days_before(365)].groupby("customer_id")
    table["n_asked_365d"], table["n_answered_365d"] = of_year.size(), of_year["answered_at"].count()
    table["share_answered_365d"] = table["n_answered_365d"] / table["n_asked_365d"]
    last = asks.groupby("customer_id").tail(1).set_index("customer_id")
    table["days_since_asked"] = when.days_since(last["invited_at"])
    table["is_last_ask_silent"] = last["is_silent"].astype("int64")
    last = answers.groupby("customer_id").tail(1).set_index("customer_id")
    table["comment_length_chars"] = last["comment"].str.len()
    return table


def service(contacts: Frame, when: When) -> Frame:
    """Contacts with the company, by window, by topic and by how they went."""
    table = pd.DataFrame(
        {
            f"n_contacts_{days}d": contacts[contacts["at"] >= when.days_before(days)]
            .groupby("customer_id")
            .size()
            for days in (30, 90, 365)
        }
    )
    last = contacts.groupby("customer_id")["at"].max()
    table = table.reindex(last.index).fillna(0)
    table["days_since_service_contact"] = when.days_since(last)
    flags = ["repeated", "resolved", "abandoned"]
    recent = contacts[contacts["at"] >= when.days_before(90)]
    recent = recent.assign(wait_s=np.floor(recent["wait_s"] * 1000) / 1000, **{
        name: recent[name].astype("boolean") for name in flags
    })  # fmt: skip
    recent["unresolved"] = ~recent["resolved"]
    hitch = (
        recent["unresolved"] | recent["repeated"].fillna(value=False) | (recent["transfers"].fillna(0) > 0)
    )
    recent["not_first_time_right"] = hitch.mask(recent["resolved"].isna())
    of_customer = recent.groupby("customer_id")
    table["wait_mean_s_90d"], table["wait_max_s_90d"] = (
        of_customer["wait_s"].mean(),
        of_customer["wait_s"].max(),
    )
    channel = recent["channel"].str.strip().str.lower()
    channels = recent.assign(channel=channel).groupby("customer_id")["channel"].nunique()
    table["n_channels_90d"] = channels if contacts["channel"].notna().any() else np.nan
    counted = {"n_transfers_90d": ("transfers", "transfers")}
    counted |= {f"n_contacts_{name}_90d": (name, name) for name in ("repeated", "abandoned")}
    counted["n_contacts_unresolved_90d"] = ("resolved", "unresolved")
    for name, (recorded, column) in counted.items():
        table[name] = of_customer[column].sum() if contacts[recorded].notna().any() else np.nan
    table["share_contacts_not_first_time_right_90d"] = of_customer["not_first_time_right"].mean()
    topics = pd.crosstab(
        contacts["customer_id"], contacts["topic"].where(contacts["at"] >= when.days_before(90))
    )
    topics = topics.reindex(columns=sorted(contacts["topic"].dropna().unique()), fill_value=0)
    return table.join(topics.add_prefix("topic_").add_suffix("_n_90d"))


def events(rows: Frame, when: When) -> Frame:
    of_kind = rows.groupby(["customer_id", "event"])["at"].max().unstack()
    table = of_kind.apply(when.days_since).add_prefix("event_").add_suffix("_days_since")
    for days in (30, 90):
        recent = rows[rows["at"] >= when.days_before(days)]
        counts = pd.crosstab(recent["customer_id"], recent["event"]).reindex(
            columns=of_kind.columns, fill_value=0
        )
        table = table.join(counts.add_prefix("event_").add_suffix(f"_n_{days}d"))
    return table


def usage(rows: Frame, when: When) -> Frame:
    """Levels and trends of each metric over its last six periods."""
    rows = rows.sort_values(["customer_id", "metric", "period_start"], ascending=[True, True, False])
    keys = ["customer_id", "metric"]
    rows["place"] = rows.groupby(keys).cumcount() + 1
    recent = rows[rows["place"] <= 6]
    values = recent.pivot(index=keys, columns="place", values="value").reindex(columns=range(1, 7))
    last_period = rows[rows["place"] == 1].set_index(keys)["period_start"]
    mean_3, before = values[[1, 2, 3]].mean(axis=1), values[[4, 5, 6]].mean(axis=1)
    long = pd.DataFrame(
        {
            "last": values[1],
            "last_age_days": when.days_since(last_period),
            "change": values[1] - values[2],
            "mean_3": mean_3,
            "trend": mean_3 / before.where(before != 0),
            "max_6": values.max(axis=1),
            "n_above_zero_6": (values > 0).sum(axis=1),
        }
    )
    wide = long.unstack("metric")
    wide.columns = [f"usage_{metric}_{measure}" for measure, metric in wide.columns]
    only_late = ("_max_6", "_n_above_zero_6")
    return wide[[name for name in wide if not name.endswith(only_late) or "days_late" in name]]


# the network


def network(calls: Frame, ids: Any, here: Frame, surveys: Frame, when: When) -> Frame:
    """Ties between customers, and how many of them lead to leavers and detractors."""
    ends = directed_ties(
        tie_strengths(calls[calls["started_at"] >= when.days_before(TIE_DAYS)], ids, here, when)
    )
    is_late = (ends["n"] > ends["n_recent"]).astype("int64")
    ends = ends.assign(is_lost=(ends["n_recent"] == 0).astype("int64"), is_late=is_late)
    of_node = ends.groupby("person")
    n_late = of_node["is_late"].sum()
    table = pd.DataFrame(
        {
            "n_ties": of_node.size(),
            "n_ties_out": of_node["is_out"].sum(),
            "n_ties_in": of_node["is_in"].sum(),
            "n_ties_mutual": (ends["is_out"] & ends["is_in"]).groupby(ends["person"]).sum(),
            "tie_strength_sum": of_node["strength"].sum(),
            "tie_reciprocity_mean": of_node["reciprocity"].mean(),
            "ties_lost_30d": of_node["is_lost"].sum(),
            "tie_loss_share_30d": of_node["is_lost"].sum() / n_late.where(n_late > 0),
        }
    )
    left_at = here["left_at"]
    left_at = left_at[(left_at < when.as_of) & (left_at >= when.days_before(when.history_days))]
    answers = surveys[(surveys["metric"] != "nps") | (surveys["occasion"] == "relationship")]
    answers = answers[answers["score"].notna() & answers["customer_id"].isin(here.index)]
    answers = answers.assign(precedence=answers["metric"].map({"nps": 3, "csat": 2, "ces": 1}))
    answers = (
        answers.sort_values(["precedence", "answered_at", "invitation_id"]).groupby("customer_id").tail(1)
    )
    is_low = answers["score"] <= answers["metric"].map({"nps": 6, "csat": 2, "ces": 3})
    detracted = answers[is_low].set_index("customer_id")["answered_at"]
    table = table.join(exposure(ends, "churn", when.calendar_days_since(left_at), is_known=len(left_at) > 0))
    return table.join(
        exposure(ends, "detractor", when.calendar_days_since(detracted), is_known=len(answers) > 0)
    )


def tie_strengths(calls: Frame, ids: Any, here: Frame, when: When) -> Frame:
    """One row per pair of customers with a contact in the window."""
    is_here = ids.isin(here.index)
    calls = calls[is_here[calls["caller"]] & is_here[calls["callee"]]]
    low, high = np.minimum(calls["caller"], calls["callee"]), np.maximum(calls["caller"], calls["callee"])
    rows = pd.DataFrame({"low": low, "high": high, "at": calls["started_at"], "n_ab": calls["caller"] == low})
    rows = rows.sort_values(["low", "high", "at"])
    rows["n_recent"] = rows["at"] >= when.days_before(30)
    day = when.calendar_days_since(rows["at"])
    for half_life in HALF_LIVES_DAYS:
        rows[f"decayed_{half_life}"] = contact_weights(day.to_numpy(int) - 1, when, half_life)
    is_first = (rows["low"] != rows["low"].shift()) | (rows["high"] != rows["high"].shift())
    rows["active_days"] = is_first | (day != day.shift())
    rows["trains"] = is_first | (rows["at"].diff() > TRAIN_GAP)
    of_pair = rows.drop(columns="at").groupby(["low", "high"])
    ties = of_pair.sum()
    ties["n"] = of_pair.size()
    ties["n_ba"] = ties["n"] - ties["n_ab"]
    ties["reciprocity"] = 2 * ties[["n_ab", "n_ba"]].min(axis=1) / ties["n"]
    for half_life in HALF_LIVES_DAYS:
        newest = contact_weights(np.zeros(1, int), when, half_life)[0]
        ties[f"decayed_{half_life}"] = (
            np.floor(float(ONE_CONTACT) * ties[f"decayed_{half_life}"] / newest) / ONE_CONTACT
        )
    freshness = (ties["decayed_14"] * ties["decayed_30"]) ** 0.5 / ties["n"]
    ties["strength"] = (
        (ties["active_days"] * ties["trains"]) ** 0.5 * freshness * (1 + ties["reciprocity"]) / 2
    )
    ties = ties.reset_index()
    ties["low"], ties["high"] = ids[ties["low"]], ids[ties["high"]]
    return ties


def contact_weights(days_ago: Any, when: When, half_life: int) -> Any:
    """Weight of a contact so many days ago, in whole numbers: 2^(day / half-life), its fraction from a table."""
    today = pd.Timestamp(when.day).toordinal()
    table = np.round(ONE_CONTACT * 2.0 ** (np.arange(half_life) / half_life)).astype("int64")
    day = today - days_ago
    return table[day % half_life] * 2 ** (day // half_life - today // half_life + 16)


def directed_ties(ties: Frame) -> Frame:
    """Every tie twice, once for each of its ends."""
    columns = ["person", "neighbour", "is_out", "is_in", "n", "n_recent", "strength", "reciprocity"]
    ties = ties.assign(ab=ties["n_ab"] > 0, ba=ties["n_ba"] > 0)
    one = ties.rename(columns={"low": "person", "high": "neighbour", "ab": "is_out", "ba": "is_in"})
    other = ties.rename(columns={"high": "person", "low": "neighbour", "ba": "is_out", "ab": "is_in"})
    return pd.concat([one[columns], other[columns]], ignore_index=True)


def exposure(ends: Frame, kind: str, age_days: Any, *, is_known: bool) -> Frame:
    """Neighbours who left, or turned detractor, in each window: their number, share and share of strength."""
    age = ends["neighbour"].map(age_days)
    parts = []
    for direction, rows in (("", ends), ("_out", ends[ends["is_out"]])):
        of_all = rows.groupby("person")["strength"]
        n_all, strength_of_all = of_all.size(), of_all.sum()
        for days in WINDOWS:
            of_seeds = rows[age.reindex(rows.index) <= days].groupby("person")["strength"]
            n = of_seeds.size().reindex(n_all.index, fill_value=0)
            strength = of_seeds.sum().reindex(n_all.index, fill_value=0.0)
            columns = {
                "n": n,
                "share": n / n_all,
                "weighted": strength / strength_of_all.where(strength_of_all > 0),
            }
            parts.append(
                pd.DataFrame(columns).add_prefix(f"{kind}_exposure_").add_suffix(f"{direction}_{days}d")
            )
    table = pd.concat(parts, axis=1)
    return table if is_known else table.astype("float64").where(False)
