"""The ledger: one operational database of who was asked, answered, offered, contacted, held out or must be left alone.

It decides where transactions begin and end, and refuses to know what is written in them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from ..config import resolved_secret
from ..store import Workspace
from .database import migrate, opened_engine, told

FILE_NAME = "operations.db"

Transaction = Connection
"""What `Ledger.reading` and `Ledger.writing` give."""


class Ledger:
    """An open ledger; make one with :meth:`open`."""

    def __init__(self, engine: Engine, *, key: str, zone: str) -> None:
        self._engine = engine
        self._key = key.encode()
        self.zone = zone
        """The zone of days: what has a date alone lies at midnight there."""

    @classmethod
    def open(cls, workspace: Workspace, environment: Mapping[str, str]) -> Ledger:
        """Open the ledger of a workspace, and bring its tables up to date; make it when there is none.

        Raises
        ------
        ConfigError
            The URL is none, its variable is not set, the driver is missing, the database cannot be reached, or a
            newer churnrisk has changed its tables.
        """
        given = resolved_secret(workspace.config.operations.url, environment, "[operations] url")
        engine = opened_engine(given or f"sqlite:///{workspace.root / FILE_NAME}")
        migrate(engine)
        return cls(engine, key=workspace.contact_hash_key(environment), zone=workspace.config.time.day_zone)

    @staticmethod
    def is_there(workspace: Workspace) -> bool:
        """Say whether the workspace has a ledger: a database is named, or the file has been made."""
        return workspace.config.operations.url is not None or (workspace.root / FILE_NAME).is_file()

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the ledger; ConfigError when it is out of reach."""
        try:
            with self._engine.connect() as plain:
                db = plain
                if self.dialect == "postgresql":
                    db = plain.execution_options(isolation_level="REPEATABLE READ")
                with db.begin():
                    yield db
        except OperationalError as error:
            raise told(error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the one connection that writes: all of it is written, or, on any error, nothing.

        Raises
        ------
        WorkspaceBusy
            Another writer did not end in time.
        ConfigError
            The database cannot be reached or written any more.
        """
        try:
            with self._engine.connect().execution_options(writes_alone=True) as db, db.begin():
                yield db
        except OperationalError as error:
            raise told(error) from error

    @contextmanager
    def claiming(self) -> Iterator[Connection]:
        """Give a connection that writes rows which it locks one by one (PostgreSQL); on SQLite as `writing`."""
        if self.dialect == "sqlite":
            with self.writing() as db:
                yield db
            return
        with self._engine.begin() as db:
            yield db

    def tokens(self, customer_ids: Iterable[str]) -> list[str]:
        """Return the keyed hash of each id, under which suppressions outlive a customer's data."""
        return [
            hashlib.blake2b(name.encode(), key=self._key[:64], digest_size=16).hexdigest()
            for name in customer_ids
        ]

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def __enter__(self) -> Ledger:
        """Return the ledger itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the database."""
        self.close()
