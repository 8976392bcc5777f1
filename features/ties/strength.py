"""How strong each tie is, from what passed between two customers before the as-of instant.

It knows pair facts and one formula, and refuses to know who the customers are or how the facts were counted.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from .blend import blended_strength
from .contract import DECAY_ONE_CONTACT, PAIR_COLUMNS
from .kernels import NodeArray, first_disorder, frozen, row_sums, sorted_rows, tie_order
from .triangles import common_neighbours

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

DEAD_SILENCE_RATIO = 8.0
"""A tie silent for more than so many of its mean silences is dead (Navarro et al. 2017)."""


def tie_table(
    pairs: pl.DataFrame, *, as_of_us: int | None = None, weights: Mapping[str, float] | None = None
) -> pl.DataFrame:
    r"""Turn pair facts into ties with their strength and the other measures of one pair.

    Parameters
    ----------
    pairs
        One row per unordered pair of customers with at least one contact in the window, any order, with the columns
        of `PAIR_COLUMNS`, none null: node numbers ``0 <= node_a < node_b``; contacts each way (missed ones
        included) in the window and in its last 30 days; those of known length, and talk in seconds; days with a
        contact; bursty trains; the sum of the squared silences between contacts (in whole seconds);
        ``decayed_14``, ``decayed_30`` = sum over contacts of ``DECAY_ONE_CONTACT * 2^(-days_ago / half-life)``; first
        and last contact in microseconds since 1970 UTC.
    as_of_us
        The as-of instant, microseconds since 1970 UTC; after every contact. Without it silence is not known.
    weights
        Weights of strength learned from the user's own ties (see `features.ties.blend`), with ``as_of_us``; None = the
        default below.

    Returns
    -------
    polars.DataFrame
        One row per tie, ascending by (node_a, node_b), with the columns of `TIE_COLUMNS`:

        - ``strength``: see below; ``n_contacts, n_ab, n_ba, n_recent`` (last 30 days), ``active_days``, ``trains``.
        - ``seconds``: talk; null when no contact's length is known.
        - ``decayed_14, decayed_30``: contacts, each worth 2^(-days ago / half-life) of a new one.
        - ``reciprocity``: 2 min(n_ab, n_ba) / n_contacts, 0 to 1.
        - ``attention_ab``: share of a's total strength that b has; ``attention_ba`` the reverse; null where that
          total is 0.
        - ``overlap``: share of their other friends that both ends have in common; null where neither has another tie.
        - ``burstiness``: -1 (a clock) over 0 (chance) to 1 (all at once); null under three contacts or when all fall
          on one second.
        - ``silence_ratio``: time since the last contact over the mean silence between contacts; null under two
          contacts, when they fall on one second, or without ``as_of_us``. ``is_dead``: it exceeds 8; null likewise.
        - ``span_days``: from the first contact to the last. ``last_contact`` (naive UTC).

    Raises
    ------
    ValueError
        A column is missing, or holds null, or the pairs break the contract (order within a pair, a pair twice, no
        contact, no active day), or a contact is not before ``as_of_us``.

    Notes
    -----
    With A active days, T trains, N = n_ab + n_ba contacts, r = reciprocity, D_14 and D_30 the decayed contacts:

    .. math:: w = \sqrt{A\,T} \cdot \frac{\sqrt{D_{14} D_{30}}}{N} \cdot \frac{1 + r}{2}

    that is, log-linear in active days and trains with weight 1/2 each, times the mean freshness of the contacts at
    both half-lives (their geometric mean), times a reciprocity factor that halves a one-way tie (plain r would make it
    0, yet 19 % of one-way ties persist). The unit is "days of contact, fresh and mutual". Talk time is left out: it
    says less (AUC .650) and missed calls and messages have none. Equal halves, because both exponents do alike (A
    alone .790, T alone .791, both to the first power .793) and the geometric mean keeps one tie from outweighing all
    others in a weighted share. Only exactly rounded operations: the same bits on every machine.

    Does the tie persist? Copenhagen, features days 0-20, any contact days 21-27, 794 pairs, 44.3 %: AUC **.791**
    (standard error .016); count .767, seconds .650, recency .690, active days .785 and trains .787 (the last two not
    beyond chance). Freshness at 14 days alone gives .788, at 30 days .792, without any .792; on CollegeMsg (28 days of
    messages -> the next 30; no constant was chosen there; mean of four cuts) 14 days give .706, 30 days .688, without
    .643, both together .697: where people try many partners once, what is fresh counts for more. Both half-lives
    together lose nothing that can be seen on either. Figures: `tests/bench/ties_persistence`.

    Overlap = c / ((k_a - 1) + (k_b - 1) - c) with c common neighbours (Onnela et al. 2007). Burstiness with k = N - 1
    silences of mean m and standard deviation s, x = s / m (Kim & Jo 2016, so that few contacts do not pass for regular
    ones): ((sqrt(k + 1) x - sqrt(k - 1)) / ((sqrt(k + 1) - 2) x + sqrt(k - 1)). A tie is dead when silent for more
    than 8 mean silences (Navarro et al. 2017). Cost O(n + m) but for overlap, the sum over ties of the smaller degree;
    about 160 bytes per tie.

    References
    ----------
    Urena-Carrion, Saramaki & Kivela 2020 (active days); Karsai, Kaski, Barabasi & Kertesz 2012 (bursty trains); Cortes,
    Pregibon & Volinsky 2001 (decay); Squartini et al. 2013 (reciprocity); Saramaki et al. 2014 (attention); Navarro,
    Miritello, Canales & Moro 2017 (dead ties); Goh & Barabasi 2008, Kim & Jo 2016 (burstiness, of finite sequences);
    Onnela et al. 2007 (overlap); Miritello, Lara, Cebrian & Moro 2013 (span).

    Examples
    --------
    >>> import polars as pl
    >>> facts = {
    ...     "n_ab": 3,
    ...     "n_ba": 1,
    ...     "n_recent_ab": 0,
    ...     "n_recent_ba": 1,
    ...     "n_timed": 4,
    ...     "seconds": 60,
    ...     "active_days": 4,
    ...     "trains": 4,
    ...     "gap_squares": 3 * (2 * 86_400) ** 2,
    ... }
    >>> day_us = 86_400_000_000
    >>> times = {
    ...     "decayed_14": 1 << 20,
    ...     "decayed_30": 1 << 22,
    ...     "first_contact_us": 0,
    ...     "last_contact_us": 6 * day_us,
    ... }
    >>> pairs = pl.DataFrame([{"node_a": 0, "node_b": 1, **facts, **times}])
    >>> ties = tie_table(pairs, as_of_us=26 * day_us)
    >>> ties.select("strength", "burstiness", "silence_ratio", "is_dead").row(0)
    (1.5, -1.0, 10.0, True)
    """
    facts = _checked_pairs(pairs)
    if as_of_us is not None and facts.select((pl.col("last_contact_us") >= as_of_us).any()).item():
        _refuse("every contact before the as-of instant", "later ones")
    measured = facts.select(
        "node_a",
        "node_b",
        strength=_STRENGTH,
        n_contacts=_N_CONTACTS.cast(pl.Int32),
        n_ab=pl.col("n_ab").cast(pl.Int32),
        n_ba=pl.col("n_ba").cast(pl.Int32),
        n_recent=(pl.col("n_recent_ab") + pl.col("n_recent_ba")).cast(pl.Int32),
        active_days=pl.col("active_days").cast(pl.Int32),
        trains=pl.col("trains").cast(pl.Int32),
        seconds=pl.when(pl.col("n_timed") > 0).then("seconds"),
        decayed_14=pl.col("decayed_14") / DECAY_ONE_CONTACT,
        decayed_30=pl.col("decayed_30") / DECAY_ONE_CONTACT,
        reciprocity=_RECIPROCITY,
        burstiness=_BURSTINESS,
        silence_ratio=_silence_ratio(as_of_us),
        is_dead=_silence_ratio(as_of_us) > DEAD_SILENCE_RATIO,
        span_days=(pl.col("last_contact_us") - pl.col("first_contact_us")) / DAY_US,
        last_contact=pl.col("last_contact_us").cast(pl.Datetime("us")),
    )
    learned = None if weights is None or as_of_us is None else blended_strength(weights, as_of_us)
    return _with_neighbourhood(measured, learned).select(TIE_COLUMNS)


TIE_COLUMNS = (
    "node_a",
    "node_b",
    "strength",
    "n_contacts",
    "n_ab",
    "n_ba",
    "n_recent",
    "active_days",
    "trains",
    "seconds",
    "decayed_14",
    "decayed_30",
    "reciprocity",
    "attention_ab",
    "attention_ba",
    "overlap",
    "burstiness",
    "silence_ratio",
    "is_dead",
    "span_days",
    "last_contact",
)

_N_CONTACTS = pl.col("n_ab") + pl.col("n_ba")
_RECIPROCITY = 2 * pl.min_horizontal("n_ab", "n_ba") / _N_CONTACTS
_FRESHNESS = (
    pl.col("decayed_14") / DECAY_ONE_CONTACT * (pl.col("decayed_30") / DECAY_ONE_CONTACT)
).sqrt() / (_N_CONTACTS)
_STRENGTH = (
    (pl.col("active_days") * pl.col("trains")).cast(pl.Float64).sqrt() * _FRESHNESS * (1 + _RECIPROCITY) / 2
)
_N_GAPS = _N_CONTACTS - 1
_GAPS_S = pl.col("last_contact_us") // SECOND_US - pl.col("first_contact_us") // SECOND_US
"""Sum of the silences between contacts: what lies between the first and the last."""


def _burstiness() -> pl.Expr:
    """Kim & Jo 2016, from integer sums; the variance of a clock's silences may round below zero."""
    n = _N_GAPS.cast(pl.Float64)
    squared = n * pl.col("gap_squares") / _GAPS_S.cast(pl.Float64).pow(2) - 1
    ratio = squared.clip(lower_bound=0).sqrt()
    value = ((n + 1).sqrt() * ratio - (n - 1).sqrt()) / (((n + 1).sqrt() - 2) * ratio + (n - 1).sqrt())
    return pl.when(_N_GAPS >= 2, _GAPS_S > 0).then(value)  # noqa: PLR2004 - two silences make a pattern


_BURSTINESS = _burstiness()


def _silence_ratio(as_of_us: int | None) -> pl.Expr:
    if as_of_us is None:
        return pl.lit(None, pl.Float64)
    silence = (as_of_us - pl.col("last_contact_us")) / SECOND_US
    return pl.when(_N_GAPS >= 1, _GAPS_S > 0).then(silence * _N_GAPS / _GAPS_S)


def in_tie_order(ties: pl.DataFrame) -> pl.DataFrame:
    """Sort ties by (node_a, node_b), unless they are; refuse a pair that comes twice."""
    ordered = sorted_ties(ties)
    if not is_in_tie_order(ordered):
        _refuse("each pair of nodes once", "a pair twice")
    return ordered


def is_in_tie_order(ties: pl.DataFrame) -> bool:
    """Say whether ties stand by (node_a, node_b), each pair once."""
    return first_disorder(*_ends(ties)) < 0


def sorted_ties(ties: pl.DataFrame) -> pl.DataFrame:
    """Sort ties by (node_a, node_b), unless they are; pairs that come twice stay in the order they came."""
    node_a, node_b = _ends(ties)
    if first_disorder(node_a, node_b) < 0:
        return ties
    n_nodes = int(max(node_a.max(), node_b.max())) + 1
    # counting needs a place per node number: not for wrong ones, which the caller refuses, nor for a few far apart
    if min(node_a.min(), node_b.min()) < 0 or n_nodes > _SPARSEST * len(ties):
        return ties.sort("node_a", "node_b", maintain_order=True)
    return ties[pl.Series(tie_order(n_nodes, node_a, node_b))]


_SPARSEST = 64
"""Node numbers up to so many times the number of ties are sorted by counting. A judgement."""


def _ends(ties: pl.DataFrame) -> tuple[NodeArray, NodeArray]:
    return frozen(ties["node_a"].to_numpy(), np.int32), frozen(ties["node_b"].to_numpy(), np.int32)


def _checked_pairs(pairs: pl.DataFrame) -> pl.DataFrame:
    missing = [name for name in PAIR_COLUMNS if name not in pairs.columns]
    if missing:
        _refuse(f"the columns {', '.join(PAIR_COLUMNS)}", f"no {', '.join(missing)}")
    facts = pairs.select(pl.col(name).cast(kind) for name, kind in PAIR_COLUMNS.items())
    incomplete = [name for name in facts.columns if facts[name].null_count()]
    if incomplete:
        _refuse("no null", f"null in {', '.join(incomplete)}")
    least = {
        "node_a": 0,
        "n_ab": 0,
        "n_ba": 0,
        "n_recent_ab": 0,
        "n_recent_ba": 0,
        "n_timed": 0,
        "seconds": 0,
        "gap_squares": 0,
        "decayed_14": 0,
        "decayed_30": 0,
    }
    rules = {
        **{f"{name} >= {bound}": pl.col(name) >= bound for name, bound in least.items()},
        "node_a < node_b": pl.col("node_a") < pl.col("node_b"),
        "at least one contact": _N_CONTACTS > 0,
        "at least one active day": pl.col("active_days") > 0,
        "at least one train": pl.col("trains") > 0,
        "recent contacts among all": (pl.col("n_recent_ab") <= pl.col("n_ab"))
        & (pl.col("n_recent_ba") <= pl.col("n_ba")),
        "first contact before the last": pl.col("first_contact_us") <= pl.col("last_contact_us"),
    }
    broken = facts.select((~rule).sum().alias(name) for name, rule in rules.items()).row(0, named=True)
    for rule_name, n_rows in broken.items():
        if n_rows:
            _refuse(rule_name, f"{n_rows} pairs otherwise")
    return in_tie_order(facts)


def _with_neighbourhood(ties: pl.DataFrame, strength: pl.Expr | None) -> pl.DataFrame:
    """Add overlap, a learned strength that reads it, and the shares of attention: they need the ties of both ends."""
    if ties.is_empty():
        empty = pl.lit(None, pl.Float64)
        return ties.with_columns(attention_ab=empty, attention_ba=empty, overlap=empty)
    node_a, node_b = (frozen(ties[name].to_numpy(), np.int32) for name in ("node_a", "node_b"))
    indptr, indices, tie_rows = sorted_rows(int(node_b.max()) + 1, node_a, node_b)
    degrees = np.diff(indptr)
    common = common_neighbours(indptr, indices, tie_rows)
    others = degrees[node_a] + degrees[node_b] - 2 - common
    ties = ties.with_columns(overlap=_share(pl.Series(common.astype(np.int64)), pl.Series(others)))
    if strength is not None:
        ties = ties.with_columns(strength=strength)
    totals = row_sums(indptr, tie_rows, frozen(ties["strength"].to_numpy(), np.float64))
    return ties.with_columns(
        attention_ab=_share(pl.col("strength"), pl.Series(totals[node_a])),
        attention_ba=_share(pl.col("strength"), pl.Series(totals[node_b])),
    )


def _share(part: pl.Expr | pl.Series, whole: pl.Series) -> pl.Expr:
    whole_value = pl.lit(whole)
    part_value = pl.lit(part) if isinstance(part, pl.Series) else part
    return pl.when(whole_value > 0).then(part_value / whole_value)


def _refuse(expected: str, found: str) -> None:
    msg = f"pairs: expected {expected}, found {found}"
    raise ValueError(msg)
