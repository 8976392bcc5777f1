"""Who is no friend but a hub: call centres, hot lines, mass callers. As of 2026-03-31, UTC."""

from pathlib import Path

import polars as pl

from churnrisk.store import Engine
from features.ties.rules import TieRules
from tests.spec.features.drawn import completed, features_of, lake, shown, table

CUSTOMERS = "customer_key\n" + "\n".join(map(str, range(8)))
CALLS = """
caller_key | callee_key | started_at
0          | 1          | 2026-03-01
1          | 0          | 2026-03-02
0          | 2          | 2026-03-01
2          | 0          | 2026-03-02
0          | -3         | 2026-03-01
-3         | 0          | 2026-03-02
1          | 2          | 2026-03-01
2          | 1          | 2026-03-03
"""


def test_more_partners_than_friends_make_a_hub_whose_ties_are_none(engine: Engine, tmp_path: Path) -> None:
    found = features_of(
        engine, lake(tmp_path, customers=CUSTOMERS, calls=CALLS), rules=TieRules(max_partners=2)
    )
    # c0 has three partners, one of them outside the base; c1 and c2 keep each other.
    assert shown(found, "n_ties", "tie_strength_sum")[:1] == [("c0", None, None)]
    assert [row[1] for row in shown(found, "n_ties")] == [None, 1, 1, 0, 0, 0, 0, 0]
    assert [row[1] for row in shown(found, "n_partners_90d")][:3] == [3, 2, 2]
    assert found.ties is not None
    assert found.ties.nodes["may_use_calls"].to_list() == [True] * 8
    assert found.ties.nodes.select("n_partners", "n_mutual").row(0) == (3, 3)
    assert found.ties.nodes["n_partners"].null_count() == 7
    said = found.ties.why_unusable("c0")
    assert (
        said
        == "a hub with 3 partners, 3 of them in contact both ways: no social ties, see [ties] max_partners"
    )
    assert found.ties.why_unusable("c1") is None
    assert found.network is not None
    row = found.network.row(0, named=True)
    assert (row["customer_id"], row["n_ties"], row["strength"], row["churn_exposure"]) == (
        "c0",
        None,
        None,
        None,
    )
    assert [note for note in found.notes if note.startswith("1 customers talk with more people")]
    at_the_limit = features_of(
        engine, lake(tmp_path, customers=CUSTOMERS, calls=CALLS), rules=TieRules(max_partners=3)
    )
    assert shown(at_the_limit, "n_ties")[0] == ("c0", 2)
    assert not at_the_limit.notes


def test_many_partners_of_whom_hardly_any_answers_are_mass_calls(engine: Engine, tmp_path: Path) -> None:
    """Numbers that never call back, but one: under 1 in 20 of c0's and c1's partners, until one more answers c1."""
    rows = [
        {"caller_key": spammer, "callee_key": -100 * (spammer + 1) - each, "started_at": "2026-03-01"}
        for spammer, n_called in ((0, 21), (1, 20))
        for each in range(n_called)
    ]
    rows += [
        {"caller_key": -100 * (key + 1), "callee_key": key, "started_at": "2026-03-02"} for key in (0, 1)
    ]
    rows += [{"caller_key": 7, "callee_key": key, "started_at": "2026-03-02"} for key in (0, 1)]
    calls = completed("calls", pl.DataFrame(rows))
    # The calls of c7 make one partner more for both: 1 of 22 and 1 of 21.
    tables = lake(tmp_path, customers=CUSTOMERS, calls=calls)
    found = features_of(engine, tables, rules=TieRules(max_one_way_partners=10))
    assert [row[1] for row in shown(found, "n_ties")] == [None, None, 0, 0, 0, 0, 0, 0]
    more = completed("calls", pl.DataFrame([{"caller_key": 1, "callee_key": 7, "started_at": "2026-03-03"}]))
    answered = lake(tmp_path, customers=CUSTOMERS, calls=pl.concat([calls, more]))
    found = features_of(engine, answered, rules=TieRules(max_one_way_partners=10))
    assert [row[1] for row in shown(found, "n_ties")] == [None, 1, 0, 0, 0, 0, 0, 1]
    found = features_of(engine, tables, rules=TieRules(max_one_way_partners=22))
    assert [row[1] for row in shown(found, "n_ties")][:2] == [1, 1]


def test_a_call_centre_blows_nothing_up(engine: Engine, tmp_path: Path) -> None:
    """Everybody calls one customer: without the rule each of 20,000 would be two steps from all others."""
    n = 20_000
    keys = pl.DataFrame({"customer_key": range(n)}).with_columns(
        customer_id=pl.format("c{}", pl.col("customer_key").cast(pl.String).str.zfill(6))
    )
    calls = pl.DataFrame(
        {"caller_key": range(1, n), "callee_key": [0] * (n - 1), "started_at": ["2026-03-01"] * (n - 1)}
    )
    friends = completed(
        "calls", pl.DataFrame([{"caller_key": 1, "callee_key": 2, "started_at": "2026-03-01"}])
    )
    customers = table("customers", "customer_key\n" + "\n".join(map(str, range(n))))
    tables = lake(
        tmp_path, customers=customers, keys=keys, calls=pl.concat([completed("calls", calls), friends])
    )
    found = features_of(engine, tables)
    assert found.ties is not None
    assert (found.ties.graph.n_ties, found.ties.graph.degrees.max()) == (1, 1)
    assert found.frame["n_ties"].head(4).to_list() == [None, 1, 1, 0]
