"""One immutable object per use case that holds everything its answers need; swapped whole when anything changes."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import structlog

from pilotage.data import flow as data
from pilotage.data.contracts.guarding import Breach, Guard, unguarded
from pilotage.data.flow import contracting
from pilotage.data.live import LiveColumns
from pilotage.decisions import kinds, rules
from pilotage.decisions.contract import Contract
from pilotage.decisions.records import Decision, Said
from pilotage.decisions.rules import Opinion
from pilotage.govern.records import Principal
from pilotage.models import flow as modelling
from pilotage.models.records import Prediction
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import PilotageError, in_short
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage
from pilotage.releases.rules import held_back
from pilotage.usecase.records import Definition, OutcomeKind
from pilotage.usecase.rules.expressions import compile_row

log = structlog.get_logger()

QUICK_SECONDS = 0.0005
"""A scorer that takes less for a row is not worth handing the row to another thread."""
_TRIED_ROWS = 20

Evaluate = Callable[[Mapping[str, Any]], Any]


class Question(msgspec.Struct, frozen=True):
    """A request with everything known as of its moment, before anybody answered.

    ``values`` is None where the columns of so early a moment are not at hand: then only the default can answer.
    ``breaches`` are the rules of its data contract that the request breaks. ``unread`` says of columns that are read
    from a database for each answer why they are missing: ``{"temp": "too_slow"}``.
    """

    entity: str
    moment: datetime
    request: dict[str, Any]
    values: dict[str, Any] | None
    began_ns: int
    breaches: tuple[Breach, ...] = ()
    unread: Mapping[str, str] = {}

    @property
    def is_blocked(self) -> bool:
        """Whether its data contract forbids to ask the model."""
        return bool(self.breaches) and any(breach.severity == "blocks" for breach in self.breaches)


@dataclasses.dataclass(frozen=True)
class Serving:
    """A use case, ready to answer.

    ``scorer`` is None when the model is not to be asked; ``quiet`` says why. ``columns`` is None when they could not be
    opened: then only the declared default can answer, and does. ``quick``: the scorer takes so little time for a row
    that it may be asked in an event loop's own thread. ``awaited`` is the released version that this one does not
    answer by, as it could not be loaded here or not yet; ``live`` then is what it goes by.
    """

    definition: Definition
    live: Live
    contract: Contract
    columns: LiveColumns | None
    moment: Evaluate
    rule: Evaluate
    scorer: Scorer | None
    quiet: str
    guard: Guard = unguarded
    quick: bool = False
    awaited: str = ""

    @property
    def is_held_back(self) -> bool:
        """Whether an earlier version answers, as the released one could not be loaded here."""
        return bool(self.awaited) and self.scorer is not None

    def ask(self, body: bytes, now: datetime, within: float = math.inf) -> Question:
        """Validate a request and assemble its columns as they were known by its moment.

        ``within`` bounds, in seconds, how long databases are waited for.

        Raises:
            InvalidRequest: the body does not fit the contract.
        """
        began_ns = time.perf_counter_ns()
        entity, request = self.contract.decode(body)
        moment = rules.as_of(self.moment(request), now)
        row = {self.contract.entity: entity, **request}
        breaches = self.guard(row)
        values, unread = self._known(row, moment, within)
        return Question(entity, moment, request, values, began_ns, breaches, unread)

    @functools.cached_property
    def _kind(self) -> OutcomeKind:
        return self.definition.use_case.kind

    @functools.cached_property
    def _default(self) -> Said:
        return kinds.default_of(self.definition.use_case)

    @property
    def waits(self) -> bool:
        """Whether :meth:`ask` reads from a database, for a bounded time."""
        return self.columns is not None and self.columns.waits

    def _known(
        self, row: dict[str, Any], moment: datetime, within: float
    ) -> tuple[dict[str, Any] | None, Mapping[str, str]]:
        if self.columns is None or (self.columns.since is not None and moment < self.columns.since):
            return None, {}
        try:
            assembled = self.columns.assemble_told(row, moment, within)
        except Exception as error:  # noqa: BLE001  a door: whatever a source's reader raises, the rule answers
            log.error("columns_failed", use_case=self.definition.name, error=in_short(error))
            return None, {}
        return assembled.values, assembled.missing

    def score(self, question: Question) -> Opinion:
        """The model's opinion; a failure is an opinion too, never an exception that costs the caller an answer."""
        if self.scorer is None or question.values is None:
            return Opinion(None, "missing_columns")
        if question.is_blocked:
            return Opinion(None, "contract_broken")
        try:
            said = self.scorer.predict(question.values)
        except Exception as error:  # noqa: BLE001  a door: whatever a model raises, the rule answers
            log.error("model_failed", use_case=self.definition.name, error=in_short(error))
            return Opinion(None, "model_failed")
        return _finite(said)

    def opinions(self, questions: Sequence[Question]) -> list[Opinion]:
        """:meth:`score` of many questions, by the model at once where it can."""
        asked = [each.values for each in questions if each.values is not None and not each.is_blocked]
        if self.scorer is None or not asked:
            return [self.score(each) for each in questions]
        try:
            answers = self.scorer.predictions(asked)
        except Exception as error:  # noqa: BLE001  one row's fault is not the other rows'
            log.error("models_rows_failed", use_case=self.definition.name, error=in_short(error))
            return [self.score(each) for each in questions]
        if len(answers) != len(asked):
            return [self.score(each) for each in questions]
        said = iter(answers)
        return [
            self.score(each) if each.values is None or each.is_blocked else _finite(next(said)) for each in questions
        ]

    def decide(self, question: Question, opinion: Opinion, asked_by: Principal, now: datetime) -> Decision:
        """Turn question and opinion into the decision that is recorded."""
        use_case, live = self.definition.use_case, self.live
        inputs = {**question.request, **(question.values or {})}
        is_flag, model = self._kind == "flag", opinion.said
        rule = None if question.values is None else kinds.said(self._kind, self.rule(inputs))
        arm = rules.arm_of(self.definition.name, question.entity, live.stage, live.share)
        choice = rules.choose(live.stage, arm, self.quiet, opinion, rule, self._default)
        answered = choice.produced_by == "model"
        decision = Decision(
            id=new_id("dec", now),
            use_case=self.definition.name,
            entity=question.entity,
            moment=question.moment,
            decided_at=now,
            stage=live.stage,
            arm=arm,
            version=live.version,
            revision=live.revision,
            produced_by=choice.produced_by,
            reason=choice.reason,
            answer=choice.answer,
            action=kinds.action_of(use_case, choice.answer),
            model_answer=None if model is None else model.answer,
            rule_answer=rule,
            probability=model.score if model is not None and is_flag else None,
            band=rules.band_of(model) if model is not None and is_flag else None,
            review=answered and model is not None and model.review,
            flags=self._flags(question),
            inputs=inputs,
            signals=self._signals(question) if answered else (),
            asked_by=asked_by.name,
            latency_us=(time.perf_counter_ns() - question.began_ns) // 1000,
            model_failure=opinion.failure if self.scorer is not None else "",
        )
        return decision if model is None or is_flag else self._with_spread(decision, model)

    def _with_spread(self, decision: Decision, model: Prediction) -> Decision:
        """What goes with a category or a number that a model answers."""
        sure = model.score if self._kind == "category" else None
        return msgspec.structs.replace(decision, confidence=sure, shares=model.shares, low=model.low, high=model.high)

    def undecided(self, question: Question, asked_by: Principal, now: datetime) -> Decision:
        """Nothing was decided: what is left where even the fallback failed. Never a yes."""
        return Decision(
            id=new_id("dec", now),
            use_case=self.definition.name,
            entity=question.entity,
            moment=question.moment,
            decided_at=now,
            stage=self.live.stage,
            arm="rule",
            version=self.live.version,
            revision=self.live.revision,
            produced_by="none",
            reason="no_decision",
            answer=None,
            action="",
            model_answer=None,
            rule_answer=None,
            probability=None,
            band=None,
            review=False,
            flags=(),
            inputs=question.request,
            signals=(),
            asked_by=asked_by.name,
            latency_us=(time.perf_counter_ns() - question.began_ns) // 1000,
        )

    def without_model(self, decision: Decision, reason: str) -> Decision:
        """The same decision answered by the rule, else the default, for a reason found out later."""
        rule, use_case = decision.rule_answer, self.definition.use_case
        answer = self._default if rule is None else rule
        return msgspec.structs.replace(
            decision,
            produced_by="default" if rule is None else "rule",
            reason=reason,
            answer=answer,
            action=kinds.action_of(use_case, answer),
            review=False,
            signals=(),
        )

    def _flags(self, question: Question) -> tuple[str, ...]:
        flags: list[str] = []
        if question.breaches or question.unread:
            flags += [_flag(breach) for breach in question.breaches]
            flags += [f"not_read:{column}:{reason}" for column, reason in question.unread.items()]
        if self.scorer is not None and question.values is not None:
            flags += [f"unknown_category:{column}" for column in self.scorer.unknown_categories(question.values)]
        return tuple(flags)

    def _signals(self, question: Question) -> tuple[dict[str, Any], ...]:
        if self.scorer is None or question.values is None:
            return ()
        try:
            return tuple(msgspec.to_builtins(signal) for signal in self.scorer.signals(question.values))
        except Exception as error:  # noqa: BLE001  an answer without reasons is an answer
            log.error("signals_failed", use_case=self.definition.name, error=in_short(error))
            return ()


