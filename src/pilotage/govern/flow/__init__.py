"""What governing does: write and verify the audit log, let people in, hand out keys and card tokens."""

from pilotage.govern.flow.audit_log import checkpoint, deeds_between, entries, last_number, record, take_turn, verify
from pilotage.govern.flow.cards import card_secret, mint_card_token, read_card_token
from pilotage.govern.flow.keys import (
    all_keys,
    disable_key,
    disable_key_of,
    is_only_of,
    keys_of,
    make_key,
    principal_of_key,
)
from pilotage.govern.flow.people import (
    add_person,
    change_password,
    demand_fitting,
    disable_person,
    enable_person,
    first_start,
    give_role,
    person_named,
    reset_password,
    take_role,
    who_may,
)
from pilotage.govern.flow.sessions import end_others, log_in, log_out, own_sessions, principal_of_session, waiting

__all__ = [
    "add_person",
    "all_keys",
    "card_secret",
    "change_password",
    "checkpoint",
    "deeds_between",
    "demand_fitting",
    "disable_key",
    "disable_key_of",
    "disable_person",
    "enable_person",
    "end_others",
    "entries",
    "first_start",
    "give_role",
    "is_only_of",
    "keys_of",
    "last_number",
    "log_in",
    "log_out",
    "make_key",
    "mint_card_token",
    "own_sessions",
    "person_named",
    "principal_of_key",
    "principal_of_session",
    "read_card_token",
    "record",
    "reset_password",
    "take_role",
    "take_turn",
    "verify",
    "waiting",
    "who_may",
]
