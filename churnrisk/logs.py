"""Logging: UTC, run id and as-of on every line, counts and names only; it refuses to know any personal value.

On a terminal the stages show as progress; otherwise plain key=value lines go to standard error for the scheduler.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

import structlog

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger


def configure_logs(*, stream: TextIO | None = None, quiet: bool = False, as_json: bool = False) -> None:
    """Send log lines to ``stream`` (default standard error) as plain text or JSON; ``quiet`` keeps warnings only.

    Standard error is looked up line by line: a program may put another in its place, and close this one.
    """
    structlog.configure(
        **_choices(quiet=quiet, as_json=as_json),
        logger_factory=lambda *_: structlog.PrintLogger(stream if stream is not None else sys.stderr),
        cache_logger_on_first_use=False,
    )


def _choices(*, quiet: bool, as_json: bool) -> dict[str, Any]:
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    return {
        "processors": [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        "wrapper_class": structlog.make_filtering_bound_logger(logging.WARNING if quiet else logging.INFO),
    }


def logger() -> FilteringBoundLogger:
    """Return the logger; bind nothing personal to it.

    Where nobody configured logs (a notebook, a program that calls us) only warnings are told, on standard error.
    """
    if structlog.is_configured():
        bound: FilteringBoundLogger = structlog.get_logger()
        return bound
    quiet: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr), **_choices(quiet=True, as_json=False)
    )
    return quiet


@contextmanager
def run_context(*, run_id: str, as_of: str, command: str) -> Iterator[None]:
    """Put run id, as-of and command on every line logged inside."""
    with structlog.contextvars.bound_contextvars(run_id=run_id, as_of=as_of, command=command):
        yield


class Stages:
    """The stages of one command: logs each with its seconds, and draws a progress bar on a terminal."""

    def __init__(self, title: str, total: int, *, interactive: bool) -> None:
        self.seconds: dict[str, float] = {}
        self._title = title
        self._interactive = interactive
        self._progress = self._bar(total) if interactive else None
        self._task = self._progress.add_task(title, total=total) if self._progress else None

    @staticmethod
    def _bar(total: int) -> _Progress:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        del total
        return Progress(
            TextColumn("{task.description:<28}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    @contextmanager
    def stage(self, name: str, **counts: object) -> Iterator[dict[str, object]]:
        """Run one stage; the yielded dict collects counts for the log line."""
        found: dict[str, object] = dict(counts)
        if self._progress is not None and self._task is not None:
            self._progress.update(self._task, description=f"{self._title}: {name}")
        started = perf_counter()
        yield found
        self.seconds[name] = perf_counter() - started
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task)
        else:
            logger().info(name, seconds=round(self.seconds[name], 3), **found)

    def __enter__(self) -> Stages:
        """Start drawing."""
        if self._progress is not None:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop drawing."""
        if self._progress is not None:
            self._progress.stop()


if TYPE_CHECKING:
    from rich.progress import Progress as _Progress
