"""What several test workers need is made once, and whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from tests.once import made_once


def test_workers_that_ask_at_once_get_what_one_of_them_made(tmp_path_factory: pytest.TempPathFactory) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        sleep(0.05)
        (folder / "whole").touch()

    tmp_path_factory.getbasetemp()  # pytest makes it when first asked, and is not asked by threads
    with ThreadPoolExecutor(4) as workers:
        asked = [workers.submit(made_once, "asked", tmp_path_factory, "master", make) for _ in range(4)]
        found = [each.result() for each in asked]
    assert len(made) == 1
    assert found == made * 4
    assert (made[0] / "whole").exists()


def test_what_failed_half_way_is_made_again_from_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError

    def whole(folder: Path) -> None:
        (folder / "whole").touch()

    with pytest.raises(OSError):  # noqa: PT011
        made_once("failing", tmp_path_factory, "master", broken)
    found = made_once("failing", tmp_path_factory, "master", whole)
    assert [path.name for path in found.iterdir()] == ["whole"]
