# ruff: noqa: E501 - tables are drawn in lines
"""Customers with and without history, from calls and from labels; invitations, answers and their scales."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from churnrisk.tables.lake import Attribute
from tests.spec.sources.drawn import HEAD, drawn, rejected, rows, table

CUSTOMERS = '[sources.customers]\npath = "p.csv"\n'
SURVEYS = '[sources.surveys]\npath = "s.csv"\n'
DATA = Path(__file__).parents[2] / "data"


def test_a_history_is_known_from_its_versions_and_a_leaving_from_the_first_that_says_so(
    tmp_path: Path,
) -> None:
    given = (
        "customer_id,valid_from,joined_on,left_on,plan\nann,2025-01-01,2025-01-01,,S\n"
        "ann,2025-06-01,2025-01-01,2025-06-30,S\nann,2025-07-05,2025-01-01,2025-06-30,L\n"
    )
    loaded = drawn(tmp_path, CUSTOMERS, {"p.csv": given})
    assert rows(
        loaded, "customers", "version", "valid_from", "known_at", "left_known_at", "attribute_plan"
    ) == [
        (0, "2025-01-01T00:00:00", "2025-01-01T23:59:59.999999", None, "S"),
        (1, "2025-06-01T00:00:00", "2025-06-01T23:59:59.999999", "2025-06-01T23:59:59.999999", "S"),
        (2, "2025-07-05T00:00:00", "2025-07-05T23:59:59.999999", "2025-06-01T23:59:59.999999", "L"),
    ]


def test_an_extract_is_known_from_its_day_and_a_leaving_in_it_from_that_day_at_the_latest(
    tmp_path: Path,
) -> None:
    given = "customer_id,left_on,plan\nann,,S\nbob,2025-03-31,S\ncid,2026-12-31,S\n"
    loaded = drawn(tmp_path, CUSTOMERS + "extracted_on = 2026-01-31\n", {"p.csv": given})
    assert rows(loaded, "customers", "known_at", "left_known_at") == [
        ("2026-01-31T23:59:59.999999", None),
        ("2026-01-31T23:59:59.999999", "2025-03-31T23:59:59.999999"),
        ("2026-01-31T23:59:59.999999", "2026-01-31T23:59:59.999999"),
    ]


def test_who_came_back_keeps_both_versions(tmp_path: Path) -> None:
    given = "customer_id,valid_from,joined_on,left_on\nann,2025-01-01,2025-01-01,2025-03-01\nann,2025-09-01,2025-09-01,\n"
    loaded = drawn(tmp_path, CUSTOMERS, {"p.csv": given})
    assert rows(loaded, "customers", "joined_at", "left_at") == [
        ("2025-01-01T00:00:00", "2025-03-01T00:00:00"),
        ("2025-09-01T00:00:00", None),
    ]


def test_attributes_are_text_of_any_script_and_declared_ones_are_constant_or_categories(
    tmp_path: Path,
) -> None:
    given = "customer_id,тариф,地区,zip,secret\nann,Всё включено,上海,01234,x\n"
    settings = (
        CUSTOMERS + 'constant = ["地区"]\ntext = ["zip"]\nexclude = ["secret"]\nextracted_on = 2026-01-01\n'
    )
    loaded = drawn(tmp_path, settings, {"p.csv": given})
    assert loaded.tables.attributes == (
        Attribute("тариф", "attribute_тариф"),
        Attribute("地区", "attribute_地区", is_constant=True),
        Attribute("zip", "attribute_zip", is_text=True),
    )
    assert rows(loaded, "customers", "attribute_тариф", "attribute_地区", "attribute_zip") == [
        ("Всё включено", "上海", "01234")
    ]


def test_carried_columns_go_to_their_own_table_and_are_no_attributes(tmp_path: Path) -> None:
    given = "customer_id,valid_from,name,plan\nann,2025-01-01,Ann O.,S\nann,2026-01-01,Ann P.,S\nbob,2025-01-01,李雷,L\n"
    loaded = drawn(tmp_path, CUSTOMERS + '[lists]\ncarry = ["name"]\n', {"p.csv": given})
    assert rows(loaded, "carry", "customer_key", "name") == [(0, "Ann P."), (1, "李雷")]
    assert [attribute.name for attribute in loaded.tables.attributes] == ["plan"]
    assert "name" not in "".join(table(loaded, "customers").columns)


def test_missing_consents_are_what_the_settings_say(tmp_path: Path) -> None:
    head = HEAD.replace("missing_consent = true", "missing_consent = { may_survey = false, may_contact = true, "
                        "may_use_calls = true, may_use_answers = true }")  # fmt: skip
    loaded = drawn(
        tmp_path, CUSTOMERS, {"p.csv": "customer_id,may_survey,may_contact\nann,yes,no\nbob,,\n"}, head
    )
    assert rows(loaded, "customers", "may_survey", "may_contact", "may_use_calls") == [
        (True, False, True),
        (False, True, True),
    ]
    assert rows(loaded, "customers", "said_may_survey", "said_may_contact", "said_may_use_calls") == [
        (True, True, False),
        (False, False, False),
    ], "what the settings filled is nobody's word"


def test_a_consent_that_became_empty_after_a_refusal_is_no_yes_whatever_the_settings_fill(
    tmp_path: Path,
) -> None:
    given = """customer_id,valid_from,may_contact
