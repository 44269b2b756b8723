"""The container file, the systemd unit and the compose file say what they must; no engine is needed to see that."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilotage.platform.settings import Settings, read_settings
from pilotage.web.supervising import STOP_SECONDS

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
FILES = ("Containerfile", "pilotage.service", "compose.yaml", "nginx.conf", "haproxy.cfg")


@pytest.fixture
def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False, comment_prefixes=("#", ";"))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string((DEPLOY / "pilotage.service").read_text())
    return parser


@pytest.fixture
def compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return found


@pytest.fixture
def steps() -> list[tuple[str, str]]:
    """Instructions of the container file with what follows them, continued lines joined."""
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("file", FILES)
def test_every_setting_that_is_set_exists(file: str) -> None:
    named = set(re.findall(r"PILOTAGE_([A-Z_]+)", (DEPLOY / file).read_text()))
    assert named
    assert {name.lower() for name in named} <= set(Settings.__struct_fields__)


@pytest.mark.parametrize("file", FILES)
def test_no_secret_and_no_address_of_a_registry_is_written_down(file: str) -> None:
    text = (DEPLOY / file).read_text()
    assert not re.search(r"(?i)\b[\w.-]+\.(io|com|org|net|dev)[:/]", text)
    assert not re.search(r"(?i)(password|secret|token)\s*[:=]\s*['\"]?\w{6,}$", text, re.MULTILINE)


def test_the_container_runs_without_root(steps: list[tuple[str, str]]) -> None:
    users = [what for step, what in steps if step == "USER"]
    assert users == ["10001:10001"]
    assert [step for step, _ in steps].index("USER") < [step for step, _ in steps].index("CMD")


def test_the_container_is_slim_and_of_the_tested_versions(steps: list[tuple[str, str]]) -> None:
    bases = [what for step, what in steps if step == "FROM"]
    assert bases[0].endswith(" AS build")
    assert ("ARG", "BASE=python:3.12-slim") in steps
    (install,) = [what for step, what in steps if step == "RUN" and "pip install" in what]
    assert "--constraint /source/constraints.txt" in install
    copied = [source for step, what in steps if step == "COPY" and "--from" not in what for source in what.split()[:-1]]
    assert all((ROOT / source).exists() for source in copied)


def test_the_container_copies_all_that_the_package_is_built_of(steps: list[tuple[str, str]]) -> None:
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {"pyproject.toml", built["project"]["readme"], *built["project"]["license-files"]}
    wanted |= {*built["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"], "src", "constraints.txt"}
    copied = set()
    for what in (what for step, what in steps if step == "COPY" and "--from" not in what):
        *sources, to = what.split()
        copied |= {each for each in sources if to == f"/source/{each}" or (to == "/source/" and "/" not in each)}
    assert wanted <= copied


def test_the_slim_container_brings_the_library_that_reaches_postgresql() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["postgres"]
    assert any(each.startswith("psycopg[binary]") for each in extra), "python:slim has no libpq"


def test_the_container_starts_the_server_itself_so_that_it_hears_signals(steps: list[tuple[str, str]]) -> None:
    assert ("CMD", '["pilotage", "serve"]') in steps
    assert ("STOPSIGNAL", "SIGTERM") in steps


def test_settings_of_the_container_are_read(steps: list[tuple[str, str]]) -> None:
    (given,) = [what for step, what in steps if step == "ENV"]
    settings = read_settings(dict(re.findall(r"(\w+)=(\S+)", given)))
    assert (settings.host, settings.workers, settings.drain_seconds) == ("0.0.0.0", 2, 10)


def test_the_unit_reloads_and_stops_as_the_server_does(unit: RawConfigParser) -> None:
    service = unit["Service"]
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert (service["KillMode"], service["KillSignal"]) == ("mixed", "SIGTERM")
    assert service["Restart"] == "on-failure"
    assert float(service["TimeoutStopSec"]) >= 10 + STOP_SECONDS
    assert int(service["LimitNOFILE"]) >= 1024


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("User", "pilotage"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX"),
        ("SystemCallFilter", "@system-service"),
        ("StateDirectoryMode", "0700"),
        ("UMask", "0077"),
    ],
)
def test_the_unit_is_hardened(unit: RawConfigParser, key: str, value: str) -> None:
    assert unit["Service"][key] == value


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    there = (DEPLOY / "pilotage.service").read_text().replace("/opt/pilotage/bin/pilotage serve", "/bin/true")
    unit = tmp_path / "pilotage.service"
    unit.write_text(there)
    said = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_compose_waits_for_the_database_and_lets_the_server_finish(compose: dict[str, Any]) -> None:
    server = compose["services"]["pilotage"]
    assert server["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert float(server["stop_grace_period"].removesuffix("s")) >= 10 + STOP_SECONDS
    assert "healthcheck" in compose["services"]["database"]
    assert server["build"] == {"context": "..", "dockerfile": "deploy/Containerfile"}


def test_compose_publishes_to_this_machine_only_and_hardens(compose: dict[str, Any]) -> None:
    server, database = compose["services"]["pilotage"], compose["services"]["database"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert "ports" not in database
    assert server["read_only"] is True
    assert server["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in server["security_opt"]
    assert server["ulimits"]["nofile"] >= 1024


def test_compose_keeps_what_must_be_kept_and_demands_what_it_cannot_know(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        kept = [volume.split(":")[0] for volume in service["volumes"]]
        assert set(kept) <= set(compose["volumes"])
    given = compose["services"]["pilotage"]["environment"]
    assert given["PILOTAGE_PUBLIC_URL"].startswith("${PILOTAGE_PUBLIC_URL:?")
    assert given["PILOTAGE_DATABASE_URL"].startswith("${PILOTAGE_DATABASE_URL:?")
    assert "POSTGRES_PASSWORD_FILE" in compose["services"]["database"]["environment"]
