import { ServiceGone } from "./errors.js";
import { exchanged, type Asked } from "./exchange.js";
import { Fallbacks } from "./fallbacks.js";
import * as reading from "./reading.js";
import type { BatchRow, OutcomeRow } from "./reading.js";
import { Gone, type CardToken, type Decision, type Fallback, type FellBack, type Feedback, type Request } from "./records.js";
import { Health, USUAL, type Resilience } from "./resilience.js";
import { checkedAddress, checkedTimeout, newKey, sent, traceHeaders } from "./sending.js";

/** What a decision has where nobody says another time: after it the app's own rule answers. */
const DECISION_MS = 1_000;
/** What other calls have: a Retry-After of a second fits in. */
const NO_RULE_MS = 3_000;

/**
 * How a client is made. `timeoutMs` bounds a whole call, its retries and pauses included; where it is absent decisions
 * have 1,000 ms, and the calls that no rule of the app can stand in for 3,000. `trace` is asked at each attempt for the
 * trace that the app is in; of what it gives, `traceparent`, `tracestate` and `baggage` are sent.
 */
export interface Options {
  readonly timeoutMs?: number;
  readonly resilience?: Partial<Resilience>;
  readonly onFallback?: (told: FellBack) => unknown;
  readonly trace?: () => Readonly<Record<string, string>>;
}

/** What may differ for one call. */
export interface CallOptions {
  readonly timeoutMs?: number | undefined;
}

/** What may differ for one question. */
export interface DecideOptions extends CallOptions {
  readonly fallback?: Fallback | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** Which card, to whom, on which site, with which buttons. */
export interface CardTokenRequest {
  readonly entity: string;
  readonly origin: string;
  readonly person: string;
  readonly actions?: readonly string[];
}

/**
 * Asks the service, and the app's own rule where the service is gone. Make one and keep it.
 *
 * It holds an API key and so belongs on a server: in a page of a browser it refuses to be made.
 */
export class Client {
  readonly #address: string;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number | undefined;
  readonly #health: Health;
  readonly #fallbacks: Fallbacks;
  readonly #trace: Options["trace"];

  constructor(address: string, key: string, options: Options = {}) {
    if (typeof window !== "undefined" && typeof document !== "undefined") {
      throw new TypeError("An API key must not be in a browser. Ask your own server; here use CardClient and a token.");
    }
    this.#address = checkedAddress(address);
    this.#headers = {
      Authorization: `Bearer ${key}`,
      Accept: "application/json",
      "Content-Type": "application/json",
      "User-Agent": "pilotage-client-typescript",
    };
    this.#timeoutMs = options.timeoutMs === undefined ? undefined : checkedTimeout(options.timeoutMs);
    this.#health = new Health({ ...USUAL, ...options.resilience });
    this.#fallbacks = new Fallbacks(options.onFallback);
    this.#trace = options.trace;
  }

  /** Ask one question. There is always a decision; `produced_by` says whose. Throws `Refused` at a caller's mistake. */
  async decide(useCase: string, request: Request, options: DecideOptions = {}): Promise<Decision> {
    const path = `/v1/use-cases/${safe(useCase)}/decisions`;
    const asked = posted("decide", path, request, reading.decision, options.idempotencyKey);
    const found = await this.#exchanged(asked, options, DECISION_MS);
    return found instanceof Gone
      ? this.#fallbacks.answer(useCase, request, options.fallback ?? null, found)
      : found;
  }

