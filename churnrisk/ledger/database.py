"""Which database holds the ledger, how it is spoken to, and that its tables are those this code knows.

It decides URL, settings of a connection and migrations, and refuses to know what the tables hold. Faults never tell
the URL: it holds a password.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError

from ..config import CONFIG_NAME
from ..errors import ConfigError, Fault, WorkspaceBusy
from ..logs import logger
from .schema import REVISION

WHERE = f"{CONFIG_NAME} [operations] url"

PATIENCE_S = 30
"""So long a writer waits for another one before it gives up. A guess."""

LOCK_KEY = 7_211_431_905
"""The advisory lock of PostgreSQL that writers of a ledger hold: any number, as long as it is always this one."""

MIGRATIONS = Path(__file__).parent / "migrations"


def opened_engine(url: str) -> Engine:
    """Return an engine for SQLite or PostgreSQL; raise ConfigError for another URL, or when the driver is missing."""
    parsed = _parsed(url)
    try:
        engine = create_engine(parsed, poolclass=NullPool, connect_args=_connect_arguments(parsed))
    except (ModuleNotFoundError, ImportError) as error:
        raise ConfigError(
            Fault(
                code="driver_missing",
                where=WHERE,
                expected="psycopg, the driver of PostgreSQL",
                found="not installed",
                remedy="Install it: pip install 'churnrisk[postgres]'.",
            )
        ) from error
    if parsed.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin)
    return engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, NoSuchModuleError) as error:
        raise ConfigError(_url_fault("no URL")) from error
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and parsed.database:
        return parsed.set(drivername="sqlite+pysqlite")
    raise ConfigError(_url_fault(f"one of {backend}"))


def _url_fault(found: str) -> Fault:
    return Fault(
        code="ledger_url_unknown",
        where=WHERE,
        expected="a URL of PostgreSQL (postgresql://user:password@host/name) or SQLite (sqlite:///path)",
        found=found,
        remedy="Correct the variable that [operations] url names.",
    )


def _connect_arguments(url: URL) -> dict[str, Any]:
    return {"timeout": PATIENCE_S} if url.get_backend_name() == "sqlite" else {"connect_timeout": PATIENCE_S}


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Leave transactions to us; check references; let readers and a writer work side by side; lose nothing written."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode = wal", "synchronous = full", "foreign_keys = on"):
        cursor.execute(f"pragma {pragma}")
    cursor.close()


def _begin(db: Connection) -> None:
    """Begin a transaction; one that writes alone waits here for the writer before it."""
    is_alone = db.get_execution_options().get("writes_alone", False)
    if db.dialect.name == "sqlite":
        db.exec_driver_sql("begin immediate" if is_alone else "begin")
    elif is_alone:
        db.exec_driver_sql(f"set local lock_timeout = '{PATIENCE_S}s'")
        db.exec_driver_sql(f"select pg_advisory_xact_lock({LOCK_KEY})")


def migrate(engine: Engine) -> None:
    """Bring the tables to what this code knows, and say so once where they were there before.

    Raises
    ------
    ConfigError
        The database cannot be reached, or a newer churnrisk has changed its tables.
    """
    try:
        with engine.begin() as db:
            if _revision(db) == REVISION:
                return
        with engine.connect().execution_options(writes_alone=True) as db, db.begin():
            found = _revision(db)
            if found != REVISION:
                _refuse_newer(found)
                _upgrade(db)
        if found is not None and found != REVISION:  # once it is committed
            logger().warning(
                "ledger brought up to date: an older churnrisk refuses it now; no copy was made",
                from_version=found,
                to_version=REVISION,
            )
    except OperationalError as error:
        raise told(error) from error
    except DatabaseError as error:
        raise ConfigError(_unreachable("a file or server that is no such database")) from error


def told(error: OperationalError) -> ConfigError | WorkspaceBusy:
    """Return the error to tell: somebody else writes for too long, or the database is out of reach."""
    return busy() if is_locked(error) else ConfigError(_unreachable(type(error.orig).__name__))


def is_locked(error: OperationalError) -> bool:
    """Say whether somebody else was writing for too long."""
    return "database is locked" in str(error.orig) or type(error.orig).__name__ == "LockNotAvailable"


def busy() -> WorkspaceBusy:
    """Return the error of a ledger that somebody else writes to for longer than we wait."""
    return WorkspaceBusy(
        Fault(
            code="ledger_busy",
            where="ledger",
            expected=f"to write within {PATIENCE_S} seconds",
            found="another writer",
            remedy="Wait for it to end, then run again; nothing was written.",
        )
    )


def _unreachable(found: str) -> Fault:
    return Fault(
        code="ledger_unreachable",
        where=WHERE,
        expected="a database that can be reached and written",
        found=found,
        remedy="Check that the server runs, and the user, password and name of the database.",
    )


def _revision(db: Connection) -> str | None:
    if not inspect(db).has_table("alembic_version"):
        return None
    found: str | None = db.execute(text("select version_num from alembic_version")).scalar()
    return found


def _known_revisions() -> set[str]:
    return {path.name[1:5] for path in (MIGRATIONS / "versions").glob("r[0-9]*.py")}


def _refuse_newer(found: str | None) -> None:
    if found is None or found in _known_revisions():
        return
    raise ConfigError(
        Fault(
            code="ledger_newer",
            where=WHERE,
            expected=f"tables of the ledger up to version {REVISION}",
            found=f"version {found}, written by a newer churnrisk",
            remedy="Install that churnrisk here too, or name another database; nothing was changed.",
        )
    )


def _upgrade(db: Connection, to: str = "head") -> None:
    from alembic import command
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = db
    command.upgrade(settings, to)
