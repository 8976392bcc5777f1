"""Who counts as a leaver: every case drawn as a line."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from training.labels import STATUSES, earliest_look, labels_of
from training.snapshots import Snapshot

# as of 31 March, gap to 14 April, outcomes 15 April to 14 May; learned as of 30 June
SNAPSHOT = Snapshot(
    AsOf(date(2026, 3, 31)), datetime(2026, 4, 15), datetime(2026, 5, 15), "train", is_shipped=True
)
KNOWN_BY = AsOf(date(2026, 6, 30))
CONSENTS = {f"may_{name}": True for name in ("survey", "contact", "use_calls", "use_answers")}


def instant(text: str) -> datetime | None:
    return None if text == "-" else datetime.strptime(f"2026-{text}", "%Y-%m-%d")  # noqa: DTZ007


def table_of(drawn: str, columns: list[str]) -> list[dict[str, str]]:
    return [dict(zip(columns, line.split(), strict=True)) for line in drawn.strip().splitlines()[1:]]


def written(tmp_path: Path, **frames: pl.DataFrame) -> LakeTables:
    for name, frame in frames.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    return LakeTables({name: tmp_path / f"{name}.parquet" for name in frames})


def statuses(tables: LakeTables, churn: ChurnSettings) -> dict[str, int]:
    with Engine() as engine:
        tables.register(engine)
        found = labels_of(engine, tables, SNAPSHOT, churn, KNOWN_BY)
    assert list(found.counts) == list(STATUSES)
    assert found.frame["customer_key"].is_sorted()
    assert found.frame["left"].sum() == found.counts["leaver"]
    return {status: n for status, n in found.counts.items() if n}


CASES = """
    valid_from  joined  left   left_known  status     why
    -           01-01   -      -           stayer     never_left
    -           01-01   04-15  04-16       leaver     first_instant_of_the_window
    -           01-01   05-14  05-15       leaver     last_day_of_the_window
    -           01-01   05-15  05-16       stayer     leaves_after_the_window
    -           01-01   04-14  04-15       in_gap     too_soon_to_act
    -           01-01   04-20  03-20       in_notice  gave_notice_before
    -           01-01   04-20  04-01       leaver     notice_on_the_instant_is_not_before
    -           01-01   03-20  03-21       gone       left_before
    -           01-01   03-20  04-10       gone       left_before_but_known_later
    -           01-01   04-20  07-01       stayer     leaving_not_known_when_learning
    -           04-01   05-01  05-01       not_yet    joined_on_the_instant
    -           -       05-01  05-01       leaver     joined_unknown
    -           01-01   04-20  -           leaver     known_when_it_happened
"""
COLUMNS = ["valid_from", "joined", "left", "left_known", "status", "why"]


def customers(lines: list[dict[str, str]], keys: list[int] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "version": range(len(lines)),
            "customer_key": keys or list(range(len(lines))),
            "valid_from": [instant(line["valid_from"]) for line in lines],
            "known_at": [datetime(2026, 6, 1)] * len(lines),
            "joined_at": [instant(line["joined"]) for line in lines],
            "left_at": [instant(line["left"]) for line in lines],
            "left_known_at": [instant(line["left_known"]) for line in lines],
            "left_reason": [line.get("reason", "-").replace("-", "") or None for line in lines],
        },
        schema_overrides=dict.fromkeys(
            ("valid_from", "known_at", "joined_at", "left_at", "left_known_at"), pl.Datetime("us")
        )
        | {"left_reason": pl.String},
    ).with_columns(**{name: pl.lit(value) for name, value in CONSENTS.items()})


@pytest.mark.parametrize("case", table_of(CASES, COLUMNS), ids=lambda case: case["why"])
def test_leaving_by_cancellation(tmp_path: Path, case: dict[str, str]) -> None:
    assert statuses(written(tmp_path, customers=customers([case])), ChurnSettings()) == {case["status"]: 1}


KINDS = """
    key  valid_from  joined  left   left_known  reason  kind
    0    01-01       01-01   -      -           -       -
    1    01-01       01-01   04-20  04-21       -       silent
    2    01-01       01-01   04-20  04-05       -       asked
    3    01-01       01-01   04-20  04-21       price   asked
    4    01-01       01-01   04-20  04-05       unpaid  non_payment
    5    01-01       01-01   02-10  02-11       unpaid  silent
    5    03-01       03-01   05-01  05-02       -       silent
