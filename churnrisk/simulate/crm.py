"""The customer base as a company would extract it, with its history, and the offers the company has.

It shows only what was known on the world's last day: who will leave without having said so is still a customer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from .clock import NEVER, Clock
from .course import STATED, Course
from .draws import Bools, Ints
from .population import AGE_BANDS, CONTRACTS, DEVICES, LANGUAGES, PLANS, REGIONS, People
from .prices import Versions
from .words import FAMILY_NAMES, GIVEN_NAMES, OWNERS

if TYPE_CHECKING:
    import polars as pl

BLOCK_ROWS = 200_000
ID_DIGITS = 6
OFFER_COLUMNS = (
    "offer_id",
    "name",
    "kind",
    "contact_cost",
    "incentive_cost",
    "capacity",
    "eligible",
    "channel",
    "suits",
)
OFFERS = (
    ("call", "A call that listens", "service", 4.0, 0.0, 60, "band in ('high', 'critical')", "call", None),
    ("sms100", "100 free SMS", "goods", 0.2, 1.5, 1_000, "risk >= 0.02", "sms", None),
    (
        "discount10",
        "10 % off for 12 months",
        "discount",
        0.5,
        28.0,
        200,
        "risk >= 0.04 and value >= 100",
        "email;sms",
        "price",
    ),
    (
        "two_years",
        "10 a month off with a two-year contract",
        "contract",
        4.0,
        120.0,
        40,
        "value >= 250",
        "call",
        "price",
    ),
)


def customer_ids(people: People, n_offnet: int) -> pl.Series:
    """Return the ids of all people and, after them, the numbers of all off-net contacts, as text."""
    import polars as pl

    n = len(people)
    width = max(ID_DIGITS, len(str(n)))
    own = pl.int_range(1, n + 1, eager=True).cast(pl.String).str.zfill(width)
    others = "0999" + pl.int_range(0, n_offnet, eager=True).cast(pl.String).str.zfill(7)
    return pl.concat([own, others.cast(pl.String)], rechunk=True)


def ever_customers(course: Course, people: People, clock: Clock) -> Bools:
    """Say who was a customer on at least one written day."""
    return np.asarray((course.left > 0) & (people.joined < clock.days))


def customer_rows(
    course: Course, people: People, clock: Clock, versions: Versions, ids: pl.Series
) -> Iterator[pl.DataFrame]:
    """Yield rows of the source ``customers`` in blocks, by customer and ``valid_from``."""
    keep = ever_customers(course, people, clock)[versions.who]
    keep &= versions.day < np.minimum(course.left[versions.who], clock.days)
    order = np.lexsort((versions.day, versions.who))
    order = order[keep[order]]
    for low in range(0, order.size, BLOCK_ROWS):
        part = order[low : low + BLOCK_ROWS]
        of_part = Versions(versions.who[part], versions.day[part], versions.plan[part], versions.value[part])
        yield _block(course, people, clock, of_part, ids)


def _block(course: Course, people: People, clock: Clock, versions: Versions, ids: pl.Series) -> pl.DataFrame:
    import polars as pl

    who = versions.who
    is_known = course.left_known[who] < clock.days
    stated = np.where(is_known & (course.stated[who] >= 0), course.stated[who], len(STATED))
    return pl.DataFrame(
        {
            "customer_id": ids.gather(who),
            "valid_from": clock.days_of(versions.day),
            "name": _names(people, who),
            "phone": "+999 " + ids.gather(who),
            "owner": pl.Series(OWNERS).gather(people.owner[who]),
            "joined_on": clock.days_of(people.joined[who]),
            "left_on": clock.days_of(np.where(is_known, course.left[who], NEVER)),
            "left_known_at": clock.days_of(np.where(is_known, course.left_known[who], NEVER)),
            "left_reason": pl.Series([*STATED, None]).gather(stated),
            "monthly_value": versions.value,
            "plan": pl.Series([plan.name for plan in PLANS]).gather(versions.plan),
            "contract": pl.Series(CONTRACTS).gather(people.contract[who]),
            "region": pl.Series(REGIONS).gather(people.region[who]),
            "age_band": pl.Series(AGE_BANDS).gather(people.age[who]),
            "device": pl.Series(DEVICES).gather(people.device[who]),
            "language": pl.Series(LANGUAGES).gather(people.language[who]),
            **{name: given[who] for name, given in people.consents.items()},
        }
    )


def _names(people: People, who: Ints) -> pl.Series:
    import polars as pl

    given = [GIVEN_NAMES[language].split() for language in LANGUAGES]
    family = [FAMILY_NAMES[language].split() for language in LANGUAGES]
    whole = [
        f"{last}{first}" if language == "zh" else f"{first} {last}"
        for language, firsts, lasts in zip(LANGUAGES, given, family, strict=True)
        for first in firsts
        for last in lasts
    ]
    n_given, n_family = len(given[0]), len(family[0])
    place = (people.language[who] * n_given + people.given_name[who]) * n_family + people.family_name[who]
    return pl.Series(whole).gather(place)


def offer_rows() -> pl.DataFrame:
    """Return the rows of the source ``offers``."""
    import polars as pl

    return pl.DataFrame(OFFERS, schema=list(OFFER_COLUMNS), orient="row")
