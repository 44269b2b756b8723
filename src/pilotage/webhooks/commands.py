"""Command line of webhooks: who is told what, and what became of it."""

from __future__ import annotations

from datetime import datetime

from pilotage.govern.records import EVERY_USE_CASE, SYSTEM
from pilotage.platform.instants import as_utc, iso
from pilotage.platform.terminal import Terminal
from pilotage.platform.workspace import opened


def list_(*, json: bool = False) -> None:
    """List the endpoints that are told what happens here.

    Args:
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        found = flow.all_endpoints(work)
    terminal.document({"webhooks": found})
    terminal.say(f"Endpoints: {len(found)}, of them disabled: {sum(each.disabled_at is not None for each in found)}.")
    if found:
        rows = [[each.id, each.url, ", ".join(each.types), each.use_case, _state(each.disabled_because, each.failures)]
                for each in found]  # fmt: skip
        terminal.table("Webhooks", ["webhook", "address", "types", "use case", "state"], rows)


def add(
    url: str, *, types: str = "", use_case: str = EVERY_USE_CASE, description: str = "", json: bool = False
) -> None:
    """Register an address that is told what happens here; prints its secret this once.

    Args:
        url: https://host/path of the other system.
        types: Types of events, with commas between; without it all but those that come with every decision.
        use_case: Name of the one use case that it is told of; without it of all.
        description: What it is for.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        made, secret = flow.register(work, SYSTEM, url, tuple(types.split(",")), use_case, description)
    terminal.document({"endpoint": made, "secret": secret})
    if not json:
        terminal.say(
            f"{made.id} is told {', '.join(made.types)}. It verifies with this secret, shown this once: {secret}"
        )
    terminal.next(f"pilotage webhooks test {made.id}")


def disable(webhook: str, *, json: bool = False) -> None:
    """Tell an endpoint nothing any more.

    Args:
        webhook: Its identifier.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        terminal.document(flow.disable(work, SYSTEM, webhook))
    terminal.say(f"{webhook} is disabled: it is told nothing, and what waits for it stays.")
    terminal.next(f"pilotage webhooks enable {webhook}")


def enable(webhook: str, *, json: bool = False) -> None:
    """Tell an endpoint again what happens.

    Args:
        webhook: Its identifier.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        terminal.document(flow.enable(work, SYSTEM, webhook))
    terminal.say(f"{webhook} is enabled. What happened meanwhile is sent by a replay.")
    terminal.next(f"pilotage webhooks replay {webhook} --since 2026-01-31T00:00:00Z")


def rotate(webhook: str, *, hours: float = 24.0, json: bool = False) -> None:
    """Give an endpoint a new secret, printed this once; the old one signs for some hours, too.

    Args:
        webhook: Its identifier.
        hours: For how long both sign, 0 to 168.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        secret = flow.rotate(work, SYSTEM, webhook, hours)
    terminal.document({"webhook": webhook, "secret": secret})
    if not json:
        terminal.say(f"For {hours:g} hours the old secret signs, too. The new one, shown this once: {secret}")
    terminal.next(f"pilotage webhooks test {webhook}")


def test(webhook: str, *, json: bool = False) -> None:
    """Send a test event now and say what came back; exit code 1 when it did not arrive.

    Args:
        webhook: Its identifier.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        deliverer = flow.Deliverer()
        made = flow.send_test(work, SYSTEM, webhook)
        deliverer.send(work, webhook, made.id)
        deliverer.close()
        delivery, attempts = flow.delivery(work, made.id)
    terminal.document({"delivery": delivery, "attempts": attempts})
    if not attempts:
        terminal.say(f"{webhook} is left alone for a moment after a failure: the server sends {made.id} then.")
    for each in attempts:
        said = f"answered {each.status}" if each.status else "did not answer"
        terminal.say(f"{webhook} {said} after {each.latency_ms:,.0f} ms. {each.error}".strip())
    terminal.next(f"pilotage webhooks deliveries {webhook}")
    if delivery.state != "delivered":
        raise SystemExit(1)


def replay(webhook: str, event: str = "", *, since: datetime | None = None, json: bool = False) -> None:
    """Send one event again, or all since an instant; the server does it.

    Args:
        webhook: Its identifier.
        event: The event's identifier.
        since: An instant such as 2026-01-31T00:00:00Z.
        json: Print one JSON document instead.
    """
    from pilotage.platform.errors import InvalidRequest
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    if bool(event) == (since is not None):
        raise InvalidRequest("A replay is of one event or of all since an instant.", "Name an event, or give --since.")
    count = 1
    with opened() as work:
        if since is not None:
            count = flow.replay_since(work, SYSTEM, webhook, as_utc(since))
        else:
            flow.replay(work, SYSTEM, webhook, event)
    terminal.document({"webhook": webhook, "events": count})
    terminal.say(f"Events that are sent again: {count:,}.")
    terminal.next(f"pilotage webhooks deliveries {webhook}")


def deliveries(webhook: str = "", *, before: str | None = None, json: bool = False) -> None:
    """List the newest deliveries with what came back.

    Args:
        webhook: Its identifier; without it of all.
        before: Show those older than this delivery.
        json: Print one JSON document instead.
    """
    from pilotage.webhooks import flow

    terminal = Terminal(json)
    with opened() as work:
        page = flow.page(work, webhook, before)
        log = flow.attempts_of(work, page.deliveries)
    terminal.document({"deliveries": page.deliveries, "attempts": log, "before": page.before})
    rows = []
    for each in page.deliveries:
        last = log.get(each.id, [])[-1:]
        came = [f"{one.status or '—'} {one.error}".strip() for one in last] or ["—"]
        rows.append([each.id, each.event, each.type, iso(each.made_at)[:19], each.state, each.attempts, came[0]])
    terminal.say(f"Deliveries shown: {len(rows)}.")
    if rows:
        columns = ["delivery", "event", "type", "made (UTC)", "state", "attempts", "last answer"]
        terminal.table("Deliveries", columns, rows)
    if page.before:
        terminal.next(f"pilotage webhooks deliveries {webhook} --before {page.before}".replace("  ", " "))


def _state(disabled_because: str, failures: int) -> str:
    if disabled_because:
        return f"disabled: {disabled_because}"
    return f"failed {failures} times in a row" if failures else "on"
