"""One installation that lives through many crashes: what was acknowledged, what is durable, what was attempted."""

from __future__ import annotations

import random
import threading
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from tests.decisions.losing import LosingDisk, PowerCut, Told, Waiter, call_all

from pilotage.decisions import flow, store
from pilotage.decisions.durable import draining
from pilotage.decisions.durable.completeness import completeness
from pilotage.decisions.durable.segments import DamagedSegment, parse, segments
from pilotage.decisions.durable.spool import Spool
from pilotage.decisions.records import Decision
from pilotage.platform.workspace import Workspace

_RECENT = 400
AT = datetime(2013, 12, 5, 20, tzinfo=UTC)


def a_decision(identifier: str, said: str = "") -> Decision:
    """A decision that says who it is."""
    return Decision(
        id=identifier,
        use_case="small",
        entity=said or f"thing of {identifier}",
        moment=AT,
        decided_at=AT,
        stage="assist",
        arm="model",
        version="ver_1",
        revision=1,
        produced_by="model",
        reason="model",
        answer=True,
        action="Do it",
        model_answer=True,
        rule_answer=None,
        probability=0.5,
        band="high",
        review=False,
        flags=(),
        inputs={"size": 7},
        signals=(),
        asked_by="app",
        latency_us=250,
    )


class Crashing:
    """Lives life after life in one home; each ends with the power."""

    def __init__(self, work: Workspace, seed: int) -> None:
        self.work = work
        self.folder = work.home / "spool"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.chance = random.Random(seed)
        self.acknowledged: set[str] = set()
        self.attempted: dict[str, bytes] = {}
        self.withdrawn: set[str] = set()
        self.crashes = 0
        self.in_drain = 0

    def live(self) -> None:
        """One life of one or two workers: hand over, withdraw, drain, until the power goes."""
        self.crashes += 1
        disk = LosingDisk(self.folder, self.chance, self.chance.randrange(1, 60), self.chance.choice((0.0, 0.0, 0.05)))
        spools = [Spool(self.folder, 1 << 20, call_all, disk) for _ in range(self.chance.choice((1, 1, 2)))]
        waiter = Waiter()
        try:
            while not disk.is_dead.is_set() and not all(spool.has_failed for spool in spools):
                self._hand_some(spools, waiter)
                if self.chance.random() < 0.3:
                    self._drain(self.chance.choice(spools))
        except PowerCut:
            pass
        disk.crash()
        for spool in spools:
            spool.close()
        self.acknowledged |= {name.decode() for name in waiter.acknowledged}
        self.check()

    def check(self) -> None:
        """Acknowledged ⊆ durable ⊆ attempted, nothing twice and nothing that was withdrawn; in spool and ledger."""
        waiting = self._waiting()
        with self.work.database.reading() as connection:
            recent = sorted(self.attempted)[-_RECENT:]
            kept = store.contents(connection, recent)
        durable = {**waiting, **kept}
        acknowledged = self.acknowledged & set(recent)
        assert acknowledged <= durable.keys(), f"lost in crash {self.crashes}: {sorted(acknowledged - durable.keys())}"
        assert durable.keys() <= self.attempted.keys()
        assert not durable.keys() & self.withdrawn
        for identifier, content in durable.items():
            assert content == self.attempted[identifier], "what is durable is what was handed over"

    def finish(self) -> None:
        """A last life without a crash: everything reaches the ledger, once, vouched for and accounted for."""
        spool: Spool[Told] = Spool(self.folder, 1 << 20, call_all)
        draining.drain(self.work, spool)
        spool.close()
        assert segments(self.folder) == []
        with self.work.database.reading() as connection:
            kept = {each.id for each in store.recent(connection, "small", len(self.attempted) + 1)}
            assert store.count(connection) == len(kept)
        assert self.acknowledged <= kept <= self.attempted.keys()
        assert not kept & self.withdrawn
        assert flow.verify_recorded(self.work).valid
        found = completeness(self.work)
        assert (found.missing, found.elsewhere) == (0, 0)
        assert found.durable == len(kept)

    def _hand_some(self, spools: list[Spool[Told]], waiter: Waiter) -> None:
        for _ in range(self.chance.randrange(1, 5)):
            identifier = f"dec_{self.crashes:06}_{len(waiter.told):04}"
            content = store.encode(a_decision(identifier, "x" * self.chance.randrange(1, 80)))
            self.attempted[identifier] = content
            spool = self.chance.choice(spools)
            waiter.hand(spool, content, identifier.encode())
            if self.chance.random() < 0.1 and spool.withdraw(waiter.told[identifier.encode()]):
                self.withdrawn.add(identifier)
        if self.chance.random() < 0.7:  # else the next ones come while this commit runs
            threading.Event().wait(0.0005)

    def _drain(self, spool: Spool[Told]) -> None:
        try:
            draining.drain(self.work, spool)
        except PowerCut:
            self.in_drain += 1
            raise

    def _waiting(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for path in segments(self.folder):
            try:
                contents = parse(path.read_bytes()).records
            except DamagedSegment:
                continue
            for content in contents:
                identifier = store.decode(content).id
                assert found.setdefault(identifier, content) == content
        return found


def _without_sync(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    """The ledger's own machine does not crash here: what it committed is there."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


def live_through(work: Workspace, crashes: int, seed: int, monkeypatch: pytest.MonkeyPatch) -> Crashing:
    """So many crashes in a row; threads that the power took say nothing."""
    loud = threading.excepthook

    def quiet(died: threading.ExceptHookArgs) -> None:
        if not issubclass(died.exc_type, PowerCut):
            loud(died)

    monkeypatch.setattr(threading, "excepthook", quiet)
    if work.database.is_sqlite:
        sa.event.listen(work.database.engine, "connect", _without_sync)
        work.database.close()  # connections that are open already
    crashing = Crashing(work, seed)
    while crashing.crashes < crashes:
        crashing.live()
    crashing.finish()
    return crashing
