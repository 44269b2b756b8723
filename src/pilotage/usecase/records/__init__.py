"""The nouns of a use-case file. Their fields are the file's keys, their docstrings its JSON Schema's descriptions."""

from pilotage.usecase.records.batch import Batch, Target
from pilotage.usecase.records.brief import Brief, Value
from pilotage.usecase.records.candidates import Brought, BuiltIn, Candidates, Direction, Own
from pilotage.usecase.records.deciding import DecisionPoint, Human, OneOfThree, Outcome, RequestColumn, Rule
from pilotage.usecase.records.file import Answers, UseCase
from pilotage.usecase.records.inputs import Input
from pilotage.usecase.records.kept import Definition, Evidence
from pilotage.usecase.records.parts import (
    Aggregate,
    ColumnKind,
    Duration,
    Expression,
    Identifier,
    Name,
    OutcomeKind,
    Risk,
    SourceColumn,
    Text,
    key_of,
    listed,
    seconds,
)
from pilotage.usecase.records.plan import Column, Derived, Given, Latest, Plan, Window, decode_plan
from pilotage.usecase.records.policy import Constraint, Fairness, Policy, Rollout
from pilotage.usecase.records.reviewing import CaseReason, Review, Samples
from pilotage.usecase.records.sources import ROW, SEEN_AT, Rest, Source

__all__ = [
    "ROW",
    "SEEN_AT",
    "Aggregate",
    "Answers",
    "Batch",
    "Brief",
    "Brought",
    "BuiltIn",
    "Candidates",
    "CaseReason",
    "Column",
    "ColumnKind",
    "Constraint",
    "DecisionPoint",
    "Definition",
    "Derived",
    "Direction",
    "Duration",
    "Evidence",
    "Expression",
    "Fairness",
    "Given",
    "Human",
    "Identifier",
    "Input",
    "Latest",
    "Name",
    "OneOfThree",
    "Outcome",
    "OutcomeKind",
    "Own",
    "Plan",
    "Policy",
    "RequestColumn",
    "Rest",
    "Review",
    "Risk",
    "Rollout",
    "Rule",
    "Samples",
    "Source",
    "SourceColumn",
    "Target",
    "Text",
    "UseCase",
    "Value",
    "Window",
    "decode_plan",
    "key_of",
    "listed",
    "seconds",
]
