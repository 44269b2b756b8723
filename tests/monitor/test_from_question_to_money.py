"""A category and a number over HTTP, all the way: asked, answered, reviewed, joined with what happened, on the page."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import msgspec
import pytest
from litestar.testing import TestClient
from tests.living import visitor
from tests.models.flights import unpack
from tests.real_data import real_data
from tests.review.serving import app_key

from pilotage.app import Application
from pilotage.data import flow as data
from pilotage.decisions import flow as deciding
from pilotage.govern import flow as governing
from pilotage.govern.cookies import SESSION
from pilotage.govern.records import SYSTEM, Grant, Principal, Role
from pilotage.models import artefacts
from pilotage.models import flow as modelling
from pilotage.models.explaining import rounded
from pilotage.models.scoring import Scorer
from pilotage.monitor import flow as monitoring
from pilotage.outcomes import flow as outcomes
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import InvalidRequest
from pilotage.platform.settings import Settings
from pilotage.platform.workspace import Workspace, open_workspace
from pilotage.releases import flow as releasing
from pilotage.releases.records import Stage
from pilotage.review import flow as reviewing
from pilotage.rollout import flow as rollout
from pilotage.usecase import flow as defining
from pilotage.usecase.records import Definition, RequestColumn

POSTS = """
use_case: posts
title: Which group a post belongs to
owner: moderators@example.com
brief:
  workflow: Posts are sorted by hand.
  users: Moderators
  decision: Put a post into its group.
  kpi: Minutes of sorting
  latency_ms: 5000
  value: {{currency: EUR, right: 1, wrong: -2}}
sources:
  posts: {{files: "{folder}/posts.parquet", key: [post], static: true}}
decision:
  entity: post
  source: posts
  judged: split = 'test'
  request: {{text: text}}
outcome: {{source: posts, category: category, says: the group it was posted to, matures: 1 day}}
inputs: {{text: request}}
rule:
  category: CASE WHEN text LIKE '%hockey%' THEN 'rec.sport.hockey' WHEN text LIKE '%nasa%' THEN 'sci.space' END
  says: the first of two words
policy:
  actions: {{rec.sport.hockey: Send to the hockey desk}}
  default: misc.forsale
  confidence: 0.5
candidates: {{only: [linear]}}
"""
DELAYS = """
use_case: delays
title: How late a flight arrives
owner: lead@airline.example
brief:
  workflow: Planners look at the board.
  users: Dispatch planners
  decision: How long to hold connections.
  kpi: Minutes held for nothing
  latency_ms: 5000
  value: {{currency: USD, too_low: -3, too_high: -1}}
sources:
  flights: {{files: "{folder}/flights.parquet", key: [flight_id], event_time: departs, known_at: published_at}}
  arrivals: {{files: "{folder}/arrivals.parquet", key: [flight_id], event_time: arrived, known_at: arrived}}
decision:
  entity: flight_id
  source: flights
  moment: departs - INTERVAL '60' MINUTE
  request: {{carrier: category, tail_number: {{kind: category, required: false}}, departs: datetime}}
outcome: {{source: arrivals, number: arr_delay, unit: minutes, says: minutes late on arrival, matures: 1 day}}
inputs:
  carrier: request
  last_delay: {{latest: arrivals, by: tail_number, take: arr_delay, within: 2 days}}
