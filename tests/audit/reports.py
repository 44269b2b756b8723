"""Reports of no real data: a large one with all that a page must bear, a small one, and how to change them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from pilotage.audit.records import (
    Answer,
    AuditReport,
    Available,
    BuildPlan,
    ColumnProfile,
    Cost,
    Dimension,
    Finding,
    Maturity,
    MonthBalance,
    Point,
    ProposedInput,
    Removal,
    Severity,
    SourceProfile,
    Step,
    Topic,
)
from pilotage.audit.rules.colours import QUESTIONS, TOPICS
from pilotage.audit.rules.maturity import DIMENSIONS

AT = datetime(2026, 6, 3, 9, 30, tzinfo=UTC)
LONG = (
    "The amounts of müşteri_siparişleri changed their scale on 14 Mar 2024: before that day the median was 12,340.00, "
    "since then 123.40, a hundredth, while the number of rows per day and the mix of countries stayed what they were, "
    "so that the unit and not the business changed."
)


def finding(
    code: str = "unit-changed",
    severity: Severity = "warns",
    topic: Topic = "consistency",
    source: str = "orders",
    column: str = "amount",
    **more: object,
) -> Finding:
    """A finding with its identifier."""
    made = Finding(code, topic, severity, source, column, f"{column} is not right.", "Repair it.", "data@example.com")
    name = f"{code}:{source}" + (f".{column}" if column else "")
    return msgspec.structs.replace(made, **{"id": name, **more})


def small(*findings: Finding, made_at: datetime = AT, overall: float | None = None) -> AuditReport:
    """A report with these findings and nothing else."""
    dimensions = tuple(Dimension(name, overall or 0.0, "As measured.") for name in DIMENSIONS)
    return AuditReport(
        use_case="returns",
        made_at=made_at,
        snapshots={},
        answers=(),
        profiles=(),
        findings=findings,
        decisions=100,
        labelled=90,
        positives=30,
        maturity=None if overall is None else Maturity(overall, dimensions),
    )


def large(findings_each: int = 20) -> AuditReport:
    """A report with three severities times ``findings_each`` findings, long words and many columns."""
    found = tuple(_findings(findings_each))
    topics = {
        question: [f.id for f in found if f.topic in TOPICS[question] and f.severity != "informs"]
        for question in TOPICS
    }
    answers = tuple(
        Answer(
            QUESTIONS[key],
            f"Measured for `{key}`: 26,483 of 27,004 rows, the least complete input is aircraft_last_delay.",
            ("measured", "declared", "open")[number % 3],  # type: ignore[arg-type]
            ("green", "yellow", "red")[number % 3],  # type: ignore[arg-type]
            tuple(topics[key]),
            "The desk looks at the radar; ask Jørgen <b>Åsberg</b>." if number % 2 else "",
            f"answers.{key}",
        )
        for number, key in enumerate(QUESTIONS)
    )
    due = [f for f in found if f.severity == "warns"]
    return AuditReport(
        use_case="returns",
        made_at=AT,
        snapshots={"orders": "a3" * 32, "müşteri_siparişleri": "b4" * 32},
        answers=answers,
        profiles=(_profile("orders", 40), _profile("müşteri_siparişleri", 250)),
        findings=found,
        decisions=1_234_567,
        labelled=1_200_001,
        positives=130_221,
        balance=tuple(MonthBalance(f"2025-{m:02}", 100_000, 9_000 + 400 * m) for m in range(1, 13)),
        title="Returned orders — Rückläufer & «échanges»",
        definition="c5" * 32,
        plan=BuildPlan(
            blockers=tuple(_step(f) for f in found if f.severity == "blocks"),
            backlog=tuple(_step(f) for f in due),
            uncontracted=("orders", "müşteri_siparişleri"),
            removals=(
                Removal("predicted_delay", (), found[0].id, "leaks"),
                Removal("weather", ("temp",), found[1].id, ""),
            ),
            proposals=(
                ProposedInput(
                    "tax",
                    "request",
                    "orders",
                    "tax: request",
                    "orders has it in 99.0% of rows.",
                    {"tax": "number"},
                    0.71,
                ),
                ProposedInput(
                    "visits_counts",
                    "windows",
                    "visits",
                    "visits_counts:\n  windows: visits\n  by: [store, country]\n  aggregate: count\n"
                    "  over: [1 day, 7 days, 30 days]",
                    "How many rows visits has over 1, 7 and 30 days, by store and country.",
                ),
                ProposedInput(
                    "placed_at_hour",
                    "derived",
                    "",
                    "placed_at_hour: {derived: EXTRACT(HOUR FROM placed_at)}",
                    "The hour.",
                ),
            ),
            open_answers=("answers.systems", "answers.quality"),
        ),
        maturity=Maturity(
            71.4,
            tuple(
                Dimension(
                    n,
                    100 - 9.5 * i,
                    "2 of 9 columns do not mean the same throughout; lowered by findings: 3 that warn.",
                )
                for i, n in enumerate(DIMENSIONS)
            ),
        ),
        availability=(
            Available("carrier", "sent by the app", 1.0),
            *(
                Available(f"mean_arrival_delay_minutes_by_destination_{n}d", "arrivals", 0.98, 640.0, 86_400 * n, 90.0)
                for n in (1, 7, 30)
            ),
        ),
    )


def points(count: int = 6) -> tuple[Point, ...]:
    """The maturity over some weeks."""
    return tuple(
        Point(
            f"evi_{n}",
            AT - timedelta(days=7 * (count - n)),
            50.0 + 4 * n,
            3 - min(n, 3),
            20 - n,
            dict.fromkeys(DIMENSIONS, 50.0 + n),
        )
        for n in range(1, count + 1)
    )


def _findings(each: int) -> list[Finding]:
    severities: tuple[Severity, ...] = ("blocks", "warns", "informs")
    topics = [topic for group in TOPICS.values() for topic in group]
    return [
        finding(
            "unit-changed" if number % 2 else "placeholder-values-in-a-key",
            severity,
            topics[number % len(topics)],
            ("orders", "müşteri_siparişleri")[number % 2],
            f"column_{number}" if number % 5 else 'weird "column" <name>; DROP TABLE y, tutar (₺), 💶',
            message=LONG if number % 3 == 0 else f"Column {number} holds -1 in 4.2% of rows, known as `n/a` elsewhere.",
            share=0.042,
            sampled=100_000 if number % 4 == 0 else 0,
            cost=Cost("skill", 0.013, "0.013 AUC if repaired") if number % 3 == 0 else None,
            samples=tuple(
                {
                    "order_id": f"00{n}",
                    "customer_name": "J… Å…",
                    "amount": "-1",
                    "note": "x" * 78,
                    "placed_at": "1900-01-01",
                }
                for n in range(5)
            )
            if number % 2
            else (),
            id=f"{severity}-{number}:orders.column_{number} ({severity})",
        )
        for severity in severities
        for number in range(each)
    ]


def _step(each: Finding) -> Step:
    return Step(each.id, each.cost.says if each.cost else "4.2% of rows", each.owner, each.repair)


def _profile(source: str, columns: int) -> SourceProfile:
    made = tuple(
        ColumnProfile(f"column_{n}", "number" if n % 2 else "text", 1 - (n % 7) / 50, 12 * n, "-1", "12.4", "99999")
        for n in range(columns)
    )
    return SourceProfile(
        source, 27_004, 12, AT, {}, 0.97, "table public.orders", "warehouse-and-logistics-desk@example.com", made
    )
