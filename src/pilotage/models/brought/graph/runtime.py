"""onnxruntime, silent: its wheels report to their maker over the network unless the environment says no beforehand."""

from __future__ import annotations

import os
from functools import lru_cache
from types import ModuleType
from typing import Any

SILENCE = "ORT_DISABLE_TELEMETRY"


def runtime() -> ModuleType:
    """The library; asking its own function for silence after the import is too late (1.31.1 has begun by then)."""
    os.environ[SILENCE] = "1"
    import onnxruntime

    return onnxruntime  # type: ignore[no-any-return]


def session(content: bytes) -> Any:
    """The runtime over a graph: one thread, since requests bring their own."""
    library = runtime()
    options = library.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return library.InferenceSession(content, options, providers=["CPUExecutionProvider"])


@lru_cache(maxsize=1)
def failures() -> tuple[type[Exception], ...]:
    """What the runtime raises: its own errors have no ancestor in common but ``Exception``."""
    runtime()
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [one for one in vars(state).values() if isinstance(one, type) and issubclass(one, Exception)]
    return (RuntimeError, ValueError, *own)


def run(session: Any, wanted: list[str], inputs: dict[str, Any]) -> Any:
    """The outputs.

    Raises:
        ValueError: the runtime cannot answer these inputs.
    """
    try:
        return session.run(wanted, inputs)
    except failures() as error:
        raise ValueError(f"the model cannot answer: {' '.join(str(error).split())[:300]}") from None
