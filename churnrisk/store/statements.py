"""SQL files: one file holds one select named after its output, with a head that a machine reads.

It decides what a head may say and how statements that stand in for tables are woven in; it refuses to know what any
statement computes.

The head is a block of comments::

    -- output: calls_volume
    -- kind: table                      (or: ephemeral, woven into its readers as a common table expression)
    -- grain: customer_key
    -- reads: known_calls, population
    -- parameters: as_of, from_30d
    -- columns:
    --   customer_key | key
    --   n_calls_out_30d | contacts | null: call data may not be used
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from importlib.resources.abc import Traversable

from ..errors import ChurnriskError, Fault


class StatementError(ChurnriskError):
    """A SQL file of ours breaks its own rules: a bug (exit 1)."""


@dataclass(frozen=True)
class Column:
    """One output column: its name, its unit, and what null means."""

    name: str
    unit: str
    null_meaning: str


@dataclass(frozen=True)
class Statement:
    """One select with its head; ``sql`` is the text as written."""

    output: str
    grain: tuple[str, ...]
    reads: tuple[str, ...]
    parameters: tuple[str, ...]
    columns: tuple[Column, ...]
    sql: str
    is_ephemeral: bool = False
    woven: tuple[Statement, ...] = field(default=())

    @classmethod
    def parse(cls, text: str, name: str) -> Statement:
        """Read a statement from the text of ``name``; raise StatementError when its head is incomplete."""
        head, columns = _head(text)
        missing = [key for key in ("output", "grain", "reads", "parameters") if key not in head]
        if missing or not columns or head.get("output") != name:
            raise StatementError(
                Fault(
                    code="sql_head",
                    where=f"{name}.sql",
                    expected=f"a head with output: {name}, grain, reads, parameters and columns",
                    found=f"{sorted(head)} with {len(columns)} columns",
                    remedy="Complete the comments at the top of the file.",
                )
            )
        return cls(
            output=head["output"],
            grain=_names(head["grain"]),
            reads=_names(head["reads"]),
            parameters=_names(head["parameters"]),
            columns=tuple(columns),
            sql=text,
            is_ephemeral=head.get("kind", "table") == "ephemeral",
        )

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that must exist to run it: what it and its woven statements read, woven names left out."""
        woven = {statement.output for statement in self.woven}
        names = [name for part in (*self.woven, self) for name in part.reads if name not in woven]
        return tuple(dict.fromkeys(names))

    @property
    def all_parameters(self) -> tuple[str, ...]:
        """The parameters of the statement and of everything woven in, in order of first use."""
        return tuple(dict.fromkeys(name for part in (*self.woven, self) for name in part.parameters))

    @property
    def runnable(self) -> str:
        """The text to run: the woven statements as common table expressions before the statement itself."""
        if not self.woven:
            return self.sql
        parts = ",\n".join(f"{part.output} as (\n{part.sql}\n)" for part in self.woven)
        return f"with {parts}\nselect * from (\n{self.sql}\n) as {self.output}_rows"


def statements_in(package: str, folder: str = "sql") -> dict[str, Statement]:
    """Return every statement in a package's folder by name, ephemeral ones woven into their readers.

    Order of the result: a statement comes after the statements it reads.
    """
    found = {path.name.removesuffix(".sql"): path for path in _sql_files(files(package) / folder)}
    parsed = {name: Statement.parse(path.read_text("utf-8"), name) for name, path in sorted(found.items())}
    return woven_statements(parsed)


def woven_statements(parsed: Mapping[str, Statement]) -> dict[str, Statement]:
    """Weave ephemeral statements into the readers among ``parsed`` and order them so that readers come later."""
    done: dict[str, Statement] = {}

    def visit(name: str, path: tuple[str, ...]) -> None:
        if name in done or name not in parsed:
            return
        if name in path:
            raise StatementError(
                Fault(
                    "sql_cycle",
                    f"{name}.sql",
                    "no circle of reads",
                    " > ".join((*path, name)),
                    "Break the circle.",
                )
            )
        statement = parsed[name]
        for read in statement.reads:
            visit(read, (*path, name))
        woven: dict[str, Statement] = {}
        for read in statement.reads:
            if read in done and done[read].is_ephemeral:
                woven |= {part.output: part for part in done[read].woven}
                woven[read] = parsed[read]
        done[name] = Statement(
            statement.output,
            statement.grain,
            statement.reads,
            statement.parameters,
            statement.columns,
            statement.sql,
            statement.is_ephemeral,
            tuple(woven.values()),
        )

    for name in parsed:
        visit(name, ())
    return done


def _sql_files(folder: Traversable) -> Iterable[Traversable]:
    return [path for path in folder.iterdir() if path.name.endswith(".sql")] if folder.is_dir() else []


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _head(text: str) -> tuple[dict[str, str], list[Column]]:
    head: dict[str, str] = {}
    columns: list[Column] = []
    in_columns = False
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        body = line.removeprefix("--").strip()
        if in_columns and "|" in body:
            name, unit, null_meaning = ([part.strip() for part in body.split("|")] + ["", ""])[:3]
            columns.append(Column(name, unit, null_meaning))
        elif ":" in body:
            key, value = body.split(":", 1)
            in_columns = key.strip() == "columns"
            head[key.strip()] = value.strip()
    return head, columns
