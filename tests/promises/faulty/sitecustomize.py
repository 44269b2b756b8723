"""What Python runs first in each process of a server under test: its model and its disk do what a file says.

``FAULTS`` names the file, JSON: ``model`` is "raises", "not_finite" or "slow" (then ``seconds`` is how long a score
takes), all the time or but for one score in ``but_one_in``; ``sync`` is "fails". It is looked at every
``FAULTS_LOOK_SECONDS``.
"""

from __future__ import annotations

import errno
import itertools
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from pilotage.models.records import Prediction
from pilotage.models.scoring import Scorer

_AT = Path(os.environ["FAULTS"])
_LOOK_SECONDS = float(os.environ["FAULTS_LOOK_SECONDS"])
_known: tuple[int, dict[str, Any]] = (-1, {})
_looked_at = 0.0
_scores = itertools.count()
_predict, _fsync = Scorer.predict, os.fsync


def _faults() -> dict[str, Any]:
    global _known, _looked_at
    now = time.monotonic()
    if now - _looked_at < _LOOK_SECONDS:
        return _known[1]
    _looked_at = now
    changed = _AT.stat().st_mtime_ns
    if changed != _known[0]:
        _known = (changed, json.loads(_AT.read_text()))
    return _known[1]


def _predicted(self: Scorer, values: Any) -> Prediction:
    faults = _faults()
    fault, works_in = faults.get("model"), faults.get("but_one_in", 0)
    if works_in and next(_scores) % works_in == 0:
        fault = None
    if fault == "raises":
        raise ValueError("a broken model")
    if fault == "slow":
        time.sleep(faults["seconds"])
    said = _predict(self, values)
    return msgspec.structs.replace(said, score=math.nan) if fault == "not_finite" else said


def _synced(descriptor: int) -> None:
    if _faults().get("sync") == "fails":
        raise OSError(errno.EIO, "the device is gone")
    _fsync(descriptor)


Scorer.predict = _predicted  # type: ignore[method-assign]
os.fsync = _synced  # type: ignore[assignment]
