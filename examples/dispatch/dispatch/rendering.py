"""The pages' templates and the words they may use."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.templating import Jinja2Templates

from . import wording
from .status import signed_minutes


def load_templates() -> Jinja2Templates:
    """Templates that escape everything and refuse an unknown name."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        local_time=wording.local_time,
        local_day=wording.local_day,
        local_day_time=wording.local_day_time,
        utc_time=wording.utc_time,
        machine_time=wording.machine_time,
        signed_minutes=signed_minutes,
    )
    return Jinja2Templates(env=environment)