"""


def test_each_leaver_has_a_kind_by_notice_and_reason_of_this_leaving(tmp_path: Path) -> None:
    lines = table_of(KINDS, ["key", "valid_from", "joined", "left", "left_known", "reason", "kind"])
    tables = written(tmp_path, customers=customers(lines, [int(line["key"]) for line in lines]))
    with Engine() as engine:
        tables.register(engine)
        found = labels_of(engine, tables, SNAPSHOT, ChurnSettings(), KNOWN_BY).frame
    kinds = dict(found.select("customer_key", "kind").iter_rows())
    assert kinds == {int(line["key"]): None if line["kind"] == "-" else line["kind"] for line in lines}


HISTORIES = """
    key  valid_from  joined  left   left_known  status
    0    01-01       01-01   -      -           leaver
    0    04-21       01-01   04-20  04-21       leaver
    1    01-01       01-01   02-10  02-11       stayer
    1    03-01       01-01   -      -           stayer
    2    01-01       01-01   02-10  02-11       gone
    2    04-10       01-01   -      -           gone
    3    01-01       01-01   02-10  02-11       leaver
    3    03-01       03-01   05-01  05-02       leaver
"""


def test_versions_of_one_customer_make_one_label_and_who_came_back_is_here(tmp_path: Path) -> None:
    lines = table_of(HISTORIES, ["key", "valid_from", "joined", "left", "left_known", "status"])
    for key in ("0", "1", "2", "3"):
        own = [line for line in lines if line["key"] == key]
        found = statuses(written(tmp_path, customers=customers(own, [0] * len(own))), ChurnSettings())
        assert found == {own[0]["status"]: 1}, key


def calls(*drawn: tuple[int, int, str, bool]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "caller_key": [a for a, _, _, _ in drawn],
            "callee_key": [b for _, b, _, _ in drawn],
            "started_at": [instant(day) for _, _, day, _ in drawn],
            "is_missed": [missed for _, _, _, missed in drawn],
        },
        schema_overrides={"started_at": pl.Datetime("us")},
    ).with_columns(known_at=pl.col("started_at"))


# silence of 30 days; as of 1 April 00:00, gap until 15 April, outcomes 15 April to 14 May
SILENCES = """
    calls         status
    03-25,05-01   stayer
    03-25         leaver
    03-25,04-05   leaver
    03-10         in_gap
    02-20         none
    03-25,05-20   leaver
"""


@pytest.mark.parametrize("case", table_of(SILENCES, ["calls", "status"]), ids=lambda case: case["calls"])
def test_leaving_by_silence(tmp_path: Path, case: dict[str, str]) -> None:
    days = case["calls"].split(",")
    tables = written(
        tmp_path,
        customers=customers([{"valid_from": "-", "joined": "01-01", "left": "-", "left_known": "-"}]),
        calls=calls(*((0, -5, day, False) for day in days)),
    )
    churn = ChurnSettings(kind="inactive", inactive_days=30)
    expected = {} if case["status"] == "none" else {case["status"]: 1}
    assert statuses(tables, churn) == expected


def test_a_missed_call_is_activity_of_the_caller_only_and_a_refusal_hides_the_call(tmp_path: Path) -> None:
    here = {"valid_from": "-", "joined": "01-01", "left": "-", "left_known": "-"}
    people = customers([here] * 4).with_columns(may_use_calls=pl.col("customer_key") != 3)
    before = [(key, -5, "03-25", False) for key in range(3)]
    tables = written(
        tmp_path,
        customers=people,
        calls=calls(*before, (0, 1, "05-01", True), (2, 3, "05-01", False), (3, -5, "03-25", False)),
    )
    with Engine() as engine:
        tables.register(engine)
        churn = ChurnSettings(kind="inactive", inactive_days=30)
        found = labels_of(engine, tables, SNAPSHOT, churn, KNOWN_BY)
    # 0 called, 1 was only missed, 2's only call was with one who refuses, 3 refuses
    assert found.frame.rows() == [(0, 0), (1, 1), (2, 1)]


ACTIONS = """
    left   at     offer     propensity  known  status   why
    -      04-05  discount  .9          04-05  treated  an_action_in_the_gap
    -      05-14  discount  .9          05-14  treated  an_action_on_the_last_day
    -      05-15  discount  .9          05-15  stayer   an_action_after_the_window
    -      03-31  discount  .9          03-31  stayer   an_action_before_is_a_feature
    -      04-05  discount  .9          07-01  stayer   an_action_that_is_not_known_when_learning
    -      04-05  control   .1          04-05  stayer   a_control
    05-01  04-20  discount  .9          04-20  treated  an_action_that_did_not_help
    05-01  05-03  discount  .9          05-03  leaver   an_action_that_came_too_late
    05-01  04-20  control   .1          04-20  leaver   a_control_who_left
    04-10  04-05  discount  .9          04-05  in_gap   left_in_the_gap_all_the_same
