"""Finds ids that differ only by how Unicode composes their letters: é as one character, or as e and an accent.

It decides nothing about them: ids are text and are compared as given, so such ids are different customers. They look
the same on every screen, which is why somebody has to say so.
"""

from __future__ import annotations

from ..store import Engine
from .stage import Stage

ID_COLUMNS = {"calls": ("caller_id", "callee_id")}
"""Columns that name a customer, where they are not customer_id."""

WITHOUT_CUSTOMERS = frozenset({"offers", "labelled"})

AMONG_CUSTOMERS = """
select coalesce(sum(n), 0) from (
    select count(*) as n from roster group by nfc_normalize(customer_id) having count(*) > 1
)
"""

ELSEWHERE = """
with given as (select distinct customer_id from (GIVEN)),
strangers as (select customer_id from given anti join roster using (customer_id))
select count(*) from strangers
where nfc_normalize(customer_id) in (select nfc_normalize(customer_id) from roster)
"""

ANY_COMPOSED = "select count(*) from roster where strlen(customer_id) > length(customer_id)"
"""Plain ASCII has no other form: where no customer's id holds more, nothing needs to be compared."""


def composed_alike(engine: Engine, stage: Stage) -> tuple[str, ...]:
    """Return a remark on ids of a stage that look like a customer's and are not; ``roster`` is registered."""
    name = stage.table.name
    if name in WITHOUT_CUSTOMERS or not _number(engine, ANY_COMPOSED):
        return ()
    if name == "customers":
        n_found = _number(engine, AMONG_CUSTOMERS)
        what = "ids look like another customer's and count as different people"
    else:
        engine.register("staged", stage.good)
        columns = ID_COLUMNS.get(name, ("customer_id",))
        given = " union all ".join(f"select {column} as customer_id from staged" for column in columns)  # noqa: S608
        n_found = _number(engine, ELSEWHERE.replace("GIVEN", given))
        engine.drop("staged")
        what = (
            "id looks like a customer's and is none"
            if n_found == 1
            else "ids look like a customer's and are none"
        )
    if not n_found:
        return ()
    why = "the difference is Unicode composition (NFC, NFD)"
    return (
        f"{name}: {n_found:,} {what}: {why}. Ids are compared as given; write them alike in every source.",
    )


def _number(engine: Engine, sql: str) -> int:
    row = engine.connection.execute(sql).fetchone()
    return int(row[0]) if row else 0
