"""Contracts of the source tables: one declaration per table is the check, the documentation and the test data.

They decide which columns a user may bring, their limits, units and what null means, and refuse to know in which file
or under which name they come.
"""

from .every import SOURCE_TABLES
from .recorded import RECORDED_TABLES
from .rows import FILE, METRIC_SCALES, ROW, Source
from .table import REFERS_TO_CUSTOMERS, SourceTable, limit_code

__all__ = [
    "FILE",
    "METRIC_SCALES",
    "RECORDED_TABLES",
    "REFERS_TO_CUSTOMERS",
    "ROW",
    "SOURCE_TABLES",
    "Source",
    "SourceTable",
    "limit_code",
]
