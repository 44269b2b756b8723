// A real HTTP server on this machine that plays a script of replies, and remembers what it was asked.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Runs `use(address, arrived)`; without a script the address is one where nobody listens. */
export async function playing(script, use) {
  const arrived = [];
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { method, url, headers } = request;
    arrived.push({ method, path: url, headers, body: Buffer.concat(parts).toString() });
    await play(script[Math.min(arrived.length, script.length) - 1], response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${server.address().port}`;
  const closed = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  if (script === null) await closed();
  try {
    await use(address, arrived);
  } finally {
    if (script !== null) await closed();
  }
}

async function play(reply, response) {
  await sleep(reply.delay_ms ?? 0);
  if (reply.close) return response.socket?.destroy();
  if (reply.head_dribble_ms !== undefined) {
    const { socket } = response;
    for (const letter of `HTTP/1.1 200 OK\r\nX-Slow: ${"a".repeat(200)}`) {
      if (socket.destroyed) return undefined;
      socket.write(letter);
      await sleep(reply.head_dribble_ms);
    }
    return undefined;
  }
  const content = Buffer.from(reply.text ?? JSON.stringify(reply.body ?? null));
  const headers = { "Content-Type": "application/json", ...reply.headers, "Content-Length": content.length };
  response.writeHead(reply.status, headers);
  if (reply.cut !== undefined) {
    await new Promise((resolve) => response.write(content.subarray(0, reply.cut), resolve));
    return response.socket?.destroy();
  }
  if (reply.dribble_ms === undefined) return response.end(content);
  for (const byte of content) {
    if (response.destroyed) return undefined;
    response.write(Buffer.of(byte));
    await sleep(reply.dribble_ms);
  }
  return response.end();
}