rule: {{number: last_delay, says: as late as the last flight of the aircraft}}
policy: {{default: 0, width: 1}}
candidates: {{only: [linear]}}
"""
_NAMES = itertools.count()
GROUPS = ("rec.sport.hockey", "sci.space", "comp.windows.x", "misc.forsale")
TODAY = datetime(2013, 1, 26, 17, tzinfo=UTC)
ANNA = Principal("usr_anna", "anna", "person", (Grant(Role.REVIEWER, "*"),))


@dataclass(frozen=True)
class Live:
    """An installation with one use case in automate, and its folder of sources."""

    work: Workspace
    clock: FixedClock
    definition: Definition
    folder: Path

    @contextmanager
    def served(self) -> Iterator[Asked]:
        """The application, an app that asks it and a person who looks."""
        name = f"somebody {next(_NAMES)}"
        password = governing.add_person(self.work, SYSTEM, name, (Grant(Role.ADMIN, "*"),))
        key = app_key(self.work, self.definition.name)
        with TestClient(Application(self.work)) as client:  # type: ignore[arg-type]
            client.cookies.set(SESSION, governing.log_in(self.work, name, password))
            yield Asked(client, self.definition.name, key)


@dataclass(frozen=True)
class Asked:
    """The running application."""

    client: Any
    use_case: str
    key: dict[str, str]

    def ask(self, **request: object) -> dict[str, Any]:
        reply: httpx.Response = self.client.post(
            f"/v1/use-cases/{self.use_case}/decisions", json=request, headers=self.key
        )
        assert reply.status_code == 200, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def page(self, path: str) -> str:
        reply: httpx.Response = self.client.get(path)
        assert reply.status_code == 200, reply.text
        return reply.text


def went_live(text: str, folder: Path, at: datetime) -> Live:
    """Synced, built, trained, released after parity and put into automate, as if the gates had passed."""
    clock = FixedClock(at)
    work = open_workspace(Settings(home=folder / "home"), clock)
    definition = defining.adopt(work, defining.parse_definition(text.format(folder=folder), "file.yaml"), SYSTEM)
    data.sync(work, definition)
    data.build(work, definition)
    comparison = modelling.train_and_compare(work, definition, lambda said: None)
    version = releasing.make_version(work, definition, comparison, "linear", SYSTEM)
    rollout.release(work, definition, version, SYSTEM, "to see")
    releasing.set_stage(work, definition.name, Stage.AUTOMATE, 1.0, SYSTEM, "to see")
    return Live(work, clock, definition, folder)


@pytest.fixture(scope="module")
def posts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Four newsgroups, of each the first 150 posts to learn and 50 to judge."""
    folder = tmp_path_factory.mktemp("posts")
    duckdb.execute(
        f"""COPY (SELECT split || '-' || n AS post, * EXCLUDE n FROM (
            SELECT *, row_number() OVER (PARTITION BY split ORDER BY text) AS n FROM '{real_data("newsgroups")}'
            WHERE category IN {GROUPS}
            QUALIFY row_number() OVER (PARTITION BY split, category ORDER BY md5(text)) <= if(split = 'train', 150, 50)
        )) TO '{folder}/posts.parquet'"""
    )
    live = went_live(POSTS, folder, TODAY)
    yield live
    live.work.close()


_FLIGHTS = """
CREATE TABLE flights AS
SELECT carrier || '-' || flight || '-' || strftime(departs, '%Y%m%d%H%M') AS flight_id, carrier, tailnum AS tail_number,
    departs, departs - INTERVAL 30 DAY AS published_at, arr_delay::DOUBLE AS arr_delay,
    departs + (dep_delay + air_time + 30)::INT * INTERVAL 1 MINUTE AS arrived
FROM (SELECT *, time_hour::TIMESTAMP + minute * INTERVAL 1 MINUTE AS departs
      FROM read_csv('{folder}/flights.csv', nullstr='NA'))
WHERE month = 1 AND origin = 'EWR' AND day <= 27
"""
_ARRIVALS = """
COPY (SELECT flight_id, tail_number, arr_delay, arrived FROM flights
      WHERE arr_delay IS NOT NULL AND arrived <= '{until}')
TO '{folder}/arrivals.parquet'"""


def arrivals_known(folder: Path, until: datetime) -> None:
    """Let the source of arrivals know those until then."""
    with duckdb.connect(str(folder / "flights.duckdb")) as connection:
        connection.execute(_ARRIVALS.format(until=until.replace(tzinfo=None), folder=folder))


@pytest.fixture(scope="module")
def delays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """Flights out of Newark in January 2013; arrivals are known until noon of the 26th."""
    folder = tmp_path_factory.mktemp("delays")
    unpack(folder)
    with duckdb.connect(str(folder / "flights.duckdb")) as connection:
        connection.execute(_FLIGHTS.format(folder=folder))
        connection.execute(f"COPY (SELECT * EXCLUDE (arr_delay, arrived) FROM flights) TO '{folder}/flights.parquet'")
    arrivals_known(folder, TODAY)
    live = went_live(DELAYS, folder, TODAY)
    yield live
    live.work.close()


