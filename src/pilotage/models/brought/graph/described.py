"""What a graph says of itself, and what was settled about it."""

from __future__ import annotations

from msgspec import Struct

from pilotage.usecase.records.candidates import Scale

FLOATS = ("tensor(float)", "tensor(double)")


class Tensor(Struct, frozen=True):
    """An input or output: its name, its type in ONNX's words, its sizes (None where any will do)."""

    name: str
    type: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("n" if size is None else str(size) for size in self.shape)
        return f"{self.name}: {self.type}" + (f" [{sizes}]" if self.shape else "")


class Described(Struct, frozen=True):
    """A graph's inputs and outputs."""

    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class Fed(Struct, frozen=True):
    """One input of the graph and the columns that it takes: side by side, or one alone in a flat tensor."""

    input: str
    type: str
    columns: tuple[str, ...]
    flat: bool = False


class Answered(Struct, frozen=True):
    """One output of the graph and what is taken from it: positions in a row, or keys of its maps; all if empty."""

    output: str
    is_maps: bool
    picks: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    scale: Scale = "probability"
    kind: str = "flag"


class GraphMapping(Struct, frozen=True):
    """How a graph is asked: what goes in, what comes out, and whether it takes many rows at once."""

    fed: tuple[Fed, ...]
    answered: Answered
    codes: dict[str, dict[str, float]] = {}
    one_by_one: bool = False
