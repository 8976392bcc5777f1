"""What `churnrisk check` says about sources, and when it says that it is not enough."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from churnrisk.config import FEWEST_FOR_TREES, FEWEST_LEAVERS, REGIMES_AHEAD
from churnrisk.dates import AsOf
from churnrisk.errors import SourceMissing
from churnrisk.sources import Readiness, readiness
from churnrisk.sources.readiness import TIES_UNKNOWN
from churnrisk.store import Engine, Workspace
from tests.spec.sources.drawn import drawn_workspace, loaded_from

PEOPLE = "customer_id,joined_on,left_on\nann,2020-01-01,\nbob,2020-01-01,2026-02-01\ncid,2026-06-01,\n"
CALLS = "caller_id,callee_id,started_at\nann,bob,2026-01-01T10:00:00\nann,zoe,2026-03-01T12:00:00\nzoe,ann,2026-05-01\n"
SURVEYS = (
    "invitation_id,customer_id,metric,invited_at,answered_at,score\n"
    "1,ann,nps,2026-01-10,2026-01-11,9\n2,bob,nps,2026-01-10,,\n3,eve,nps,2026-01-10,,\n"
)
ALL = '[sources.calls]\npath = "c.csv"\n{}\n[sources.surveys]\npath = "s.csv"\nmax_bad_share = 0.5\n'


def ready(workspace: Workspace, day: date) -> Readiness:
    """Load and judge."""
    loaded = loaded_from(workspace)
    with Engine(threads=1) as engine:
        return readiness(loaded, engine, workspace.config, AsOf(day, "UTC"))


def drawn_ready(
    root: Path, calls_settings: str = "", quality: str = "", day: date = date(2026, 3, 31)
) -> Readiness:
    """Draw the three sources and judge them."""
    files: dict[str, str | bytes] = {"people.csv": PEOPLE, "c.csv": CALLS, "s.csv": SURVEYS}
    return ready(drawn_workspace(root, ALL.format(calls_settings) + quality, files), day)


def test_rows_periods_freshness_and_match_rates_are_counted_as_of_the_date(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path)
    calls = next(item for item in found.sources if item.source == "calls")
    assert (calls.n_read, calls.n_kept, calls.n_known) == (3, 3, 2)
    assert calls.age_days == 30.5  # from 1 March, noon, to the end of 31 March
    assert {match.name: (match.n_matched, match.n_total) for match in found.matches} == {
        "callers that are customers": (1, 2),
        "callees that are customers": (2, 3),
        "calls with a customer on both sides": (1, 3),
        "surveys of known customers": (2, 3),
        "customers with any call": (2, 3),
        "customers with any answer": (1, 3),
    }


def test_customers_leavers_and_answers_are_those_known_at_the_date(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path)
    assert (found.n_customers, found.n_leavers, found.n_answers) == (
        1,
        1,
        1,
    )  # bob had left, cid had not come
    before = drawn_ready(tmp_path, day=date(2026, 1, 10))
    assert (before.n_customers, before.n_leavers, before.n_answers) == (2, 0, 0)


def test_too_few_leavers_are_not_enough_and_the_remedy_is_said(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path)
    assert found.verdict == "not enough"
    remark = next(item for item in found.remarks if item.code == "few_leavers")
    assert remark.text == f"1 leaver: too few to learn from, a rule prior scores meanwhile. {REGIMES_AHEAD}."
    assert "longer history" in remark.remedy


@pytest.mark.parametrize(
    ("n_left", "level"),
    [
        (FEWEST_LEAVERS - 1, "not enough"),
        (FEWEST_LEAVERS, "warn"),
        (FEWEST_FOR_TREES - 1, "warn"),
        (FEWEST_FOR_TREES, None),
    ],
)
def test_what_is_learned_from_so_many_leavers_is_what_training_goes_by(
    n_left: int, level: str | None, tmp_path: Path
) -> None:
    left = "".join(f"c{number},2020-01-01,2026-02-01\n" for number in range(n_left))
    files: dict[str, str | bytes] = {"people.csv": f"customer_id,joined_on,left_on\nann,2020-01-01,\n{left}"}
    remarks = ready(drawn_workspace(tmp_path, "", files), date(2026, 3, 31)).remarks
    assert next((item.level for item in remarks if item.code == "few_leavers"), None) == level


def test_leavings_known_long_before_they_happened_are_remarked_on_with_what_to_give(tmp_path: Path) -> None:
    head = "customer_id,joined_on,left_on,valid_from"
    rewritten = f"{head}\nann,2020-01-01,,2020-01-01\nbob,2020-01-01,2026-02-01,2020-01-01\n"
    versions = f"{head}\nann,2020-01-01,,2020-01-01\nbob,2020-01-01,,2020-01-01\nbob,2020-01-01,2026-02-01,2026-02-01\n"

    def remarks(name: str, people: str) -> dict[str, str]:
        files: dict[str, str | bytes] = {"people.csv": people, "c.csv": CALLS}
        drawn = drawn_workspace(tmp_path / name, '[sources.calls]\npath = "c.csv"\n', files)
        return {item.code: item.text for item in ready(drawn, date(2026, 3, 31)).remarks}

    assert "100% of past leavings were known" in remarks("a", rewritten)["known_ahead"]
    assert "known_ahead" not in remarks("b", versions)


def test_a_stale_source_is_refused_unless_the_settings_go_on(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path / "a", "max_age_days = 30")
    with pytest.raises(SourceMissing, match=r"one 30\.5 days old") as raised:
        found.refuse_stale()
    assert raised.value.codes == ("stale",)
    drawn_ready(tmp_path / "b", "max_age_days = 31").refuse_stale()
    going_on = drawn_ready(tmp_path / "c", "max_age_days = 30", "[quality]\npublish_despite_stale = true\n")
    going_on.refuse_stale()
    assert "stale" in {remark.code for remark in going_on.remarks}


def test_calls_of_nobody_known_are_not_enough(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"c.csv": "caller_id,callee_id,started_at\n1,2,2026-01-01\n"}
    found = ready(drawn_workspace(tmp_path, '[sources.calls]\npath = "c.csv"\n', files), date(2026, 3, 31))
    assert "no_match" in {remark.code for remark in found.remarks}


def test_it_turns_into_json_tables_and_text_without_any_id(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path)
    plain = json.dumps(found.as_dict())
    assert re.search(r"\b(ann|bob|zoe|eve)\b", plain + found.text()) is None
    assert found.source_table()["source"].to_list() == ["calls", "customers", "surveys"]
    assert found.match_table().height == len(found.matches)
    assert "surveys: 3 rows read, 2 kept, 1 in quarantine" in found.text()
    lines: tuple[dict[str, Any], ...] = found.source_lines(dict)
    assert lines[0]["match_rates"]["callers that are customers"] == 0.5


def customers_only(root: Path, settings: str = "", people: str | bytes = PEOPLE) -> Readiness:
    """Judge a workspace of customers alone."""
    source = '[sources.customers]\npath = "p.csv"\nextracted_on = 2026-03-01\n'
    return ready(drawn_workspace(root, source + settings, {"p.csv": people}), date(2026, 3, 31))


def codes(found: Readiness, source: str) -> set[str]:
    """Return the codes of the remarks on a source."""
    return {remark.code for remark in found.remarks if remark.text.startswith(f"{source}:")}


def test_a_source_that_ended_long_ago_is_remarked_on_though_nobody_said_how_old_it_may_be(
    tmp_path: Path,
) -> None:
    assert codes(drawn_ready(tmp_path / "a", day=date(2026, 4, 4)), "calls") == {"ahead"}  # 34.5 days
    old = drawn_ready(tmp_path / "b", day=date(2026, 4, 5))
    assert codes(old, "calls") == {"ahead", "old"}
    assert "calls: the newest fact known on 2026-04-05 is 35.5 days old. Deliver newer data" in old.text()
    assert "--as-of" in old.text()
    assert "max_age_days" in old.text()
    assert "old" not in codes(drawn_ready(tmp_path / "c", "max_age_days = 90", day=date(2026, 4, 5)), "calls")


def test_a_day_before_anything_happened_is_answered_with_when_the_data_begin(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path / "a", day=date(2019, 12, 31))
    assert found.verdict == "not enough"
    assert (
        "Nothing had happened yet by 2019-12-31: calls from 2026-01-01, customers from 2020-01-01, surveys from "
        "2026-01-10. Name a later day" in found.text()
    )
    assert "Nothing had happened" not in drawn_ready(tmp_path / "b", day=date(2020, 1, 1)).text()
    undated = customers_only(tmp_path / "c", people="customer_id\nann\n")
    assert "as_of_before_data" not in {remark.code for remark in undated.remarks}


def test_calls_that_ended_before_the_days_that_make_a_tie_leave_ties_unknown(tmp_path: Path) -> None:
    found = drawn_ready(tmp_path / "a", day=date(2026, 5, 31))
    assert TIES_UNKNOWN not in codes(found, "calls")
    silent = drawn_ready(tmp_path / "b", day=date(2026, 9, 30))
    assert TIES_UNKNOWN in codes(silent, "calls")
    assert "calls: no contact known in the 90 days before the end of 2026-09-30" in silent.text()


def test_facts_of_days_to_come_are_remarked_on(tmp_path: Path) -> None:
    assert "ahead" in codes(drawn_ready(tmp_path / "a", day=date(2026, 4, 29)), "calls")
    found = drawn_ready(tmp_path / "b", day=date(2026, 4, 29))
    assert "calls: facts up to 2026-05-01 lie after 2026-04-29 and are not used." in found.text()
    assert "ahead" not in codes(drawn_ready(tmp_path / "c", day=date(2026, 4, 30)), "calls")  # the day after


def test_months_of_facts_run_from_the_first_to_the_last_known_one(tmp_path: Path) -> None:
    assert drawn_ready(tmp_path / "a").n_months == 1.9  # 1 January to 1 March
    assert drawn_ready(tmp_path / "b", day=date(2027, 5, 1)).n_months == 3.9  # to 1 May, however long ago


def test_customers_alone_are_no_facts(tmp_path: Path) -> None:
    found = customers_only(tmp_path)
    assert (found.n_months, "no dated facts" in found.text()) == (0.0, True)
    assert "short_history" not in {remark.code for remark in found.remarks}


def test_what_loading_remarked_on_is_said_beside_the_verdict(tmp_path: Path) -> None:
    names = ("Нижний Новгород", "Екатеринбург", "Ростов-на-Дону", "Санкт-Петербург", "Казань", "Волгоград")
    people = "customer_id,joined_on,город\n" + "".join(
        f"p{n},2020-01-01,{name}\n" for n, name in enumerate(names)
    )
    found = customers_only(tmp_path, people=people.encode("cp1251"))
    assert any("read as cp1251" in note for note in found.notes)
    assert f"  warn: {found.notes[0]}" in found.text()


def test_wholly_empty_columns_are_told_only_when_someone_mapped_them(tmp_path: Path) -> None:
    people = "customer_id,joined_on,left_on,plan,gone\nann,2020-01-01,,S,\nbob,,,,\n"
    found = customers_only(tmp_path / "a", people=people)
    assert list(found.sources[0].null_shares) == ["attribute_gone", "attribute_plan", "joined_at"]
    mapped = customers_only(
        tmp_path / "b", 'columns = { left_on = "gone" }\n', people.replace("left_on", "x")
    )
    assert "left_at 100%" in mapped.text()


def test_one_of_a_thing_is_said_in_the_singular(tmp_path: Path) -> None:
    text = customers_only(tmp_path, people="customer_id,left_on\nann,\n").text()
    assert "customers: 1 row read, 1 kept, 0 in quarantine, 0 duplicates" in text
    assert "To learn from: 1 customer, 0 known to have left" in text


def test_who_talks_with_more_people_than_anybody_has_friends_is_counted(tmp_path: Path) -> None:
    calls = (
        CALLS
        + "".join(f"ann,n{each},2026-03-01T12:00:00\n" for each in range(4))
        + 9 * "bob,zoe,2026-03-02\n"
    )
    files: dict[str, str | bytes] = {"people.csv": PEOPLE, "c.csv": calls, "s.csv": SURVEYS}
    quality = "[quality]\nmax_bad_share = 1\n[ties]\nmax_partners = {}\nmax_one_way_partners = 100\n"
    few, many = (
        ready(
            drawn_workspace(tmp_path / f"{most}", ALL.format("") + quality.format(most), files),
            date(2026, 3, 31),
        )
        for most in (5, 6)
    )
    # ann: four numbers, zoe, and bob on the first day of the window; bob's many contacts are with one.
    assert [note for note in few.notes if "1 customers talked with more than 5 people" in note]
    assert not [note for note in many.notes if "people in 90 days" in note]