def post(live: Live, group: str, which: int = 0) -> dict[str, Any]:
    """A post of a group that nobody learnt from."""
    found = duckdb.execute(
        f"SELECT post, text FROM '{live.folder}/posts.parquet' WHERE split = 'test' AND category = ? ORDER BY post",
        [group],
    ).fetchall()
    return dict(zip(("post", "text"), found[which], strict=True))


def scorer_of(live: Live) -> Scorer:
    version = releasing.versions(live.work, live.definition.name)[0]
    return modelling.load_artefact(live.work, version.artefact, version.signature)


class TestCategory:
    """Which newsgroup a post belongs to."""

    def test_the_model_answers_with_a_category_how_sure_it_is_and_why(self, posts: Live) -> None:
        with posts.served() as app:
            answer = app.ask(**post(posts, "rec.sport.hockey"))
        assert (answer["produced_by"], answer["answer"]) == ("model", "rec.sport.hockey")
        assert answer["action"] == "Send to the hockey desk"
        assert answer["shares"]["rec.sport.hockey"] == answer["confidence"] > 0.5
        assert answer["signals"][0]["sentence"].endswith("raises the chance of rec.sport.hockey")
        assert {"positive", "probability", "band", "low", "high"}.isdisjoint(answer)

    def test_of_a_text_that_is_personal_no_reason_shows_a_word(self, posts: Live) -> None:
        version = releasing.versions(posts.work, "posts")[0]
        manifest, files = artefacts.load(posts.work, version.artefact, version.signature)
        plan, values = posts.definition.plan, {"text": post(posts, "rec.sport.hockey")["text"]}
        personal = msgspec.structs.replace(plan, request={"text": RequestColumn(kind="text", personal=True)})
        shown, hidden = (
            Scorer(manifest, {**files, "plan.json": msgspec.json.encode(each)}).signals(values)[0]
            for each in (plan, personal)
        )
        assert "words that count most: hockey" in shown.sentence
        assert hidden.sentence == "Text: ••• — raises the chance of rec.sport.hockey"
        assert (hidden.value, hidden.points) == ("•••", shown.points)

    def test_model_and_rule_are_both_recorded(self, posts: Live) -> None:
        asked = post(posts, "sci.space", 1)
        with posts.served() as app:
            answer = app.ask(**asked)
            recorded = deciding.find(posts.work, answer["id"])
        said = scorer_of(posts).predict({"text": asked["text"]})
        assert (recorded.model_answer, recorded.confidence, recorded.shares) == (said.answer, said.score, said.shares)
        assert recorded.rule_answer == by_the_rule(asked["text"])

    def test_switched_off_the_rule_answers_and_where_it_cannot_say_the_default(self, posts: Live) -> None:
        releasing.disable(posts.work, "posts", SYSTEM, "to see")
        with posts.served() as app:
            rule = app.ask(post="of-hockey", text="the hockey game of last night")
            default = app.ask(post="of-nothing", text="what a day")
        releasing.enable(posts.work, "posts", SYSTEM, "seen")
        assert (rule["produced_by"], rule["answer"], rule["action"]) == (
            "rule",
            "rec.sport.hockey",
            "Send to the hockey desk",
        )
        assert (default["produced_by"], default["answer"], default["action"]) == (
            "default",
            "misc.forsale",
            "Answer: misc.forsale",
        )
        assert "confidence" not in rule and "signals" not in rule

    def test_an_unsure_answer_goes_to_a_person_who_picks_another_category(self, posts: Live) -> None:
        scorer = scorer_of(posts)
        each = [post(posts, group, which) for group in GROUPS for which in range(50)]
        close = min(each, key=lambda one: scorer.score({"text": one["text"]}))
        with posts.served() as app:
            answer = app.ask(post="unsure", text=close["text"])
            assert answer["review"] is True and answer["confidence"] < 0.5
        (case,) = [each for each in reviewing.queue(posts.work, "posts") if each.entity == "unsure"]
        page, other = f"/queue/cases/{case.id}", next(group for group in GROUPS if group != answer["answer"])
        with visitor(posts.work, Role.REVIEWER, "posts") as person:
            person.post(f"{page}/take", {})
            form = {"fence": "1", "verdict": "corrected", "reason": "I know the author"}
            refused = person.post(f"{page}/verdict", {**form, "answer": "alt.atheism"})
            assert refused.status_code == 422 and "must be one of the categories." in refused.text
            assert f'value="{other}"' in refused.text
            assert person.post(f"{page}/verdict", {**form, "answer": other}).status_code == 303
            told = person.get(page).text
        done = reviewing.find_case(posts.work, case.id)
        assert (done.state, done.verdict_answer) == ("corrected", other)
        tenths = int(10 * answer["confidence"] + 0.5)
        assert f"In about {tenths} in 10 cases like this it is {answer['answer']}." in told

    def test_outcomes_are_joined_and_the_operate_page_tells_accuracy_and_money(self, posts: Live) -> None:
        asked = [post(posts, group, which) for group in GROUPS for which in range(10, 15)]
        with posts.served() as app:
            for each in asked:
                app.ask(**each)
        outcomes.pull(posts.work, posts.definition)
        joined = outcomes.newest(posts.work, "posts")
        decisions = [deciding.find(posts.work, each) for each in joined]
        assert len(decisions) >= len(asked)
        right = sum(each.answer == joined[each.id].happened for each in decisions)
        ruled = sum((each.rule_answer or "misc.forsale") == joined[each.id].happened for each in decisions)
        found = monitoring.operation(posts.work, posts.definition)
        assert found.quality[2].measures == {"accuracy": pytest.approx(right / len(decisions))}
        assert found.money_so_far == right - 2 * (len(decisions) - right)
        assert found.money_of_rule == ruled - 2 * (len(decisions) - ruled)
        with posts.served() as app:
            page = app.page("/use-cases/posts/operate")
            life = app.page(f"/decisions/{decisions[0].id}")
            listed = app.page("/use-cases/posts/decisions")
        accuracy = round(100 * found.quality[0].measures["accuracy"])  # type: ignore[operator]
        assert f"Of 100 answers about {accuracy} were right" in page and "Accuracy %" in page
        assert f"It was {joined[decisions[0].id].happened}: the group it was posted to." in life
        assert "Model&#39;s confidence" in listed or "Model's confidence" in listed


