// Tokens of cards are, to the byte, those of the table that every client holds to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { signCardToken } from "../dist/signing.js";

const table = JSON.parse(readFileSync(new URL("../../vectors.json", import.meta.url), "utf8"));

for (const { name, secret, use_case: useCase, token, error, ...card } of table.card_tokens) {
  test(name, () => {
    if (error) assert.throws(() => signCardToken(secret, useCase, card), RangeError);
    else assert.equal(signCardToken(secret, useCase, card), token);
  });
}

test("what is left out is all four buttons, five minutes, and now", () => {
  const { secret } = table.card_tokens[0];
  const token = signCardToken(secret, "late_arrival", { entity: "x", origin: "https://app.example", person: "maria" });
  const said = JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());
  assert.deepEqual(said.actions, ["useful", "wrong", "override", "escalate", "accept"]);
  assert.equal(said.exp - said.iat, 300);
  assert.ok(Math.abs(said.iat - Date.now() / 1000) < 5);
});
