"""What review does: take feedback, open cases, hand them to one person at a time, take opinions, fill the card."""

from pilotage.review.flow.cards import card, card_feedback, mint_token, take_back_on_card
from pilotage.review.flow.cases import categories, corrected, counts, find_case, history, opened, queue
from pilotage.review.flow.commenting import comment, comments_on
from pilotage.review.flow.feedback import app_feedback, feedback_on, give_feedback, take_back
from pilotage.review.flow.intake import drawn_blind, open_case, take_in
from pilotage.review.flow.judging import judge, judged_since, opinions_on, submit, undo, undoable
from pilotage.review.flow.labelling import labels
from pilotage.review.flow.leasing import lease, lease_ahead, lease_next, release_lease, renew_lease
from pilotage.review.flow.looking import look, stakes, talk_on
from pilotage.review.flow.skills import reviewers, set_skills
from pilotage.review.flow.tending import tend
from pilotage.review.flow.views import change_view, keep_view, may_share, remove_view, views, waiting

__all__ = [
    "app_feedback",
    "card",
    "card_feedback",
    "categories",
    "change_view",
    "comment",
    "comments_on",
    "corrected",
    "counts",
    "drawn_blind",
    "feedback_on",
    "find_case",
    "give_feedback",
    "history",
    "judge",
    "judged_since",
    "keep_view",
    "labels",
    "lease",
    "lease_ahead",
    "lease_next",
    "look",
    "may_share",
    "mint_token",
    "open_case",
    "opened",
    "opinions_on",
    "queue",
    "release_lease",
    "remove_view",
    "renew_lease",
    "reviewers",
    "set_skills",
    "stakes",
    "submit",
    "take_back",
    "take_back_on_card",
    "take_in",
    "talk_on",
    "tend",
    "undo",
    "undoable",
    "views",
    "waiting",
]
