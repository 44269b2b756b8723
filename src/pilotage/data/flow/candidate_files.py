"""The files beside a use-case file that its candidates name: whether they are there. Nothing in them is run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pilotage.usecase.records import UseCase
from pilotage.usecase.rules.places import Mistake
from pilotage.usecase.rules.places import Path as Place

_KEYS = ("onnx", "mlflow", "examples")


def missing_files(use_case: UseCase, folder: Path) -> list[Mistake]:
    """Every estimator, model and table of examples that is not there; ``folder`` is that of the use-case file."""
    return [
        Mistake(place, f"There is no file {path}.", "Write its path from the folder of this file.")
        for place, path in _named(use_case, folder)
        if not path.exists()
    ]


def _named(use_case: UseCase, folder: Path) -> Iterator[tuple[Place, Path]]:
    """Where the file names others; what a package or an entry point holds, only an import would find."""
    for name, own in use_case.candidates.own.items():
        file = own.estimator.partition(":")[0]
        if file.endswith(".py"):
            yield ("candidates", "own", name, "estimator"), (folder / file).absolute()
    for name, brought in use_case.candidates.brought.items():
        for key in _KEYS:
            if given := getattr(brought, key):
                yield ("candidates", "brought", name, key), (folder / given).absolute()
