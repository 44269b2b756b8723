"""The child of ``trial.py``: loads a LightGBM model from its standard input and asks it. Imports nothing of ours.

Its argument is the path of LightGBM's library. It ends with 0 where the model answered, with 3 and a sentence where the
library refused it, and by a signal where it crashed; memory and time are limited.
"""

from __future__ import annotations

import ctypes
import resource
import sys

MEMORY_BYTES, SECONDS = 4 << 30, 50
REFUSED = 3
_DOUBLE, _ROW_MAJOR, _ALL_TREES = 1, 1, -1
_RAW, _CONTRIBUTIONS = 1, 3  # C_API_PREDICT_RAW_SCORE, C_API_PREDICT_CONTRIB


def main() -> None:
    """Limit this process, load the model, ask it about a row of nothing and a row of noughts."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library = ctypes.CDLL(sys.argv[1])
    library.LGBM_GetLastError.restype = ctypes.c_char_p
    model, iterations, columns, outputs = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int(), ctypes.c_int()

    def demand(status: int) -> None:
        if status != 0:
            print(library.LGBM_GetLastError().decode(errors="replace"), file=sys.stderr)
            sys.exit(REFUSED)

    text = ctypes.c_char_p(sys.stdin.buffer.read())
    demand(library.LGBM_BoosterLoadModelFromString(text, ctypes.byref(iterations), ctypes.byref(model)))
    demand(library.LGBM_BoosterGetNumFeature(model, ctypes.byref(columns)))
    demand(library.LGBM_BoosterNumModelPerIteration(model, ctypes.byref(outputs)))
    for kind, size in ((_RAW, outputs.value), (_CONTRIBUTIONS, outputs.value * (columns.value + 1))):
        for value in (float("nan"), 0.0):
            row = (ctypes.c_double * columns.value)(*([value] * columns.value))
            found, length = (ctypes.c_double * size)(), ctypes.c_int64()
            demand(
                library.LGBM_BoosterPredictForMat(
                    model,
                    row,
                    ctypes.c_int(_DOUBLE),
                    ctypes.c_int32(1),
                    ctypes.c_int32(columns.value),
                    ctypes.c_int(_ROW_MAJOR),
                    ctypes.c_int(kind),
                    ctypes.c_int(0),
                    ctypes.c_int(_ALL_TREES),
                    ctypes.c_char_p(b"num_threads=1 verbosity=-1"),
                    ctypes.byref(length),
                    found,
                )
            )
            if length.value != size:
                print(f"it gives {length.value} numbers where {size} are due", file=sys.stderr)
                sys.exit(REFUSED)


if __name__ == "__main__":
    main()
