"""One immutable object per use case that holds everything its answers need; swapped whole when anything changes."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import structlog

from pilotage.data.contracts.guarding import Breach, Guard, unguarded
from pilotage.data.flow import contracting
from pilotage.data.live import LiveColumns
from pilotage.decisions import rules
from pilotage.decisions.contract import Contract
from pilotage.decisions.records import Decision
from pilotage.decisions.rules import Bounds, Opinion
from pilotage.govern.records import Principal
from pilotage.models import flow as modelling
from pilotage.models.scoring import Scorer
from pilotage.platform.errors import CorruptArtefact, NotFound
from pilotage.platform.identifiers import new_id
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Live, Stage
from pilotage.usecase.records import Definition
from pilotage.usecase.rules.expressions import compile_row

log = structlog.get_logger()

Evaluate = Callable[[Mapping[str, Any]], Any]


@dataclasses.dataclass(frozen=True)
class Question:
    """A request with everything known as of its moment, before anybody answered.

    ``values`` is None where the columns of so early a moment are not at hand: then only the default can answer.
    ``breaches`` are the rules of its data contract that the request breaks.
    """

    entity: str
    moment: datetime
    request: dict[str, Any]
    values: dict[str, Any] | None
    began_ns: int
    breaches: tuple[Breach, ...] = ()

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
        return Question(entity, moment, request, self._known(row, moment), began_ns, breaches)

    def _known(self, row: dict[str, Any], moment: datetime) -> dict[str, Any] | None:
        if self.columns is None or (self.columns.since is not None and moment < self.columns.since):
            return None
        return self.columns.assemble(row, moment)

    def score(self, question: Question) -> Opinion:
        """The model's opinion; a failure is an opinion too, never an exception that costs the caller an answer."""
        if self.scorer is None or question.values is None:
            return Opinion(None, "missing_columns")
        if question.is_blocked:
            return Opinion(None, "contract_broken")
        try:
            probability = self.scorer.score(question.values)
        except (ArithmeticError, LookupError, TypeError, ValueError, OSError):
            return Opinion(None, "model_failed")
        return Opinion(probability) if math.isfinite(probability) else Opinion(None, "not_finite")

    def decide(self, question: Question, opinion: Opinion, asked_by: Principal, now: datetime) -> Decision:
        """Turn question and opinion into the decision that is recorded."""
        use_case = self.definition.use_case
        inputs = {**question.request, **(question.values or {})}
        rule_positive = None if question.values is None else _truth(self.rule(inputs))
        bounds = self._bounds()
        probability = opinion.probability
        model_positive = None if probability is None or bounds is None else probability >= bounds.threshold
        band = None if probability is None or bounds is None else rules.band_of(probability, bounds)
        arm = rules.arm_of(self.definition.name, question.entity, self.live.stage, self.live.share)
        default = use_case.policy.default == "positive"
        choice = rules.choose(self.live.stage, arm, self.quiet, opinion, model_positive, rule_positive, default)
        answered = choice.produced_by == "model"
        return Decision(
            id=new_id("dec", now),
            use_case=self.definition.name,
            entity=question.entity,
            moment=question.moment,
            decided_at=now,
            stage=self.live.stage,
            arm=arm,
            version=self.live.version,
            revision=self.live.revision,
            produced_by=choice.produced_by,
            reason=choice.reason,
            positive=choice.positive,
            action=use_case.policy.actions["positive" if choice.positive else "negative"],
            probability=probability,
            model_positive=model_positive,
            rule_positive=rule_positive,
            band=band,
            review=answered and band == "uncertain",
            flags=self._flags(question),
            inputs=inputs,
            signals=self._signals(question) if answered else (),
            asked_by=asked_by.name,
            latency_us=(time.perf_counter_ns() - question.began_ns) // 1000,
            model_failure=opinion.failure if self.scorer is not None else "",
        )

    def without_model(self, decision: Decision, reason: str) -> Decision:
        """The same decision answered by the rule, else the default, for a reason found out later."""
        default = self.definition.use_case.policy.default == "positive"
        positive = decision.rule_positive if decision.rule_positive is not None else default
        return msgspec.structs.replace(
            decision,
            produced_by="default" if decision.rule_positive is None else "rule",
            reason=reason,
            positive=positive,
            action=self.definition.use_case.policy.actions["positive" if positive else "negative"],
            review=False,
            signals=(),
        )

    def _bounds(self) -> Bounds | None:
        if self.scorer is None:
            return None
        manifest = self.scorer.manifest
        return Bounds(manifest.threshold, manifest.uncertain_low, manifest.uncertain_high)

    def _flags(self, question: Question) -> tuple[str, ...]:
        broken = tuple(_flag(breach) for breach in question.breaches)
        if self.scorer is None or question.values is None:
            return broken
        unknown = self.scorer.unknown_categories(question.values)
        return (*broken, *(f"unknown_category:{column}" for column in unknown))

    def _signals(self, question: Question) -> tuple[dict[str, Any], ...]:
        if self.scorer is None or question.values is None:
            return ()
        return tuple(msgspec.to_builtins(signal) for signal in self.scorer.signals(question.values))


def open_serving(work: Workspace, definition: Definition, columns: LiveColumns | None) -> Serving:
    """Everything that answers for this use case now. A version that may not be loaded leaves the rule to answer."""
    live = releasing.live(work, definition.name)
    scorer, quiet = _scorer(work, definition, live)
    return Serving(
        definition=definition,
        live=live,
        contract=Contract(definition.plan),
        columns=columns,
        moment=rules.moment_of(definition.plan),
        rule=compile_row(definition.use_case.rule.positive),
        scorer=scorer,
        quiet=quiet,
        guard=contracting.open_guard(work, definition),
    )


def _scorer(work: Workspace, definition: Definition, live: Live) -> tuple[Scorer | None, str]:
    if not live.enabled:
        return None, "disabled"
    if live.stage is Stage.OFF:
        return None, "off"
    if live.version is None:
        return None, "no_version"
    try:
        version = releasing.version(work, live.version)
        scorer = modelling.load_artefact(work, version.artefact, version.signature)
    except (CorruptArtefact, NotFound) as error:
        log.error("model_refused", use_case=definition.name, version=live.version, error=error.message)
        return None, "model_refused"
    if scorer.plan.fingerprint != definition.plan.fingerprint:
        return None, "definition_changed"
    return scorer, ""


def _flag(breach: Breach) -> str:
    """Such as ``contract_broken:amount:range``, or ``contract_warning:…`` where the contract only warns."""
    kind = "contract_broken" if breach.severity == "blocks" else "contract_warning"
    return f"{kind}:{breach.column}:{breach.rule}"


def _truth(value: Any) -> bool | None:
    return None if value is None else bool(value)
