"""Which SQL the packages may write: what DuckDB and Spark read alike. A list of what is allowed, on the syntax tree.

It knows nothing of heads, files and layers (tests.gates.sql). What is not listed is refused; where a better form is
known, the refusal names it. Spark texts are produced here too, with the differences that sqlglot does not see made up.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import dataframely as dy
from sqlglot import ErrorLevel, exp, tokenize
from sqlglot.tokenizer_core import Token, TokenType

from churnrisk.tables.contracts import Source


@dataclass(frozen=True)
class Refusal:
    """One construct that may not stand in a file, where, and what to write instead."""

    line: int | None
    found: str
    remedy: str


STRUCTURE = frozenset(
    "Select With CTE TableAlias Subquery Union From Join Where Group Having Order Ordered Distinct Star "
    "Table Identifier Column Alias Literal Null Boolean Placeholder Var Paren "
    "And Or Not EQ NEQ LT LTE GT GTE NullSafeEQ NullSafeNEQ Is Between Like In Exists Case If "
    "Add Sub Mul Div IntDiv Mod Neg DPipe Cast TryCast DataType DataTypeParam Window WindowSpec Filter".split()
)
FUNCTIONS = frozenset(
    "Abs Ceil Exp Floor Ln Pow Round Sign Sqrt Greatest Least Coalesce Nullif "
    "Length Lower Upper Trim Substring StartsWith "
    "Hour Month Year TimestampTrunc TimeToUnix UnixToTime "
    "Avg Count CountIf Sum Min Max Median ArgMax ArgMin LogicalAnd LogicalOr BitwiseOrAgg "
    "RowNumber Rank DenseRank Lag Lead".split()
)
# DuckDB's name, which sqlglot does not know, and Spark's.
RENAMED = {"EPOCH_US": "UNIX_MICROS", "BIT_COUNT": "BIT_COUNT"}
CAST_TYPES = frozenset("BOOLEAN SMALLINT INT BIGINT DOUBLE VARCHAR TEXT DATE TIMESTAMP DECIMAL".split())
JOINS = frozenset({"", "INNER", "LEFT", "FULL", "SEMI", "ANTI", "CROSS"})

CLOCK = "pass the instant as a parameter: Python does the calendar"
DAYS = "count integer days: epoch_us(t) // 86400000000"
SUMS = "combine sums of integers: sum(x), sum(x * x), count(x)"
REMEDIES = {
    **dict.fromkeys(
        "CurrentDate CurrentTime CurrentTimestamp NOW TODAY GET_CURRENT_TIMESTAMP TRANSACTION_TIMESTAMP".split(),
        CLOCK,
    ),
    **dict.fromkeys(
        "Interval DateAdd DATE_ADD TsOrDsAdd".split(), "compare half-open bounds that Python computed"
    ),
    **dict.fromkeys("DateDiff DATE_DIFF DATE_SUB DATESUB DATEDIFF DateSub AGE".split(), DAYS),
    **dict.fromkeys(
        "DayOfWeek DayOfWeekIso DayOfMonth DayOfYear Extract DATE_PART WEEKDAY Week Quarter".split(),
        "0-based in one, 1-based in the other: take integer day numbers, epoch_us(t) // 86400000000, modulo 7",
    ),
    **dict.fromkeys("EPOCH_MS EPOCH_NS".split(), "epoch_us()"),
    **dict.fromkeys("Rand Randn Uuid SETSEED".split(), "randomness is seeded, in Python, by hash of the id"),
    **dict.fromkeys(
        "First Last FirstValue LastValue AnyValue IgnoreNulls Mode".split(),
        "rows have no order: arg_max(x, when) or arg_min(x, when), with an order that has no ties",
    ),
    **dict.fromkeys(
        "Quantile PercentileCont PercentileDisc WithinGroup".split(), "median(), or rank and pick"
    ),
    **dict.fromkeys(
        "Stddev StddevSamp StddevPop Variance VariancePop Corr CovarPop CovarSamp RegrSlope".split(), SUMS
    ),
    **dict.fromkeys(
        "ArrayAgg GroupConcat Explode Array Struct Bracket Lambda".split(), "rows, not nested values"
    ),
    "Concat": "||, which is null when a part is: say coalesce where that is not meant",
    "Qualify": "a working CTE with row_number(), and where in the next one",
    "TableSample": "sampling is by hash of the id, in Python",
    "Limit": "row_number() with a total order, and where",
    "Tuple": "one column at a time",
    "Parameter": "a named parameter: $name",
    "ReadParquet": "name the table in the head's reads; Python says where it is",
    "ReadCSV": "name the table in the head's reads; Python says where it is",
    "Lateral": "a join with its condition",
    "Window": "over (partition by ... order by ... nulls last)",
}
ELSE = "write it with what DuckDB and Spark share (tests/gates/shared_sql.py holds the list)"

INTEGERS = frozenset("TINYINT SMALLINT INT BIGINT".split())
# What the contracts of the sources declare to have a fraction; what a file makes out of it is followed by name.
DOUBLE_COLUMNS = frozenset(
    name
    for source in Source.__subclasses__()
    for name, column in source.columns().items()
    if isinstance(column, dy.Float64)
)
DOUBLE_RESULTS = (exp.Div, exp.Ln, exp.Exp, exp.Pow, exp.Sqrt, exp.Avg, exp.Median, exp.TimeToUnix)
WHOLE_RESULTS = (
    exp.Floor,
    exp.Ceil,
    exp.Round,
    exp.Sign,
    exp.Count,
    exp.CountIf,
    exp.Subquery,
    exp.Predicate,
)
CARRIES_FIRST = (
    exp.Window,
    exp.Filter,
    exp.Nullif,
    exp.ArgMax,
    exp.ArgMin,
    exp.Lag,
    exp.Lead,
    exp.Alias,
    exp.Distinct,
)


def refusals(tree: exp.Expr, text: str) -> list[Refusal]:
    """Everything in one parsed file that the two engines would read differently, or one of them not at all."""
    doubles = double_names(tree)
    found = list(_orders_without_nulls(text))
    for node in tree.walk():
        found += [Refusal(line_of(node, text), what, remedy) for what, remedy in _complaints(node, doubles)]
    return found


def spark_sql(tree: exp.Expr) -> str:
    """The file as Spark reads it; raises sqlglot's UnsupportedError when it cannot be said.

    Beyond sqlglot: epoch_us is called otherwise, epoch keeps its fraction, and arg_max passes over nulls.
    """
    return tree.copy().transform(_as_spark).sql("spark", unsupported_level=ErrorLevel.RAISE, comments=False)


def line_of(node: exp.Expr, text: str) -> int | None:
    """Line on which a node stands, as nearly as is known: its own, a part's, a word's, a parent's."""
    for part in node.walk():
        if "start" in part.meta:
            return text.count("\n", 0, part.meta["start"]) + 1
    words = [word for word in re.split(r"\W+", node.sql("duckdb").lower()) if word]
    if words and (hit := re.search(rf"^(?!\s*--).*\b{words[0]}\b", text, re.IGNORECASE | re.MULTILINE)):
        return text.count("\n", 0, hit.start()) + 1
    return line_of(node.parent, text) if node.parent else None


