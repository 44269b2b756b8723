"""What webhooks do: keep endpoints, take events in, deliver them, send them again, forget them."""

from pilotage.webhooks.flow.delivering import Deliverer
from pilotage.webhooks.flow.emitting import emit, is_told, take_in
from pilotage.webhooks.flow.endpoints import all_endpoints, disable, enable, find, register, rotate
from pilotage.webhooks.flow.looking import attempts_of, delivery, forget_old, page
from pilotage.webhooks.flow.replaying import replay, replay_since, send_test

__all__ = [
    "Deliverer",
    "all_endpoints",
    "attempts_of",
    "delivery",
    "disable",
    "emit",
    "enable",
    "find",
    "forget_old",
    "is_told",
    "page",
    "register",
    "replay",
    "replay_since",
    "rotate",
    "send_test",
    "take_in",
]
