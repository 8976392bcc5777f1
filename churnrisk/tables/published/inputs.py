"""What the model saw of each customer."""

from __future__ import annotations

from .columns import AS_OF, CUSTOMER, RUN
from .declaration import PublishedTable

FEATURES = PublishedTable(
    "features",
    "What the model saw of each customer scored, but for what other customers did (exposures): exact figures of "
    "several windows and directions would give single ones away.",
    ("as_of", "customer_id"),
    (AS_OF, CUSTOMER, RUN),
    open_note="Then one column per feature, as the feature catalogue declares it (docs/features.md).",
    min_rows=1,
)
