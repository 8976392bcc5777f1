"""Who is around a customer, and what spreads from a list: through the command line, within consent."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import polars as pl
import pytest

import churnrisk
from churnrisk.cli import run
from features import TiesUnknownWarning

from .conftest import AS_OF, Command

pytestmark = pytest.mark.e2e

TABLES = ("scores", "reasons", "at_risk", "network", "features")


def table(root: Path, name: str, top: str = "published") -> pl.DataFrame:
    return pl.read_parquet(root / top / name / f"as_of={AS_OF}" / "part-0.parquet", hive_partitioning=False)


def friends_of(root: Path, customer: str) -> set[str]:
    ties = table(root, "ties", top="restricted")
    return {
        friend
        for one, other in (("customer_a", "customer_b"), ("customer_b", "customer_a"))
        for friend in ties.filter(pl.col(one) == customer)[other]
    }


@pytest.fixture
def well_tied(telco: Path) -> str:
    """Somebody of high standing in the network, scored and not on the list."""
    network = table(telco, "network").drop_nulls("n_ties")
    network = network.join(table(telco, "at_risk"), on="customer_id", how="anti")
    return str(network.sort("n_ties", "customer_id", descending=[True, False])["customer_id"][0])


def test_influence_shows_both_views_and_names_nobody(
    own_telco: Path, command: Command, well_tied: str
) -> None:
    said = command("-w", own_telco, "influence", well_tied, "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    plain = said.plain
    published = table(own_telco, "network").row(by_predicate=pl.col("customer_id") == well_tied, named=True)
    causal = plain["causal_spillover"]
    assert causal["value"] == pytest.approx(published["churn_influence"], rel=1e-9)
    assert causal["low"] == 0 <= causal["value"] <= causal["high"]
    assert plain["predictive_exposure"]["churn_exposure"] == published["churn_exposure"]
    assert plain["n_ties"] == published["n_ties"]
    assert len(causal["friends"]) >= 5
    ids = set(table(own_telco, "scores")["customer_id"]) - {well_tied}
    text = command("-w", own_telco, "influence", well_tied, "--as-of", AS_OF).out
    svg = Path(plain["svg"]).read_text("utf-8")
    assert re.fullmatch(r"influence-[0-9a-f]{12}\.svg", Path(plain["svg"]).name)
    assert list(Path(plain["svg"]).parent.glob("influence-*.svg")) == [
        Path(plain["svg"])
    ]  # drawn twice, one file
    for shown in (said.out, text, svg):
        assert not ids & set(re.findall(r"\b\d{6}\b", shown))
    assert "causal view" in text
    assert "predictive view" in text


def test_influence_names_neighbours_where_the_settings_let_it_but_never_in_the_picture(
    own_telco: Path, command: Command, well_tied: str, tmp_path: Path
) -> None:
    config = own_telco / "churnrisk.toml"
    config.write_text(
        config.read_text("utf-8").replace("[privacy]", "[privacy]\nname_neighbours = true"), "utf-8"
    )
    svg = tmp_path / "ego.svg"
    said = command("-w", own_telco, "influence", well_tied, "--as-of", AS_OF, "--svg", svg, "--json")
    named = {friend["customer_id"] for friend in said.plain["causal_spillover"]["friends"]}
    assert named
    assert named <= friends_of(own_telco, well_tied)
    assert not named & set(re.findall(r"\b\d{6}\b", svg.read_text("utf-8")))


def test_influence_of_nobody_we_know_is_refused(telco: Path, command: Command) -> None:
    said = command("-w", telco, "influence", "nobody", "--as-of", AS_OF, "--json")
    assert (said.code, said.plain["faults"][0]["code"]) == (2, "customer_not_scored")
    assert "nobody" not in str(said.plain["faults"][0]["found"])


def test_influence_of_one_who_left_says_so(telco: Path, command: Command) -> None:
    customers = pl.read_csv(telco / "data" / "customers.csv", infer_schema=False)
    gone = customers.filter(pl.col("left_on") < "2026-06-01").drop_nulls("left_on")["customer_id"][0]
    said = command("-w", telco, "influence", gone, "--as-of", AS_OF, "--json")
    fault = said.plain["faults"][0]
    assert (said.code, fault["code"]) == (2, "customer_not_scored")
    assert "had left" in fault["found"]


def test_nothing_is_written_where_or_how_it_was_not_asked_for(
    telco: Path, command: Command, tmp_path: Path
) -> None:
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("customer_id\n", "utf-8")
    for arguments in (
        ("spread", "--seeds", seeds, "-o", tmp_path / "out.xlsx"),
        ("features", "-o", tmp_path / "out.xlsx"),
        ("influence", "nobody", "--svg", tmp_path / "new" / "ego.svg"),
    ):
        said = command("-w", telco, *arguments, "--as-of", AS_OF, "--json")
        assert (said.code, said.plain["faults"][0]["code"]) in {(2, "format_unknown"), (2, "folder_missing")}
    assert list(tmp_path.iterdir()) == [seeds]


def test_spread_ranks_whom_it_reaches_and_says_which_seeds_it_could_not_use(
    own_telco: Path, command: Command, tmp_path: Path
) -> None:
    listed = table(own_telco, "at_risk")["customer_id"].to_list()
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("customer_id,energy\n" + f"{listed[0]},2\n{listed[1]},1\nnobody,1\n", "utf-8")
    said = command("-w", own_telco, "spread", "--seeds", seeds, "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    assert (said.plain["n_seeds"], said.plain["rejected"]) == (2, {"seed_unknown": 1})
    frame = pl.read_parquet(said.plain["output"])
    assert "restricted" in Path(said.plain["output"]).parts
    assert frame["activation"].is_sorted(descending=True)
    assert frame["activation"].sum() <= 3 + 1e-9
    assert set(frame.filter("is_seed")["customer_id"]) == set(listed[:2])
    quarantined = pl.read_parquet(said.plain["quarantine"])
    assert quarantined["row"].to_list() == [3]
    again = churnrisk.open(own_telco).spread(
        pl.DataFrame({"customer_id": listed[:2], "energy": [2, 1]}), AS_OF, output=tmp_path / "reached.csv"
    )
    assert again.frame.equals(frame)
    assert (tmp_path / "reached.csv").read_bytes().count(b"\r\n") == frame.height + 1


def test_spread_from_nobody_is_refused(telco: Path, command: Command, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds.csv"
    seeds.write_text("customer_id\n", "utf-8")
    said = command("-w", telco, "spread", "--seeds", seeds, "--as-of", AS_OF, "--json")
    assert (said.code, said.plain["faults"][0]["code"]) == (11, "seeds_empty")


def test_one_who_lets_no_calls_be_used_is_nowhere_as_if_their_calls_had_never_come(
    own_telco: Path, command: Command, tmp_path: Path, well_tied: str
) -> None:
    """Two worlds in which somebody refuses: in one their calls lie in the source, in the other they do not."""
    was = table(own_telco, "network")
    friend = min(friends_of(own_telco, well_tied) & set(table(own_telco, "scores")["customer_id"]))
    customers = own_telco / "data" / "customers.csv"
    refused = pl.read_csv(customers, infer_schema=False).with_columns(
        may_use_calls=pl.when(pl.col("customer_id") == well_tied)
        .then(pl.lit("false"))
        .otherwise("may_use_calls")
    )
    refused.write_csv(customers)
    without = tmp_path / "without"
    shutil.copytree(own_telco, without, symlinks=True)
    for path in (without / "data" / "calls").glob("*.parquet"):
        calls = pl.read_parquet(path)
        ends = [name for name in calls.columns if name.endswith("_id")][:2]
        calls.filter(~pl.any_horizontal(pl.col(end) == well_tied for end in ends)).write_parquet(path)
    told = []
    for root in (own_telco, without):
        assert run(["-q", "-w", str(root), "nightly", "--as-of", AS_OF]) == 0
        told.append(command("-w", root, "influence", friend, "--as-of", AS_OF, "--json").plain)
        seeds = tmp_path / "seeds.csv"
        seeds.write_text(f"customer_id\n{friend}\n", "utf-8")
        assert command("-w", root, "spread", "--seeds", seeds, "--as-of", AS_OF).code == 0
    for name in TABLES:
        one, other = (table(root, name).drop("run_id") for root in (own_telco, without))
        assert one.equals(other, null_equal=True), name
    for name in ("ties", "spread"):
        one, other = (table(root, name, top="restricted") for root in (own_telco, without))
        people = [column for column in one.columns if column.startswith("customer_")]
        assert one.drop("run_id", strict=False).equals(other.drop("run_id", strict=False))
        assert (
            not one.select(pl.any_horizontal(pl.col(column) == well_tied for column in people))
            .to_series()
            .any()
        )
    for path in sorted((own_telco / "lists" / AS_OF).iterdir()):
        assert path.read_bytes() == (without / "lists" / AS_OF / path.name).read_bytes(), path.name
    for name in ("causal_spillover", "predictive_exposure", "n_ties"):
        assert told[0][name] == told[1][name]
    now = table(own_telco, "network")
    mine = now.row(by_predicate=pl.col("customer_id") == well_tied, named=True)
    known = {name for name, value in mine.items() if value is not None}
    assert known == {"as_of", "customer_id", "run_id"}
    before, after = (each.filter(pl.col("customer_id") == friend)["n_ties"][0] for each in (was, now))
    assert after == before - 1
    pages = [(root / "reports" / AS_OF / "index.html").read_text("utf-8") for root in (own_telco, without)]
    around = [re.findall(r'<section id="around".*?</section>', page, flags=re.DOTALL) for page in pages]
    assert around[0] == around[1]
    assert around[0]


def test_spread_needs_calls_and_no_model(tmp_path: Path, command: Command) -> None:
    (tmp_path / "customers.csv").write_text(
        "customer_id,joined_on\n001,2025-01-01\n002,2025-01-01\n", "utf-8"
    )
    (tmp_path / "calls.csv").write_text("caller_id,callee_id,started_at\n001,002,2026-06-01\n", "utf-8")
    (tmp_path / "seeds.csv").write_text("customer_id\n001\n", "utf-8")
    config = tmp_path / "churnrisk.toml"
    settings = '[privacy]\nmissing_consent = true\n[sources.customers]\npath = "customers.csv"\n'
    config.write_text(f'{settings}[sources.calls]\npath = "calls.csv"\n', "utf-8")
    arguments = ("-w", tmp_path, "spread", "--seeds", tmp_path / "seeds.csv", "--as-of", AS_OF)
    said = command(*arguments)
    assert said.code == 0, said.err
    assert "predictive, not causal" in said.out
    reached = table(tmp_path, "spread", top="restricted")
    # d = .7 between two: each keeps .3 of what comes, so .3 / (1 - .49) of it rests where it began
    assert reached["customer_id"].to_list() == ["001", "002"]
    assert reached["activation"].to_list() == pytest.approx([0.3 / 0.51, 0.21 / 0.51], abs=1e-3)
    config.write_text(settings, "utf-8")
    refused = command(*arguments, "--json")
    assert (refused.code, refused.plain["faults"][0]["code"]) == (12, "ties_missing")
    for command_line in (("influence", "001"), ("ties", "fit")):
        refused = command("-w", tmp_path, *command_line, "--as-of", AS_OF, "--json")
        assert (refused.code, refused.plain["faults"][0]["code"]) == (12, "ties_missing"), command_line
    config.write_text(f'{settings}[sources.calls]\npath = "calls.csv"\n', "utf-8")
    for words in (
        ("features",), ("train",), ("nightly",), ("influence", "001"), ("ties", "fit"),
        ("spread", "--seeds", str(tmp_path / "seeds.csv")),
    ):  # fmt: skip
        refused = command("-w", tmp_path, *words, "--as-of", "2024-12-31", "--json")
        fault = refused.plain["faults"][0]
        assert (refused.code, fault["code"]) == (2, "as_of_before_data"), words
        assert fault["available"] == ["calls from 2026-06-01", "customers from 2025-01-01"]
    late = "2026-12-31"
    for words in (("spread", "--seeds", str(tmp_path / "seeds.csv")), ("ties", "fit")):
        refused = command("-w", tmp_path, *words, "--as-of", late, "--json")
        assert (refused.code, refused.plain["faults"][0]["code"]) == (12, "ties_unknown"), words
        assert refused.plain["faults"][0]["found"] == "the last contact on 2026-06-01"
    with pytest.warns(TiesUnknownWarning, match="the last contact on 2026-06-01"):
        silent = churnrisk.open(tmp_path).ties(late)
    assert silent is not None
    assert (silent.number_of_nodes(), silent.number_of_edges()) == (2, 0)


def test_a_night_after_calls_stopped_coming_knows_nothing_of_ties_and_says_so(
    own_telco: Path, command: Command, well_tied: str
) -> None:
    """The other sources are whole, so the night goes on; `influence` has nothing to say."""
    for path in (own_telco / "data" / "calls").glob("*.parquet"):
        calls = pl.read_parquet(path)
        calls.filter(pl.col("started_at").cast(pl.String) < "2026-03-01").write_parquet(path)
    said = command("-w", own_telco, "nightly", "--as-of", AS_OF, "--json")
    assert said.code == 0, said.err
    (warning,) = [each for each in said.plain["warnings"] if each.startswith("table calls:")]
    assert "found the last contact on 2026-02-28" in warning
    assert not [
        each for each in said.plain["warnings"] if "ties, exposures and influence are unknown" in each
    ]
    network = table(own_telco, "network")
    assert network.height == table(own_telco, "scores").height
    unknown = network.drop("as_of", "customer_id", "run_id")
    assert unknown.null_count().row(0) == (network.height,) * unknown.width
    assert table(own_telco, "at_risk")["spillover_value"].null_count() == table(own_telco, "at_risk").height
    assert table(own_telco, "ties", top="restricted").is_empty()
    page = (own_telco / "reports" / AS_OF / "index.html").read_text("utf-8")
    assert "known for this date" in page
    refused = command("-w", own_telco, "influence", well_tied, "--as-of", AS_OF, "--json")
    assert (refused.code, refused.plain["faults"][0]["code"]) == (12, "ties_unknown")
