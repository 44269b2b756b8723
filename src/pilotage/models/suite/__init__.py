"""Models tested like software: defaults for any use case, and what the user's ``tests/model_tests.py`` is written with.

In that file pytest hands out ``model``, ``held_out`` (rows as dicts, with label), ``rule`` and ``use_case``; a variable
``limits = Limits(…)`` sets the limits of the defaults.
"""

from pilotage.models.suite.asking import TestedModel, TestedRule
from pilotage.models.suite.asserting import (
    assert_answer,
    assert_direction,
    assert_invariant,
    assert_no_worse,
    assert_right,
)
from pilotage.models.suite.records import Limits, Result, SuiteReport

__all__ = [
    "Limits",
    "Result",
    "SuiteReport",
    "TestedModel",
    "TestedRule",
    "assert_answer",
    "assert_direction",
    "assert_invariant",
    "assert_no_worse",
    "assert_right",
]
