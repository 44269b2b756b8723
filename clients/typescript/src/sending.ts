import { Lost, type Reply } from "./exchange.js";
import { BECAUSE } from "./records.js";

const TRACE = new Set(["traceparent", "tracestate", "baggage"]);

/** One request with fetch, answered whole within `leftMs`, or lost. Redirects are not followed: they would take the key. */
export async function sent(url: string, init: RequestInit, leftMs: number): Promise<Reply | Lost> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), Math.max(1, leftMs));
  try {
    const reply = await fetch(url, { ...init, redirect: "manual", signal: controller.signal });
    return { status: reply.status, retryAfter: reply.headers.get("retry-after"), body: await reply.text() };
  } catch (error) {
    if (controller.signal.aborted) return new Lost("timed_out", BECAUSE.timed_out);
    return new Lost("unreachable", `${BECAUSE.unreachable} ${words(error)}`.trim());
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause as { code?: unknown } | undefined) : undefined;
  return String(cause?.code ?? "");
}

function words(error: unknown): string {
  return error instanceof Error ? [error.message, codeOf(error)].filter(Boolean).join(": ") : "";
}

/** The headers of a trace (W3C Trace Context) of those that an app gives; what it gets wrong costs no answer. */
export function traceHeaders(trace?: () => Readonly<Record<string, string>>): Record<string, string> {
  try {
    const given = Object.entries(trace?.() ?? {});
    return Object.fromEntries(
      given
        .map(([name, value]) => [name.toLowerCase(), String(value)] as const)
        .filter(([name, value]) => TRACE.has(name) && /^[\x20-\x7e]+$/.test(value)),
    );
  } catch {
    return {};
  }
}

/** An identifier that nobody else makes. */
export function newKey(): string {
  const made = globalThis.crypto?.randomUUID;
  if (made) return made.call(globalThis.crypto);
  return [0, 1, 2, 3].map(() => Math.random().toString(36).slice(2)).join(""); // Node 18; it need not be secret
}

/** The address without a slash at its end. */
export function checkedAddress(address: string): string {
  const { protocol, search, hash } = new URL(address);
  if ((protocol !== "http:" && protocol !== "https:") || search || hash) {
    throw new TypeError(`The address must be like https://pilotage.example (got ${JSON.stringify(address)}).`);
  }
  return address.replace(/\/+$/, "");
}

/** Milliseconds that a call may take. */
export function checkedTimeout(timeoutMs: number): number {
  if (!(timeoutMs > 0 && timeoutMs < 86_400_000)) {
    throw new RangeError(`timeoutMs must lie above 0 and below a day (got ${timeoutMs}).`);
  }
  return timeoutMs;
}
