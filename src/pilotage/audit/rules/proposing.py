"""Inputs that the sources could give and the file does not have yet, with the lines to add.

Nothing is proposed that leaks, may be personal, identifies, never changes or is mostly empty. Those with a measured
skill come first; the others are worth a try, which `pilotage train` and `pilotage compare` settle.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding, Proposal
from pilotage.audit.rules.findings.leakage import LATE_SHARE, TOO_GOOD_AUC
from pilotage.audit.rules.owners import names_of
from pilotage.data.records import FoundColumn
from pilotage.usecase.records import Definition, Derived, Input, Latest, Source, Window
from pilotage.usecase.rules.inputs import RESERVED

FILLED_MIN = 0.5
OWN_VALUES = 0.5
"""Texts of which more than this share are different name things, they do not sort them."""
SPANS = ("1 day", "7 days", "30 days")
TAKEN_MAX = 3
KEYS_MAX = 4
REQUESTED_MAX = 10
PROPOSALS_MAX = 24
_ORDER = ("request", "latest", "windows", "derived")
_KINDS = {"number": "number", "text": "category", "datetime": "datetime", "flag": "flag"}
_ID = re.compile(r"(^|[_\s-])(id|uuid|guid|key|nr|number|no)$|[a-z]I[Dd]$", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")


def proposals(definition: Definition, measured: Measured, findings: Sequence[Finding]) -> tuple[Proposal, ...]:
    """At most two dozen inputs to add: the most telling first, then lookups, windows and parts of dates."""
    proposing = _Proposing(definition, measured, findings)
    found = [*proposing.requested(), *proposing.looked_up(), *proposing.windowed(), *proposing.derived()]
    ranked = sorted(found, key=lambda p: (p.skill is None, -(p.skill or 0.0), _ORDER.index(p.form)))
    return tuple(ranked[:PROPOSALS_MAX])


class _Proposing:
    """One use case with its figures, and the names that are taken."""

    def __init__(self, definition: Definition, measured: Measured, findings: Sequence[Finding]) -> None:
        self.definition, self.measured = definition, measured
        self.use_case, self.plan = definition.use_case, definition.plan
        self.skills = {(s.source, s.column): s.auc for s in measured.leakage.separations}
        self.personal = {(c.source, c.column) for c in measured.personal.columns}
        self.leaking = _leaking(measured, findings)
        self.names = {*self.use_case.inputs, *self.plan.request, *self.plan.names, *RESERVED}
        self.used = {(c.source, c.take, by) for c in _taking(self.plan.columns) for by in (c.by, *((b,) for b in c.by))}

    def requested(self) -> Iterator[Proposal]:
        """Columns of the decision's own row that the app could send."""
        source = self.use_case.decision.source
        figures = self.measured.sources[source]
        usable = [c for c in self._usable(figures) if (source, c.name) not in self.leaking]
        usable.sort(key=lambda column: -self.skills.get((source, column.name), 0.0))
        for column in usable[:REQUESTED_MAX]:
            name, kind = self._free(column.name), _KINDS[column.type]
            sent = kind if name == column.name else f"{{kind: {kind}, column: {_text(column.name)}}}"
            filled = figures.profiles[column.name].filled / figures.rows
            why = f"{source} has it in {filled:.1%} of rows, known by the decision; the app would send it."
            skill = self.skills.get((source, column.name))
            yield Proposal(name, "request", source, f"{name}: request", why, {name: sent}, skill)

    def looked_up(self) -> Iterator[Proposal]:
        """The newest row of a source, by the request columns that are its key."""
        for name, source in self.use_case.sources.items():
            by = self._lookup_key(name, source)
            if not by:
                continue
            own = self.plan.entity in by
            usable = [
                c
                for c in self._usable(self.measured.sources[name])
                if (name, c.name, by) not in self.used and c.type != "datetime"
                if not (own and (name, c.name) in self.leaking)
            ]
            for category in (False, True):
                taken = [column.name for column in usable if (column.type == "text") == category]
                if taken:
                    yield self._latest(name, source, by, taken, category)

    def _latest(self, name: str, source: Source, by: tuple[str, ...], taken: list[str], category: bool) -> Proposal:
        key = self._free(f"{name}_{'words_' if category else ''}by_{'_'.join(by)}")
        lines = [f"{key}:", f"  latest: {name}", f"  by: {_listed(by)}", f"  take: {_listed(taken)}"]
        if category:
            lines.append("  kind: category")
        if not source.is_static:
            lines.append(f"  within: {self._within(name)}")
        skills = [self.skills[name, t] for t in taken if (name, t) in self.skills] if self.plan.entity in by else []
        why = f"{names_of(taken)}: the newest row of {name} for {names_of(by)}, as known by the decision."
        return Proposal(key, "latest", name, "\n".join(lines), why, skill=max(skills, default=None))

    def _within(self, source: str) -> str:
        """How old a value may be: as in the file for the same source, else a month."""
        entries = [e for e in self.use_case.inputs.values() if isinstance(e, Input) and e.latest == source]
        return entries[0].within if entries else "30 days"

    def windowed(self) -> Iterator[Proposal]:
        """How many rows of a source, and how large its numbers were, over the last days per key."""
        for name, source in self.use_case.sources.items():
            keys = self._window_keys(name)
            if source.is_static or not keys or name == self.use_case.outcome.source:
                continue
            counted = [by for by in keys if (name, "", (by,)) not in self.used]
            if counted and not self._lookup_key(name, source):  # how often a thermometer was read says little
                yield self._window(name, "count", counted, [])
            figures = self.measured.sources[name]
            numbers = [c.name for c in self._usable(figures) if c.type in ("number", "flag")]
            numbers = [n for n in numbers if not all((name, n, (by,)) in self.used for by in keys)]
            numbers.sort(key=lambda n: -self.skills.get((name, n), 0.0))
            if numbers and name != self.use_case.decision.source:
                yield self._window(name, "mean", keys, numbers[:TAKEN_MAX])

    def _window(self, name: str, aggregate: str, keys: list[str], taken: list[str]) -> Proposal:
        key = self._free(f"{name}_{aggregate}s")
        lines = [f"{key}:", f"  windows: {name}", f"  by: {_listed(keys)}"]
        lines += [f"  take: {_listed(taken)}"] if taken else []
        lines += [f"  aggregate: {aggregate}", f"  over: [{', '.join(SPANS)}]"]
        what = f"The mean of {names_of(taken)}" if taken else f"How many rows {name} has"
        return Proposal(key, "windows", name, "\n".join(lines), f"{what} over 1, 7 and 30 days, by {names_of(keys)}.")

    def derived(self) -> Iterator[Proposal]:
        """Hour and weekday of the instants that the app sends."""
        known = " ".join(_squeezed(c.expression) for c in self.plan.columns if isinstance(c, Derived))
        for name, column in self.plan.request.items():
            if column.kind != "datetime":
                continue
            for part, word, kind in (("HOUR", "hour", ""), ("DOW", "weekday", ", kind: category")):
                expression = f"EXTRACT({part} FROM {name})"
                if _squeezed(expression) not in known:
                    key = self._free(f"{name}_{word}")
                    lines = f"{key}: {{derived: {expression}{kind}}}"
                    yield Proposal(key, "derived", "", lines, f"The {word} of {name}, which is sent already.")

    def _lookup_key(self, name: str, source: Source) -> tuple[str, ...]:
        """Request columns under which one row at a time is found; nothing for the decision's own source."""
        clocks = {source.event_time, source.known_at}
        key = tuple(column for column in source.key if column not in clocks)
        if name in (self.use_case.decision.source, self.use_case.outcome.source) or not key:
            return ()
        return key if all(column in self.plan.request for column in key) else ()

    def _window_keys(self, name: str) -> list[str]:
        """Request columns that the source has, too, other than the entity: rows of before share them."""
        have = {column.name for column in self.measured.sources[name].columns}
        names = [n for n, column in self.plan.request.items() if column.kind == "category" and n in have]
        return [n for n in names if n != self.plan.entity and not self.plan.request[n].personal][:KEYS_MAX]

    def _usable(self, figures: SourceFigures) -> list[FoundColumn]:
        source = self.use_case.sources[figures.source]
        left_out = {*source.key, source.event_time, source.known_at, self.plan.entity, *self.plan.request}
        return [
            column
            for column in figures.columns
            if column.name not in left_out
            and column.name not in self._sent(figures.source)
            and (figures.source, column.name) not in self.personal
            and not _ID.search(column.name)
            and _PLAIN.fullmatch(column.name)
            and is_telling(figures, column)
        ]

    def _sent(self, source: str) -> set[str]:
        """Columns of the decision's source that the app sends under another name."""
        if source != self.use_case.decision.source:
            return set()
        return {c.column for c in self.plan.request.values() if c.column}

    def _free(self, wanted: str) -> str:
        """A name that fits the file and that nothing has yet."""
        name = re.sub(r"[^a-z0-9]+", "_", wanted.lower()).strip("_")[:56]
        name = name if name[:1].isalpha() else f"column_{name}"
        free = next(n for n in (name, *(f"{name}_{i}" for i in range(2, 10_000))) if n not in self.names)
        self.names.add(free)
        return free


