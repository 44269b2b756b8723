"""A remote model as a scorer: one request per row or per batch, no second try, and a breaker in front."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from pilotage.models.brought.endpoint.protocols import Asking, asking
from pilotage.models.brought.endpoint.values import rows_of, sent
from pilotage.models.brought.graph.described import Answered
from pilotage.models.brought.graph.reading import answers, completed
from pilotage.platform.breaker import Breaker
from pilotage.platform.egress import Egress, Unreachable
from pilotage.usecase.records import Brought, ColumnKind
from pilotage.usecase.records.candidates import Scale

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH_SECONDS = 60.0
_BYTES_MAX = 1024 * 1024
_BATCH_BYTES_MAX = 64 * 1024 * 1024
_BUSY = (408, 425, 429)


class Remote(Struct, frozen=True):
    """What is kept of an endpoint: how it is asked, the version that was compared, no address and no secret."""

    given: Brought
    kinds: dict[str, ColumnKind]
    answered: Answered
    version: str = ""


class RemoteScorer:
    """A remote model asked with column values. Safe for many threads at once.

    Once a version was compared, answers of another one are refused: nothing is known of it.
    """

    def __init__(
        self, remote: Remote, egress: Egress, headers: Mapping[str, str], breaker: Breaker | None = None
    ) -> None:
        self.remote, self.breaker = remote, breaker or Breaker()
        self._egress, self._headers = egress, dict(headers)
        self._asking: Asking = asking(remote.given, remote.kinds)

    @property
    def classes(self) -> tuple[str, ...]:
        return self.remote.answered.classes

    @property
    def scale(self) -> Scale:
        return self.remote.answered.scale

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the endpoint is asked with."""
        return self._asking.columns

    def row(self, values: Mapping[str, Any]) -> list[float]:
        """The outputs of one row.

        Raises:
            ValueError: a value does not fit, or the answer is none.
            Unreachable: the endpoint does not answer in time, or is being left alone after several failures.
        """
        codes, kinds = self.remote.given.codes, self.remote.kinds
        rows = [[sent(values.get(name), kinds[name], codes.get(name)) for name in self._asking.columns]]
        found = self._outputs(self.asked(rows, self.remote.given.timeout_ms / 1000, _BYTES_MAX), 1)
        return [float(one) for one in found[0]]

    def table(self, table: pa.Table) -> NDArray[np.float64]:
        """The outputs of many rows, asked in batches: rows × outputs.

        Raises:
            ValueError: a value does not fit, or an answer is none.
            Unreachable: the endpoint does not answer in time, or is being left alone after several failures.
        """
        found = np.empty((table.num_rows, len(self.classes) or 1))
        for start in range(0, table.num_rows, self._asking.rows_max):
            piece = table.slice(start, self._asking.rows_max)
            rows = rows_of(piece, self._asking.columns, self.remote.kinds, self.remote.given.codes)
            output = self.asked(rows, _BATCH_SECONDS, _BATCH_BYTES_MAX)
            found[start : start + len(rows)] = self._outputs(output, len(rows))
        return found

    def introduced(self, table: pa.Table) -> Remote:
        """What is kept, with the version and the classes that only an answer shows.

        Raises:
            ValueError: the answer's classes do not fit what the file says.
            Unreachable: the endpoint does not answer.
        """
        rows = rows_of(table.slice(0, 1), self._asking.columns, self.remote.kinds, self.remote.given.codes)
        output, version = self.asked(rows, _BATCH_SECONDS, _BYTES_MAX)
        answered = self.remote.answered
        if isinstance(output, list):
            answered = completed(
                msgspec.structs.replace(answered, is_maps=True, picks=_pick(self.remote.given)), output
            )
        return msgspec.structs.replace(self.remote, answered=answered, version=version)

    def asked(self, rows: list[Any], seconds: float, bytes_max: int) -> tuple[Any, str]:
        """What the endpoint says: outputs and version."""
        content = msgspec.json.encode(self._asking.question(rows))
        if not self.breaker.admits():
            raise Unreachable(
                f"{self._egress.host} failed several times in a row and is left alone for a while.", "Ask who runs it."
            )
        is_alive = False
        try:
            reply = self._egress.post(self._asking.path, content, self._headers, seconds, bytes_max)
            is_alive = reply.status < 500 and reply.status not in _BUSY
            if reply.status != 200:
                raise Unreachable(f"{self._egress.host} answers {reply.status}.", _repair(reply.status))
            said = _decoded(reply.content, self._egress.host)
        finally:
            if is_alive:
                self.breaker.succeeded()
            else:
                self.breaker.failed()
        try:
            return self._asking.answer(said)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"its answer is not that of its protocol (it has no {error})") from None

    def _outputs(self, said: tuple[Any, str], rows: int) -> NDArray[np.float64]:
        output, version = said
        if self.remote.version and version != self.remote.version:
            raise ValueError(
                f"the endpoint now serves version {version or 'without a name'} of its model; version "
                f"{self.remote.version} was compared"
            )
        if len(output) != rows:
            raise ValueError(f"the endpoint answers {len(output)} rows of {rows}")
        if isinstance(output, list) != self.remote.answered.is_maps:
            raise ValueError("the endpoint answers in another shape than before")
        return answers(self.remote.answered, output)


def _pick(given: Brought) -> tuple[str, ...]:
    return (given.positive,) if given.positive else ()


def _decoded(content: bytes, host: str) -> Any:
    try:
        said = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    if said is None:
        raise Unreachable(f"{host} does not answer in JSON.", "Check the address and `protocol`.")
    return said


def _repair(status: int) -> str:
    if status in (401, 403):
        return "Check the headers it is asked with, and their rights."
    if 300 <= status < 400:
        return "A redirect is not followed: give the address it leads to."
    return "Check the address, `model` and `protocol`; ask who runs it."