def by_the_rule(text: str) -> str | None:
    return "rec.sport.hockey" if "hockey" in text else "sci.space" if "nasa" in text else None


def later_flights(live: Live, count: int) -> list[dict[str, Any]]:
    """Flights that depart after today's noon, whose aircraft has arrived before it."""
    with duckdb.connect(str(live.folder / "flights.duckdb")) as connection:
        rows = connection.execute(
            """SELECT f.flight_id, f.carrier, f.tail_number, f.departs, f.arr_delay, max_by(b.arr_delay, b.arrived)
            FROM flights f JOIN flights b ON b.tail_number = f.tail_number
                AND b.arrived <= $now AND b.arrived >= f.departs - INTERVAL 40 HOUR
            WHERE f.departs BETWEEN $now + INTERVAL 2 HOUR AND $now + INTERVAL 12 HOUR AND f.arr_delay IS NOT NULL
            GROUP BY ALL ORDER BY 1""",
            {"now": TODAY.replace(tzinfo=None)},
        ).fetchall()
    names = ("flight_id", "carrier", "tail_number", "departs", "happened", "before")
    return [dict(zip(names, row, strict=True)) for row in rows[:count]]


def request_of(flight: dict[str, Any]) -> dict[str, Any]:
    sent = {name: flight[name] for name in ("flight_id", "carrier", "tail_number")}
    return {**sent, "departs": f"{flight['departs'].isoformat()}Z"}


