"""Seeds are read from what a user brings; rows that cannot be used are counted by reason and keep no id."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from churnrisk.errors import ContractError, UsageError
from churnrisk.sources.seeds import REJECTED, read_seeds

NODES = pl.DataFrame(
    {
        "customer_id": ["001", "王", "r", "hub"],
        "may_use_calls": [True, True, False, True],
        "n_partners": [None, None, None, 900],
    }
)


def test_rows_are_judged_in_order_and_rejected_without_their_id(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("customer_id,energy\n001,2.5\n 王 ,\n001,1\nnobody,1\nr,1\n,1\nhub,1\n", "utf-8")
    seeds = read_seeds(path, NODES)
    assert seeds.frame.rows() == [("001", 2.5), ("王", 1.0)]
    assert seeds.rejected.select("row", "column", "code").rows() == [
        (3, "customer_id", "seed_repeated"),
        (4, "customer_id", "seed_unknown"),
        (5, "customer_id", "seed_refuses"),
        (6, "customer_id", "seed_null"),
        (7, "customer_id", "seed_hub"),
    ]
    assert "1 seed not used: a hub: more partners than anybody has friends, no social ties" in " ".join(
        seeds.rejected_words()
    )
    assert dict(seeds.rejected.schema) == REJECTED
    assert (
        not seeds.rejected.select(pl.any_horizontal(pl.all().cast(pl.String) == "nobody")).to_series().any()
    )


@pytest.mark.parametrize("energy", ["0", "-1", "much", "inf", "nan"])
def test_energy_that_is_no_number_above_0_is_rejected(tmp_path: Path, energy: str) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text(f"customer_id,energy\n001,{energy}\n", "utf-8")
    seeds = read_seeds(path, NODES)
    assert seeds.rejected["code"].to_list() == ["energy_invalid"]
    with pytest.raises(
        ContractError, match="1 seed not used: energy is no number above 0, written with a decimal point"
    ):
        seeds.refuse_empty()


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_character_set_are_found(tmp_path: Path, mark: str, encoding: str) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text(f"customer_id{mark}energy\n001{mark}2.5\n王{mark}\n", encoding)
    assert read_seeds(path, NODES).frame.rows() == [("001", 2.5), ("王", 1.0)]


def test_a_decimal_comma_is_rejected_and_the_message_says_what_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    for text, code in (
        ("customer_id;energy\n001;2,5\n", "energy_invalid"),
        ("customer_id,energy\n001,2,5\n", "malformed_line"),
    ):
        path.write_text(text, "utf-8")
        seeds = read_seeds(path, NODES)
        assert seeds.rejected.select("row", "code").rows() == [(1, code)]
        with pytest.raises(ContractError, match=r"2\.5, not 2,5"):
            seeds.refuse_empty()


def test_a_later_row_of_a_customer_counts_when_the_first_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("customer_id,energy\n001,abc\n001,2\n001,3\n001,0\nwho,1\nwho,1\n", "utf-8")
    seeds = read_seeds(path, NODES)
    assert seeds.frame.rows() == [("001", 2.0)]
    assert seeds.rejected.select("row", "code").rows() == [
        (1, "energy_invalid"),
        (3, "seed_repeated"),
        (4, "energy_invalid"),
        (5, "seed_unknown"),
        (6, "seed_unknown"),
    ]


def test_numbers_are_ids_by_their_digits_as_in_sources() -> None:
    nodes = pl.DataFrame({"customer_id": ["6383", "7"], "may_use_calls": True, "n_partners": None})
    frame = pl.DataFrame({"customer_id": [6383.0, None, float("nan"), 7.5]})
    seeds = read_seeds(frame, nodes)
    assert seeds.frame.rows() == [("6383", 1.0)]
    assert seeds.rejected["code"].to_list() == ["seed_null", "seed_null", "seed_unknown"]
    for given in ([6383, 7], [6383.0, 7.0], [6383.0, 7], pl.DataFrame({"customer_id": [6383, 7]})):
        assert read_seeds(given, nodes).frame["customer_id"].to_list() == ["6383", "7"]


def test_an_id_without_its_leading_zeros_is_unknown_and_the_remedy_says_so() -> None:
    with pytest.raises(ContractError, match=r"00123 is not 123.*leading zeros count, and id_digits"):
        read_seeds([1], NODES).refuse_empty()


def test_rejections_are_told_in_words_and_rows_are_those_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("energy;customer_id\n1;001;x\n1;who\n1;王\n2;no\n", "utf-8")
    seeds = read_seeds(path, NODES)
    assert seeds.frame.rows() == [("王", 1.0)]
    assert seeds.rejected.select("row", "code").rows() == [
        (1, "malformed_line"),
        (2, "seed_unknown"),
        (4, "seed_unknown"),
    ]
    assert seeds.rejected_words() == [
        "1 seed not used: too few or too many fields",
        "2 seeds not used: no customer of this id at this date (ids are text: 00123 is not 123)",
    ]


def test_a_file_with_two_columns_of_one_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("customer_id,customer_id\n001,001\n", "utf-8")
    with pytest.raises(UsageError, match="CSV in UTF-8 or as Parquet"):
        read_seeds(path, NODES)


def test_parquet_frames_and_lists_are_taken_as_well(tmp_path: Path) -> None:
    frame = pl.DataFrame({"customer_id": ["001"], "energy": [3]})
    frame.write_parquet(tmp_path / "seeds.parquet")
    for given in (tmp_path / "seeds.parquet", frame, frame.to_arrow()):
        assert read_seeds(given, NODES).frame.rows() == [("001", 3.0)]
    assert read_seeds(["王"], NODES).frame.rows() == [("王", 1.0)]


@pytest.mark.parametrize("text", ["", "customer_id\n"])
def test_an_empty_list_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(ContractError, match="no rows"):
        read_seeds(path, NODES).refuse_empty()


def test_what_cannot_be_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "seeds.csv"
    path.write_text("who\n001\n", "utf-8")
    with pytest.raises(UsageError, match="a column customer_id"):
        read_seeds(path, NODES)
    with pytest.raises(UsageError, match="no such file"):
        read_seeds(tmp_path / "none.csv", NODES)
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(UsageError, match="CSV or Parquet"):
        read_seeds(tmp_path / "broken.parquet", NODES)
    with pytest.raises(UsageError, match="a file, a frame or a list"):
        read_seeds(7, NODES)