  /** Ask up to 1,000 questions: for each, in order, a decision or why this one was refused. */
  async decideBatch(useCase: string, requests: readonly Request[], options: DecideOptions = {}): Promise<BatchRow[]> {
    const path = `/v1/use-cases/${safe(useCase)}/decisions:batch`;
    const read = (fields: Record<string, unknown>) => reading.batch(fields, requests.length);
    const asked = posted("decide_batch", path, { requests }, read, options.idempotencyKey);
    const found = await this.#exchanged(asked, options, DECISION_MS);
    return requests.map((request, index) => {
      const row = found instanceof Gone ? found : found[index]!;
      if (!(row instanceof Gone)) return row;
      return { decision: this.#fallbacks.answer(useCase, request, options.fallback ?? null, row) };
    });
  }

  /** The answer that was given under this identifier. Throws `Refused` or `ServiceGone`, as all that follow. */
  async decision(id: string, options: CallOptions = {}): Promise<Decision> {
    return this.#present(got("decision", `/v1/decisions/${safe(id)}`, reading.decision), options);
  }

  /** Tell what a person said: shown, useful, wrong, accept, override or escalate; the last two with a reason. */
  async feedback(
    decision: string,
    said: { readonly kind: string; readonly person: string; readonly reason?: string },
    options: CallOptions = {},
  ): Promise<Feedback> {
    const path = `/v1/decisions/${safe(decision)}/feedback`;
    const body = { kind: said.kind, person: said.person, reason: said.reason ?? "" };
    return this.#present(posted("feedback", path, body, reading.feedback), options);
  }

  /** Tell what really happened: for each row, in order, what became of it. */
  async outcomes(rows: readonly Readonly<Record<string, unknown>>[], options: CallOptions = {}): Promise<OutcomeRow[]> {
    const read = (fields: Record<string, unknown>) => reading.outcomes(fields, rows.length);
    return this.#present(posted("outcomes", "/v1/outcomes", { outcomes: rows }, read), options);
  }

  /** A token for one card: this entity, this site, five minutes. */
  async cardToken(useCase: string, card: CardTokenRequest, options: CallOptions = {}): Promise<CardToken> {
    const path = `/v1/use-cases/${safe(useCase)}/card-tokens`;
    return this.#present(posted("card_token", path, card, reading.cardToken), options);
  }

  /** The JSON Schema of a request. */
  async schema(useCase: string, options: CallOptions = {}): Promise<Record<string, unknown>> {
    return this.#present(got("schema", `/v1/use-cases/${safe(useCase)}/schema`, (fields) => fields), options);
  }

  /** How many answers were not the service's, by reason. */
  fallbackCounts(): Record<string, number> {
    return this.#fallbacks.counts();
  }

  /** The newest 100 answers that were not the service's, oldest first. */
  recentFallbacks(): FellBack[] {
    return this.#fallbacks.recent();
  }

  async #present<T>(asked: Asked<T>, options: CallOptions): Promise<T> {
    const found = await this.#exchanged(asked, options, NO_RULE_MS);
    if (found instanceof Gone) throw new ServiceGone(found.reason, found.because);
    return found;
  }

  #exchanged<T>(asked: Asked<T>, options: CallOptions, usualMs: number): Promise<T | Gone> {
    const timeoutMs = checkedTimeout(options.timeoutMs ?? this.#timeoutMs ?? usualMs);
    const { method, body = null } = asked;
    return exchanged(asked, this.#health, timeoutMs, (headers, leftMs) =>
      sent(
        this.#address + asked.path,
        { method, body, headers: { ...traceHeaders(this.#trace), ...this.#headers, ...headers } },
        leftMs,
      ),
    );
  }
}

function got<T>(kind: string, path: string, read: (fields: Record<string, unknown>) => T): Asked<T> {
  return { kind, method: "GET", path, read };
}

function posted<T>(
  kind: string,
  path: string,
  body: unknown,
  read: (fields: Record<string, unknown>) => T,
  key: string = newKey(),
): Asked<T> {
  return { kind, method: "POST", path, read, body: JSON.stringify(body), key };
}

/** Part of a path. Half a surrogate pair, which UTF-8 has not, becomes the letter that stands for none. */
function safe(part: string): string {
  return encodeURIComponent(part.replace(/\p{Surrogate}/gu, "\ufffd"));
}
