"""Promoters are ranked by their influence, asked only within consent and capacity, and those long with us marked."""

from __future__ import annotations

from datetime import date

import polars as pl

from churnrisk.tables.files import PROMOTERS
from scoring import approach_list, approached, promoters

DAY = date(2026, 6, 30)
IDS = ("a", "b", "c", "d", "e")
SCORES = pl.DataFrame(
    {
        "as_of": [DAY] * 5,
        "customer_id": IDS,
        "risk": [0.1, 0.2, 0.1, 0.5, 0.1],
        "value": [10.0, 20.0, 400.0, None, 30.0],
        "band": ["low"] * 5,
    }
)
TENURE = pl.DataFrame({"customer_id": IDS, "tenure_days": [2000, 1095, 1094, None, 9]})
OPINIONS = pl.DataFrame({"customer_id": IDS, "opinion": ["promoter"] * 4 + ["passive"]})
NETWORK = pl.DataFrame({"customer_id": IDS, "promoter_influence": [1.5, 7.126, None, None, 0.0]})


CONSENTS = pl.DataFrame({"customer_id": ["a", "b", "c"], "may_contact": [True, False, True]})


def ranked(network: pl.DataFrame | None = NETWORK, tenure: pl.DataFrame = TENURE) -> pl.DataFrame:
    return promoters(SCORES, tenure, network, OPINIONS, long_tenure_days=1095)


def test_the_most_influential_come_first_and_those_of_unknown_influence_by_what_they_are_worth() -> None:
    table = ranked()
    assert table.select("position", "customer_id").rows() == [(1, "b"), (2, "a"), (3, "c"), (4, "d")]
    assert table["is_long_tenured"].to_list() == [True, True, False, None]


def test_without_ties_or_tenure_promoters_are_still_named() -> None:
    table = ranked(None, TENURE.select("customer_id"))
    assert table["customer_id"].to_list() == ["c", "b", "a", "d"]
    assert table["is_long_tenured"].null_count() == 4


def test_only_those_who_may_be_contacted_are_approached_and_no_more_than_the_team_can() -> None:
    listed = approach_list(ranked(), CONSENTS, 5)
    assert listed.select("position", "customer_id").rows() == [(1, "a"), (2, "c")]
    assert approach_list(ranked(), CONSENTS, 1)["customer_id"].to_list() == ["a"]
    everybody = CONSENTS.with_columns(may_contact=True)
    assert approach_list(ranked(), everybody, 1).select("customer_id", "promoter_influence").row(0) == (
        "b",
        7.13,
    )


def test_those_decided_on_are_listed_whatever_they_say_by_now_if_they_are_scored() -> None:
    """``e`` is no promoter by the latest answer, ``z`` has left."""
    ids = ["e", "z", "b"]
    chosen = pl.DataFrame({"customer_id": ids, "programme": ["beta"] * 3, "channel": ["sms"] * 3})
    table = promoters(SCORES, TENURE, NETWORK, OPINIONS, long_tenure_days=1095, decided=ids)
    found = approached(table, chosen)
    assert found.select("position", "customer_id", "promoter_influence", "channel").rows() == [
        (1, "e", 0.0, "sms"),
        (2, "b", 7.13, "sms"),
    ]


def test_no_promoter_makes_an_empty_list_with_its_columns() -> None:
    nobody = promoters(SCORES, TENURE, NETWORK, OPINIONS.clear(), long_tenure_days=1)
    assert nobody.is_empty()
    told = [column.name for column in PROMOTERS.columns]
    assert [*nobody.columns[:-1], "programme", "channel", "as_of"] == told
    assert approach_list(nobody, CONSENTS, 1).schema["tenure_days"] == pl.Int64
