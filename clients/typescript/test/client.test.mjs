// What is this client's own: where it may be made, what it sends, how it behaves in a page of a browser.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { CardClient, Client, NotAllowed, ServiceGone } from "../dist/index.js";
import { exchanged } from "../dist/exchange.js";
import { Health, USUAL } from "../dist/resilience.js";
import { playing } from "./script.mjs";

const answer = { id: "dec_1", use_case: "u", action: "Do it", produced_by: "rule", reason: "off", positive: true };

test("in a page of a browser it refuses to hold a key", () => {
  globalThis.window = globalThis.document = {};
  try {
    assert.throws(() => new Client("https://pilotage.example", "pk_1"), /must not be in a browser/);
    assert.ok(new CardClient("https://pilotage.example", () => "token"));
  } finally {
    delete globalThis.window;
    delete globalThis.document;
  }
});

test("an address or a time that is none is told at once", () => {
  for (const address of ["pilotage.example", "ftp://pilotage.example", "https://pilotage.example/?a=1", ""]) {
    assert.throws(() => new Client(address, "pk_1"), TypeError);
  }
  for (const timeoutMs of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(() => new Client("https://pilotage.example", "pk_1", { timeoutMs }), RangeError);
  }
});

test("an address may have a path and a slash", async () => {
  await playing([{ status: 200, body: answer }], async (address, arrived) => {
    await new Client(`${address}/pilotage/`, "pk_1").decide("u", {});
    assert.equal(arrived[0].path, "/pilotage/v1/use-cases/u/decisions");
  });
});

test("where there is no crypto, as in Node 18, keys still differ", async () => {
  const crypto = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  Object.defineProperty(globalThis, "crypto", { value: undefined, configurable: true });
  try {
    await playing([{ status: 200, body: answer }], async (address, arrived) => {
      const client = new Client(address, "pk_1");
      for (let count = 0; count < 20; count += 1) await client.decide("u", {});
      const keys = new Set(arrived.map((each) => each.headers["idempotency-key"]));
      assert.equal(keys.size, 20);
      assert.ok([...keys].every((key) => key.length >= 20));
    });
  } finally {
    Object.defineProperty(globalThis, "crypto", crypto);
  }
});

test("the trace that the app is in is passed on, and nothing else of what it gives", async () => {
  const trace = () => ({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Authorization: "x" });
  await playing([{ status: 503, text: "" }, { status: 200, body: answer }], async (address, arrived) => {
    await new Client(address, "pk_1", { trace, resilience: { backoffMs: 1 } }).decide("u", {});
    assert.deepEqual(arrived.map((each) => each.headers.traceparent), [trace().traceparent, trace().traceparent]);
    assert.ok(arrived.every((each) => each.headers.authorization === "Bearer pk_1"));
  });
});

test("a trace that cannot be told costs no answer", async () => {
  const broken = [
    () => {
      throw new Error("no tracer");
    },
    () => ({ traceparent: "a\r\nb: c" }),
    () => null,
  ];
  await playing([{ status: 200, body: answer }], async (address, arrived) => {
    for (const trace of broken) {
      const decided = await new Client(address, "pk_1", { trace }).decide("u", {}, { fallback: false });
      assert.equal(decided.produced_by, "rule");
    }
    assert.equal(arrived.length, broken.length);
    assert.ok(arrived.every((each) => each.headers.traceparent === undefined));
  });
});

test("the service is told less than is left", async (context) => {
  context.mock.method(performance, "now", () => 0);
  const told = [];
  for (const timeoutMs of [1, 20, 50, 100, 250, 1_000, 10_000]) {
    const asked = { kind: "decide", method: "POST", path: "/", read: () => null };
    await exchanged(asked, new Health(USUAL), timeoutMs, async (headers, leftMs) => {
      told.push([leftMs, Number(headers["X-Request-Timeout-Ms"])]);
      return { status: 200, retryAfter: null, body: "{}" };
    });
  }
  assert.deepEqual(told, [[1, 1], [20, 10], [50, 30], [100, 75], [250, 187], [1_000, 750], [10_000, 9_750]]);
});

