"""Benchmark: nights that are killed at any point, and run again: is anybody contacted twice, or anything lost?

    python -m tests.bench killed [--full]

The real command decides a date in a process of its own and sends what it decided to a real HTTP receiver, which drops
a message that it has had. The process gets SIGKILL: after a time drawn over the whole of its run (``time``), as the
ledger is written (``writing``), or while a message is under way, before the receiver has answered or after
(``sending``). Then it is run again, killed again, and at last left alone. What lies there must be what a night that
nobody killed leaves: the same decisions, invitations, treatments, contacts and messages, each message delivered, nobody
asked or offered twice, the tables published before readable after each kill.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, sleep

import numpy as np
import polars as pl

from churnrisk.ledger import Ledger
from churnrisk.ledger.facts import whole
from churnrisk.ledger.schema import CONTACTS, DECISIONS, HOLDOUTS, INVITATIONS, OUTBOX, TREATMENTS
from churnrisk.store import Workspace
from tests.hooks import server

AS_OF = "2026-06-30"
N_KILLS, N_KILLS_FULL, KILLS_A_NIGHT, SEED = 50, 200, 6, 11
POINTS = ("time", "writing", "sending")
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
TABLES = (DECISIONS, INVITATIONS, TREATMENTS, CONTACTS, HOLDOUTS)
CLOCKS = ("written_at", "decided_at")
BUDGETS = {"surveys": 2.0, "offers": 80.0}
SECONDS_AT_MOST = 120.0


@dataclass
class Receiver:
    """The other side: keeps what it was told by message id; ``at`` is the count at which ``reached`` is set."""

    bodies: dict[str, set[bytes]] = field(default_factory=dict)
    n_received: int = 0
    at: int = -1
    before_answer: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str]]:
        """Take a message; hold the answer back for a moment where the sender is to die before it."""
        with self._lock:
            self.bodies.setdefault(headers["webhook-id"], set()).add(body)
            self.n_received += 1
            is_it = self.n_received == self.at
        if is_it:
            self.reached.set()
            if self.before_answer:
                sleep(0.3)
        return 200, {}

    def forget(self) -> None:
        """Begin anew."""
        self.bodies, self.n_received = {}, 0

    def told(self) -> pl.DataFrame:
        """Return message_id, kind, customer_id, as_of of all messages, each id once."""
        rows = []
        for message_id, bodies in self.bodies.items():
            (body,) = bodies  # the same message always says the same
            found = json.loads(body)
            rows.append((message_id, found["type"], found["data"]["customer_id"], found["data"]["as_of"]))
        return pl.DataFrame(rows, schema=["message_id", "kind", "customer_id", "as_of"], orient="row")


@dataclass(frozen=True)
class Kept:
    """What a night left: the ledger's tables without clocks, the messages received, the lists."""

    ledger: dict[str, pl.DataFrame]
    received: pl.DataFrame
    lists: dict[str, bytes]
    n_unsent: int


def prepared(root: Path, url: str) -> None:
    """Let the workspace's date be undecided, with budgets and an endpoint."""
    for path in root.glob("operations.db*"):
        path.unlink()
    text = (root / "churnrisk.toml").read_text("utf-8")
    for name, budget in BUDGETS.items():
        head, tail = text.split(f"[{name}]\nbudget = ")
        text = f"{head}[{name}]\nbudget = {budget}\n{tail.split(chr(10), 1)[1]}"
    hooks = f'\n[webhooks]\nendpoint = "{url}"\nsecret = "env:HOOK_SECRET"\n'
    (root / "churnrisk.toml").write_text(text + hooks, "utf-8")


