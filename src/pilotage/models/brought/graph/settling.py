"""From what the file says and what the graph says of itself to one way of asking it; or why there is none."""

from __future__ import annotations

from collections.abc import Mapping

from pilotage.models.brought.graph.described import FLOATS, Answered, Described, Fed, GraphMapping, Tensor
from pilotage.models.brought.inside.answering import Refusal
from pilotage.models.brought.wanted import Wanted
from pilotage.usecase.records import Brought

_WHOLE = ("tensor(int64)", "tensor(int32)")
_NUMBERS = (*FLOATS, *_WHOLE)
_MAPS = "seq(map("


def settled(given: Brought, graph: Described, wanted: Wanted) -> GraphMapping:
    """How this graph is asked for this use case.

    Raises:
        Refusal: the graph's inputs or outputs do not fit the columns or the outcome.
    """
    named = _named(given.inputs, graph, wanted)
    fed = tuple(_fed(one, named[one.name], given.codes, wanted) for one in graph.inputs)
    firsts = {one.shape[0] for one in graph.inputs if one.shape}
    if firsts - {None, 1}:
        raise Refusal(
            f"it takes exactly {max(size for size in firsts if size)} rows at a time.",
            "Export it with a batch of any size: the first dimension must be free.",
        )
    return GraphMapping(fed, _answered(given, graph, wanted), dict(given.codes), 1 in firsts)


def _named(said: Mapping[str, str | list[str]], graph: Described, wanted: Wanted) -> dict[str, tuple[str, ...]]:
    """Each input's columns: those that the file gives, or the column of the input's own name."""
    inputs = [one.name for one in graph.inputs]
    unknown = sorted(set(said) - set(inputs))
    if unknown:
        raise Refusal(f"it has no input {unknown[0]}; it has {_listed(graph.inputs)}.", "Correct `inputs`.")
    named = {name: (columns,) if isinstance(columns, str) else tuple(columns) for name, columns in said.items()}
    for name in inputs:
        if name not in named and name in wanted.columns:
            named[name] = (name,)
    for one in graph.inputs:
        if one.name not in named:
            raise Refusal(f"nobody says what its input {one} takes.", _proposal(one, wanted))
    strange = sorted({column for columns in named.values() for column in columns} - set(wanted.columns))
    if strange:
        known = ", ".join(wanted.columns)
        raise Refusal(
            f"there is no column {strange[0]} for it.", f"The use case has {known}. Add it to `inputs` there."
        )
    return named


def _proposal(one: Tensor, wanted: Wanted) -> str:
    many = len(one.shape) == 2 and one.shape[1] != 1
    listed = f"[{', '.join(wanted.columns)}]" if many else next(iter(wanted.columns), "a_column")
    return f"Write, in the order it was trained with: inputs: {{{one.name}: {listed}}}"


def _fed(one: Tensor, columns: tuple[str, ...], codes: Mapping[str, Mapping[str, float]], wanted: Wanted) -> Fed:
    if len(one.shape) not in (1, 2):
        raise Refusal(f"its input {one} is no table of rows.", "Only inputs of one or two dimensions can be filled.")
    flat = len(one.shape) == 1
    width = 1 if flat else one.shape[1]
    if width is not None and width != len(columns):
        raise Refusal(
            f"its input {one} takes {width} columns, and `inputs` gives it {len(columns)}.",
            "List exactly the columns it was trained with, in their order.",
        )
    for column in columns:
        _refuse_unfitting(one, column, column in codes, wanted)
    return Fed(one.name, one.type, columns, flat)


