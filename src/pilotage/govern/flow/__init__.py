"""What governing does: write and verify the audit log, let people in, hand out keys and card tokens."""

from pilotage.govern.flow.audit_log import checkpoint, deeds_between, entries, last_number, record, take_turn, verify
from pilotage.govern.flow.cards import mint_card_token, read_card_token
from pilotage.govern.flow.keys import all_keys, disable_key, make_key, principal_of_key
from pilotage.govern.flow.people import add_person, disable_person, first_start, give_role, take_role, who_may
from pilotage.govern.flow.sessions import log_in, log_out, principal_of_session

__all__ = [
    "add_person",
    "all_keys",
    "checkpoint",
    "deeds_between",
    "disable_key",
    "disable_person",
    "entries",
    "first_start",
    "give_role",
    "last_number",
    "log_in",
    "log_out",
    "make_key",
    "mint_card_token",
    "principal_of_key",
    "principal_of_session",
    "read_card_token",
    "record",
    "take_role",
    "take_turn",
    "verify",
    "who_may",
]