def started(root: Path) -> subprocess.Popen[bytes]:
    """Start the command."""
    command = [sys.executable, "-m", "churnrisk", "-q", "-w", str(root), "decide", "--as-of", AS_OF]
    return subprocess.Popen(
        command,
        env={**os.environ, "HOOK_SECRET": SECRET},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finished(root: Path) -> float:
    """Run the command to its end; return its seconds. Raises AssertionError when it fails."""
    begun = perf_counter()
    process = started(root)
    _, said = process.communicate(timeout=SECONDS_AT_MOST)
    assert process.returncode == 0, said.decode()
    return perf_counter() - begun


def killed(root: Path, receiver: Receiver, point: str, seconds: float, rng: np.random.Generator) -> bool:
    """Start the command and kill it at ``point``; return whether it was still alive."""
    receiver.reached.clear()
    receiver.at = -1
    if point == "sending":
        receiver.before_answer = bool(rng.random() < 0.5)
        receiver.at = receiver.n_received + int(rng.integers(1, 12))
    process = started(root)
    try:
        if point == "sending":
            _until(process, receiver.reached.is_set)
            sleep(float(rng.uniform(0, 0.02)))
        elif point == "writing":
            log = root / "operations.db-wal"
            _until(process, lambda: _n_bytes(log) > 0)
            sleep(float(rng.exponential(0.3)))
        else:
            sleep(float(rng.uniform(0, seconds)))
        was_alive = process.poll() is None
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return was_alive and process.returncode == -signal.SIGKILL


def _n_bytes(path: Path) -> int:
    """Return the size of a file that comes and goes; 0 while it is not there."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _until(process: subprocess.Popen[bytes], is_so: object) -> None:
    begun = perf_counter()
    while process.poll() is None and not is_so() and perf_counter() - begun < SECONDS_AT_MOST:  # type: ignore[operator]
        sleep(0.001)


def lapsed(root: Path) -> None:
    """Let the claims of dead senders lapse, as five minutes would."""
    with sqlite3.connect(root / "operations.db") as db:
        db.execute("update outbox set claimed_until = '2000-01-01 00:00:00.000000' where sent_at is null")


def readable(root: Path) -> dict[str, int]:
    """Return the rows of each published table of the date; raise when one cannot be read or a run is mixed."""
    rows: dict[str, int] = {}
    runs = set()
    for part in sorted((root / "published").glob(f"*/as_of={AS_OF}/part-0.parquet")):
        frame = pl.read_parquet(part)
        rows[part.parent.parent.name] = frame.height
        runs |= set(frame["run_id"].unique()) if part.parent.parent.name in {"scores", "at_risk"} else set()
    assert rows["scores"] > 0
    assert len(runs) == 1, f"tables of {len(runs)} runs together"
    return rows


def kept(root: Path, receiver: Receiver) -> Kept:
    """Return what lies there now."""
    with Ledger.open(Workspace.open(root), {}) as ledger, ledger.reading() as db:
        found = {table.name: _plain(whole(db, table)) for table in TABLES}
        sent = whole(db, OUTBOX)
    found["outbox"] = _plain(sent.select("message_id", "kind", "customer_id", "channel", "payload"))
    lists = {path.name: path.read_bytes() for path in sorted((root / "lists" / AS_OF).glob("*.csv"))}
    return Kept(found, receiver.told(), lists, sent.filter(pl.col("sent_at").is_null()).height)


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    told = frame.drop([name for name in CLOCKS if name in frame.columns])
    return told.sort(told.columns)


def faults_of(found: Kept, whole_night: Kept) -> Iterator[str]:
    """Yield what is wrong, in words; nothing where all is well."""
    for name, frame in whole_night.ledger.items():
        if not frame.equals(found.ledger[name]):
            yield f"{name} differs from the night that nobody killed"
    if found.lists != whole_night.lists:
        yield "the lists differ"
    made = found.ledger["decisions"].filter(pl.col("reason_code") == "chosen")
    contacts = found.ledger["contacts"]
    if made.join(contacts, left_on="reference", right_on="source_id", how="anti").height:
        yield "a decision has no contact"
    if contacts.group_by("customer_id", pl.col("at").dt.date()).len().filter(pl.col("len") > 1).height:
        yield "somebody is contacted twice in a night"
    messages = found.ledger["outbox"]
    if set(messages["message_id"]) != set(found.received["message_id"]) or found.n_unsent:
        yield "a message is lost, or nobody decided it"
    if found.received.group_by("customer_id", "as_of").len().filter(pl.col("len") > 1).height:
        yield "somebody was told of twice under different ids"


@dataclass(frozen=True)
class Trial:
    """Kills of one night: how many by point, messages delivered more than once, faults."""

    kills: Counter[str]
    n_messages: int
    n_again: int
    faults: tuple[str, ...]


def trial(
    root: Path,
    place: Path,
    url: str,
    receiver: Receiver,
    wanted: Sequence[str],
    rng: np.random.Generator,
) -> Iterator[Trial]:
    """Yield the whole night, killed never (without kills), and then the same night killed at the points ``wanted``."""
    nights = {"whole": place / "whole", "killed": place / "killed"}
    for night in nights.values():
        shutil.copytree(root, night, symlinks=True)
        prepared(night, url)
    receiver.forget()
    seconds = finished(nights["whole"])
    whole_night = kept(nights["whole"], receiver)
    yield Trial(Counter(), whole_night.received.height, 0, tuple(faults_of(whole_night, whole_night)))
    receiver.forget()
    kills: Counter[str] = Counter()
    for point in wanted:
        if killed(nights["killed"], receiver, point, seconds, rng):
            kills[point] += 1
        readable(nights["killed"])
        if (nights["killed"] / "operations.db").exists() and rng.random() < 0.5:
            _lapsed_if_there(nights["killed"])
    finished(nights["killed"])
    _lapsed_if_there(nights["killed"])
    finished(nights["killed"])
    found = kept(nights["killed"], receiver)
    again = receiver.n_received - len(receiver.bodies)
    yield Trial(kills, found.received.height, again, tuple(faults_of(found, whole_night)))
    for night in nights.values():
        shutil.rmtree(night)


def _lapsed_if_there(root: Path) -> None:
    try:
        lapsed(root)
    except sqlite3.OperationalError as error:  # killed before its tables were made
        if "no such table" not in str(error):
            raise


def tables(full: bool) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[object]]]]:
    """Kill nights; raise AssertionError when anything is wrong."""
    from churnrisk.cli import run

    rng = np.random.default_rng(SEED)
    n = N_KILLS_FULL if full else N_KILLS
    receiver = Receiver()
    rows, total = [], Counter[str]()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(receiver.answer) as url,
    ):
        root = Path(folder) / "workspace"
        for command in (
            ["simulate", str(root), "--customers", "1200", "--days", "400", "--seed", "3"],
            ["-q", "-w", str(root), "train", "--as-of", AS_OF],
            ["-q", "-w", str(root), "score", "--as-of", AS_OF],
        ):
            assert run(command) == 0
        shutil.rmtree(root / "mlartifacts", ignore_errors=True)
        number = 0
        while total.total() < n:
            wanted = [POINTS[int(each)] for each in rng.integers(0, len(POINTS), KILLS_A_NIGHT)]
            _, found = trial(root, Path(folder) / f"{number}", url, receiver, wanted, rng)
            number += 1
            total += found.kills
            rows.append(
                (number, *(found.kills[point] for point in POINTS), found.n_messages, found.n_again,
                 "; ".join(found.faults) or "none")
            )  # fmt: skip
    head = (
        "night",
        "killed in time",
        "while writing",
        "while sending",
        "messages",
        "delivered again",
        "faults",
    )
    yield f"{total.total()} kills in {number} nights", head, rows
    assert all(row[-1] == "none" for row in rows), "a killed night left another state"