def double_names(tree: exp.Expr) -> frozenset[str]:
    """Names of columns that are floating somewhere in the file."""
    names = set(DOUBLE_COLUMNS)
    while True:
        more = {
            node.alias.lower() for node in tree.find_all(exp.Alias) if is_double(node.this, names)
        } - names
        if not more:
            return frozenset(names)
        names |= more


def is_double(node: exp.Expr | None, doubles: Iterable[str]) -> bool:
    """Whether a value may have a fraction; a cast or a rounding settles it, a name tells it, the rest inherits it."""
    if node is None or isinstance(node, (*WHOLE_RESULTS, exp.Not, exp.And, exp.Or)):
        return False
    if isinstance(node, exp.Cast | exp.TryCast):
        return node.to.this in {exp.DType.DOUBLE, exp.DType.FLOAT}
    if isinstance(node, exp.Column):
        return node.name.lower() in doubles
    if isinstance(node, exp.Literal):
        return not node.is_string and "e" in node.name.lower()
    return isinstance(node, DOUBLE_RESULTS) or any(is_double(part, doubles) for part in _values(node))


def _values(node: exp.Expr) -> list[exp.Expr | None]:
    """The parts of an expression that its value is made of, conditions and orders left out."""
    if isinstance(node, exp.Case):
        return [*(branch.args.get("true") for branch in node.args["ifs"]), node.args.get("default")]
    if isinstance(node, exp.If):
        return [node.args.get("true"), node.args.get("false")]
    if isinstance(node, CARRIES_FIRST):
        return [node.this, *node.args.get("expressions", ())]
    return list(node.iter_expressions())


