"""Real flights of January and February 2013, and one comparison trained on them, shared by all tests here."""

from __future__ import annotations

import dataclasses
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pytest

from pilotage.models import flow
from pilotage.models.inputs import Encoder, Rows
from pilotage.models.records import Comparison
from pilotage.platform.clock import FixedClock
from pilotage.platform.lake import Lake
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.usecase.records import Definition
from tests.models import flights
from tests.once import copied_once_made


@dataclass(frozen=True)
class Trained:
    """A finished comparison and the installation that holds its artefacts."""

    work: Workspace
    definition: Definition
    rows: pa.Table
    comparison: Comparison
    said: tuple[str, ...]


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """Every third flight of the two months, in order, with its columns as of an hour before departure."""
    return _every_third(tmp_path_factory, "flights")


@pytest.fixture(scope="session")
def delays(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    """The same flights with their arrival delay in minutes, and that of the aircraft before as the rule of today."""
    return _every_third(tmp_path_factory, "delays", "arr_delay::DOUBLE", "aircraft_last_delay")


def _every_third(factory: pytest.TempPathFactory, name: str, *label_and_rule: str) -> pa.Table:
    def make(folder: Path) -> None:
        table = flights.training_table(folder, range(1, 3), *label_and_rule)
        for unpacked in ("flights.csv", "weather.csv"):
            (folder / unpacked).unlink()
        # Uncompressed and in one piece, as the engine gave it.
        with pa.OSFile(str(folder / "rows.arrow"), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table.take(pa.array(np.arange(0, table.num_rows, 3))))

    with pa.OSFile(str(copied_once_made(factory, name, make) / "rows.arrow")) as file:
        return pa.ipc.open_file(file).read_all()


@pytest.fixture(scope="session")
def trained(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """All candidates trained on the two months."""
    clock = FixedClock(datetime(2013, 12, 5, 20, tzinfo=UTC))
    definition = flights.definition()

    def make(folder: Path) -> None:
        work = open_workspace(Settings(home=folder / "home"), clock)
        said: list[str] = []
        comparison = flow.compare_on(work, definition, flights.training_set(rows), rows, said.append)
        work.close()
        (folder / "told").write_bytes(msgspec.msgpack.encode((comparison, said)))

    folder = copied_once_made(tmp_path_factory, "trained", make)
    told = (folder / "told").read_bytes()
    comparison, said = msgspec.msgpack.decode(told, type=tuple[Comparison, tuple[str, ...]])
    return Trained(open_workspace(Settings(home=folder / "home"), clock), definition, rows, comparison, said)


@pytest.fixture(scope="session")
def encoded(rows: pa.Table) -> tuple[Encoder, Rows, np.ndarray]:
    """The rows with an outcome: their encoder, the encoded rows and the labels."""
    known = rows.filter(rows["label"].is_valid())
    encoder = Encoder.fitted(flights.columns(), known)
    return encoder, encoder.table(known), known["label"].to_numpy(zero_copy_only=False).astype(bool)


@pytest.fixture
def exploded(tmp_path: Path) -> Path:
    """The file that would be there, had a bomb gone off."""
    return tmp_path / "exploded"


@pytest.fixture(scope="module")
def copied(trained: Trained, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The same installation with a copy of its lake, to spoil and to mend."""
    home = tmp_path_factory.mktemp("copied")
    shutil.copytree(trained.work.lake.root, home / "lake")
    return dataclasses.replace(trained.work, settings=Settings(home=home), lake=Lake(home / "lake"))


@pytest.fixture
def spoilable(trained: Trained, tmp_path: Path) -> Workspace:
    """The same, for one test."""
    shutil.copytree(trained.work.lake.root, tmp_path / "home" / "lake")
    return dataclasses.replace(
        trained.work, settings=Settings(home=tmp_path / "home"), lake=Lake(tmp_path / "home" / "lake")
    )
