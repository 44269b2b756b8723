"""What each measure is called and means: columns of a table, and sentences for those who never heard of it."""

from __future__ import annotations

from dataclasses import dataclass

from pilotage.usecase.records import OutcomeKind


@dataclass(frozen=True)
class Measure:
    """``title`` heads its column, ``means`` explains it; shown with ``digits`` after multiplying by ``scale``."""

    name: str
    title: str
    means: str
    digits: int = 3
    scale: float = 1.0

    @property
    def heading(self) -> str:
        """The title with its unit."""
        return f"{self.title} %" if self.scale == 100 else self.title


MEASURES: dict[OutcomeKind, tuple[Measure, ...]] = {
    "flag": (
        Measure("auc", "AUC", "How often a positive case is put before a negative one; 0.5 is a coin"),
        Measure("precision", "Precision", "Share of alerts that are right", 0, 100),
        Measure("recall", "Recall", "Share of positive cases that are caught", 0, 100),
        Measure("log_loss", "Log loss", "How far probabilities are from what happened; smaller is better", 4),
    ),
    "category": (
        Measure("accuracy", "Accuracy", "Share of answers that are right", 1, 100),
        Measure("balanced_accuracy", "Balanced accuracy", "The same, with every category counting alike", 1, 100),
        Measure("macro_f1", "Macro F1", "Between precision and recall, with every category counting alike"),
        Measure("log_loss", "Log loss", "How far probabilities are from what happened; smaller is better", 4),
    ),
    "number": (
        Measure("mean_absolute_error", "Mean error", "How far answers are off, either way; smaller is better", 2),
        Measure("root_mean_squared_error", "RMSE", "The same, with great errors counting more; smaller is better", 2),
        Measure("bias", "Bias", "How far answers lie too high on average; 0 is best", 2),
        Measure("coverage", "In interval", "How often the truth lies in the interval of 90 %", 1, 100),
    ),
}
"""What tables show, by kind of outcome."""


def main(kind: OutcomeKind) -> Measure:
    """The measure that slices are told by."""
    return MEASURES[kind][0]