"""
ACTION_COLUMNS = ["left", "at", "offer", "propensity", "known", "status", "why"]


def actions(lines: list[dict[str, str]], keys: list[int] | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_key": keys or list(range(len(lines))),
            "at": [instant(line["at"]) for line in lines],
            "offer_id": [line["offer"] for line in lines],
            "propensity": [
                None if line["propensity"] == "-" else float(line["propensity"]) for line in lines
            ],
            "known_at": [instant(line["known"]) for line in lines],
        },
        schema_overrides={"at": pl.Datetime("us"), "known_at": pl.Datetime("us"), "propensity": pl.Float64},
    )


@pytest.mark.parametrize("case", table_of(ACTIONS, ACTION_COLUMNS), ids=lambda case: case["why"])
def test_who_got_a_retention_action_first_is_neither_leaver_nor_stayer(
    tmp_path: Path, case: dict[str, str]
) -> None:
    left = case["left"]
    here = {"valid_from": "-", "joined": "01-01", "left": left, "left_known": left}
    tables = written(tmp_path, customers=customers([here]), treatments=actions([case]))
    with Engine() as engine:
        tables.register(engine)
        found = labels_of(engine, tables, SNAPSHOT, ChurnSettings(), KNOWN_BY)
        naive = labels_of(engine, tables, SNAPSHOT, ChurnSettings(), KNOWN_BY, is_censored=False)
    assert {status: n for status, n in found.counts.items() if n} == {case["status"]: 1}
    assert found.frame.height == (case["status"] in {"leaver", "stayer"})
    assert naive.counts["treated"] == 0
    assert naive.followed is None
    assert naive.frame.columns == ["customer_key", "left", "kind"]


def test_each_is_followed_until_the_action_the_leaving_or_the_end(tmp_path: Path) -> None:
    lefts = ["-", "05-01", "-", "05-01"]
    people = [{"valid_from": "-", "joined": "01-01", "left": left, "left_known": left} for left in lefts]
    column = ["at", "offer", "propensity", "known"]
    drawn = """
        at     offer     propensity  known
        04-11  discount  .9          04-11
        04-06  control   .5          04-06
        04-09  control   .2          04-09
        05-03  control   -           05-03
        04-21  discount  .9          04-21
    """
    tables = written(
        tmp_path,
        customers=customers(people),
        treatments=actions(table_of(drawn, column), keys=[0, 1, 1, 2, 3]),
    )
    with Engine() as engine:
        tables.register(engine)
        found = labels_of(engine, tables, SNAPSHOT, ChurnSettings(), KNOWN_BY)
    assert found.followed is not None
    shown = found.followed.with_columns(chance=pl.col("log_control_chance").exp().round(6)).drop(
        "log_control_chance"
    )
    assert shown.rows() == [
        (0, 10.0, True, False, False, None),
        (1, 30.0, False, True, True, 0.1),
        (2, 44.0, False, True, False, None),
        (3, 20.0, True, False, False, None),
    ]
    assert found.frame.drop("kind").rows() == [(1, 1, True), (2, 0, True)]


@pytest.mark.parametrize(
    ("table", "column"), [("usage", "period_start"), ("events", "at"), ("interactions", "at")]
)
def test_other_sources_count_as_activity_when_declared(tmp_path: Path, table: str, column: str) -> None:
    days = [datetime(2026, 3, 25), datetime(2026, 5, 1), datetime(2026, 3, 25)]
    facts = pl.DataFrame(
        {"customer_key": [0, 0, 1], column: days, "known_at": days, "value": [1.0, 1.0, 1.0]}
    )
    here = {"valid_from": "-", "joined": "01-01", "left": "-", "left_known": "-"}
    tables = written(tmp_path, customers=customers([here] * 2), **{table: facts})
    churn = ChurnSettings.model_validate({"kind": "inactive", "inactive_days": 30, "activity": [table]})
    assert statuses(tables, churn) == {"leaver": 1, "stayer": 1}


def test_without_any_activity_source_there_is_no_label(tmp_path: Path) -> None:
    tables = written(tmp_path, customers=customers([]))
    with pytest.raises(ModelUnfit, match="activity"):
        statuses(tables, ChurnSettings(kind="inactive"))


def test_the_first_look_has_its_days_of_facts_behind_it(tmp_path: Path) -> None:
    tables = written(tmp_path, calls=calls((0, 1, "02-01", False), (0, 1, "01-15", False)))
    assert earliest_look(tables, 30) == datetime(2026, 1, 15) + timedelta(days=30)
    assert earliest_look(LakeTables({}), 30) is None
