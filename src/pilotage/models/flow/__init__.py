"""What models does: train and compare, keep and load artefacts."""

from pilotage.models.flow.carding import card_text, subject_of
from pilotage.models.flow.comparing import COMPARISON, compare_on, latest_comparison, parity_of, train_and_compare
from pilotage.models.flow.loading import load_artefact, sign_artefact

__all__ = [
    "COMPARISON",
    "card_text",
    "compare_on",
    "latest_comparison",
    "load_artefact",
    "parity_of",
    "sign_artefact",
    "subject_of",
    "train_and_compare",
]
