"""Whatever people can type, set, read or get back has a place in the docs and a test that names it."""

import re
from collections.abc import Iterable
from functools import cache

import pytest
import typer
from pydantic import BaseModel

from churnrisk.cli import app
from churnrisk.config import Config, SourceSettings
from churnrisk.errors import EXIT_CODES, ChurnriskError
from churnrisk.tables.contracts import RECORDED_TABLES, SOURCE_TABLES
from churnrisk.tables.files import FILES
from churnrisk.tables.published import PUBLISHED
from features.catalogue import catalogue
from features.ties.names import tie_features
from tests.gates.sql import ROOT, sql_files

DOCS = ROOT / "churnrisk" / "docs"
TESTS = ROOT / "tests"


@cache
def words_of_tests() -> frozenset[str]:
    """Every word in the tests and in the configurations that they use, but for the gates and for these meta-tests."""
    paths = [path for kind in ("*.py", "*.toml") for path in TESTS.rglob(kind)]
    read = [path.read_text("utf-8") for path in paths if path.parent.name not in {"arch", "gates"}]
    return frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", "\n".join(read)))


@cache
def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def untested(names: Iterable[str]) -> list[str]:
    return sorted(set(names) - words_of_tests())


def commands() -> dict[str, list[str]]:
    """Options of every command, as typed."""
    group = typer.main.get_command(app)
    assert hasattr(group, "commands")
    return {
        name: [
            word
            for part in (command, *getattr(command, "commands", {}).values())
            for option in part.params
            for word in option.opts
            if word.startswith("--") and word != "--help"
        ]
        for name, command in group.commands.items()
    }


def keys(table: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in table.model_fields.items()]


def settings() -> dict[str, list[str]]:
    """Keys of every table of churnrisk.toml, as typed."""
    tables = {
        name: keys(field.annotation)
        for name, field in Config.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
    }
    return {**tables, "sources.NAME": keys(SourceSettings)}


def errors(kind: type[ChurnriskError] = ChurnriskError) -> list[type[ChurnriskError]]:
    below = [error for child in kind.__subclasses__() for error in (child, *errors(child))]
    return [error for error in below if error.__module__ == "churnrisk.errors"]


def test_every_sql_file_is_run_by_a_test() -> None:
    """Named in a test, or one of a package whose files tests/sql runs one and all."""
    texts = "\n".join(path.read_text("utf-8") for path in (TESTS / "sql").rglob("*.py"))
    whole = set(re.findall(r'statements_in\("(\w+)"\)', texts))
    alone = [path for path in sql_files() if path.relative_to(ROOT).parts[0] not in whole]
    assert untested(path.stem for path in alone) == []


def test_every_command_has_a_heading_its_options_and_a_test() -> None:
    said = commands()
    assert [name for name in said if f"## churnrisk {name}\n" not in page("commands.md")] == []
    assert [word for words in said.values() for word in words if f"`{word}`" not in page("commands.md")] == []
    assert untested(said) == []


def test_every_setting_has_a_row_and_a_test() -> None:
    said = settings()
    assert [name for name in said if f"## [{name}]\n" not in page("settings.md")] == []
    assert [key for keys in said.values() for key in keys if f"| `{key}` |" not in page("settings.md")] == []
    assert untested(key for keys in said.values() for key in keys) == []


def test_every_exit_code_has_a_row_and_its_error_a_test() -> None:
    assert [code for code in EXIT_CODES if f"| {code} |" not in page("commands.md")] == []
    assert {error.exit_code for error in errors()} | {0, 1} == set(EXIT_CODES)
    assert untested(error.__name__ for error in errors()) == []


@pytest.mark.parametrize(
    "tables",
    [SOURCE_TABLES, RECORDED_TABLES, PUBLISHED, FILES],
    ids=["sources", "recorded", "published", "files"],
)
def test_every_table_has_a_heading_and_a_test(tables: dict[str, object]) -> None:
    headings = re.findall(r"^#+ .*$", page("tables.md"), re.MULTILINE)
    assert [name for name in tables if not any(re.search(rf"\b{name}\b", line) for line in headings)] == []
    assert untested(tables) == []


def test_every_feature_has_a_row_and_a_test() -> None:
    """Those of ties come from one list, which their tests and their slow twin walk through; the others are named."""
    names = [feature.name for feature in catalogue()]
    assert names
    assert [name for name in names if f"`{name}`" not in page("features.md")] == []
    tested = words_of_tests()
    assert "tie_features" in tested
    alone = set(names) - {feature.name for feature in tie_features()}
    members = {name: re.compile(re.sub(r"\\\{\w+\\\}", "[a-z0-9_]+", re.escape(name))) for name in alone}
    assert sorted(name for name, member in members.items() if not any(map(member.fullmatch, tested))) == []


def test_every_test_that_the_docs_name_is_there() -> None:
    named = {
        path
        for file in DOCS.rglob("*.md")
        for path in re.findall(r"`(tests/[\w/]+\.py)`", file.read_text("utf-8"))
    }
    assert len(named) > 10
    assert sorted(path for path in named if not (ROOT / path).is_file()) == []