test("where no time is said, what is not yet there is asked for again after its second", async () => {
  const early = { status: 503, text: "", headers: { "Retry-After": "1" } };
  const found = { ...answer, decision: "dec_1", kind: "useful", person: "maria" };
  await playing([early, early, { status: 200, body: found }], async (address, arrived) => {
    const client = new Client(address, "pk_1");
    const [decision, feedback] = await Promise.all([
      client.decision("dec_1"),
      client.feedback("dec_1", { kind: "useful", person: "maria" }),
    ]);
    assert.deepEqual([decision.id, feedback.kind], ["dec_1", "useful"]);
    assert.deepEqual(arrived.map((each) => each.method).sort(), ["GET", "GET", "POST", "POST"]);
    assert.equal(new Set(arrived.map((each) => each.headers["idempotency-key"])).size, 2); // none, and one
  });
});

test("of many calls at once on an open breaker one tries", async () => {
  const script = [{ status: 500, text: "" }, { status: 200, body: answer, delay_ms: 50 }];
  await playing(script, async (address, arrived) => {
    const client = new Client(address, "pk_1", { resilience: { breakerFailures: 1, breakerPauseMs: 20 } });
    await client.decide("u", {});
    await new Promise((resolve) => setTimeout(resolve, 60));
    const decided = await Promise.all(Array.from({ length: 10 }, () => client.decide("u", {}, { fallback: false })));
    assert.equal(arrived.length, 2);
    assert.equal(decided.filter((each) => each.produced_by === "rule").length, 1);
    assert.equal(decided.filter((each) => each.reason === "circuit_open").length, 9);
  });
});

test("a callback that fails costs no answer", async (context) => {
  context.mock.method(console, "error", () => {});
  await playing(null, async (address) => {
    const onFallback = () => {
      throw new Error("the log is full");
    };
    const decided = await new Client(address, "pk_1", { onFallback }).decide("u", {}, { fallback: true });
    assert.equal(decided.produced_by, "fallback");
    assert.equal(console.error.mock.callCount(), 1);
  });
});

test("a rule that answers later, or with no answer, leaves no decision and never a yes", async () => {
  await playing(null, async (address) => {
    const client = new Client(address, "pk_1");
    for (const fallback of [async () => true, () => ({ yes: true }), () => undefined, () => [true]]) {
      const decided = await client.decide("u", {}, { fallback });
      assert.deepEqual([decided.produced_by, decided.positive, decided.answer], ["none", null, null]);
    }
  });
});

test("a card of one's own asks with a token and with no header that other sites may not send", async () => {
  const script = [
    { status: 200, body: { state: "answer", words: "Late", decision: "d" } },
    { status: 201, body: { id: "f", decision: "d", kind: "useful", person: "maria", reason: "" } },
    { status: 200, body: { id: "f", decision: "d", kind: "useful", person: "maria", reason: "" } },
    { status: 403, body: { code: "not-allowed", detail: "This card may not override." } },
    { close: true },
  ];
  await playing(script, async (address, arrived) => {
    let minted = 0;
    const card = new CardClient(address, async () => `token${(minted += 1)}`);
    assert.equal((await card.read()).state, "answer");
    const given = await card.feedback("useful");
    assert.equal((await card.undo(given)).kind, "useful");
    assert.deepEqual(arrived.slice(1).map((each) => [each.path, JSON.parse(each.body)]), [
      ["/v1/card/feedback", { kind: "useful", reason: "", decision: "d" }],
      ["/v1/card/feedback/undo", { feedback: "f" }],
    ]);
    await assert.rejects(card.feedback("override", "no"), NotAllowed);
    await assert.rejects(card.read(), ServiceGone);
    assert.deepEqual(arrived.map((each) => each.headers.authorization.split(" ")[1]), ["token1", "token2", "token3", "token4", "token5"]);
    assert.ok(arrived.every((each) => !("x-request-timeout-ms" in each.headers) && !("idempotency-key" in each.headers)));
  });
});

test("it stands on nothing but what Node and browsers have", () => {
  const sources = readdirSync(new URL("../dist/", import.meta.url)).filter((name) => name.endsWith(".js"));
  const code = (name) => readFileSync(new URL(`../dist/${name}`, import.meta.url), "utf8");
  const imported = (name) => [...code(name).matchAll(/from "([^"]+)"/g)].map((match) => match[1]);
  const forBrowsers = sources.filter((name) => name !== "signing.js").flatMap(imported);
  assert.ok(forBrowsers.length > 0 && forBrowsers.every((name) => name.startsWith("./") && name !== "./signing.js"));
  assert.deepEqual(imported("signing.js"), ["node:crypto"]);
  const described = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  assert.equal(described.dependencies, undefined);
});
