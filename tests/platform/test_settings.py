"""Settings come from the environment; what is wrong is named, its value never printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotage.platform.errors import SettingsError
from pilotage.platform.settings import from_environment, read_settings


def test_everything_has_a_default_and_binds_to_loopback() -> None:
    settings = read_settings({})
    assert settings.host == "127.0.0.1"
    assert settings.database == "sqlite:///.pilotage/pilotage.db"
    assert settings.address == "http://127.0.0.1:8700"


def test_values_are_read_by_prefix_and_converted() -> None:
    settings = read_settings({"PILOTAGE_HOME": "/srv/p", "PILOTAGE_PORT": "9000", "OTHER": "x"})
    assert settings.home == Path("/srv/p")
    assert settings.port == 9000


def test_an_unknown_setting_is_refused_with_the_known_ones() -> None:
    with pytest.raises(SettingsError, match=r"PILOTAGE_PROT is not a setting\. Known: .*PILOTAGE_PORT"):
        read_settings({"PILOTAGE_PROT": "9000"})


def test_what_an_app_finds_the_service_by_is_no_setting_and_disturbs_none() -> None:
    assert read_settings({"PILOTAGE_ADDRESS": "http://127.0.0.1:8700", "PILOTAGE_KEY": "pk_1"}) == read_settings({})


def test_what_belongs_to_the_host_lies_with_its_spool() -> None:
    assert read_settings({"PILOTAGE_HOME": "/srv/p"}).spool_folder == Path("/srv/p/spool")
    assert read_settings({"PILOTAGE_HOME": "/srv/p"}).of_host == Path("/srv/p")
    apart = read_settings({"PILOTAGE_HOME": "/srv/p", "PILOTAGE_SPOOL": "/var/spool/one"})
    assert (apart.spool_folder, apart.of_host) == (Path("/var/spool/one"), Path("/var/spool/one"))


def test_a_value_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(SettingsError, match="port"):
        read_settings({"PILOTAGE_PORT": "ninety"})


def test_a_reference_is_replaced_by_its_variable_and_keeps_its_tail() -> None:
    environment = {"WEATHER": "/data/weather"}
    assert from_environment("env:WEATHER/*.parquet", "weather", environment) == "/data/weather/*.parquet"
    assert from_environment("data/*.csv", "weather", environment) == "data/*.csv"


def test_a_missing_variable_is_named_with_who_needs_it() -> None:
    with pytest.raises(SettingsError, match="source flights needs the environment variable DISPATCH_DATABASE"):
        from_environment("env:DISPATCH_DATABASE", "source flights", {})
