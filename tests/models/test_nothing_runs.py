"""On no way of loading an artefact is anything unpickled, imported or run: an audit hook watches (PEP 578)."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

from pilotage.models import flow
from pilotage.platform.workspace import Workspace
from tests.models.conftest import Trained
from tests.models.hostile import BOMBS, Bomb, good, signed, spoilt, zipped

HOOKED = """
import json, sys
from pathlib import Path

from pilotage.models import flow
from pilotage.models.records import Comparison
from pilotage.platform.errors import PilotageError
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import open_workspace

work = open_workspace(Settings(home=Path(sys.argv[1])))
asked = json.loads(Path(sys.argv[2]).read_text())
for digest, signature in asked["good"]:
    flow.load_artefact(work, digest, signature)  # everything that is imported late is imported now

seen, watching = [], False
FORBIDDEN = ("pickle.", "marshal.", "exec", "compile", "import", "os.system", "os.exec", "os.fork", "os.posix_spawn",
    "subprocess.", "ctypes.dlopen", "shutil.", "tempfile.", "socket.", "urllib.", "code.__new__")

def hook(event, arguments):
    if watching and event.startswith(FORBIDDEN):
        seen.append([event, str(arguments)[:300]])

sys.addaudithook(hook)
watching = True
import pickle
seen.clear()
try:
    pickle.loads(asked["canary"].encode("latin-1"))
except Exception:
    pass
canary = [event for event, _ in seen]
seen.clear()
refused, answered = [], 0
for digest, signature in asked["good"]:
    scorer = flow.load_artefact(work, digest, signature)
    answered += 1
for digest, signature in asked["hostile"]:
    try:
        flow.sign_artefact(work, digest)
    except PilotageError:
        pass
    try:
        flow.load_artefact(work, digest, signature)
    except PilotageError as error:
        refused.append(error.message)
watching = False
print(json.dumps({"canary": canary, "seen": seen, "refused": refused, "answered": answered}))
"""


def test_on_no_way_of_loading_is_anything_unpickled_imported_or_run(
    spoilable: Workspace, trained: Trained, tmp_path: Path, exploded: Path
) -> None:
    manifest, files = good(spoilable, trained)
    shutil.copytree(trained.work.home / "keys", spoilable.home / "keys")
    hostile = [signed(spoilable, manifest, {**files, name: make(exploded)}) for make, name in BOMBS]
    hostile += [signed(spoilable, manifest, {**files, "plan.json": make(exploded)}) for make, _ in BOMBS]
    hostile += [
        signed(spoilable, manifest, {**files, "model.txt": content})
        for content, _ in spoilt(files["model.txt"]).values()
    ]
    hostile += [signed(spoilable, manifest, {**files, "encoder.json": files["encoder.json"] + zipped()})]
    artefacts_of = trained.comparison.artefacts.values()
    asked = {
        "good": [(digest, flow.sign_artefact(spoilable, digest)) for digest in artefacts_of],
        "hostile": hostile,
        "canary": pickle.dumps(Bomb(tmp_path / "canary")).decode("latin-1"),
    }
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    done = subprocess.run(
        [sys.executable, "-c", HOOKED, str(spoilable.home), str(tmp_path / "asked.json")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert "pickle.find_class" in said["canary"]  # the hook would have seen it
    assert said["seen"] == []
    assert (said["answered"], len(said["refused"])) == (len(asked["good"]), len(hostile))
    assert not exploded.exists()
