"""What review does: take feedback, open cases, hand them to one person at a time, take verdicts, fill the card."""

from pilotage.review.flow.cards import card, card_feedback, mint_token
from pilotage.review.flow.cases import (
    categories,
    corrected,
    counts,
    find_case,
    history,
    lease,
    lease_next,
    open_case,
    queue,
    release_lease,
    renew_lease,
    submit,
    take_in,
)
from pilotage.review.flow.feedback import app_feedback, feedback_on, give_feedback

__all__ = [
    "app_feedback",
    "card",
    "card_feedback",
    "categories",
    "corrected",
    "counts",
    "feedback_on",
    "find_case",
    "give_feedback",
    "history",
    "lease",
    "lease_next",
    "mint_token",
    "open_case",
    "queue",
    "release_lease",
    "renew_lease",
    "submit",
    "take_in",
]