def open_serving(
    work: Workspace,
    definition: Definition,
    columns: LiveColumns | None,
    present: Serving | None = None,
    warmed: Warmed | None = None,
    *,
    may_load: bool = True,
) -> Serving:
    """Everything that answers for this use case now. Where the released version may not be loaded, or not for these
    columns, the last good one stays, no further than both reach; where there is none, the rule answers.

    What answers at ``present`` is kept as long as it is of the same version: what came to its files since then cannot
    take it away. ``warmed`` was loaded before; without ``may_load`` nothing else is, and the version is awaited.
    """
    live = releasing.live(work, definition.name)
    opened = _opened(work, definition, live, present, warmed, may_load)
    scorer = opened.scorer
    return Serving(
        definition=definition,
        live=opened.live,
        contract=Contract(definition.plan, data.source_types(work, definition)),
        columns=columns,
        moment=rules.moment_of(definition.plan),
        rule=compile_row(definition.use_case.rule.expression),
        scorer=scorer,
        quiet=opened.quiet,
        guard=contracting.open_guard(work, definition),
        quick=scorer is not None and _is_quick(scorer, present),
        awaited=opened.awaited,
    )


@dataclasses.dataclass(frozen=True)
class Warmed:
    """A version that was loaded and answered its golden vectors; ``scorer`` is None where it did not."""

    version: str
    scorer: Scorer | None


