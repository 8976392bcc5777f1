"""Who may get an offer: what an expression can say, and that it can say and reach nothing else."""

import polars as pl
import pytest

from churnrisk.errors import ContractError
from churnrisk.store.expressions import ExpressionRefused, evaluated
from scoring.offers import eligible

PEOPLE = pl.DataFrame(
    {
        "customer_id": ["a", "b", "c", "d"],
        "risk": [0.05, 0.3, None, 0.6],
        "band": ["low", "high", "high", "critical"],
        "Plan Name": ["Basic", "gold plus", None, "GOLD"],
        "may": [True, False, True, None],
        "joined": ["2024-01-01", "2025-06-30", "2020-02-29", "2026-01-01"],
    }
).with_columns(pl.col("joined").str.to_date())


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("risk > 0.2 and band in ('high', 'critical')", [False, True, None, True]),
        ("risk between 0.1 and 0.5", [False, True, None, False]),
        ("risk is null or not band = 'low'", [False, True, True, True]),
        ("lower(\"Plan Name\") like 'gold%'", [False, True, None, True]),
        ("starts_with(coalesce(\"Plan Name\", 'none'), 'n')", [False, False, True, False]),
        ("may", [True, False, True, None]),
        ("case when band = 'low' then false else true end", [False, True, True, True]),
        ("round(risk * 10, 0) % 2 = 0", [False, False, None, True]),
        ("joined < cast('2025-01-01' as date)", [True, False, True, False]),
        ("joined >= date '2025-01-01' -- a remark", [False, True, False, True]),
        ("true", [True, True, True, True]),
        ("null", [None, None, None, None]),
        (None, [True, True, True, True]),
        ("  ", [True, True, True, True]),
    ],
)
def test_an_expression_is_true_false_or_not_known_of_each_customer(
    expression: str | None, found: list[bool | None]
) -> None:
    assert eligible(PEOPLE, {"o": expression})["o"].to_list() == found


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("risk > 0.1; drop table rows_given", "2 statements"),
        ("read_csv('/etc/passwd') = 'x'", "only and, or"),
        ("exists(select 1)", "only and, or"),
        ("risk in (select 1)", "only and, or"),
        ("(select max(risk) from rows_given) > 0", "only and, or"),
        ("getenv('HOME') = 'x'", "only and, or"),
        ("current_date > joined", "only and, or"),
        ("random() > 0.5", "only and, or"),
        ("columns(*) > 1", "only and, or"),
        ("* > 1", "only and, or"),
        ("risk = $1", "only and, or"),
        ("max(risk) over () > 1", "only and, or"),
        ("sum(risk) > 1", "only and, or"),
        ("sniff_csv('x')", "only and, or"),
        ("scores.risk > 0.1", "columns by their name alone"),
        ("rsk > 0.1", "Did you mean risk?"),
        ("risk >", "line 1, column 6"),
        ("", None),
        ("1", "true or false"),
        ("risk", "values of type"),
        ("risk::blob = risk", "a type of"),
        ("try_cast(band as int) = 1", "only and, or"),
        ("band > 1", "comparisons that fit"),
        ("copy rows_given to 'x'", "only and, or"),
        ("set memory_limit = '1GB'", "only and, or"),
        ("(" * 60 + "risk" + ")" * 60 + " > 1", "60 brackets"),
        ("risk > 1 or " * 300 + "risk > 1", "characters"),
    ],
)
def test_whatever_else_it_says_is_refused_with_where_and_what_to_do(
    expression: str, says: str | None
) -> None:
    if says is None:
        return
    with pytest.raises(ContractError) as refused:
        eligible(PEOPLE, {"fine": "risk > 0", "gold": expression})
    assert "offer gold" in str(refused.value)
    assert says in str(refused.value)


def test_every_fault_is_told_at_once() -> None:
    with pytest.raises(ContractError) as refused:
        eligible(PEOPLE, {"a": "nope = 1", "b": "also_nope = 1"})
    assert "offer a" in str(refused.value)
    assert "offer b" in str(refused.value)


@pytest.mark.parametrize(
    "expression",
    [
        "(select count(*) from read_csv('/etc/passwd'))",
        "(select count(*) from read_text('/etc/hostname'))",
        "(select count(*) from PEOPLE)",
        "(select count(*) from 'x.parquet')",
    ],
)
def test_the_engine_itself_reaches_nothing_even_if_the_list_were_passed_by(expression: str) -> None:
    with pytest.raises(ExpressionRefused):
        evaluated(PEOPLE, {"o": expression})


def test_an_expression_without_customers_gives_none() -> None:
    assert eligible(PEOPLE.clear(), {"o": "risk > 0.1"})["o"].to_list() == []
