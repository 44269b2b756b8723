"""Keeps what answers up to date: threads look for what changed, each at its own pace.

The switch waits neither for slow columns, nor for a version that is being loaded, nor for the database: this host's
switch file; keys and what is live; versions to load; use-case files, contracts and snapshots; and the spool.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog

from pilotage.data import flow as data
from pilotage.data.flow import contracting
from pilotage.data.live import LiveColumns
from pilotage.decisions import metrics
from pilotage.decisions.answering.serving import Serving, Warmed, open_serving, warm
from pilotage.govern import flow as governing
from pilotage.govern.records import Principal
from pilotage.platform import processes
from pilotage.platform.errors import EvidenceMissing, in_short
from pilotage.platform.outages import Outage
from pilotage.platform.workspace import Workspace
from pilotage.releases import flow as releasing
from pilotage.releases import hostswitch, switching
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition

_LOOK_SECONDS = 0.25
_RETRY_SECONDS = 5.0
_QUIET_SECONDS = 15.0
"""A step may ask the database at every look, or once in ten seconds: only after so long it surely can again."""
_WARM_AGAIN_SECONDS = 30.0
_LIVE_SPAN = timedelta(days=2)

log = structlog.get_logger()


class Following:
    """What answers for each use case, and who may ask. ``servings`` and ``keys`` are replaced whole, never changed."""

    def __init__(self, work: Workspace) -> None:
        self.work = work
        self.servings: Mapping[str, Serving] = {}
        self.keys: Mapping[bytes, Principal] = {}
        self._in_force: dict[str, tuple[tuple[object, ...], Definition]] = {}
        self._loaded: dict[str, tuple[object, ...]] = {}
        self._retry_at: dict[str, float] = {}
        self._off_here: frozenset[str] = frozenset()
        self._under_switch: dict[str, Serving] = {}
        self._warm_again_at: dict[tuple[str, str], float] = {}
        self._await_columns: dict[str, Warmed] = {}
        self._swapping = threading.Lock()
        self._warming = threading.Lock()
        self._looked_at = time.monotonic()

    def look_at_switches(self) -> None:
        """Follow the switch, keys, stages and versions, once and to the end; a running service does it in parts."""
        self.look_at_host_switch()
        self.look_at_releases()
        self.look_at_versions()

    def look_at_host_switch(self) -> None:
        """Follow this host's switch file, where it switches off. Needs the disk only."""
        new = hostswitch.names(self.work.settings.of_host) - self._off_here
        if new:
            with self._swapping:
                self._off_here |= new
                for name in new & {*self.servings}:
                    log.warning("host_switch", use_case=name, switched="off")
                    self._swap(name, self._serving_of(name))

    def look_at_releases(self) -> None:
        """Follow keys, stages, versions and the switch. Loads no version, needs no sources or columns.

        The host's file is looked at first: whoever takes it away has told the database before. So nothing is switched
        on between the two.
        """
        off = hostswitch.names(self.work.settings.of_host)
        self.keys = governing.all_keys(self.work)
        revisions = releasing.revisions(self.work)
        for name in list(self.servings):
            is_lifted = name in self._off_here and name not in off
            if is_lifted or revisions.get(name, 0) != self._serving_of(name).live.revision:
                with self._swapping:
                    self._off_here -= {name} if is_lifted else set()
                    present = self._serving_of(name)
                    opened = open_serving(self.work, present.definition, present.columns, present, may_load=False)
                    self._swap(name, opened)
        self._looked_at = time.monotonic()
        self._settle_host_switch()

    def look_at_versions(self) -> None:
        """Load what was released, ask its golden vectors, and only then let it answer; the last good one does so long.

        What cannot be loaded is tried again later: its files may still be on their way to this host.
        """
        with self._warming:
            for name in list(self.servings):
                wanted = self._serving_of(name).awaited
                is_warm = name in self._await_columns and self._await_columns[name].version == wanted
                if wanted and not is_warm and time.monotonic() >= self._warm_again_at.get((name, wanted), 0.0):
                    self._warm(name, wanted)

    def _warm(self, name: str, wanted: str) -> None:
        """Load outside the lock, swap within it. Where it cannot be loaded and nothing answers, the one before it."""
        warmed = warm(self.work, name, wanted)
        before = self._before(name) if warmed.scorer is None else None
        if warmed.scorer is None:
            metrics.refused(name)
            self._warm_again_at[name, wanted] = time.monotonic() + _WARM_AGAIN_SECONDS
        with self._swapping:
            present = self._serving_of(name)
            if present.awaited == wanted:
                good = present if before is None or present.scorer is not None else before
                opened = open_serving(self.work, present.definition, present.columns, good, warmed, may_load=False)
                self._swap(name, opened)
                if warmed.scorer is not None and opened.awaited:  # it was released with other columns than these
                    self._await_columns[name] = warmed
                    self._retry_at.pop(name, None)

    def _before(self, name: str) -> Serving | None:
        """The present serving with the version before the released one, where no version answers."""
        present = self._serving_of(name)
        good = None if present.scorer is not None else releasing.last_good(self.work, name)
        if good is None or good.version is None:
            return None
        scorer = warm(self.work, name, good.version).scorer
        fits = scorer is not None and scorer.fits(present.definition)
        return dataclasses.replace(present, live=good, scorer=scorer if fits else None)

    def _settle_host_switch(self) -> None:
        """The database is there: tell it of a switch that was used on this host while it was away."""
        for name in self._off_here & {*self.servings}:
            has_settled = hostswitch.has_settled(self.work.settings.of_host, name)
            if has_settled and hostswitch.read(self.work.settings.of_host, self.work.signer, name) is not None:
                switching.settle(self.work, name)

    def _serving_of(self, name: str) -> Serving:
        """What answers, or would without this host's switch."""
        return self._under_switch.get(name) or self.servings[name]

    @property
    def stale_seconds(self) -> float:
        """How long ago keys and switches were last read whole."""
        return time.monotonic() - self._looked_at

    @property
    def refused_versions(self) -> list[tuple[str, str]]:
        """Use case and version of what was released, was tried here and could not be loaded."""
        tried = list(self._warm_again_at)
        return [each for each in tried if each[0] in self.servings and self._serving_of(each[0]).awaited == each[1]]

    def look_at_sources(self) -> None:
        """Follow use-case files, contracts and snapshots. What cannot be read is tried again; the last state stays."""
        versions = {**data.snapshot_versions(self.work), **self._contracts()}
        revisions = releasing.revisions(self.work)
        for adopted in defining.definitions(self.work):
            own = tuple(sorted(each for each in versions.items() if each[0].startswith(f"{adopted.name}/")))
            self._look_at_file(adopted, (adopted.fingerprint, revisions.get(adopted.name, 0), *own), own)
        self.look_at_versions()

    def _look_at_file(self, adopted: Definition, mark: tuple[object, ...], own: tuple[object, ...]) -> None:
        """Open the columns of the file that answers are given by, where it or its snapshots changed."""
        name = adopted.name
        kept = self._in_force.get(name)
        if kept is None or kept[0] != mark:
            kept = self._in_force[name] = mark, releasing.answering(self.work, adopted)
        definition = kept[1]
        wanted = (definition.fingerprint, *own)
        if self._loaded.get(name) == wanted or time.monotonic() < self._retry_at.get(name, 0):
            return
        columns = self._columns(definition)
        if columns is None:
            self._retry_at[name] = time.monotonic() + _RETRY_SECONDS
            if name in self.servings:
                return
            if definition.fingerprint != adopted.fingerprint:
                definition, columns = adopted, self._columns(adopted)
        if not self._open(definition, columns):
            self._retry_at[name] = time.monotonic() + _WARM_AGAIN_SECONDS
        elif columns is not None and definition.fingerprint == wanted[0]:
            self._loaded[name] = wanted

    def _open(self, definition: Definition, columns: LiveColumns | None) -> bool:
        """Answer by this file from now on; False where what was released for it cannot be loaded.

        Then the version before goes on by its own file. One for other columns is loaded before its columns are
        swapped: the two change together.
        """
        name = definition.name
        present = self._present(name)
        warmed = self._warmed_for(definition, present)
        has_failed = warmed is not None and warmed.scorer is None
        if has_failed and present is not None:
            definition, columns = present.definition, self._columns(present.definition) or present.columns
        with self._swapping:
            self._swap(name, open_serving(self.work, definition, columns, self._present(name), warmed, may_load=False))
        return not has_failed

    def _present(self, name: str) -> Serving | None:
        """As :meth:`_serving_of`; None where nothing answers yet."""
        return self._serving_of(name) if name in self.servings else None

    def _warmed_for(self, definition: Definition, present: Serving | None) -> Warmed | None:
        """The released version, loaded, where what answers now has other columns and is of another version."""
        waiting = self._await_columns.pop(definition.name, None)
        if present is None or present.scorer is None or present.scorer.fits(definition):
            return waiting
        wanted = releasing.live(self.work, definition.name).version
        if wanted is None or wanted == present.live.version:
            return None
        if waiting is not None and waiting.version == wanted:
            return waiting
        return warm(self.work, definition.name, wanted)

    def _contracts(self) -> dict[str, str]:
        """Contracts in force beside snapshots: a newly adopted one is a change like a new row."""
        found = contracting.contract_fingerprints(self.work)
        return {f"{name}:contract": fingerprint for name, fingerprint in found.items()}

    def _swap(self, name: str, serving: Serving) -> None:
        """Replace one use case's serving whole: a request sees the old one or the new one."""
        self._under_switch.pop(name, None)
        if name in self._off_here:
            self._under_switch[name] = serving
            live = msgspec.structs.replace(serving.live, enabled=False)
            serving = dataclasses.replace(serving, scorer=None, quiet="disabled", live=live)
        self.servings = {**self.servings, name: serving}

    def _columns(self, definition: Definition) -> LiveColumns | None:
        """The live columns of a use case, None where they cannot be opened; that is counted and logged."""
        try:
            return data.open_live(self.work, definition, self._since(definition))
        except Exception as error:  # noqa: BLE001  whatever is wrong with one use case's data, the others go on
            if isinstance(error, EvidenceMissing) and definition.name not in self._loaded:
                self._await_first_sync(definition, error)
                return None
            metrics.refused(definition.name)
            log.error("columns_not_opened", use_case=definition.name, error=in_short(error))
            return None

    def _await_first_sync(self, definition: Definition, error: EvidenceMissing) -> None:
        """Adopted, and its sources are being read for the first time: nothing is wrong, and it is said once."""
        if definition.name not in self.servings:
            log.info("columns_await_first_sync", use_case=definition.name, missing=error.message)

    def _since(self, definition: Definition) -> datetime | None:
        """Moments before this are history: an app asks about now, and live columns of all the past would take long."""
        known = [each.known_to for each in data.current_snapshots(self.work, definition).values() if each.known_to]
        return max(known) - _LIVE_SPAN if known else None


class Repeating:
    """Steps that are repeated, each in a thread of its own with this niceness, until they are stopped."""

    def __init__(self, steps: Sequence[Callable[[], None]], niceness: int = 0) -> None:
        self._niceness = niceness
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._repeat, args=(step,), name=step.__name__, daemon=True) for step in steps
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends after the present steps, or in seconds."""
        self._stopping.set()
        for thread in self._threads:
            if thread.ident is not None:  # it was started
                thread.join(timeout=5)

    def _repeat(self, step: Callable[[], None]) -> None:
        processes.stand_back(self._niceness)
        outage = Outage("look_failed", quiet_seconds=_QUIET_SECONDS, step=step.__name__)
        while not self._stopping.wait(_LOOK_SECONDS):
            try:
                step()
            except Exception as error:  # noqa: BLE001  the loop outlives any one look; what went wrong is recorded
                outage.failed(error)
            else:
                outage.ended()
