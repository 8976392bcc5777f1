"""One engine for all drawn tables: starting DuckDB takes longer than any of them."""

from collections.abc import Iterator

import pytest

from churnrisk.store import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    with Engine(threads=2) as opened:
        yield opened
