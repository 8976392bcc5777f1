from __future__ import annotations

from churnrisk.config import CONSENTS, SOURCE_NAMES, parsed_config
from churnrisk.simulate import Programme, World, WorldSettings, workspace_config
from churnrisk.simulate.settings import DEFAULT_FORMATS


def test_the_configuration_is_accepted_and_names_every_table() -> None:
    config = parsed_config(workspace_config(WorldSettings(programme=Programme())))
    assert set(config.sources) == set(DEFAULT_FORMATS) <= set(SOURCE_NAMES)
    plain = parsed_config(workspace_config(WorldSettings()))
    assert set(plain.sources) == set(DEFAULT_FORMATS) - {"treatments"}
    assert config.time.zone == "UTC"
    assert config.churn.kind == "cancelled"


def test_its_patterns_match_every_file_of_the_sources_and_none_of_the_truth(world: World) -> None:
    root = world.directory.parent
    config = parsed_config(workspace_config(world.settings, data=world.directory.name))
    matched = {
        path
        for source in config.sources.values()
        for pattern in source[0].paths
        for path in root.glob(pattern)
    }
    written = {path for path in world.directory.rglob("*") if path.is_file()}
    truth = {path for path in written if "truth" in path.relative_to(world.directory).parts}
    assert matched == written - truth
    assert truth


def test_what_is_carried_to_lists_and_every_consent_is_in_the_extract(world: World) -> None:
    config = parsed_config(workspace_config(world.settings))
    with world.paths["customers"].open(encoding="utf-8") as file:
        header = file.readline().strip().split(",")
    assert set(config.lists.carry) | set(CONSENTS) <= set(header)


def test_formats_chosen_otherwise_are_followed() -> None:
    text = workspace_config(WorldSettings(file_format={"calls": "csv", "usage": "parquet"}), data="d")
    config = parsed_config(text)
    assert config.sources["calls"][0].paths == ("d/calls.csv",)
    assert config.sources["usage"][0].paths == ("d/usage/*.parquet",)
