"""A small use case with a model that says what a test wants, and time enough on a busy machine."""

from tests.decisions import test_service
from tests.decisions.test_service import Model, serving

FILE = test_service.FILE.replace("latency_ms: 50", "latency_ms: 2000")

__all__ = ["FILE", "Model", "serving"]
