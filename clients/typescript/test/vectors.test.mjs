// The client does what the table says that every client does, against a server that plays its script.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { Client, isYes, Refused, ServiceGone } from "../dist/index.js";
import { playing } from "./script.mjs";

const table = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf8"));

for (const vector of table.vectors) {
  test(vector.name, async () => {
    const told = [];
    await playing(vector.server, async (address, arrived) => {
      const client = new Client(address, table.key, settings(vector, told));
      for (const call of calls(vector)) {
        await sleep(call.wait_ms ?? 0);
        const began = performance.now();
        const found = await called(client, call).catch((error) => error);
        compare(call.expect, found, performance.now() - began);
      }
      compareArrived(vector, arrived);
      compareFallbacks(vector, client, told);
    });
  });
}

function settings(vector, told) {
  const named = { ...table.defaults, ...vector.client };
  const { timeoutMs, ...resilience } = Object.fromEntries(
    Object.entries(named).map(([name, value]) => [name.replace(/_(.)/g, (_, letter) => letter.toUpperCase()), value]),
  );
  return { timeoutMs, resilience, onFallback: (each) => told.push(each) };
}

function* calls(vector) {
  for (const call of vector.calls) {
    yield call;
    for (let more = 1; more < (call.times ?? 1); more += 1) yield { ...call, wait_ms: 0 };
  }
}

async function called(client, call) {
  const { use_case: useCase, timeout_ms: timeoutMs } = call;
  const options = { timeoutMs, idempotencyKey: call.idempotency_key, fallback: rule(call.fallback) };
  switch (call.method) {
    case "decide":
      return client.decide(useCase, call.request, options);
    case "decide_batch":
      return client.decideBatch(useCase, call.requests, options);
    case "decision":
      return client.decision(call.id, options);
    case "feedback":
      return client.feedback(call.id, { kind: call.kind, person: call.person, reason: call.reason }, options);
    case "outcomes":
      return client.outcomes(call.outcomes, options);
    case "schema":
      return client.schema(useCase, options);
    case "card_token": {
      const { entity, origin, person, actions } = call;
      return client.cardToken(useCase, { entity, origin, person, actions }, options);
    }
    default:
      throw new Error(`no such call: ${call.method}`);
  }
}

function rule(said) {
  if (said === undefined) return undefined;
  if ("column" in said) return (request) => request[said.column] > said.above;
  if ("constant" in said) return said.constant;
  if (!("raises" in said)) return said;
  return () => {
    throw new Error(said.raises);
  };
}

function compare(expected, found, elapsedMs) {
  if (expected.elapsed_ms) {
    const [low, high] = expected.elapsed_ms;
    assert.ok(low <= elapsedMs && elapsedMs <= high, `${elapsedMs} ms`);
  }
  if (expected.gone) {
    assert.ok(found instanceof ServiceGone, String(found));
    assert.equal(found.reason, expected.gone);
  } else if (expected.rows) {
    assert.equal(found.length, expected.rows.length);
    expected.rows.forEach((wanted, index) => compare(wanted, found[index].refused ?? found[index].decision, 0));
  } else if (expected.outcomes) {
    assert.deepEqual(found, expected.outcomes);
  } else {
    compareOne(expected, found);
  }
}

function compareOne(expected, found) {
  if (expected.error) {
    assert.ok(found instanceof Refused, String(found));
    const { kind, ...wanted } = expected.error;
    assert.equal(found.name, kind);
    assert.deepEqual(picked(found, wanted), wanted);
    assert.ok(found.message.includes(found.detail));
    return;
  }
  if (found instanceof Error) throw found;
  const fields = expected.decision ?? expected.result;
  if (fields) assert.deepEqual(picked(found, fields), fields);
  if ("is_yes" in expected) assert.equal(isYes(found), expected.is_yes);
}

function picked(found, fields) {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, found[name]]));
}

function compareArrived(vector, arrived) {
  const [low, high] = [vector.arrived].flat().length === 2 ? vector.arrived : [vector.arrived, vector.arrived];
  assert.ok(low <= arrived.length && arrived.length <= high, `${arrived.length} requests arrived`);
  (vector.requests ?? []).forEach((expected, index) => {
    const { method, path, headers, body } = arrived[index];
    if (expected.method) assert.equal(method, expected.method);
    if (expected.path) assert.equal(path, expected.path);
    if (expected.body) assert.deepEqual(JSON.parse(body), expected.body);
    if (expected.headers) assert.deepEqual(picked(headers, expected.headers), expected.headers);
    if (expected.timeout_ms) {
      const sent = Number(headers["x-request-timeout-ms"]);
      assert.ok(expected.timeout_ms[0] <= sent && sent <= expected.timeout_ms[1], `${sent} ms`);
    }
  });
  if (vector.keys) {
    const keys = arrived.map((each) => each.headers["idempotency-key"]);
    const different = [...new Set(keys)];
    assert.deepEqual(keys.map((key) => different.indexOf(key)), vector.keys);
    assert.ok(keys.every(Boolean));
  }
}

function compareFallbacks(vector, client, told) {
  const counts = client.fallbackCounts();
  assert.equal(Object.values(counts).reduce((sum, each) => sum + each, 0), told.length);
  assert.deepEqual(counts, vector.fallback_counts ?? counts);
  assert.ok(told.every((each) => each.decision.because));
  assert.deepEqual(client.recentFallbacks(), told);
}
