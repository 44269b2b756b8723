"""One immutable object per use case that holds everything its answers need; swapped whole when anything changes."""

from __future__ import annotations

import dataclasses
import functools
import math
import time
from collections.abc import Callable, Mapping
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
from pilotage.models.raw import FAILURES
from pilotage.models.records import Prediction
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import PilotageError
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage
from pilotage.usecase.records import Definition, OutcomeKind
from pilotage.usecase.rules.expressions import compile_row

log = structlog.get_logger()

Evaluate = Callable[[Mapping[str, Any]], Any]


@dataclasses.dataclass(frozen=True)
class Question:
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
    unread: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def is_blocked(self) -> bool:
        """Whether its data contract forbids to ask the model."""
        return any(breach.severity == "blocks" for breach in self.breaches)


@dataclasses.dataclass(frozen=True)
class Serving:
    """A use case, ready to answer.

    ``scorer`` is None when the model is not to be asked; ``quiet`` says why. ``columns`` is None when they could not be
    opened: then only the declared default can answer, and does.
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

    def ask(self, body: bytes, now: datetime) -> Question:
        """Validate a request and assemble its columns as they were known by its moment.

        Raises:
            InvalidRequest: the body does not fit the contract.
        """
        began_ns = time.perf_counter_ns()
        entity, request = self.contract.decode(body)
        moment = rules.as_of(self.moment(request), now)
        row = {self.contract.entity: entity, **request}
        breaches = self.guard(row)
        values, unread = self._known(row, moment)
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

    def _known(self, row: dict[str, Any], moment: datetime) -> tuple[dict[str, Any] | None, Mapping[str, str]]:
        if self.columns is None or (self.columns.since is not None and moment < self.columns.since):
            return None, {}
        assembled = self.columns.assemble_told(row, moment)
        return assembled.values, assembled.missing

    def score(self, question: Question) -> Opinion:
        """The model's opinion; a failure is an opinion too, never an exception that costs the caller an answer."""
        if self.scorer is None or question.values is None:
            return Opinion(None, "missing_columns")
        if question.is_blocked:
            return Opinion(None, "contract_broken")
        try:
            said = self.scorer.predict(question.values)
        except FAILURES:
            return Opinion(None, "model_failed")
        return Opinion(said) if math.isfinite(said.score) else Opinion(None, "not_finite")

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
        except FAILURES as error:  # an answer without reasons is an answer
            log.error("signals_failed", use_case=self.definition.name, error=f"{type(error).__name__}: {error}")
            return ()


def open_serving(
    work: Workspace, definition: Definition, columns: LiveColumns | None, present: Serving | None = None
) -> Serving:
    """Everything that answers for this use case now. A version that may not be loaded leaves the rule to answer.

    What answers at ``present`` is kept as long as it is of the same version: what came to its files since then cannot
    take it away.
    """
    live = releasing.live(work, definition.name)
    scorer, quiet = _scorer(work, definition, live, present)
    return Serving(
        definition=definition,
        live=live,
        contract=Contract(definition.plan, data.source_types(work, definition)),
        columns=columns,
        moment=rules.moment_of(definition.plan),
        rule=compile_row(definition.use_case.rule.expression),
        scorer=scorer,
        quiet=quiet,
        guard=contracting.open_guard(work, definition),
    )


def _scorer(work: Workspace, definition: Definition, live: Live, present: Serving | None) -> tuple[Scorer | None, str]:
    if not live.enabled:
        return None, "disabled"
    if live.stage is Stage.OFF:
        return None, "off"
    if live.version is None:
        return None, "no_version"
    scorer = present.scorer if present is not None and present.live.version == live.version else None
    if scorer is None:
        try:
            version = releasing.version(work, live.version)
            scorer = modelling.load_artefact(work, version.artefact, version.signature)
        except PilotageError as error:  # its files, or an endpoint that may not be called or has no address
            log.error("model_refused", use_case=definition.name, version=live.version, error=error.message)
            return None, "model_refused"
    if scorer.plan.fingerprint != definition.plan.fingerprint:
        return None, "definition_changed"
    return scorer, ""


def _flag(breach: Breach) -> str:
    """Such as ``contract_broken:amount:range``, or ``contract_warning:…`` where the contract only warns."""
    kind = "contract_broken" if breach.severity == "blocks" else "contract_warning"
    return f"{kind}:{breach.column}:{breach.rule}"
