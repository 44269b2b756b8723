"""``python -m examples.demo [--quick] [--no-browser] [--again]``: the whole story of one use case."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
import webbrowser
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import FrameType

from examples.demo.plan import ROOT, USE_CASE, USE_CASE_FILE, Plan, full, quick
from examples.demo.programs import StepFailed, dispatch, pilotage, running
from examples.demo.replay import Office, act_as_planners


def main() -> int:
    """Live the story; 0 when all of it happened."""
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a month of data, then stop: for continuous integration")
    parser.add_argument("--no-browser", action="store_true", help="print the addresses and open nothing")
    parser.add_argument("--again", action="store_true", help="forget what an earlier run left and start anew")
    chosen = parser.parse_args()
    plan = quick(ROOT / ".demo" / "quick") if chosen.quick else full()
    for stopping in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stopping, _interrupt)
    try:
        return live(plan, chosen.again or chosen.quick, stay=not chosen.quick, browser=not chosen.no_browser)
    except StepFailed as failure:
        print(f"\nThe demo stopped: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Everything it started is stopped too; make demo goes on from here.")
        return 0 if (plan.home / "ready").exists() else 130


def live(plan: Plan, again: bool, stay: bool, browser: bool) -> int:
    """All steps, in order. What an earlier run prepared is used as it is."""
    began = time.monotonic()
    if again and plan.home.exists():
        shutil.rmtree(plan.home)
    plan.home.mkdir(parents=True, exist_ok=True)
    ready = plan.home / "ready"
    say("1. The office: an app with its own database, and weather files that it does not have.")
    dispatch(plan, "load", "--months", plan.months, "--start", plan.start)
    if not ready.exists():
        prepare(plan)
    with ExitStack() as programs:
        log = programs.enter_context(running(plan, "pilotage", "serve", url=plan.pilotage_url))
        login = _login(plan, log.read_text())
        office = make_keys(plan)
        programs.enter_context(office_with_advice(plan, office))
        if not ready.exists():
            rollout(plan, office)
            ready.touch()
        say(f"Done in {time.monotonic() - began:.0f} s.")
        print(f"  Console   {plan.pilotage_url}/use-cases/{USE_CASE}   {login}")
        print(f"  The app   {plan.dispatch_url}/")
        if stay:
            print("  Ctrl-C stops both.", flush=True)
            if browser:
                webbrowser.open(f"{plan.pilotage_url}/use-cases/{USE_CASE}")
            signal.pause()
    return 0


def prepare(plan: Plan) -> None:
    """From the file to a version in shadow."""
    say("2. The use case is one file. It is checked as a whole, and every mistake is named at once.")
    pilotage(plan, "check", str(USE_CASE_FILE))
    say("3. Both silos are read into versioned snapshots.")
    pilotage(plan, "sync", str(USE_CASE_FILE))
    say("4. The audit answers seven questions, and refuses columns that are known only after the decision.")
    pilotage(plan, "audit", USE_CASE)
    say("5. The training set: what was known one hour before each departure. Rebuilt, it is the same.")
    pilotage(plan, "build", USE_CASE)
    pilotage(plan, "build", USE_CASE, "--verify")
    say("6. Three candidates against today's rule, on the last weeks of the year that none of them has seen.")
    pilotage(plan, "train", USE_CASE)
    say("7. The recommended candidate becomes a signed version, and goes into shadow through its gates.")
    pilotage(plan, "release", USE_CASE, "--reason", "first version")
    pilotage(plan, "test", USE_CASE)
    pilotage(plan, "stage", USE_CASE, "shadow", "--reason", "let it watch")


def rollout(plan: Plan, office: Office) -> None:
    """Some days in shadow, then in assist if the gates open, with people at work."""
    say(
        f"8. {plan.shadow_hours} hours in shadow: the app asks over HTTP, the rule answers, the model is only recorded."
    )
    office.replay(plan.shadow_hours)
    pilotage(plan, "outcomes", USE_CASE)
    pilotage(plan, "monitor", USE_CASE)
    say("9. The gates read the evidence.")
    pilotage(plan, "gate", USE_CASE)
    said = pilotage(plan, "stage", USE_CASE, "assist", "--reason", "the gates passed", allowed=(0, 1))
    if "assist" not in said:
        say("The gates stay closed on this evidence, so the rule keeps answering. That, too, is an answer.")
    since = office.advance(0.01)
    say(f"10. {plan.assist_hours} more hours. Planners, played by this program, use the card on one flight in five.")
    office.replay(plan.assist_hours)
    counted = act_as_planners(office, since)
    print("  Planners said: " + (", ".join(f"{kind} {count}" for kind, count in counted.items()) or "nothing"))
    say("11. What really happened is joined to what was decided, and the record is verified.")
    pilotage(plan, "outcomes", USE_CASE)
    pilotage(plan, "monitor", USE_CASE)
    pilotage(plan, "verify")


def office_with_advice(plan: Plan, office: Office) -> AbstractContextManager[Path]:
    """The app, told where Pilotage is."""
    told = {"DISPATCH_PILOTAGE_URL": plan.pilotage_url, "DISPATCH_PILOTAGE_KEY": office.app_key}
    return running(plan, "dispatch", "serve", "--port", str(plan.dispatch_port), url=plan.dispatch_url, extra=told)


def make_keys(plan: Plan) -> Office:
    """The keys of the app and of the replay, made once and kept beside the demo's data."""
    keys = []
    for name, role in (("dispatch", "app"), ("replay", "builder")):
        kept = plan.home / f"{name}.key"
        if not kept.exists():
            made = pilotage(plan, "key", "make", name, "--role", role, "--use-case", USE_CASE, quiet=True)
            kept.write_text(next(word for word in made.split() if word.startswith("pk_")))
            kept.chmod(0o600)
        keys.append(kept.read_text())
    return Office(plan, *keys)


def _login(plan: Plan, log: str) -> str:
    """The first login, printed once by the server at its first start and kept here for later runs of the demo."""
    kept = plan.home / "login.txt"
    if not kept.exists():
        lines = [line.strip() for line in log.splitlines() if "password" in line.lower()]
        kept.write_text(lines[0] if lines else "")
        kept.chmod(0o600)
    return kept.read_text()


def say(sentence: str) -> None:
    """One plain sentence per step."""
    print(f"\n\033[1m{sentence}\033[0m" if sys.stdout.isatty() else f"\n{sentence}", flush=True)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
