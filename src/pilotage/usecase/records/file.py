"""The whole use-case file."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from pilotage.usecase.records.batch import Batch
from pilotage.usecase.records.brief import Brief
from pilotage.usecase.records.candidates import Candidates
from pilotage.usecase.records.deciding import DecisionPoint, Human, Outcome, Rule
from pilotage.usecase.records.inputs import Input
from pilotage.usecase.records.parts import Identifier, Name, OutcomeKind, Part, Text
from pilotage.usecase.records.policy import Fairness, Policy, Rollout
from pilotage.usecase.records.reviewing import Review
from pilotage.usecase.records.sources import Source


class Answers(Part, frozen=True, kw_only=True):
    """What only a person can say about the data; the audit shows it beside what it measured, as asked."""

    systems: Annotated[str, Meta(description="Which other systems know something about a case and are not read.")] = ""
    ground_truth: Annotated[str, Meta(description="Who says what really happened, how, and how sure that is.")] = ""
    quality: Annotated[str, Meta(description="What people who work with these data know to be wrong with them.")] = ""
    recreated: Annotated[str, Meta(description="What was overwritten or thrown away, and since when no longer.")] = ""
    sensitive: Annotated[str, Meta(description="On what ground personal data may be used here, and who agreed.")] = ""
    real_time: Annotated[str, Meta(description="What people see when they decide today, and how old it is.")] = ""
    repair: Annotated[str, Meta(description="How a fault is reported, and how soon it is mended.")] = ""
    findings: Annotated[
        dict[str, str],
        Meta(
            description="A finding's identifier, such as too-good-to-be-true:calls.duration → who looked, and why the "
            "data are right all the same. Then it is only to be known."
        ),
    ] = {}


class UseCase(Part, frozen=True, kw_only=True):
    """One predictive feature: the whole file."""

    use_case: Annotated[Name, Meta(description="Its name, in commands and addresses.")]
    title: Annotated[Text, Meta(description="Its name for people.")]
    owner: Annotated[Text, Meta(description="Who answers for the use case: an address.")]
    data_owner: Annotated[str, Meta(description="Who answers for sources that name no owner.")] = ""
    brief: Annotated[Brief, Meta(description="The workflow in the owner's words.")]
    sources: Annotated[dict[Name, Source], Meta(description="What is read, by name.")]
    decision: Annotated[DecisionPoint, Meta(description="What is decided, when, and what the app sends.")]
    outcome: Annotated[Outcome, Meta(description="What is predicted.")]
    human: Annotated[Human | None, Meta(description="What people decided at the time, where that is known.")] = None
    inputs: Annotated[
        dict[Identifier, Literal["request"] | Input],
        Meta(description="What a model sees, by name: request for what the app sends, or how it is made."),
    ]
    rule: Annotated[Rule, Meta(description="What the app does today.")]
    policy: Annotated[Policy, Meta(description="How a prediction becomes an action.")]
    fairness: Annotated[Fairness | None, Meta(description="How unlike groups of people may be treated.")] = None
    candidates: Annotated[Candidates, Meta(description="Which candidates are tried against the rule.")] = Candidates()
    review: Annotated[Review, Meta(description="Who looks at uncertain cases, and how.")] = Review()
    rollout: Annotated[Rollout, Meta(description="How far exposure may go, and on what evidence.")] = Rollout()
    batch: Annotated[Batch, Meta(description="Questions that come as files or tables, and where results go.")] = Batch()
    groups: Annotated[
        list[str],
        Meta(description="Columns of the decision's source by which audit and comparison tell people apart."),
    ] = []
    answers: Annotated[Answers, Meta(description="What only a person can say about the data.")] = Answers()
    guessed: Annotated[
        dict[str, str],
        Meta(description="Places in this file that were guessed, with the reason. Remove each line once it is right."),
    ] = {}

    @property
    def kind(self) -> OutcomeKind:
        """What is predicted: ``flag`` (yes or no), ``category`` or ``number``."""
        return self.outcome.kind
