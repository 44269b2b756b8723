"""The command line: which command lives where, and what becomes of errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

import msgspec
from cyclopts import App, Group
from cyclopts.exceptions import CycloptsError, UnknownCommandError

from pilotage import __version__
from pilotage.platform.errors import PilotageError

COMMANDS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Describe",
        (
            ("init", "pilotage.data.init_commands:init", "Write a first use-case file from a database or files."),
            (
                "check",
                "pilotage.data.commands:check",
                "Check a use-case file, and its sources; every mistake is named with its line.",
            ),
            ("columns", "pilotage.usecase.commands:columns", "List the columns that use cases share."),
            ("brief", "pilotage.usecase.commands:brief", "Print what the use case decides, for whom and why."),
            ("readiness", "pilotage.rollout.readiness.commands:readiness", "Show what is there and what is missing."),
            ("rank", "pilotage.rollout.readiness.commands:rank", "Rank all use cases: which one to build first."),
            ("schema", "pilotage.audit.commands:schema", "Print the JSON Schema of use-case files, contracts, audits."),
        ),
    ),
    (
        "Data",
        (
            ("sync", "pilotage.data.commands:sync", "Take what is new from the sources into snapshots."),
            ("audit", "pilotage.audit.commands:audit", "Answer the seven questions about the data."),
            ("build", "pilotage.data.commands:build", "Build the training set, point in time."),
            ("sql", "pilotage.data.commands:sql", "Print the SQL of the columns: history, live, now."),
            ("materialise", "pilotage.data.commands:materialise", "Write all keys' values now into tables."),
            (
                "contract draft",
                "pilotage.audit.contract_commands:draft",
                "Draft contracts from the rows that were read.",
            ),
            (
                "contract check",
                "pilotage.data.contract_commands:check",
                "Check contracts: their files, or rows against them.",
            ),
            ("contract import", "pilotage.data.contract_commands:import_", "Make contracts of an Open Data Contract."),
            ("contract export", "pilotage.data.contract_commands:export", "Print contracts as an Open Data Contract."),
        ),
    ),
    (
        "Model",
        (
            ("train", "pilotage.models.commands:train", "Train candidates and hold them against today's rule."),
            ("compare", "pilotage.models.commands:compare", "Show the comparison of rule and candidates."),
            ("card", "pilotage.models.commands:card", "Print the model card of a candidate."),
            ("test", "pilotage.releases.suite_commands:test", "Test a model like software, with your tests in Python."),
            ("release", "pilotage.rollout.commands:release", "Make a version live from the comparison's candidate."),
            ("parity", "pilotage.decisions.parity_commands:parity", "Measure whether live answers as in training."),
            ("versions", "pilotage.releases.commands:versions", "List the versions and which one is live."),
        ),
    ),
    (
        "Run",
        (
            ("serve", "pilotage.web.commands:serve", "Start the console and the API."),
            (
                "database move",
                "pilotage.migrations.commands:move_database",
                "Copy the control database into another one, such as PostgreSQL.",
            ),
            ("decide", "pilotage.decisions.commands:decide", "Ask for one decision."),
            ("batch", "pilotage.decisions.jobs.commands:batch", "Ask for the decisions of a whole file."),
            ("review", "pilotage.review.commands:review", "Show what waits for a person."),
            ("outcomes", "pilotage.outcomes.commands:outcomes", "Join what really happened to the decisions."),
            ("monitor", "pilotage.monitor.commands:monitor", "Say whether it is still safe and still worth it."),
            ("incidents list", "pilotage.monitor.incidents.commands:list_", "List what went wrong and needs a person."),
            ("incidents show", "pilotage.monitor.incidents.commands:show", "Show one incident with its timeline."),
            (
                "incidents acknowledge",
                "pilotage.monitor.incidents.commands:acknowledge",
                "Say that somebody takes an incident on.",
            ),
            ("incidents close", "pilotage.monitor.incidents.commands:close", "Close an incident, and say why."),
        ),
    ),
    (
        "Steer",
        (
            ("gate", "pilotage.rollout.commands:gate", "Read the evidence: may the use case advance?"),
            ("stage", "pilotage.rollout.commands:stage", "Change the stage: off, shadow, assist, automate."),
            ("history", "pilotage.releases.commands:history", "Show what was live when."),
            ("disable", "pilotage.releases.commands:disable", "Switch the model off; the rule answers."),
            ("enable", "pilotage.releases.commands:enable", "Switch the model on again."),
            ("rollback", "pilotage.releases.commands:rollback", "Go back to the version before."),
        ),
    ),
    (
        "Govern",
        (
            ("verify", "pilotage.decisions.commands:verify", "Verify the audit log and what it vouches for, offline."),
            ("person add", "pilotage.govern.person_commands:add", "Add a person who may log in."),
            ("person list", "pilotage.govern.person_commands:list_", "List the people and what each may do."),
            ("person give", "pilotage.govern.person_commands:give", "Give a person a role."),
            ("person take", "pilotage.govern.person_commands:take", "Take a role from a person."),
            ("person skills", "pilotage.review.commands:skills", "Say which cases a reviewer can judge."),
            ("person disable", "pilotage.govern.person_commands:disable", "Shut a person out."),
            ("person enable", "pilotage.govern.person_commands:enable", "Let a person in again who was shut out."),
            ("person link", "pilotage.govern.person_commands:link", "Let a person come in by the OpenID provider."),
            (
                "person reset-password",
                "pilotage.govern.person_commands:reset_password",
                "Give a person a new password.",
            ),
            (
                "person reset-second-factor",
                "pilotage.govern.person_commands:reset_second_factor",
                "Forget a person's second factor: phone and codes are lost.",
            ),
            ("key make", "pilotage.govern.commands:make_key", "Make a key with which an app comes."),
            ("key list", "pilotage.govern.commands:list_keys", "List the keys of apps and what each opens."),
            ("key disable", "pilotage.govern.commands:disable_key", "Disable a key: it opens nothing any more."),
            ("webhooks list", "pilotage.webhooks.commands:list_", "List the endpoints that are told what happens."),
            ("webhooks add", "pilotage.webhooks.commands:add", "Register an endpoint; prints its secret once."),
            ("webhooks test", "pilotage.webhooks.commands:test", "Send an endpoint a test event now."),
            ("webhooks deliveries", "pilotage.webhooks.commands:deliveries", "List deliveries and what came back."),
            ("webhooks replay", "pilotage.webhooks.commands:replay", "Send one event again, or all since an instant."),
            ("webhooks rotate", "pilotage.webhooks.commands:rotate", "Give an endpoint a new secret."),
            ("webhooks disable", "pilotage.webhooks.commands:disable", "Tell an endpoint nothing any more."),
            ("webhooks enable", "pilotage.webhooks.commands:enable", "Tell an endpoint again what happens."),
        ),
    ),
)
"""Group by group: the command, the function behind it, and its one line. Functions are imported when called."""

_GROUPS = {
    "contract": "What each source promises, and whether it keeps it.",
    "person": "People who may log in.",
    "key": "Keys of apps.",
    "database": "The control database.",
    "webhooks": "Other systems that are told what happens here.",
    "incidents": "What went wrong and needs a person.",
}
_LISTED_BY_DEFAULT = {"incidents"}
_INTERRUPTED = 130
_HELP = {"--help", "-h", "--version"}
_DEFECT = 3


def application() -> App:
    """All commands, none of them imported yet."""
    app = App(
        name="pilotage",
        help="Takes one predictive feature from idea to controlled production inside software that already exists.",
        version=__version__,
        result_action="return_value",
        suppress_keyboard_interrupt=False,
        exit_on_error=False,
        print_error=False,
        help_format="plaintext",
        group_commands=Group("Other", sort_key=len(COMMANDS)),
    )
    for position, (title, commands) in enumerate(COMMANDS):
        group = Group(title, sort_key=position)
        for words, where, line in commands:
            *parents, name = words.split()
            place = app
            for parent in parents:
                if parent not in place:
                    place.command(App(name=parent, help=_GROUPS[parent], group=group))
                place = place[parent]
            if parents:
                place.command(where, name=name, help=line)
            else:
                place.command(where, name=name, help=line, group=group)
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 a check or gate fails, 2 usage or file error, 3 a defect of ours."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    if tokens and _HELP.isdisjoint(tokens):
        from pilotage.platform.logs import configure  # here, because help should not wait for it

        # A command says itself what went wrong; its events are for those who ask for them. ``serve`` writes all.
        configure(os.environ.get("PILOTAGE_LOG_LEVEL", "ERROR"))
    sys.exit(run(tokens))


def run(tokens: list[str]) -> int:
    """Run one command; its exit code."""
    machine = "--json" in tokens
    try:
        application()(_completed(tokens))
    except PilotageError as error:
        _print_error(error, machine)
        return error.exit_code
    except CycloptsError as error:
        _print_error(_usage(error), machine)
        return PilotageError.exit_code
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:  # noqa: BLE001  the outermost door: whatever it is, it is written down and said
        from pilotage.cli.defects import keep_trace

        place = keep_trace(error)
        said = PilotageError("Something went wrong that is not your mistake.", f"Its trace is in {place}: report it.")
        _print_error(said, machine)
        return _DEFECT
    return 0


def _completed(tokens: list[str]) -> list[str]:
    """``pilotage incidents`` lists them."""
    is_alone = bool(tokens) and tokens[0] in _LISTED_BY_DEFAULT and all(each.startswith("-") for each in tokens[1:])
    return [tokens[0], "list", *tokens[1:]] if is_alone and _HELP.isdisjoint(tokens) else tokens


def _print_error(error: PilotageError, machine: bool) -> None:
    if machine:
        document = {
            "error": error.code,
            "title": error.title,
            "message": error.message,
            "repair": error.repair,
            "problems": error.problems,
        }
        print(msgspec.json.format(msgspec.json.encode(document), indent=2).decode(), file=sys.stderr)
        return
    print(f"Error: {error.message}", file=sys.stderr)
    for problem in error.problems:
        print(f"  {problem}", file=sys.stderr)
    if error.repair:
        print(error.repair, file=sys.stderr)


def _usage(error: CycloptsError) -> PilotageError:
    """What is wrong with the words of a command. Says nothing that would need the commands to be imported."""
    if isinstance(error, UnknownCommandError):
        given = (error.unused_tokens or ["?"])[0]
        known = [words for _, commands in COMMANDS for words, _, _ in commands]
        near = get_close_matches(given, known, n=1)
        meant = f" Did you mean {near[0]}?" if near else ""
        wrong = PilotageError(f"There is no command '{given}'.{meant}", "See pilotage --help.")
    else:
        wrong = PilotageError(" ".join(str(error).split()), "See pilotage --help.")
    wrong.code, wrong.title = "usage", "The command does not fit"
    return wrong
