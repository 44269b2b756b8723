"""The head of a model card, as the Hugging Face Hub reads it.

Source: https://huggingface.co/docs/hub/model-cards, its ``model-index`` and the names of its tasks and metrics.
"""

from __future__ import annotations

from typing import Any

from pilotage.models.rules.cards.subject import Subject
from pilotage.usecase.records import OutcomeKind

_TASKS: dict[tuple[OutcomeKind, bool], str] = {
    ("flag", False): "tabular-classification",
    ("category", False): "tabular-classification",
    ("number", False): "tabular-regression",
    ("flag", True): "text-classification",
    ("category", True): "text-classification",
    ("number", True): "tabular-regression",
}
"""By kind of outcome and whether a column is a free text."""
_METRICS = {
    "auc": "roc_auc",
    "precision": "precision",
    "recall": "recall",
    "brier": "brier_score",
    "log_loss": "log_loss",
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced_accuracy",
    "macro_f1": "f1",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "pinball": "mean_pinball_loss",
}
"""Our measures that have a name there."""


def metadata(subject: Subject) -> dict[str, Any]:
    """The fields of the head: task, libraries, tags and every measured figure."""
    kind = subject.comparison.kind
    has_texts = any(column.kind == "text" for column in subject.definition.plan.columns)
    task = _TASKS[kind, has_texts]
    return {
        "license": "other",
        "license_name": "internal",
        "library_name": "pilotage",
        "pipeline_tag": task,
        "tags": ["pilotage", kind, subject.measured.candidate],
        "model-index": [{"name": subject.name, "results": [_result(subject, task)]}],
    }


def _result(subject: Subject, task: str) -> dict[str, Any]:
    training_set = subject.training_set
    return {
        "task": {"type": task, "name": subject.definition.use_case.outcome.says},
        "dataset": {
            "name": f"{subject.definition.name}, decisions that no candidate had seen",
            "type": subject.definition.name,
            "split": "held-out",
            "revision": training_set.fingerprint,
        },
        "metrics": [
            {
                "type": _METRICS.get(name, name),
                "value": round(found.value, 6),
                "name": name,
                "args": {"low": round(found.low, 6), "high": round(found.high, 6), "interval": "95 %"},
            }
            for name, found in subject.measured.measures.items()
        ],
    }
