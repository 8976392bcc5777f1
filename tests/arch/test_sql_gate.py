"""The SQL gate refuses each construct that two engines would read differently, and says what to write instead."""

import re

import pytest
from sqlglot import exp, parse_one

from tests.gates.shared_sql import FUNCTIONS, STRUCTURE, spark_sql
from tests.gates.sql import main, output_columns, sql_findings, tables_read

SOUND = """\
-- output: calls_volume
-- grain: customer_key
-- reads: known_calls, population
-- parameters: as_of, from_30d
-- columns:
--   customer_key | key
--   n_calls_30d | contacts | null: call data may not be used
--   share_missed_30d | share of contacts | null: no contact in the window
with calls as (
    select
        caller_key,
        started_at,
        is_missed,
        duration_s
    from known_calls
    where started_at >= $from_30d and started_at < $as_of
),

customers as (
    select
        customer_key,
        may_use_calls
    from population
),

per_customer as (
    select
        customers.customer_key,
        count(calls.started_at) as n_calls,
        count_if(calls.is_missed) as n_missed
    from customers
    left join calls on calls.caller_key = customers.customer_key
    where customers.may_use_calls
    group by customers.customer_key
),

final as (
    select
        customer_key,
        n_calls as n_calls_30d,
        n_missed / nullif(n_calls, 0) as share_missed_30d
    from per_customer
)

select * from final
"""


def findings(text: str) -> list[str]:
    return [str(finding) for finding in sql_findings(text, "calls_volume", "features/sql/calls_volume.sql")]


def with_expression(expression: str) -> str:
    """The sound file with another expression as its second column."""
    return SOUND.replace("n_calls as n_calls_30d", f"{expression} as n_calls_30d")


def test_a_sound_file_passes() -> None:
    assert findings(SOUND) == []


def test_every_file_of_the_packages_passes() -> None:
    assert main() == 0


CLOCK = "pass the instant as a parameter"