def _complaints(node: exp.Expr, doubles: frozenset[str]) -> Iterator[tuple[str, str]]:
    kind = type(node).__name__
    if isinstance(node, exp.Anonymous):
        name = node.name.upper()
        if name not in RENAMED:
            yield f"function {name.lower()}()", REMEDIES.get(name, ELSE)
    elif kind not in STRUCTURE | FUNCTIONS:
        what = "function" if isinstance(node, exp.Func) else "construct"
        yield f"{what} {_spoken(node)}", REMEDIES.get(kind, ELSE)
    if type(node) in _CHECKS:
        yield from _CHECKS[type(node)](node, doubles)


def _spoken(node: exp.Expr) -> str:
    text = " ".join(node.sql("duckdb", comments=False).lower().split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _join(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    assert isinstance(node, exp.Join)
    if node.method:
        yield (
            f"{node.method.lower()} join",
            "max + arg_max for the last value before a date; otherwise join ... on",
        )
    if node.side not in {"", "LEFT", "FULL"} or node.kind not in JOINS:
        yield (
            f"{node.side or node.kind} join".lower(),
            "join, left join, full join, semi join, anti join or cross join",
        )
    if not (node.args.get("on") or node.args.get("using")) and node.kind != "CROSS":
        yield "join without a condition", "join ... on, or say cross join"


def _group(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if any(node.args.get(key) for key in ("all", "cube", "rollup", "grouping_sets", "totals")):
        yield "group by all, cube, rollup or grouping sets", "name the columns"


def _select(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    for key in ("pivots", "connect", "laterals", "windows", "into", "sample", "offset", "hint", "kind"):
        if node.args.get(key):
            yield f"{key} in a select", ELSE


def _union(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.args.get("by_name"):
        yield "union by name", "union all with the columns in the same order"


def _with(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.args.get("recursive"):
        yield "with recursive", "graphs are walked in features/ties"


def _distinct(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.args.get("on"):
        yield "distinct on", "row_number() with a total order, and where"


def _star(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if any(node.args.get(key) for key in ("except_", "except", "replace", "rename")):
        yield "select * with exclude, replace or rename", "name the columns"


def _table(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    assert isinstance(node, exp.Table)
    if not isinstance(node.this, exp.Identifier) or not re.fullmatch(r"[a-z_][a-z0-9_]*", node.name):
        yield f"{_spoken(node)} as a table", REMEDIES["ReadParquet"]
    elif node.db:
        yield f"schema in {_spoken(node)}", "the bare name: Python says where a table is"
    for key in ("sample", "pivots", "version", "when", "ordinality"):
        if node.args.get(key):
            yield f"{key} of a table", REMEDIES["TableSample"] if key == "sample" else ELSE


def _cast(node: exp.Expr, doubles: frozenset[str]) -> Iterator[tuple[str, str]]:
    assert isinstance(node, exp.Cast | exp.TryCast)
    target = node.to.this
    name = target.name if isinstance(target, exp.DType) else str(target)
    if name not in CAST_TYPES:
        yield f"cast to {name.lower()}", f"one of {', '.join(sorted(kind.lower() for kind in CAST_TYPES))}"
    if name in INTEGERS and is_double(node.this, doubles):
        yield f"{_spoken(node)} of a double", "DuckDB rounds, Spark truncates: floor(...)::bigint"


def _literal(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if not node.args.get("is_string") and "." in node.name and "e" not in node.name.lower():
        above = node.parent.parent if isinstance(node.parent, exp.Neg) else node.parent
        if not isinstance(above, exp.Cast):
            yield f"{node.name} is a decimal", f"{node.name}::double, or a decimal type by name"


def _division(node: exp.Expr, doubles: frozenset[str]) -> Iterator[tuple[str, str]]:
    divisor = node.expression.unnest()
    constant = divisor.unnest() if not isinstance(divisor, exp.Cast) else divisor.this.unnest()
    is_constant = isinstance(constant, exp.Literal) and not constant.is_string and float(constant.name) != 0
    if not is_constant and not divisor.find(exp.Nullif):
        yield (
            f"division by {_spoken(divisor)}",
            "divide through nullif(..., 0): 1/0 is inf in DuckDB, null in Spark",
        )
    if isinstance(node, exp.IntDiv) and any(is_double(side, doubles) for side in (node.this, divisor)):
        yield "// of doubles", "floor(a / nullif(b, 0))::bigint"


def _sum(node: exp.Expr, doubles: frozenset[str]) -> Iterator[tuple[str, str]]:
    name = type(node).__name__.lower()
    if isinstance(node.this, exp.Predicate | exp.Not | exp.And | exp.Or):
        yield f"{name} of a condition", "count_if(...), or count(*) filter (where ...)"
    elif is_double(node.this, doubles):
        yield (
            f"{name} of doubles ({_spoken(node.this)})",
            "its last bits differ from run to run: sum integers (minor units, microseconds) or decimals",
        )


def _subtraction(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    sides = (node.this, node.expression)
    if any(isinstance(side.unnest(), exp.Cast) and side.unnest().to.this == exp.DType.DATE for side in sides):
        yield f"difference of dates ({_spoken(node)})", DAYS


def _window(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    ranked = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.Lag, exp.Lead)
    if isinstance(node.this, ranked) and not node.args.get("order"):
        yield f"{_spoken(node.this)} without an order", "order by ... nulls last, down to a unique column"
    if node.args.get("alias"):
        yield "named window", "write the window where it is used"


def _parameter(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.name == "?" or node.name.isdigit():
        yield f"parameter {_spoken(node)}", REMEDIES["Parameter"]


def _epoch(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.args.get("format"):
        yield _spoken(node), ELSE


def _make_timestamp(node: exp.Expr, _: frozenset[str]) -> Iterator[tuple[str, str]]:
    if node.args.get("scale") != exp.UnixToTime.MICROS:
        yield _spoken(node), "epoch_us(t) to read microseconds, make_timestamp(us) to write them"


_CHECKS: dict[type[exp.Expr], Callable[[exp.Expr, frozenset[str]], Iterator[tuple[str, str]]]] = {
    exp.Join: _join,
    exp.Group: _group,
    exp.Select: _select,
    exp.Union: _union,
    exp.With: _with,
    exp.Distinct: _distinct,
    exp.Star: _star,
    exp.Table: _table,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Literal: _literal,
    exp.Div: _division,
    exp.IntDiv: _division,
    exp.Mod: _division,
    exp.Sum: _sum,
    exp.Avg: _sum,
    exp.Sub: _subtraction,
    exp.Window: _window,
    exp.Placeholder: _parameter,
    exp.TimeToUnix: _epoch,
    exp.UnixToTime: _make_timestamp,
}


def _as_spark(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Anonymous) and node.name.upper() in RENAMED:
        return exp.Anonymous(this=RENAMED[node.name.upper()], expressions=node.expressions)
    if isinstance(node, exp.TimeToUnix):
        micros = exp.Anonymous(this=RENAMED["EPOCH_US"], expressions=[node.this])
        return exp.Paren(
            this=exp.Div(this=micros, expression=exp.Literal.number("1e6"), typed=False, safe=False)
        )
    if isinstance(node, exp.ArgMax | exp.ArgMin) and not isinstance(node.parent, exp.Filter):
        return exp.Filter(this=node.copy(), expression=exp.Where(this=_is_present(node.this)))
    if isinstance(node, exp.Filter) and isinstance(node.this, exp.ArgMax | exp.ArgMin):
        node.expression.set("this", exp.and_(node.expression.this, _is_present(node.this.this)))
    return node


def _is_present(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=value.copy(), expression=exp.Null()))


def _orders_without_nulls(text: str) -> Iterator[Refusal]:
    tokens = tokenize(text, read="duckdb")
    for start, token in enumerate(tokens):
        if token.token_type == TokenType.ORDER_BY:
            for item in _order_items(tokens[start + 1 :]):
                if [part.text.upper() for part in item[-2:]] not in (["NULLS", "FIRST"], ["NULLS", "LAST"]):
                    spoken = " ".join(part.text for part in item)
                    line = text.count("\n", 0, item[0].start) + 1
                    yield Refusal(line, f"order by {spoken}", "nulls first or nulls last, always")


def _order_items(tokens: list[Token]) -> Iterator[list[Token]]:
    item: list[Token] = []
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        ends = depth == 0 and token.text.upper() in {"ROWS", "RANGE", "GROUPS", "LIMIT", "OFFSET", "UNION"}
        if depth < 0 or ends or token.token_type == TokenType.SEMICOLON:
            break
        if depth == 0 and token.token_type == TokenType.COMMA:
            yield item
            item = []
        else:
            item.append(token)
    if item:
        yield item
