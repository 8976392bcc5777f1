"""Decides whether every SQL file of the packages is what its head says, in layers, in SQL that two engines share.

It refuses to know what a file computes: tests/sql asks that. `python -m tests.gates.sql` looks at all files.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from sqlglot import exp, parse
from sqlglot.errors import SqlglotError

from churnrisk.errors import ChurnriskError
from churnrisk.store.statements import Statement
from tests.gates.findings import Finding, report
from tests.gates.shared_sql import line_of, refusals, spark_sql

ROOT = Path(__file__).parents[2]
PACKAGES = ("churnrisk", "features", "training", "scoring")
HEAD_KEYS = frozenset({"output", "kind", "grain", "reads", "parameters", "columns"})
KINDS = frozenset({"table", "ephemeral"})
KEY_UNITS = frozenset({"key"})


def sql_files(root: Path = ROOT) -> list[Path]:
    return sorted(path for package in PACKAGES for path in (root / package).rglob("*.sql"))


def sql_findings(text: str, name: str, file: str) -> list[Finding]:
    """Faults of one file: ``name`` is what it is called without its ending, ``file`` how to name it in messages."""
    try:
        statements = [tree for tree in parse(text, read="duckdb") if tree is not None]
    except SqlglotError as error:
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]
        return [Finding(file, None, f"does not parse as DuckDB's SQL: {message}", "mend the syntax")]
    if len(statements) != 1 or not isinstance(statements[0], exp.Select):
        kinds = ", ".join(type(tree).__name__.lower() for tree in statements) or "nothing"
        return [Finding(file, None, f"holds {kinds}", "one file holds one select, and no other statement")]
    tree = statements[0]
    found = [Finding(file, *fault) for fault in (*_head_faults(text, name, tree), *_layer_faults(tree, text))]
    found += [Finding(file, refusal.line, refusal.found, refusal.remedy) for refusal in refusals(tree, text)]
    try:
        spark_sql(tree)
    except SqlglotError as error:
        found.append(
            Finding(file, None, f"Spark cannot: {str(error).splitlines()[0]}", "write what both engines read")
        )
    return sorted(set(found), key=lambda f: (f.line or 0, f.found))


Fault = tuple[int | None, str, str]


def _head_faults(text: str, name: str, tree: exp.Select) -> Iterator[Fault]:
    try:
        head = Statement.parse(text, name)
    except ChurnriskError as error:
        yield 1, f"head: {error}", "output, grain, reads, parameters and columns, in comments at the top"
        return
    keys = [line.removeprefix("--").split(":")[0].strip() for line in _head_lines(text) if "|" not in line]
    for key in sorted(set(keys) - HEAD_KEYS):
        yield (
            _head_line(text, key),
            f"head says {key!r}",
            f"the head's words are {', '.join(sorted(HEAD_KEYS))}",
        )
    kind = re.search(r"^-- kind:\s*(.*?)\s*$", text, re.MULTILINE)
    if kind and kind[1] not in KINDS:
        yield _head_line(text, "kind"), f"kind {kind[1]!r}", "table or ephemeral"
    columns = [column.name for column in head.columns]
    yield from _differences(text, "columns", columns, output_columns(tree), "select")
    yield from _differences(text, "parameters", head.parameters, parameters(tree), "text")
    yield from _differences(text, "reads", head.reads, tables_read(tree), "text")
    for key in head.grain:
        if key not in columns:
            yield (
                _head_line(text, "grain"),
                f"grain {key} is no column",
                "the grain is made of output columns",
            )
    for column in head.columns:
        if not column.unit:
            yield (
                _head_line(text, column.name),
                f"column {column.name} has no unit",
                "name | unit | null: meaning",
            )
        elif not column.null_meaning and column.name not in head.grain and column.unit not in KEY_UNITS:
            remedy = "| null: what null says, or | never null"
            yield _head_line(text, column.name), f"column {column.name} does not say what null means", remedy


def _differences(
    text: str, key: str, declared: Sequence[str], real: Sequence[str], where: str
) -> Iterator[Fault]:
    for name in sorted({name for name in declared if declared.count(name) > 1}):
        yield _head_line(text, key), f"head says {key} {name} twice", "once"
    for name in sorted(set(declared) - set(real)):
        yield (
            _head_line(text, key),
            f"head says {key} {name}, the {where} does not",
            "take it out of the head, or use it",
        )
    for name in sorted(set(real) - set(declared)):
        yield (
            _head_line(text, key),
            f"the {where} has {key} {name}, the head does not",
            f"add it to the head's {key}",
        )


def _head_lines(text: str) -> list[str]:
    lines = text.splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    return lines[:end]


def _head_line(text: str, word: str) -> int:
    pattern = re.compile(rf"^--\s*{re.escape(word)}\b")
    return next((n for n, line in enumerate(_head_lines(text), start=1) if pattern.match(line)), 1)


def output_columns(tree: exp.Select) -> list[str]:
    """Names of the columns of the select, stars followed into the common table expressions they stand for."""
    ctes = {cte.alias: cte.this for cte in tree.ctes}

    def names(query: exp.Expr | None) -> list[str]:
        if isinstance(query, exp.Subquery | exp.Union):
            return names(query.this)
        if not isinstance(query, exp.Select):
            return []
        out: list[str] = []
        for item in query.expressions:
            out += star_names(query, item) if item.is_star else [item.alias_or_name]
        return out

    def star_names(query: exp.Select, item: exp.Expr) -> list[str]:
        wanted = item.table if isinstance(item, exp.Column) else ""
        sources = [query.args["from_"].this, *(join.this for join in query.args.get("joins") or ())]
        out: list[str] = []
        for source in sources:
            if not wanted or source.alias_or_name == wanted:
                out += names(ctes.get(source.name) if isinstance(source, exp.Table) else source)
        return out

    return names(tree)


def parameters(tree: exp.Expr) -> list[str]:
    return list(
        dict.fromkeys(parameter.name for parameter in tree.find_all(exp.Placeholder) if parameter.this)
    )


def tables_read(tree: exp.Expr) -> list[str]:
    ctes = {cte.alias for cte in tree.find_all(exp.CTE)}
    return list(dict.fromkeys(table.name for table in tree.find_all(exp.Table) if table.name not in ctes))


def _layer_faults(tree: exp.Select, text: str) -> Iterator[Fault]:
    """Import CTEs read one table each and come first; working CTEs join them; the last line selects from the last."""
    ctes = list(tree.ctes)
    names = {cte.alias for cte in ctes}
    for select in tree.find_all(exp.Select):
        yield from _base_star(select, names, text)
    if not ctes:
        if len(tables_read(tree)) != 1 or tree.args.get("joins") or tree.find(exp.Subquery, exp.Exists):
            yield (
                None,
                "several tables and no layers",
                "import CTEs, working CTEs, a last CTE, select from it",
            )
        return
    working: str | None = None
    for cte in ctes:
        if not tables_read_by(cte, names):
            working = working or cte.alias
        elif not is_import(cte.this):
            remedy = "an import CTE reads one table, alone; join what it gives in a working CTE"
            yield line_of(cte, text), f"{cte.alias} reads a table and does more", remedy
        elif working:
            yield (
                line_of(cte, text),
                f"import {cte.alias} after working CTE {working}",
                "import CTEs come first",
            )
    source = tree.args["from_"].this if tree.args.get("from_") else None
    is_plain = not any(
        tree.args.get(key) for key in ("joins", "where", "group", "having", "distinct", "qualify")
    )
    if not is_plain or not isinstance(source, exp.Table) or source.name != ctes[-1].alias:
        yield (
            None,
            "the last line does more than select from the last CTE",
            f"select ... from {ctes[-1].alias}",
        )


def tables_read_by(cte: exp.CTE, ctes: set[str]) -> list[str]:
    return [table.name for table in cte.find_all(exp.Table) if table.name not in ctes]


def is_import(query: exp.Expr) -> bool:
    """Whether a query takes rows and columns from one table and does nothing that needs another.

    The same table may be taken twice, one below the other: calls by caller, calls by callee.
    """
    if isinstance(query, exp.Union):
        tables = {table.name for table in query.find_all(exp.Table)}
        return len(tables) == 1 and is_import(query.this) and is_import(query.expression)
    alone = (
        isinstance(query, exp.Select)
        and not query.args.get("joins")
        and not query.find(exp.Subquery, exp.Exists)
    )
    return alone and sum(1 for _ in query.find_all(exp.Table)) == 1


def _base_star(select: exp.Select, ctes: set[str], text: str) -> Iterator[Fault]:
    if not any(item.is_star and not isinstance(item, exp.Count) for item in select.expressions):
        return
    sources = [select.args["from_"].this, *(join.this for join in select.args.get("joins") or ())]
    for source in sources:
        if isinstance(source, exp.Table) and source.name not in ctes:
            remedy = "name the columns: a table may get more of them"
            yield line_of(source, text), f"select * from table {source.name}", remedy


def main(root: Path = ROOT) -> int:
    files = sql_files(root)
    findings = [
        finding
        for path in files
        for finding in sql_findings(path.read_text(encoding="utf-8"), path.stem, str(path.relative_to(root)))
    ]
    return report("sql", findings, f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