@pytest.mark.parametrize(
    ("expression", "found", "remedy"),
    [
        ("current_date", "current_date", CLOCK),
        ("today()", "current_date", CLOCK),
        ("now()", "now()", CLOCK),
        ("current_timestamp", "current_timestamp", CLOCK),
        ("get_current_timestamp()", "get_current_timestamp()", CLOCK),
        ("random()", "random()", "by hash of the id"),
        ("uuid()", "uuid()", "by hash of the id"),
        ("date_diff('day', a, b)", "date_diff", "count integer days"),
        ("datediff('day', a, b)", "date_diff", "count integer days"),
        ("date_sub('day', a, b)", "date_sub()", "count integer days"),
        ("age(a, b)", "age()", "count integer days"),
        ("a::date - b::date", "difference of dates", "count integer days"),
        ("a - interval 1 day", "interval", "half-open bounds"),
        ("quantile_cont(n_calls, 0.5::double)", "quantile_cont", "median()"),
        (
            "percentile_cont(0.5::double) within group (order by n_calls nulls last)",
            "quantile_cont",
            "median()",
        ),
        ("dayofweek(a)", "dayofweek", "modulo 7"),
        ("isodow(a)", "isodow", "modulo 7"),
        ("extract(dow from a)", "extract", "modulo 7"),
        ("date_part('dow', a)", "date_part()", "modulo 7"),
        ("epoch_ms(a)", "epoch_ms", "epoch_us"),
        ("(a / 2)::int", "of a double", "floor(...)::bigint"),
        ("(n_calls * 1e0)::bigint", "of a double", "floor(...)::bigint"),
        ("monthly_value::int", "of a double", "floor(...)::bigint"),
        ("case when a then 1 else b / nullif(c, 0) end::bigint", "of a double", "floor(...)::bigint"),
        ("n_calls * 1.5", "1.5 is a decimal", "1.5::double"),
        ("n_missed / n_calls", "division by n_calls", "nullif(..., 0)"),
        ("n_missed % n_calls", "division by n_calls", "nullif(..., 0)"),
        ("n_missed // 0", "division by 0", "nullif(..., 0)"),
        ("monthly_value // 2", "// of doubles", "floor(a / nullif(b, 0))"),
        ("sum(monthly_value)", "sum of doubles", "sum integers"),
        ("avg(n_calls / 2)", "avg of doubles", "sum integers"),
        ("sum(n_calls > 0)", "sum of a condition", "count_if"),
        ("stddev_samp(n_calls)", "stddev_samp", "combine sums of integers"),
        ("corr(n_calls, n_missed)", "corr", "combine sums of integers"),
        ("first(n_calls)", "first", "arg_max"),
        ("any_value(n_calls)", "any_value", "arg_max"),
        ("mode(n_calls)", "mode", "arg_max"),
        ("list(n_calls)", "array_agg", "rows, not nested values"),
        ("string_agg(a, ',')", "listagg", "rows, not nested values"),
        ("[1, 2]", "[1, 2]", "rows, not nested values"),
        ("{'a': 1}", "{'a': 1}", "rows, not nested values"),
        ("concat(a, b)", "concat", "||"),
        ("hash(customer_key)", "hash()", "shared_sql.py"),
        ("strptime(a, '%Y')", "strptime", "shared_sql.py"),
        ("regexp_matches(a, 'x')", "regexp_matches", "shared_sql.py"),
        ("a::hugeint", "cast to", "bigint"),
        ("a::timestamptz", "cast to timestamptz", "timestamp"),
        ("row_number() over (partition by a)", "without an order", "nulls last"),
        ("row_number() over (partition by a order by b)", "order by b", "nulls first or nulls last"),
        ("sum(n_calls) over (order by a nulls last, b desc)", "order by b desc", "nulls first or nulls last"),
        ("sum(n_calls) over w", "named window", "where it is used"),
        ("arg_max(a, b order by c)", "order by c", "nulls first or nulls last"),
        ("n_calls + ?", "parameter ?", "$name"),
        ("n_calls + $1", "parameter $1", "$name"),
    ],
)
def test_an_expression_that_does_not_cross_is_named_with_its_line_and_remedy(
    expression: str, found: str, remedy: str
) -> None:
    faults = [fault for fault in findings(with_expression(expression)) if found in fault.lower()]
    assert faults, findings(with_expression(expression))
    assert remedy in faults[0]
    assert re.match(r"features/sql/calls_volume\.sql:\d+: ", faults[0]), faults[0]


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("left join calls on", "asof left join calls on", "asof join"),
        ("left join calls on", "right join calls on", "right join"),
        ("left join calls on calls.caller_key = customers.customer_key", "natural join calls", "natural join"),
        ("left join calls on calls.caller_key = customers.customer_key", "positional join calls", "positional join"),
        ("left join calls on calls.caller_key = customers.customer_key", ", calls", "join without a condition"),
        ("group by customers.customer_key", "group by all", "group by all"),
        ("group by customers.customer_key", "group by rollup (customers.customer_key)", "rollup"),
        ("    from per_customer\n", "    from per_customer\n    qualify row_number() over (order by a nulls last) = 1\n", "qualify"),
        ("    from per_customer\n", "    from per_customer using sample 10%\n", "sample"),
        ("    from per_customer\n", "    from per_customer\n    limit 5\n", "limit"),
        ("    select\n        customer_key,\n        n_calls as", "    select distinct on (customer_key)\n        customer_key,\n        n_calls as", "distinct on"),
        ("    select\n        customer_key,\n        may_use_calls\n    from", "    select *\n    from", "select * from table population"),
        ("    select\n        customer_key,\n        may_use_calls\n    from", "    select population.*\n    from", "select * from table population"),
        ("select * from final", "select * exclude (n_missed) from final", "exclude"),
        ("from known_calls", "from read_parquet('calls.parquet')", "as a table"),
        ("from known_calls", "from 'calls.parquet'", "as a table"),
        ("from known_calls", "from lake.known_calls", "schema in"),
        ("with calls as", "with recursive calls as", "with recursive"),
    ],
)  # fmt: skip
def test_a_shape_that_does_not_cross_is_refused(before: str, after: str, found: str) -> None:
    assert before in SOUND
    faults = findings(SOUND.replace(before, after))
    assert any(found in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (SOUND + ";\nselect 1 as a", "holds select, select"),
        ("create table calls_volume as select 1 as a", "holds create"),
        ("drop table calls", "holds drop"),
        ("insert into a select 1 as b", "holds insert"),
        ("", "holds nothing"),
        (SOUND.replace("group by", "grup by"), "does not parse"),
        (SOUND.replace("from per_customer", "from {{ per_customer }}"), ""),
    ],
)
def test_one_file_holds_one_select_and_nothing_else(text: str, found: str) -> None:
    faults = findings(text)
    assert faults
    assert found in faults[0]


