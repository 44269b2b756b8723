"""The small pieces of code that a developer puts into the existing app, ready to copy. Pure functions."""

from __future__ import annotations

from typing import Any

from pilotage.decisions.records import Said


def ask(address: str, use_case: str, request: str) -> str:
    """Asking for a decision. ``request`` is JSON."""
    return (
        f"curl {address}/v1/use-cases/{use_case}/decisions \\\n"
        "  -H 'Authorization: Bearer pk_…' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        f"  -d '{request}'"
    )


def ask_in_python(address: str, use_case: str, request: dict[str, Any], default: Said) -> str:
    """The same with the client for Python, which answers ``default`` where the service is gone."""
    fields = "\n".join(f"        {name!r}: {value!r}," for name, value in request.items())
    return (
        "from pilotage.client import Client\n\n"
        f"pilotage = Client({address!r}, 'pk_…', timeout_ms=1_000)\n"
        "decision = pilotage.decide(\n"
        f"    {use_case!r},\n"
        f"    {{\n{fields}\n    }},\n"
        f"    fallback={default!r},  # or a function of the request: what your app does today\n"
        ")\n"
        "decision.action, decision.produced_by  # 'fallback' where Pilotage could not be reached"
    )


def embed(address: str) -> str:
    """Showing the card in a page of the app, which loads its module."""
    return f'<pilotage-card server="{address}" token-url="/pilotage-token?entity=…"></pilotage-card>'


def mint(address: str, use_case: str) -> str:
    """Minting a card token on the app's server, behind the address that the card's ``token-url`` names."""
    return (
        f"curl {address}/v1/use-cases/{use_case}/card-tokens \\\n"
        "  -H 'Authorization: Bearer pk_…' \\\n"
        "  -H 'Content-Type: application/json' \\\n"
        '  -d \'{"entity": "example-1", "origin": "https://your-app.example", "person": "who looks at the page"}\''
    )
