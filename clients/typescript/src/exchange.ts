import type { Refused } from "./errors.js";
import { NotOurs, parsed, refused } from "./reading.js";
import { BECAUSE, Gone, type GoneReason } from "./records.js";
import { now, type Breaker, type Health } from "./resilience.js";

/**
 * One logical call. `key` stays the same over its attempts: the service does it once, however often it comes. What
 * others of its `kind` met decides whether it is tried at all. `read` makes the result of a body.
 */
export interface Asked<T> {
  readonly kind: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly read: (fields: Record<string, unknown>) => T;
  readonly body?: string;
  readonly key?: string;
}

/** What came back whole. */
export interface Reply {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: string;
}

/** Nothing came back. */
export class Lost {
  constructor(
    readonly reason: GoneReason,
    readonly because: string,
  ) {}
}

interface Verdict {
  readonly reason: GoneReason;
  readonly because: string;
  readonly again: boolean;
  readonly healthy: boolean;
}

/** The service's code for a request whose key is that of one that it is still answering. */
const OUTSTANDING = "idempotency-key-in-use";

/**
 * Of what is left of the time, what the service is not told of: its answer at its deadline has to be back by then. The
 * service may be 20 ms late itself; the rest is for the network, one packet sent again, and a host that stands still.
 */
const KEPT = { share: 0.25, shareMax: 0.5, msMin: 20, msMax: 250 };

/** Sends one attempt, with what is left of the time in milliseconds. It never rejects. */
export type Send = (headers: Record<string, string>, leftMs: number) => Promise<Reply | Lost>;

/** One call as a row of attempts within one deadline. Rejects with `Refused` at a mistake of the caller. */
export async function exchanged<T>(asked: Asked<T>, health: Health, timeoutMs: number, send: Send): Promise<T | Gone> {
  const call = new Exchange(asked, health, now() + timeoutMs);
  health.budget.earn();
  for (;;) {
    const over = call.begin();
    if (over) return over;
    const what = await send(call.headers(), call.leftMs());
    const verdict = what instanceof Lost ? lost(what) : call.replied(what);
    if (!("verdict" in verdict)) {
      call.breaker.succeeded();
      if ("refused" in verdict) throw verdict.refused;
      return verdict.result;
    }
    const pause = call.pauseAfter(verdict.verdict, what instanceof Lost ? null : what.retryAfter);
    if (pause === null) return call.gone(verdict.verdict);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

type Heard<T> = { verdict: Verdict } | { result: T } | { refused: Refused };

class Exchange<T> {
  readonly breaker: Breaker;
  #attempts = 0;
  #last: Verdict | null = null;

  constructor(
    private readonly asked: Asked<T>,
    private readonly health: Health,
    private readonly due: number,
  ) {
    this.breaker = health.breaker(asked.kind);
  }

  leftMs(): number {
    return this.due - now();
  }

  headers(): Record<string, string> {
    const timeout = { "X-Request-Timeout-Ms": String(toldMs(this.leftMs())) };
    return this.asked.key ? { ...timeout, "Idempotency-Key": this.asked.key } : timeout;
  }

  /** Why the call is over before this attempt; null where it may be made. */
  begin(): Gone | null {
    if (this.leftMs() <= 0) return this.gone(this.#last ?? verdict("timed_out"));
    if (!this.breaker.admits()) return this.gone(this.#last ?? verdict("circuit_open"));
    this.#attempts += 1;
    return null;
  }

  replied(reply: Reply): Heard<T> {
    const known = knownStatus(reply.status);
    if (known) return { verdict: known };
    try {
      const fields = parsed(reply.body);
      if (reply.status >= 200 && reply.status < 300) return { result: this.asked.read(fields) };
      const error = refused(reply.status, fields);
      return error.code === OUTSTANDING ? { verdict: verdict("in_flight", true, true) } : { refused: error };
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
      return { verdict: { ...verdict("unreadable"), because: `${BECAUSE.unreadable} ${error.message}` } };
    }
  }

  /** Milliseconds to wait before asking again; null where it is not asked again. */
  pauseAfter(what: Verdict, retryAfter: string | null): number | null {
    const { budget, resilience } = this.health;
    if (what.healthy) this.breaker.succeeded();
    else this.breaker.failed();
    this.#last = what;
    const most = Math.min(resilience.backoffMs * 2 ** (this.#attempts - 1), resilience.backoffMsMax);
    // Many are told the same second: without the random part after it they would all come back at once.
    const pause = retryAfterMs(retryAfter) + Math.random() * most;
    const possible =
      what.again && this.#attempts < resilience.attemptsMax && pause < this.leftMs() && !this.breaker.isOpen;
    return possible && budget.spend() ? pause : null;
  }

  gone(what: Verdict): Gone {
    return new Gone(what.reason, what.because, this.#attempts);
  }
}

function lost({ reason, because }: Lost): { verdict: Verdict } {
  return { verdict: { reason, because, again: true, healthy: false } };
}

function knownStatus(status: number): Verdict | null {
  if (status === 429) return verdict("rate_limited", true, true);
  if (status === 503) return verdict("overloaded", true);
  if (status === 502 || status === 504) return verdict("unreachable", true);
  if (status === 408) return verdict("timed_out");
  return status >= 500 ? verdict("server_error") : null;
}

/** How long the service is told that it has, so that its answer comes in time. */
function toldMs(leftMs: number): number {
  const kept = Math.min(Math.max(KEPT.share * leftMs, KEPT.msMin), KEPT.msMax, KEPT.shareMax * leftMs);
  return Math.max(1, Math.floor(leftMs - kept));
}

function verdict(reason: GoneReason, again = false, healthy = false): Verdict {
  return { reason, because: BECAUSE[reason], again, healthy };
}

/** From a number of seconds or a date (RFC 9110, 10.2.3); nought where there is none that can be read. */
function retryAfterMs(value: string | null): number {
  const said = value?.trim() ?? "";
  if (/^\d+$/.test(said)) return Number(said.slice(0, 9)) * 1000;
  const date = Date.parse(said);
  return Number.isNaN(date) ? 0 : Math.max(0, date - Date.now());
}