def is_telling(figures: SourceFigures, column: FoundColumn) -> bool:
    """Filled in half of the rows, with more than one value, and not with a value of its own in nearly each row."""
    profile = figures.profiles.get(column.name)
    if profile is None or profile.filled < FILLED_MIN * figures.rows or profile.distinct < 2:
        return False
    identifies = profile.distinct > OWN_VALUES * profile.filled and column.type == "text"
    return not identifies


def _taking(columns: Sequence[object]) -> list[Latest | Window]:
    return [column for column in columns if isinstance(column, (Latest, Window))]


def _leaking(measured: Measured, findings: Sequence[Finding]) -> set[tuple[str, str]]:
    """Source and column of what must not be taken for the decision's own entity."""
    late = {(each.source, c) for each in measured.leakage.late if each.share_after >= LATE_SHARE for c in each.columns}
    good = {(each.source, each.column) for each in measured.leakage.separations if each.auc > TOO_GOOD_AUC}
    said = {(f.source, column) for f in findings if f.topic == "leakage" for column in f.column.split(", ")}
    return late | good | said


def _squeezed(expression: str) -> str:
    return re.sub(r"\s+", "", expression).lower()


def _listed(names: Sequence[str]) -> str:
    """One name, or a list in one line."""
    return _text(names[0]) if len(names) == 1 else f"[{', '.join(_text(name) for name in names)}]"


def _text(name: str) -> str:
    """A name as YAML: in quotes where it is more than a word."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'"{name}"'
