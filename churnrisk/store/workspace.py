"""The workspace: a folder with ``churnrisk.toml``; it decides where everything lies and who may write just now."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..config import Config, load_config
from ..errors import Fault, WorkspaceBusy
from .engine import Engine


@dataclass(frozen=True)
class Workspace:
    """A folder and its settings; every path of the state on disk is named here and nowhere else."""

    root: Path
    config: Config

    @classmethod
    def open(cls, root: Path) -> Workspace:
        """Read the settings of ``root``; raise ConfigError when there are none or they are wrong."""
        return cls(root.resolve(), load_config(root))

    @property
    def lake(self) -> Path:
        """Validated tables, runs and the key of customers; internal."""
        return self.root / "lake"

    @property
    def models(self) -> Path:
        """Local copies of promoted bundles."""
        return self.root / "models"

    @property
    def champion(self) -> Path:
        """The bundle the night uses."""
        return self.models / "champion"

    @property
    def published(self) -> Path:
        """What BI tools read."""
        return self.root / "published"

    @property
    def restricted(self) -> Path:
        """Published tables that few may read."""
        return self.root / "restricted"

    @property
    def tie_weights(self) -> Path:
        """Weights of tie strength learned from the user's own ties, for the next training."""
        return self.models / "tie_weights.json"

    @property
    def trials(self) -> Path:
        """Settings of the trees that were tried, so that a search goes on where it was; may be deleted at any time."""
        return self.lake / "tuning.db"

    @property
    def kept_pairs(self) -> Path:
        """What nights counted of pairs of customers, for the next night; may be deleted at any time."""
        return self.lake / "pairs"

    @property
    def kept_past_pairs(self) -> Path:
        """The same of past dates, for trainings and backfilling; apart, so that nights keep their own."""
        return self.kept_pairs / "past"

    @property
    def kept_inputs(self) -> Path:
        """What the model saw of others' doings on the latest nights, to say what moved; may be deleted at any time."""
        return self.lake / "inputs"

    def run_folder(self, run_id: str) -> Path:
        """Where one run keeps what it made."""
        return self.lake / "runs" / run_id

    def lists(self, day: date) -> Path:
        """Files that people act on, for one as-of date."""
        return self.root / "lists" / day.isoformat()

    def report(self, day: date) -> Path:
        """The one-page report of one as-of date."""
        return self.root / "reports" / day.isoformat() / "index.html"

    def evaluation(self, day: date) -> Path:
        """The page and tables of a judgement as of a date."""
        return self.root / "reports" / day.isoformat() / "evaluation"

    def quarantine(self, day: date) -> Path:
        """Rejected rows of one as-of date, a file per source."""
        return self.root / "quarantine" / day.isoformat()

    def engine(self) -> Engine:
        """Open the SQL engine with the workspace's limits."""
        settings = self.config.engine
        return Engine(memory_limit=settings.memory_limit, threads=settings.threads, spill=self.lake / "spill")

    @contextmanager
    def held(self, command: str) -> Iterator[None]:
        """Hold the workspace for writing; raise WorkspaceBusy when another process does.

        The lock goes with the process, so a killed run leaves nothing to clean up.
        """
        self.lake.mkdir(parents=True, exist_ok=True)
        with (self.lake / "lock").open("a+", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                raise WorkspaceBusy(
                    Fault(
                        code="workspace_busy",
                        where=str(self.root),
                        expected="no other run in this workspace",
                        found=file.read().strip() or "another process",
                        remedy="Wait for it to end, then run again.",
                    )
                ) from error
            file.truncate(0)
            file.write(f"{command} (process {os.getpid()})")
            file.flush()
            yield

    def contact_hash_key(self, environment: Mapping[str, str]) -> str:
        """Return the key that hashes contacts outside the customer base.

        From the environment when the settings name a variable; otherwise made once at random and kept in ``lake/``,
        readable by its owner only. Whoever deletes it makes the hashes meaningless.
        """
        from ..config import resolved_secret

        given = resolved_secret(self.config.privacy.hash_key, environment, "[privacy] hash_key")
        if given is not None:
            return given
        path = self.lake / "hash.key"
        if not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(
                os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii"
            ) as file:
                file.write(secrets.token_hex(32))
        return path.read_text(encoding="ascii")


def run_identity(parts: Mapping[str, object]) -> str:
    """Return the run id: a short hash of as-of, inputs, configuration, code and model; the same parts, the same id."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]
