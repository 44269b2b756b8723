"""Inputs that the sources could give and the file does not have yet, with the lines to add.

Nothing is proposed that the outcome is made of, that leaks, may be personal, identifies, never changes or is mostly
empty. A few at most: first those with a measured skill, then those whose keys the quick model leans on already; whether
one helps, `pilotage train` and `pilotage compare` settle.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from pilotage.audit.measured import Measured
from pilotage.audit.measured.sources import SourceFigures
from pilotage.audit.records import Finding, ProposedInput
from pilotage.audit.rules.costs import POINTS_MIN
from pilotage.audit.rules.findings.leakage import LATE_SHARE, TOO_GOOD_AUC
from pilotage.audit.rules.owners import names_of
from pilotage.data.guessing.words import is_bare
from pilotage.data.records import FoundColumn
from pilotage.usecase.records import Column, Definition, Derived, Input, Latest, Source, UseCase, Window
from pilotage.usecase.rules.expressions import columns_of
from pilotage.usecase.rules.inputs import RESERVED

FILLED_MIN = 0.5
OWN_VALUES = 0.5
"""Texts of which more than this share are different name things, they do not sort them."""
SPANS = {"1 day": 1, "7 days": 7, "30 days": 30}
TAKEN_MAX = 2
KEYS_MAX = 2
WINDOWS_MAX = 2
PROPOSALS_MAX = 8
SKILL_MIN = 0.52
"""A column that alone orders outcomes no better than that is not worth the work of sending it."""
DOUBTED_AUC = 0.8
"""Nor is one that does so much better than most single columns to be taken without a question."""
_ORDER = ("request", "latest", "windows", "derived")
_KINDS = {"number": "number", "text": "category", "datetime": "datetime", "flag": "flag"}
_ID = re.compile(r"(^|[_\s-])(id|uuid|guid|key|nr|number|no)$|[a-z]I[Dd]$", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ]*")


def proposals(definition: Definition, measured: Measured, findings: Sequence[Finding]) -> tuple[ProposedInput, ...]:
    """At most eight inputs to add, two of them windows: those first that are measured to tell, then by reason."""
    proposing = _Proposing(definition, measured, findings)
    windows = _ranked(proposing.windowed())[:WINDOWS_MAX]
    found = [*proposing.requested(), *proposing.looked_up(), *windows, *proposing.derived()]
    return tuple(_ranked(found)[:PROPOSALS_MAX])


def _ranked(found: Iterable[ProposedInput]) -> list[ProposedInput]:
    return sorted(found, key=lambda p: (p.skill is None, -(p.skill or 0.0), -p.leans_on, _ORDER.index(p.form)))


class _Proposing:
    """One use case with its figures, and the names that are taken."""

    def __init__(self, definition: Definition, measured: Measured, findings: Sequence[Finding]) -> None:
        self.definition, self.measured = definition, measured
        self.use_case, self.plan = definition.use_case, definition.plan
        self.skills = {(s.source, s.column): s.auc for s in measured.leakage.separations}
        self.personal = {c.column for c in measured.personal.columns}
        self.outcome = _told_afterwards(definition.use_case)
        self.leaking = _leaking(measured, findings)
        self.doubted = {
            (f.source, column)
            for f in findings
            if f.topic == "leakage" and f.severity != "informs"
            for column in f.column.split(", ")
        }
        self.names = {*self.use_case.inputs, *self.plan.request, *self.plan.names, *RESERVED}
        self.used = {(c.source, c.take, by) for c in _taking(self.plan.columns) for by in (c.by, *((b,) for b in c.by))}

    def requested(self) -> Iterator[ProposedInput]:
        """Columns of the decision's own row that the app could send."""
        source = self.use_case.decision.source
        figures = self.measured.sources[source]
        for column in self._usable(figures):
            skill = self.skills.get((source, column.name))
            if (source, column.name) in self.leaking or (skill is not None and skill < SKILL_MIN):
                continue
            if column.type == "datetime":  # a day never comes again: parts of it may tell, it does not
                continue
            name, kind = self._free(column.name), _KINDS[column.type]
            sent = kind if name == column.name else f"{{kind: {kind}, column: {_text(column.name)}}}"
            filled = figures.profiles[column.name].filled / figures.rows
            why = f"{source} has it in {filled:.1%} of rows, by its clock in time; the app would send it. "
            why += _measured(skill) if skill is not None else "What it tells was not measured."
            yield ProposedInput(name, "request", source, f"{name}: request", why, {name: sent}, skill)

    def looked_up(self) -> Iterator[ProposedInput]:
        """The newest row of a source, by the request columns that are its key."""
        for name, source in self.use_case.sources.items():
            by, key = self._lookup_key(name, source)
            if not by or any(self._is_leaking(one) for one in by):
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
                    yield self._latest(name, source, (by, key), taken, category)

    def _latest(
        self, name: str, source: Source, keys: tuple[tuple[str, ...], tuple[str, ...]], taken: list[str], category: bool
    ) -> ProposedInput:
        by, theirs = keys
        key = self._free(f"{name}_{'words_' if category else ''}by_{'_'.join(by)}")
        lines = [f"{key}:", f"  latest: {name}", f"  by: {_mapped(by, theirs)}", f"  take: {_listed(taken)}"]
        if category:
            lines.append("  kind: category")
        if not source.is_static:
            lines.append(f"  within: {self._within(name)}")
        skills = [self.skills[name, t] for t in taken if (name, t) in self.skills] if self.plan.entity in by else []
        why = f"{names_of(taken)}: the newest row of {name} for {names_of(by)}, as known by the decision. "
        skill, leans = max(skills, default=None), self._leans_on(by)
        why += _reason(by, leans) if skill is None else _measured(skill)
        return ProposedInput(key, "latest", name, "\n".join(lines), why, skill=skill, leans_on=leans)

    def _within(self, source: str) -> str:
        """How old a value may be: as in the file for the same source, else a month."""
        entries = [e for e in self.use_case.inputs.values() if isinstance(e, Input) and e.latest == source]
        return entries[0].within if entries else "30 days"

    def windowed(self) -> Iterator[ProposedInput]:
        """How many rows of a source, and how large its numbers were, over the last days per key."""
        for name, source in self.use_case.sources.items():
            keys = self._window_keys(name)
            if source.is_static or not keys or name == self.use_case.outcome.source:
                continue
            figures = self.measured.sources[name]
            numbers = [c.name for c in self._usable(figures) if c.type in ("number", "flag")]
            numbers = [n for n in numbers if not all((name, n, (by,)) in self.used for by in keys)]
            numbers.sort(key=lambda n: -self.skills.get((name, n), 0.0))
            if numbers and name != self.use_case.decision.source:
                yield self._window(name, "mean", keys, numbers[:TAKEN_MAX])
            counted = [by for by in keys if (name, "", (by,)) not in self.used]
            if counted and not self._lookup_key(name, source)[0]:  # how often a thermometer was read says little
                yield self._window(name, "count", counted, [])

    def _window(self, name: str, aggregate: str, keys: list[str], taken: list[str]) -> ProposedInput:
        key = self._free(f"{name}_{aggregate}s")
        lines = [f"{key}:", f"  windows: {name}", f"  by: {_listed(keys)}"]
        lines += [f"  take: {_listed(taken)}"] if taken else []
        spans = self._spans(name)
        over = spans[0] if len(spans) == 1 else f"[{', '.join(spans)}]"
        lines += [f"  aggregate: {aggregate}", f"  over: {over}"]
        what = f"The mean of {names_of(taken)}" if taken else f"How many rows {name} has"
        leans = self._leans_on(keys)
        why = f"{what} over the last {names_of(spans)}, by {names_of(keys)}. {_reason(keys, leans)}"
        return ProposedInput(key, "windows", name, "\n".join(lines), why, leans_on=leans)

    def _spans(self, source: str) -> list[str]:
        """How far windows reach back: of what the source has seen no more than half."""
        hours = self.measured.sources[source].times.hours
        days = (hours[-1][0] - hours[0][0]).days if hours else 0
        return [span for span, length in SPANS.items() if 2 * length <= days] or [next(iter(SPANS))]

    def _leans_on(self, keys: Collection[str]) -> float:
        """How much of the quick model's AUC stands on what is known by these request columns already."""
        importance, wanted = self.measured.reference.importance, set(keys)
        leaning = [column.name for column in self.plan.columns if wanted.intersection(_known_by(column))]
        return sum(max(importance.get(name, 0.0), 0.0) for name in leaning)

    def derived(self) -> Iterator[ProposedInput]:
        """Hour and weekday of the instants that the app sends."""
        known = " ".join(_squeezed(c.expression) for c in self.plan.columns if isinstance(c, Derived))
        for name, column in self.plan.request.items():
            if column.kind != "datetime" or self._is_leaking(name):
                continue
            for part, word, kind in (("HOUR", "hour", ""), ("DOW", "weekday", ", kind: category")):
                expression = f"EXTRACT({part} FROM {name})"
                if _squeezed(expression) not in known:
                    key = self._free(f"{name}_{word}")
                    lines = f"{key}: {{derived: {expression}{kind}}}"
                    leans = self._leans_on([name])
                    why = f"The {word} of {name}, which is sent already. {_reason([name], leans)}"
                    yield ProposedInput(key, "derived", "", lines, why, leans_on=leans)

    def _is_leaking(self, sent: str) -> bool:
        """Whether a finding that warns or blocks says that a request column leaks: nothing more is made of it."""
        return sent != self.plan.entity and (self.use_case.decision.source, sent) in self.doubted

    def _lookup_key(self, name: str, source: Source) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Request columns under which one row at a time is found, and the source's that they equal: as the file has it
        already, else of one name, unless that is a bare ``id``. Nothing for the decision's own source.
        """
        clocks = {source.event_time, source.known_at}
        key = tuple(column for column in source.key if column not in clocks)
        if name in (self.use_case.decision.source, self.use_case.outcome.source) or not key:
            return (), ()
        for line in _taking(self.plan.columns):
            if isinstance(line, Latest) and line.source == name and set(line.found_by) == set(key):
                return line.by, line.found_by
        found = all(column in self.plan.request and not is_bare(column) for column in key)
        return (key, key) if found else ((), ())

    def _window_keys(self, name: str) -> list[str]:
        """Request columns that the source has, too, other than the entity: rows of before share them."""
        have = {column.name for column in self.measured.sources[name].columns}
        names = [n for n, column in self.plan.request.items() if column.kind == "category" and n in have]
        names = [n for n in names if n != self.plan.entity and not self._identifies(n) and not is_bare(n)]
        names = [n for n in names if not self._is_leaking(n)]
        return sorted(names, key=lambda n: -self._leans_on([n]))[:KEYS_MAX]

    def _identifies(self, name: str) -> bool:
        """Whether a request column names a person, by its declaration or by what was recognised."""
        return self.plan.request[name].personal or name in self.personal or bool(_ID.search(name))

    def _usable(self, figures: SourceFigures) -> list[FoundColumn]:
        source = self.use_case.sources[figures.source]
        left_out = {*source.key, source.event_time, source.known_at, self.plan.entity, *self.plan.request}
        return [
            column
            for column in figures.columns
            if column.name not in left_out
            and column.name not in self._sent(figures.source)
            and column.name not in self.personal
            and column.name not in self.outcome
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


def _measured(skill: float) -> str:
    doubt = " So much may have been learnt later: ask its owner first." if skill >= DOUBTED_AUC else ""
    return f"Alone it orders outcomes with an AUC of {skill:.3f}.{doubt}"


def _reason(keys: Sequence[str], leans: float) -> str:
    """Why something is worth a try that was not measured."""
    by = names_of(list(keys))
    if leans < POINTS_MIN:
        return f"Not measured; what the file knows by {by} so far tells the quick model nothing."
    return f"Not measured; {leans:.3f} of the quick model's AUC stand on what is known by {by} already."


def _known_by(column: Column) -> Collection[str]:
    """The request columns that an input is, is looked up by or derived from."""
    if isinstance(column, (Latest, Window)):
        return set(column.by)
    return columns_of(column.expression) if isinstance(column, Derived) else {column.name}


def _told_afterwards(use_case: UseCase) -> frozenset[str]:
    """Columns that no input may take: the outcome, what people decided on the case, and which cases judge."""
    human = columns_of(use_case.human.decided) if use_case.human else frozenset()
    judged = columns_of(use_case.decision.judged) if use_case.decision.judged else frozenset()
    return columns_of(use_case.outcome.expression) | human | judged


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


def _mapped(by: Sequence[str], theirs: Sequence[str]) -> str:
    """The key as ``by`` says it: under its names in the source, too, where these are others."""
    if tuple(by) == tuple(theirs):
        return _listed(by)
    return f"{{{', '.join(f'{_text(ours)}: {_text(other)}' for ours, other in zip(by, theirs, strict=True))}}}"


def _text(name: str) -> str:
    """A name as YAML: in quotes where it is more than a word."""
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) else f'"{name}"'