@dataclasses.dataclass(frozen=True)
class _Opened:
    """What is asked, by which state of the release; see :class:`Serving`."""

    live: Live
    scorer: Scorer | None
    quiet: str
    awaited: str = ""


def warm(work: Workspace, use_case: str, version_id: str) -> Warmed:
    """Load a version and ask its golden vectors; what is wrong with it is logged."""
    try:
        version = releasing.version(work, version_id)
        return Warmed(version_id, modelling.load_artefact(work, version.artefact, version.signature))
    except PilotageError as error:  # its files, its answers, or an endpoint that may not be called or has no address
        log.error("model_refused", use_case=use_case, version=version_id, error=error.message)
        return Warmed(version_id, None)


def _opened(
    work: Workspace,
    definition: Definition,
    live: Live,
    present: Serving | None,
    warmed: Warmed | None,
    may_load: bool,
) -> _Opened:
    quiet = _quiet(live)
    if quiet or live.version is None:
        return _Opened(live, None, quiet or "no_version")
    if present is not None and present.scorer is not None and present.live.version == live.version:
        return _fitting(definition, live, present.scorer)
    if (warmed is None or warmed.version != live.version) and may_load:
        warmed = warm(work, definition.name, live.version)
    if warmed is not None and warmed.version == live.version and warmed.scorer is not None:
        has_another = present is not None and present.scorer is not None and present.scorer.fits(definition)
        if warmed.scorer.fits(definition) or not has_another:
            return _fitting(definition, live, warmed.scorer)
    is_tried = warmed is not None and warmed.version == live.version
    if not is_tried and (present is None or present.scorer is None):  # it is being loaded: what was quiet stays so
        return _Opened(live, None, present.quiet if present is not None else "off", live.version)
    return _last_good(work, definition, live, present, may_load)


def _last_good(work: Workspace, definition: Definition, live: Live, present: Serving | None, may_load: bool) -> _Opened:
    """The version that answered before the released one, which is awaited."""
    awaited = live.version or ""
    if present is not None and present.scorer is not None:
        good, scorer = present.live, present.scorer
        fits = scorer.fits(definition)
    else:
        before = releasing.last_good(work, definition.name) if may_load else None
        found = None if before is None else warm(work, definition.name, before.version or "").scorer
        if before is None or found is None:
            return _Opened(live, None, "model_refused", awaited)
        good, scorer, fits = before, found, found.fits(definition)
    held = held_back(good, live)
    quiet = _quiet(held) if fits else "model_refused"
    return _Opened(held if fits else live, None if quiet else scorer, quiet, awaited)


def _fitting(definition: Definition, live: Live, scorer: Scorer) -> _Opened:
    if not scorer.fits(definition):
        return _Opened(live, None, "definition_changed")
    return _Opened(live, scorer, "")


def _quiet(live: Live) -> str:
    """Why the model is not to be asked, whatever it is; empty where it is."""
    if not live.enabled:
        return "disabled"
    return "off" if live.stage is Stage.OFF else ""


def _is_quick(scorer: Scorer, present: Serving | None) -> bool:
    """Whether a row always takes a fraction of a millisecond: a family of ours, over no texts. Measured once."""
    if present is not None and present.scorer is scorer:
        return present.quick
    if not scorer.is_bounded:
        return False
    row = dict.fromkeys(scorer.plan.names)
    taken = []
    for _ in range(_TRIED_ROWS):
        began = time.perf_counter()
        try:
            scorer.predict(row)
        except Exception:  # noqa: BLE001  a row of nothing known: what it fails at says nothing of others
            return False
        taken.append(time.perf_counter() - began)
    return min(taken) < QUICK_SECONDS


def _finite(said: Prediction) -> Opinion:
    return Opinion(said) if math.isfinite(said.score) else Opinion(None, "not_finite")


def _flag(breach: Breach) -> str:
    """Such as ``contract_broken:amount:range``, or ``contract_warning:…`` where the contract only warns."""
    kind = "contract_broken" if breach.severity == "blocks" else "contract_warning"
    return f"{kind}:{breach.column}:{breach.rule}"
