"""Promise 10: nothing of an artefact runs, nothing unsigned is loaded, and after a flipped byte the last good stays."""

from __future__ import annotations

import json
import pickle
import random
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pilotage.models import artefacts, flow
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases import store as releases
from pilotage.releases.records import Version
from tests.living import NAME
from tests.models.conftest import Trained, rows, trained
from tests.models.hostile import BOMBS, Bomb, signed, zipped
from tests.models.test_nothing_runs import HOOKED
from tests.promises.asking import ask_many
from tests.promises.installation import BODY, PATH, Small, installed, running
from tests.promises.table import Promise
from tests.releases.distinguishable import SAYS, version_saying
from tests.web.serving import wait_until

__all__ = ["rows", "trained"]
SEED = 10
EVERY = 9
"""In the short version, of the bytes of a small artefact."""
POSITIONS = 300
"""Of a large file, drawn at random."""
SERVED_FEW, SERVED_MANY = 2, 30
MUTATED_FEW, MUTATED_MANY = 40, 1_500
SIGNATURES = 400
LAST_GOOD = SAYS[1][0]


def files_of(work: Workspace, digest: str, signature: str) -> Iterator[Path]:
    """Where the manifest and each file of an artefact lie."""
    manifest, _ = artefacts.load(work, digest, signature)
    yield work.lake.path(digest, artefacts.MANIFEST_SUFFIX)
    for name, entry in manifest.files.items():
        yield work.lake.path(entry.digest, Path(name).suffix)


def loaded_although_flipped(
    work: Workspace, digest: str, signature: str, positions: Callable[[int], list[int]]
) -> tuple[int, int]:
    """How many flips were loaded all the same, and how many were tried: each position by a random mask."""
    chance, loaded, tried = random.Random(SEED), 0, 0
    for path in list(files_of(work, digest, signature)):
        whole = path.read_bytes()
        for at in positions(len(whole)):
            changed = bytearray(whole)
            changed[at] ^= chance.randint(1, 255)
            path.write_bytes(changed)
            loaded += is_loaded(work, digest, signature)
            tried += 1
        path.write_bytes(whole)
    assert is_loaded(work, digest, signature)
    return loaded, tried


def is_loaded(work: Workspace, digest: str, signature: str) -> bool:
    try:
        flow.load_artefact(work, digest, signature)
    except (CorruptArtefact, NotFound):
        return False
    return True


@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.long)])
def test_no_flipped_byte_of_a_small_artefact_is_loaded(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, every: int
) -> None:
    version = installed(work, monkeypatch).version
    loaded, tried = loaded_although_flipped(
        work, version.artefact, version.signature, lambda size: list(range(0, size, every))
    )
    raw = bytes.fromhex(version.signature)
    for at in range(0, len(raw), every):
        forged = raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        loaded += is_loaded(work, version.artefact, forged.hex())
        tried += 1
    promise(10, what="flipped bytes", figure=f"{loaded} loaded", n=tried, passed=loaded == 0)


@pytest.mark.long
def test_no_flipped_byte_of_a_trained_artefact_is_loaded(trained: Trained, promise: Promise) -> None:
    loaded = tried = 0
    chance = random.Random(SEED)
    for candidate in ("boosted", "linear"):
        digest = trained.comparison.artefacts[candidate]
        found = loaded_although_flipped(
            trained.work,
            digest,
            flow.sign_artefact(trained.work, digest),
            lambda size: chance.sample(range(size), min(size, POSITIONS)),
        )
        loaded, tried = loaded + found[0], tried + found[1]
    promise(10, what="flipped, trained", figure=f"{loaded} loaded", n=tried, passed=loaded == 0)


def test_nothing_unsigned_is_loaded(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, promise: Promise
) -> None:
    version = installed(work, monkeypatch).version
    manifest = work.lake.read(version.artefact, artefacts.MANIFEST_SUFFIX)
    other = open_workspace(Settings(home=tmp_path / "other"))
    size = len(version.signature) // 2
    forged = ["", "00", version.signature[:-2], version.signature + "00", other.signer.sign(manifest)]
    forged += [work.signer.sign(manifest + b" "), work.signer.sign(b"")]
    forged += [secrets.token_hex(size) for _ in range(SIGNATURES)]
    other.close()
    loaded = sum(is_loaded(work, version.artefact, each) for each in forged)
    promise(10, what="unsigned", figure=f"{loaded} loaded", n=len(forged), passed=loaded == 0)