@pytest.mark.parametrize(
    ("before", "after", "line", "found"),
    [
        ("-- output: calls_volume", "-- output: volume", 1, "output: calls_volume"),
        ("-- grain: customer_key\n", "", 1, "grain"),
        ("-- reads: known_calls, population\n", "", 1, "reads"),
        ("-- grain: customer_key", "-- grain: customer_key, month", 2, "grain month is no column"),
        ("-- reads: known_calls, population", "-- reads: known_calls", 3, "the text has reads population"),
        ("-- reads: known_calls,", "-- reads: known_calls, surveys,", 3, "head says reads surveys, the text does not"),
        ("as_of, from_30d\n", "as_of\n", 4, "the text has parameters from_30d"),
        ("as_of, from_30d\n", "as_of, from_30d, from_7d\n", 4, "head says parameters from_7d"),
        ("--   n_calls_30d | contacts | null: call data may not be used\n", "", 5, "the select has columns n_calls_30d"),
        ("--   customer_key | key\n", "--   customer_key | key\n--   age | years | never null\n", 5, "columns age"),
        ("--   customer_key | key\n", "--   customer_key | key\n--   customer_key | key\n", 5, "customer_key twice"),
        ("n_calls_30d | contacts | null: call data may not be used", "n_calls_30d |", 7, "n_calls_30d has no unit"),
        ("| contacts | null: call data may not be used", "| contacts", 7, "does not say what null means"),
        ("-- grain: customer_key", "-- kind: view\n-- grain: customer_key", 2, "kind 'view'"),
        ("-- grain: customer_key", "-- grian: x\n-- grain: customer_key", 2, "head says 'grian'"),
    ],
)  # fmt: skip
def test_the_head_is_held_against_the_text(before: str, after: str, line: int, found: str) -> None:
    assert before in SOUND
    faults = [fault for fault in findings(SOUND.replace(before, after)) if found in fault]
    assert faults, findings(SOUND.replace(before, after))
    assert faults[0].startswith(f"features/sql/calls_volume.sql:{line}: ")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("from per_customer\n", "from per_customer\n    left join known_calls on true\n", "final reads a table and does more"),
        ("    from customers\n", "    from population as customers\n", "per_customer reads a table and does more"),
        ("select * from final", "select * from per_customer", "does more than select from the last CTE"),
        ("select * from final", "select * from final where n_calls_30d > 0", "does more than select from the last CTE"),
        ("select * from final", "select final.* from final inner join calls on true", "does more than select"),
        ("final as (", "late as (\n    select customer_key\n    from population\n),\n\nfinal as (", "import late after working CTE per_customer"),
    ],
)  # fmt: skip
def test_layers_are_kept(before: str, after: str, found: str) -> None:
    assert before in SOUND
    faults = findings(SOUND.replace(before, after))
    assert any(found in fault for fault in faults), faults


def test_a_select_from_one_table_needs_no_layers() -> None:
    head = "-- output: calls_volume\n-- kind: ephemeral\n-- grain: a\n-- reads: calls\n-- parameters:\n-- columns:\n--   a | key\n"
    assert findings(f"{head}select a\nfrom calls\n") == []
    joined = findings(f"{head}select calls.a\nfrom calls\ninner join calls as other on other.a = calls.b\n")
    assert any("several tables and no layers" in fault for fault in joined)


def test_stars_are_followed_into_what_they_stand_for() -> None:
    text = "with a as (select x, y as z from t), b as (select a.*, 1 as w from a inner join a as c on true) select * from b"
    tree = parse_one(text, read="duckdb")
    assert isinstance(tree, exp.Select)
    assert output_columns(tree) == ["x", "z", "w"]
    assert tables_read(tree) == ["t"]