ann,2025-01-01,no
ann,2025-02-01,
ann,2025-03-01,
bob,2025-01-01,yes
bob,2025-02-01,
cid,2025-01-01,no
cid,2025-02-01,yes
cid,2025-03-01,
dee,2025-01-01,
dee,2025-02-01,no
dee,2025-03-01,yes
"""
    loaded = drawn(tmp_path, CUSTOMERS, {"p.csv": given})
    told = rows(loaded, "customers", "customer_key", "may_contact", "said_may_contact")
    assert told == [
        (0, False, True), (0, False, False), (0, False, False),
        (1, True, True), (1, True, False),
        (2, False, True), (2, True, True), (2, True, False),
        (3, True, False), (3, False, True), (3, True, True),
    ]  # fmt: skip


def test_customers_can_be_whoever_appears_in_calls(tmp_path: Path) -> None:
    given = "caller_id,callee_id,started_at,duration_s\nzoe,ann,2026-01-02T10:00:00,60\nann,eve,2026-01-01T10:00:00,60\n"
    settings = '[sources.customers]\nfrom = "calls"\n[sources.calls]\npath = "c.csv"\n'
    loaded = drawn(tmp_path, settings, {"c.csv": given})
    assert rows(loaded, "keys", "customer_id") == [("ann",), ("eve",), ("zoe",)]
    assert rows(loaded, "customers", "customer_key", "joined_at", "known_at", "may_contact") == [
        (0, "2026-01-01T10:00:00", "2026-01-01T10:01:00", True),
        (1, "2026-01-01T10:00:00", "2026-01-01T10:01:00", True),
        (2, "2026-01-02T10:00:00", "2026-01-02T10:01:00", True),
    ]
    assert (
        table(loaded, "calls").select(pl.min_horizontal(pl.all().exclude("^.*_at$", "kind")).min()).item()
        >= 0
    )


def test_customers_can_be_those_of_a_labelled_extract_and_leavers_are_gone(tmp_path: Path) -> None:
    settings = '[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "l.csv"\npositive = ["left", "gone"]\n'
    given = "customer_id,churned,plan,weight\nb,left,S,2\na,stays,L,\nc,gone,S,\n"
    loaded = drawn(tmp_path, settings, {"l.csv": given})
    assert rows(loaded, "labelled", "row", "customer_id", "churned", "weight", "attribute_plan") == [
        (1, "a", False, 1.0, "L"),
        (2, "b", True, 2.0, "S"),
        (3, "c", True, 1.0, "S"),
    ]
    gone = table(loaded, "customers")["left_at"].is_not_null().to_list()
    assert gone == [False, True, True]
    assert table(loaded, "customers")["attribute_plan"].to_list() == ["L", "S", "S"]


def test_labelled_rows_without_ids_are_numbered_by_content_and_equal_ones_all_count(tmp_path: Path) -> None:
    settings = '[sources.customers]\nfrom = "labelled"\n[sources.labelled]\npath = "l.csv"\n'
    loaded = drawn(tmp_path, settings, {"l.csv": "plan,churned\nS,no\nL,yes\nS,no\n"})
    assert rows(loaded, "labelled", "row", "customer_id", "churned", "attribute_plan") == [
        (1, "1", False, "S"),
        (2, "2", False, "S"),
        (3, "3", True, "L"),
    ]
    assert table(loaded, "customers").height == 3


def test_an_invitation_is_known_before_its_answer_and_a_known_at_column_dates_the_answer(
    tmp_path: Path,
) -> None:
    given = (
        "invitation_id,customer_id,metric,invited_at,answered_at,score,known_at\n"
        "1,ann,NPS,2026-01-01T09:00:00,2026-01-02T09:00:00,10,2026-01-07T00:00:00\n"
        "2,bob,nps,2026-01-01T09:00:00,,,\n3,cid,nps,,2026-01-03,0,\n"
    )
    loaded = drawn(tmp_path, SURVEYS + "delay_days = 1\n", {"s.csv": given})
    assert rows(
        loaded, "surveys", "invitation_id", "occasion", "invited_at", "known_at", "answer_known_at", "score"
    ) == [
        ("1", "relationship", "2026-01-01T09:00:00", "2026-01-02T09:00:00", "2026-01-07T00:00:00", 10.0),
        ("2", "relationship", "2026-01-01T09:00:00", "2026-01-02T09:00:00", None, None),
        (
            "3",
            "relationship",
            "2026-01-03T00:00:00",
            "2026-01-04T23:59:59.999999",
            "2026-01-04T23:59:59.999999",
            0.0,
        ),
    ]


def test_an_answer_of_the_same_day_is_not_before_its_invitation(tmp_path: Path) -> None:
    given = "invitation_id,customer_id,metric,invited_at,answered_at,score\n1,ann,nps,2026-01-01T15:00:00,2026-01-01,9\n"
    assert rejected(drawn(tmp_path, SURVEYS, {"s.csv": given}), "surveys") == []


def test_other_scales_are_converted_to_those_of_the_contract(tmp_path: Path) -> None:
    given = "invitation_id,customer_id,metric,answered_at,score\n1,ann,csat,2026-01-01,10\n2,bob,csat,2026-01-01,1\n3,cid,ces,2026-01-01,3\n"
    loaded = drawn(tmp_path, SURVEYS + "scales = { csat = [1, 10], ces = [1, 5] }\n", {"s.csv": given})
    assert rows(loaded, "surveys", "metric", "score") == [("csat", 5.0), ("csat", 1.0), ("ces", 4.0)]


def test_an_effort_scale_that_runs_the_other_way_is_turned(tmp_path: Path) -> None:
    given = "invitation_id,customer_id,metric,occasion,answered_at,score\n1,ann,ces,shop,2026-01-01,6\n"
    loaded = drawn(tmp_path, SURVEYS + "scales = { ces = [7, 1] }\n", {"s.csv": given})
    assert rows(loaded, "surveys", "score") == [(2.0,)]


@pytest.mark.parametrize(("year", "nps", "n_answers"), [(2017, 39.8, 2746), (2018, 31.0, 2650)])
def test_the_airports_nps_comes_out_of_its_files(
    year: int, nps: float, n_answers: int, tmp_path: Path
) -> None:
    """The unweighted figures of the publisher's files: counts of NETPRO 9-10 and 0-6, 11 = no answer."""
    folder = DATA / "sfo"
    files: dict[str, str | bytes] = {path.name: path.read_bytes() for path in folder.glob("*.gz")}
    loaded = drawn(tmp_path, (folder / "churnrisk.toml").read_text("utf-8"), files, head="")
    scores = table(loaded, "surveys").filter(
        (pl.col("metric") == "nps")
        & (pl.col("answered_at").dt.year() == year)
        & pl.col("score").is_not_null()
    )["score"]
    assert len(scores) == n_answers
    assert round(100 * (int((scores >= 9).sum()) - int((scores <= 6).sum())) / len(scores), 1) == nps
    assert loaded.reports["surveys"].n_quarantined == 0
    assert loaded.reports["surveys"].n_read == 2 * (2831 + 2809)
    assert [attribute.name for attribute in loaded.tables.attributes] == ["age_group", "gender", "home"]
