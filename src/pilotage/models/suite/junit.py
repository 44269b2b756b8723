"""A report as JUnit XML, the format that servers of continuous integration read: one case per check."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from pilotage.models.suite.records import Result, SuiteReport

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: SuiteReport) -> bytes:
    """The document. A warning passes and says itself on the case's standard output."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"pilotage test {report.use_case}",
        tests=str(len(report.results)),
        failures=str(report.counted("FAIL")),
        errors="0",
        skipped=str(report.counted("SKIPPED")),
        time=f"{sum(result.seconds for result in report.results):.3f}",
        timestamp=report.made_at.strftime("%Y-%m-%dT%H:%M:%S"),
    )
    for result in report.results:
        _case(suite, report, result)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    return bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True))


def _case(suite: ElementTree.Element, report: SuiteReport, result: Result) -> None:
    case = ElementTree.SubElement(
        suite,
        "testcase",
        classname=_clean(f"{report.use_case}.{report.candidate}.{result.check}"),
        name=_clean(result.name),
        time=f"{result.seconds:.3f}",
    )
    if result.outcome == "FAIL":
        ElementTree.SubElement(case, "failure", message=_clean(result.sentence)).text = _clean(told(result))
    elif result.outcome == "SKIPPED":
        ElementTree.SubElement(case, "skipped", message=_clean(result.sentence))
    elif result.outcome == "WARN":
        ElementTree.SubElement(case, "system-out").text = _clean(f"WARN {told(result)}")


def told(result: Result) -> str:
    """The sentence, and the row that shows it best."""
    if result.example is None:
        return result.sentence
    example = result.example
    put = ", ".join(f"{name} → {value}" for name, value in list(example.put.items())[:8])
    row = ", ".join(f"{name} = {value}" for name, value in list(example.row.items())[:40])
    return f"{result.sentence}\nMost of all here: {example.before} becomes {example.after} with {put}.\nThe row: {row}."


def _clean(text: str) -> str:
    return _NOT_IN_XML.sub("�", text)