# What each allowed function becomes in Spark; names and meanings from the reference of its SQL functions. There nulls
# come first in ascending and last in descending order by default, so sqlglot leaves those words out.
SHARED = [
    ("abs(x)", "ABS(x)"),
    ("ceil(x)", "CEIL(x)"),
    ("exp(x)", "EXP(x)"),
    ("floor(x)", "FLOOR(x)"),
    ("ln(x)", "LN(x)"),
    ("pow(x, 2)", "POWER(x, 2)"),
    ("round(x)", "ROUND(x)"),
    ("sign(x)", "SIGN(x)"),
    ("sqrt(x)", "SQRT(x)"),
    ("greatest(x, y)", "GREATEST(x, y)"),
    ("least(x, y)", "LEAST(x, y)"),
    ("coalesce(x, y)", "COALESCE(x, y)"),
    ("nullif(x, 0)", "NULLIF(x, 0)"),
    ("length(x)", "LENGTH(x)"),
    ("lower(x)", "LOWER(x)"),
    ("upper(x)", "UPPER(x)"),
    ("trim(x)", "TRIM(x)"),
    ("substring(x, 1, 2)", "SUBSTRING(x, 1, 2)"),
    ("starts_with(x, 'a')", "STARTSWITH(x, 'a')"),
    ("hour(t)", "HOUR(t)"),
    ("month(t)", "MONTH(t)"),
    ("year(t)", "YEAR(t)"),
    ("date_trunc('month', t)", "DATE_TRUNC('MONTH', t)"),
    ("epoch(t)", "(UNIX_MICROS(t) / 1e6)"),
    ("epoch_us(t)", "UNIX_MICROS(t)"),
    ("make_timestamp(x)", "TIMESTAMP_MICROS(x)"),
    ("avg(x)", "AVG(x)"),
    ("count(distinct x)", "COUNT(DISTINCT x)"),
    ("count_if(x)", "COUNT_IF(x)"),
    ("sum(x) filter (where y)", "SUM(x) FILTER(WHERE y)"),
    ("min(x)", "MIN(x)"),
    ("max(x)", "MAX(x)"),
    ("median(x)", "MEDIAN(x)"),
    ("arg_max(x, y)", "MAX_BY(x, y) FILTER(WHERE NOT x IS NULL)"),
    ("arg_min(x, y) filter (where z)", "MIN_BY(x, y) FILTER(WHERE z AND NOT x IS NULL)"),
    ("bit_count(bit_or(x))", "BIT_COUNT(BIT_OR(x))"),
    ("bool_and(x)", "BOOL_AND(x)"),
    ("bool_or(x)", "BOOL_OR(x)"),
    ("row_number() over (order by x nulls last)", "ROW_NUMBER() OVER (ORDER BY x NULLS LAST)"),
    ("rank() over (order by x nulls last)", "RANK() OVER (ORDER BY x NULLS LAST)"),
    ("dense_rank() over (order by x desc nulls last)", "DENSE_RANK() OVER (ORDER BY x DESC)"),
    ("lag(x) over (order by y nulls first)", "LAG(x) OVER (ORDER BY y)"),
    ("lead(x, 1) over (order by y nulls first)", "LEAD(x, 1) OVER (ORDER BY y)"),
    ("x // 2", "x DIV 2"),
    ("x is distinct from y", "x IS DISTINCT FROM y"),
    ("x::varchar", "CAST(x AS STRING)"),
    ("try_cast(x as double)", "TRY_CAST(x AS DOUBLE)"),
    ("$as_of", ":as_of"),
]


@pytest.mark.parametrize(("duckdb", "spark"), SHARED)
def test_an_allowed_expression_says_the_same_in_spark(duckdb: str, spark: str) -> None:
    tree = parse_one(f"select {duckdb} as c from t", read="duckdb")
    assert spark_sql(tree) == f"SELECT {spark} AS c FROM t"


def test_every_function_on_the_list_is_in_the_table_above() -> None:
    seen = {
        type(node).__name__
        for duckdb, _ in SHARED
        for node in parse_one(f"select {duckdb}", read="duckdb").walk()
    }
    assert sorted(FUNCTIONS - seen) == []
    assert {name for name in FUNCTIONS | STRUCTURE if not hasattr(exp, name)} == set()