class TestNumber:
    """How many minutes late a flight arrives."""

    def test_the_model_answers_with_a_number_and_its_interval(self, delays: Live) -> None:
        (flight,) = later_flights(delays, 1)
        with delays.served() as app:
            answer = app.ask(**request_of(flight))
            recorded = deciding.find(delays.work, answer["id"])
        assert answer["produced_by"] == "model" and answer["low"] < answer["answer"] < answer["high"]
        assert answer["action"] == f"Answer: {rounded(answer['answer'])} minutes"
        assert recorded.rule_answer == flight["before"]
        assert answer["review"] is True, "its interval is wider than a minute"
        assert {"positive", "probability", "band", "confidence", "shares"}.isdisjoint(answer)

    def test_without_model_and_rule_the_default_answers(self, delays: Live) -> None:
        releasing.disable(delays.work, "delays", SYSTEM, "to see")
        flight = later_flights(delays, 2)[1]
        with delays.served() as app:
            rule = app.ask(**request_of(flight))
            default = app.ask(flight_id="none", carrier="UA", departs=request_of(flight)["departs"])
        releasing.enable(delays.work, "delays", SYSTEM, "seen")
        assert (rule["produced_by"], rule["answer"]) == ("rule", flight["before"])
        assert (default["produced_by"], default["answer"]) == ("default", 0.0)
        assert default["action"] == "Answer: 0 minutes"

    def test_a_reviewer_types_a_number(self, delays: Live) -> None:
        with delays.served() as app:
            app.ask(**request_of(later_flights(delays, 3)[2]))
        case = max(reviewing.queue(delays.work, "delays"), key=lambda each: each.opened_at)
        held = reviewing.lease(delays.work, case.id, ANNA)
        with pytest.raises(InvalidRequest, match="not complete"):
            reviewing.corrected(delays.work, held, "a lot")
        right = reviewing.corrected(delays.work, held, " -12.5 ")
        done = reviewing.submit(delays.work, held.id, held.fence, "corrected", right, "Runway closed", ANNA)
        assert done.verdict_answer == -12.5
        with delays.served() as app:
            page = app.page(f"/queue/cases/{case.id}")
        assert "−12.5 minutes" in page and "in 9 of 10 cases like this between" in page

    def test_outcomes_are_joined_and_the_operate_page_tells_error_bias_and_money(self, delays: Live) -> None:
        flights = {each["flight_id"]: each for each in later_flights(delays, 40)[10:]}
        with delays.served() as app:
            given = {name: app.ask(**request_of(flight)) for name, flight in flights.items()}
        delays.clock.advance(timedelta(days=1))
        arrivals_known(delays.folder, delays.clock.now())
        data.sync(delays.work, delays.definition)
        outcomes.pull(delays.work, delays.definition)
        joined = {each.entity: each.happened for each in outcomes.newest(delays.work, "delays").values()}
        assert {name: joined[name] for name in flights} == {name: each["happened"] for name, each in flights.items()}

        found = monitoring.operation(delays.work, delays.definition)
        everyone = [each for each in deciding.recent(delays.work, "delays") if each.entity in joined]
        model = [(each.model_answer, joined[each.entity], each) for each in everyone if each.model_answer is not None]
        over = [float(said) - float(truth) for said, truth, _ in model]
        inside = [each.low <= truth <= each.high for _, truth, each in model]  # type: ignore[operator]
        assert found.quality[0].measures == pytest.approx(
            {
                "mean_absolute_error": sum(map(abs, over)) / len(over),
                "bias": sum(over) / len(over),
                "coverage": sum(inside) / len(inside),
            }
        )
        assert found.quality[0].money == pytest.approx(sum(-each if each > 0 else 3 * each for each in over))
        ruled = [float(each.rule_answer or 0.0) - float(joined[each.entity]) for each in everyone]
        assert found.money_of_rule == pytest.approx(sum(-each if each > 0 else 3 * each for each in ruled))
        with delays.served() as app:
            page = app.page("/use-cases/delays/operate")
            life = app.page(f"/decisions/{next(iter(given.values()))['id']}")
        assert f"Off by {rounded(sum(map(abs, over)) / len(over))} minutes on average" in page
        assert "In interval %" in page and "It was " in life and "minutes: minutes late on arrival." in life