def hostile(work: Workspace, version: Version, exploded: Path, mutated: int) -> list[tuple[str, str]]:
    """Artefacts that whoever has the signing key could make: code in every place of a file, and random changes."""
    manifest, files = artefacts.load(work, version.artefact, version.signature)
    made = []
    for make, name in BOMBS:
        made.append(signed(work, manifest, {**files, name: make(exploded)}))
        for place, content in files.items():
            for put in (make(exploded), content + make(exploded), make(exploded) + content):
                made.append(signed(work, manifest, {**files, place: put}))
    for place, content in files.items():
        made.append(signed(work, manifest, {**files, place: content + zipped()}))
    chance = random.Random(SEED)
    for _ in range(mutated):
        place = chance.choice(sorted(files))
        changed = bytearray(files[place])
        for _ in range(chance.randint(1, 8)):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        made.append(signed(work, manifest, {**files, place: bytes(changed)}))
    return made


@pytest.mark.parametrize("mutated", [MUTATED_FEW, pytest.param(MUTATED_MANY, marks=pytest.mark.long)])
def test_nothing_of_an_artefact_runs(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, promise: Promise, mutated: int
) -> None:
    version = installed(work, monkeypatch).version
    exploded = tmp_path / "exploded"
    made = hostile(work, version, exploded, mutated)
    asked = {
        "good": [(version.artefact, version.signature)],
        "hostile": made,
        "canary": pickle.dumps(Bomb(tmp_path / "canary")).decode("latin-1"),
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    command = [sys.executable, "-c", HOOKED, str(work.home), str(tmp_path / "asked.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert "pickle.find_class" in said["canary"], "the hook would have seen it"
    with_code = len(made) - mutated
    assert len(said["refused"]) >= with_code, "code is refused; a changed number may be another good model"
    ran = len(said["seen"]) + exploded.exists()
    figure = f"{ran} executions, {len(said['refused']):,} refused"
    promise(10, what="hostile, signed", figure=figure, n=len(made), passed=ran == 0)


def one_byte_flipped(here: Small, number: int, chance: random.Random) -> Version:
    """Another version, of which one byte is not as it was signed."""
    version = version_saying(here.work, here.definition, number)
    own = set(files_of(here.work, version.artefact, version.signature))
    shared = set(files_of(here.work, here.version.artefact, here.version.signature))
    path = chance.choice(sorted(own - shared))
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= chance.randint(1, 255)
    path.write_bytes(content)
    return version


def make_live(work: Workspace, version: Version) -> None:
    """Live in assist at once, as another host has released it, where its bytes are whole."""
    live = releasing.live(work, NAME)
    new = msgspec.structs.replace(live, version=version.id, previous_version=live.version, revision=live.revision + 1)
    with work.database.writing() as connection:
        releases.insert_live(connection, new)


@pytest.mark.parametrize("count", [SERVED_FEW, pytest.param(SERVED_MANY, marks=pytest.mark.long)])
def test_the_last_good_version_goes_on_answering(
    work: Workspace, monkeypatch: pytest.MonkeyPatch, promise: Promise, count: int
) -> None:
    here = installed(work, monkeypatch)
    chance = random.Random(SEED)
    said: Counter[tuple[str, Any]] = Counter()
    with running(here, PILOTAGE_LOG_LEVEL="ERROR") as served:
        for number in range(count):
            bad = one_byte_flipped(here, 100 + number, chance)
            make_live(work, bad)
            wait_until(lambda bad=bad: bad.id in (work.home / "serve.log").read_text())  # type: ignore[misc]
            came = ask_many(served.port, served.headers, PATH, [BODY] * 10, 2)
            said.update((each.json["reason"], each.json.get("probability")) for each in came if each.status == 200)
    by_others = 10 * count - said["model", LAST_GOOD]
    reasons = {reason for reason, _ in said}
    figure = f"{by_others} answers not of the last good version, after {count} bad releases ({', '.join(reasons)})"
    promise(10, what="served", figure=figure, n=10 * count, passed=by_others == 0)
