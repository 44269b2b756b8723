"""Golden vectors: some held-out rows in the artefact, with what the model said of them when it was compared.

Whoever loads the artefact asks those rows again. Other versions of a library, another processor or another build may
compute otherwise, and nothing but the answers tells whether it matters.

What the use-case file or a source's contract calls personal, and what is derived from it, is left out of the rows: a
row without a value is a row like any other, and what is expected is what the model said of the row as it is kept.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.raw import FAILURES
from pilotage.models.rules import agreement
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import CorruptArtefact

if TYPE_CHECKING:
    import pyarrow as pa

GOLDEN = "golden.json"
ROWS_SPREAD, ROWS_NEAR = 48, 16
_ALWAYS = ("numpy",)


class Golden(Struct, frozen=True):
    """Rows by ``columns``, the calibrated outputs and the answer to each, and the environment that gave them."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    outputs: tuple[tuple[float, ...], ...]
    answers: tuple[bool | str | float, ...]
    environment: dict[str, str]


class EnvironmentDiffers(CorruptArtefact):
    """The artefact is whole, and answers here otherwise than where it was compared."""

    code = "environment-differs"
    title = "The environment differs from training"


def chosen(kind_outputs: NDArray[np.float64], doubtful: NDArray[np.intp]) -> NDArray[np.intp]:
    """Positions spread evenly over the held-out part, with those whose answer is the nearest to being another."""
    count = len(kind_outputs)
    spread = np.linspace(0, count - 1, min(count, ROWS_SPREAD)).astype(np.intp)
    return np.unique(np.concatenate([spread, doubtful[:ROWS_NEAR]]))


def made(scorer: Scorer, rows: pa.Table, personal: Collection[str]) -> bytes:
    """The golden vectors of these rows, to be kept in the artefact; rows that the model cannot answer are left out.

    Values of ``personal`` columns are not kept.
    """
    kept = [_plain(values) for values in _without(personal, rows).to_pylist()]
    names = tuple(name for name in scorer.plan.names if name in rows.column_names)
    found = [(values, *said) for values in kept if (said := _said(scorer, values)) is not None]
    golden = Golden(
        columns=names,
        rows=tuple(tuple(values[name] for name in names) for values, *_ in found),
        outputs=tuple(tuple(outputs) for _, outputs, _ in found),
        answers=tuple(answer for *_, answer in found),
        environment=environment(scorer.manifest.libraries),
    )
    return msgspec.json.encode(golden)


def demand_same(scorer: Scorer, content: bytes) -> None:
    """Ask every golden row again.

    Raises:
        EnvironmentDiffers: an output lies further away than the scorer's tolerance, or an answer is another.
    """
    golden = msgspec.json.decode(content, type=Golden)
    apart, flips = 0.0, 0
    for values, outputs, answer in zip(golden.rows, golden.outputs, golden.answers, strict=True):
        said = _said(scorer, dict(zip(golden.columns, values, strict=True)))
        if said is None or len(said[0]) != len(outputs):
            apart = float("inf")
            break
        expected, found = np.array([outputs]), np.array([said[0]])
        apart = max(apart, agreement.apart(scorer.kind, expected, found))
        flips += scorer.kind != "number" and said[1] != answer
    if flips or not apart <= scorer.tolerance:
        raise EnvironmentDiffers(*_told(scorer, golden, apart, flips))


def environment(libraries: Mapping[str, str]) -> dict[str, str]:
    """What computes here: the interpreter, the processor, and those libraries in the versions that are installed."""
    found = {"python": platform.python_version(), "processor": platform.machine()}
    return found | {name: _installed(name) for name in sorted({*_ALWAYS, *libraries})}


def _told(scorer: Scorer, golden: Golden, apart: float, flips: int) -> tuple[str, str]:
    then, now = golden.environment, environment(scorer.manifest.libraries)
    changed = [f"{name} {then[name]} then, {now.get(name, 'none')} now" for name in then if then[name] != now.get(name)]
    versions = "; ".join(changed) or "the libraries and the processor are the same: look at the machine's settings"
    how_far = "some cannot be answered here" if apart == float("inf") else f"outputs differ by up to {apart:.1e}"
    said = (
        f"Environment differs from training, and the golden vectors decide: of {len(golden.rows)} rows {how_far} where "
        f"{scorer.tolerance:.0e} is allowed, and {flips} are answered otherwise ({versions})."
    )
    return said, "Install the versions that trained it, or train again in this environment."


def _said(scorer: Scorer, values: Mapping[str, Any]) -> tuple[list[float], bool | str | float] | None:
    """Outputs and answer of one row; None where there is none, or one that is not finite."""
    try:
        outputs, answer = scorer.row(values), scorer.predict(values).answer
    except FAILURES:
        return None
    return (outputs, answer) if np.isfinite(outputs).all() else None


def _without(personal: Collection[str], rows: pa.Table) -> pa.Table:
    import pyarrow as pa

    for at, field in enumerate(rows.schema):
        if field.name in personal:
            rows = rows.set_column(at, field.name, pa.nulls(len(rows), field.type))
    return rows


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """A row as JSON gives it back, so that what is expected was said of exactly what is kept."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(values))
    return found


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