def _refuse_unfitting(one: Tensor, column: str, coded: bool, wanted: Wanted) -> None:
    kind = wanted.columns[column]
    wants_text, wants_flag = one.type == "tensor(string)", one.type == "tensor(bool)"
    if one.type not in (*_NUMBERS, "tensor(string)", "tensor(bool)"):
        raise Refusal(f"its input {one} is of a type that no column has.", "Export it with floats or strings.")
    if kind == "datetime":
        raise Refusal(
            f"{column} is a datetime, which no graph takes.",
            f"Derive a number from it: {column}_hour: {{derived: EXTRACT(HOUR FROM {column})}}",
        )
    is_text = kind in ("category", "text")
    if (wants_text and not is_text) or (wants_flag and kind != "flag"):
        raise Refusal(
            f"its input {one} takes {'texts' if wants_text else 'flags'}; {column} is a {kind}.", "Give another."
        )
    if is_text and not wants_text and not coded:
        raise Refusal(
            f"its input {one} takes numbers; {column} is a {kind}.",
            f"Say which number stands for which text, as in training: codes: {{{column}: {{first: 0, second: 1}}}}",
        )


def _answered(given: Brought, graph: Described, wanted: Wanted) -> Answered:
    one = _output(given, graph, wanted)
    scale = given.scale if wanted.kind == "flag" else "probability"
    if one.type.startswith(_MAPS):
        return Answered(
            one.name, True, _flag_picks(given, True, None, one, wanted), tuple(given.classes), scale, wanted.kind
        )
    if one.type not in FLOATS:
        hint = "A model that only gives a label has no probability: export it with its probabilities."
        raise Refusal(f"its output {one} holds no probabilities or numbers.", hint)
    width = one.shape[1] if len(one.shape) == 2 else 1
    if len(one.shape) not in (1, 2) or (wanted.kind == "number" and width not in (None, 1)):
        raise Refusal(f"its output {one} is not one answer per row.", "Name another one in `output`.")
    if (
        given.classes
        and width is not None
        and width != len(given.classes)
        and (width != 1 or wanted.kind == "category")
    ):
        raise Refusal(
            f"its output {one} has {width} values, and `classes` has {len(given.classes)}.", "List all of them."
        )
    if wanted.kind == "category" and not given.classes:
        names = ", ".join(wanted.classes) or "first, second"
        raise Refusal(
            f"nobody says which class each value of its output {one} belongs to.",
            f"Write, in the order of its training: classes: [{names}]",
        )
    picks = _flag_picks(given, False, width, one, wanted)
    classes = tuple(given.classes) if wanted.kind == "category" else ()
    return Answered(one.name, False, picks, classes, scale, wanted.kind)


def _output(given: Brought, graph: Described, wanted: Wanted) -> Tensor:
    """The named output, else the one with maps of probabilities, else the only one of floats."""
    if given.output:
        found = [one for one in graph.outputs if one.name == given.output]
        if not found:
            raise Refusal(f"it has no output {given.output}; it has {_listed(graph.outputs)}.", "Correct `output`.")
        return found[0]
    maps = [one for one in graph.outputs if one.type.startswith(_MAPS)] if wanted.kind != "number" else []
    floats = maps or [one for one in graph.outputs if one.type in FLOATS]
    if len(floats) != 1:
        which = "none of them holds probabilities or numbers" if not floats else "several could be the answer"
        raise Refusal(f"of its outputs ({_listed(graph.outputs)}) {which}.", "Name the right one: output: its_name")
    return floats[0]


def _flag_picks(given: Brought, is_maps: bool, width: int | None, one: Tensor, wanted: Wanted) -> tuple[str, ...]:
    """Where a flag's probability stands in a row of the output: a key of maps, or a position; empty: all there is."""
    if wanted.kind != "flag":
        return ()
    if is_maps:
        return (given.positive,) if given.positive else ()
    if width == 1:
        return ("0",)
    if given.positive:
        if given.positive not in given.classes:
            raise Refusal(
                f"nobody says which value of its output {one} belongs to the class {given.positive}.",
                f"List its classes in the order of its training: classes: [other, {given.positive}]",
            )
        return (str(given.classes.index(given.positive)),)
    if (width or len(given.classes) or 2) != 2:
        raise Refusal(
            f"its output {one} has more than two classes.", "Say which one means positive: positive: its_name"
        )
    return ("1",)


def _listed(tensors: tuple[Tensor, ...]) -> str:
    return "; ".join(str(one) for one in tensors)
