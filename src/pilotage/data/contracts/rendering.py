"""Contracts, and what is exported of them, as YAML that reads the same in every reader.

A text that some reader might take for a number, a date, a truth or nothing is quoted: ``NO``, ``0123``, ``12:30``.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from pilotage.data.contracts.records import Contract
from pilotage.usecase.rules.places import Path

_SAFE = re.compile(r"[A-Za-z][A-Za-z0-9_]*([ ./@-][A-Za-z0-9_]+)*|[0-9]+ [a-z]+|[0-9]+\.[0-9]+\.[0-9]+", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_WIDTH = 100_000
_ORDER = ("contract", "version", "owner", "description", "severity", "freshness", "columns", "standard")


def rendered(contract: Contract, remarks: Mapping[Path, str] | None = None, head: str = "") -> str:
    """The text of a contract file, with a comment behind each line that has a remark; it reads as the same contract."""
    plain = msgspec.to_builtins(contract)
    plain = {"version": contract.version, "severity": contract.severity, **plain}
    content = {key: plain[key] for key in _ORDER if key in plain}
    content["columns"] = {name: _numbers(column) for name, column in content["columns"].items()}
    return _dumped(_node(content, (), remarks or {}), head)


def document_text(document: Mapping[str, Any]) -> str:
    """Any document of texts, numbers, truths, nothing, lists and mappings."""
    return _dumped(_node(document, (), {}), "")


def _numbers(column: dict[str, Any]) -> dict[str, Any]:
    """Limits without a needless ``.0``."""
    for key in ("min", "max"):
        value = column.get(key)
        if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
            column[key] = int(value)
    return column


def _node(value: Any, path: Path, remarks: Mapping[Path, str]) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

    if isinstance(value, Mapping):
        made = CommentedMap()
        for name, entry in value.items():
            key = _text(name)
            made[key] = _node(entry, (*path, name), remarks)
            remark = " ".join(remarks.get((*path, name), "").split())
            if remark:
                made.yaml_add_eol_comment(remark, key, column=0)
        if not value:
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        items = CommentedSeq([_node(item, (*path, number), remarks) for number, item in enumerate(value)])
        if all(not isinstance(item, (Mapping, list)) for item in value):
            items.fa.set_flow_style()
        return items
    return _text(value) if isinstance(value, str) else value


def _text(text: str) -> Any:
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString, SingleQuotedScalarString

    if _SAFE.fullmatch(text) and text.lower() not in _WORDS:
        return text
    if "\\" in text and text.isprintable():  # a regular expression: its backslashes stay single
        return SingleQuotedScalarString(text)
    return DoubleQuotedScalarString(text)


def _dumped(node: Any, head: str) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.width = _WIDTH
    yaml.allow_unicode = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.ignore_aliases = lambda data: True
    yaml.representer.add_representer(type(None), _nothing)
    out = io.StringIO()
    yaml.dump(node, out)
    return head + out.getvalue()


def _nothing(dumper: Any, value: None) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "null")
