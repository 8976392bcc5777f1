"""What ran, and how it ended."""

from __future__ import annotations

from .columns import AS_OF, RUN
from .declaration import PublishedColumn, PublishedTable

RUN_LOG = PublishedTable(
    "run_log",
    "One row per run that published or failed: what it read, made and warned of.",
    ("run_id",),
    (
        RUN,
        AS_OF,
        PublishedColumn("command", "text", "", "The command."),
        PublishedColumn(
            "outcome",
            "text",
            "",
            "Whether its tables were published, or a model promoted.",
            words=("published", "failed", "promoted"),
        ),
        PublishedColumn("started_at", "instant", "UTC", "When it started."),
        PublishedColumn("seconds", "number", "s", "How long it took until publishing.", low=0),
        PublishedColumn("n_rows", "text", "JSON", "Rows per table: {table: rows}."),
        PublishedColumn("fingerprints", "text", "JSON", "Hash of the content per input: {source: hash}."),
        PublishedColumn("model_version", "text", "", "The model used.", "no model was used"),
        PublishedColumn("warnings", "text", "JSON", "Warnings, or the faults of a failed run: [sentence]."),
    ),
    is_log=True,
)
