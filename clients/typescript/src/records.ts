/** An answer, by the outcome's kind: yes or no, a category, a number. */
export type Said = boolean | string | number;

/** What an app knows about one case, by the names of the request's columns. */
export type Request = Readonly<Record<string, unknown>>;

/** One reason that the model gives. */
export interface Signal {
  readonly column?: string;
  readonly value?: string;
  readonly sentence?: string;
  readonly weight?: number;
  readonly [more: string]: unknown;
}

/**
 * One answered question, with the names that the service gives its fields.
 *
 * `produced_by` is `model`, `rule` or `default` (the service answered), `fallback` (this app's own rule did, because
 * the service was gone) or `none`: nobody decided, and that is never a yes. `id` is empty where nothing was recorded by
 * the service. Probabilities lie in [0, 1]; `low` and `high` are the ends of a number's interval of 90 %.
 */
export interface Decision {
  readonly id: string;
  readonly use_case: string;
  readonly entity: string;
  readonly action: string;
  readonly produced_by: string;
  readonly reason: string;
  readonly because: string;
  readonly stage: string;
  readonly positive: boolean | null;
  readonly answer: string | number | null;
  readonly probability: number | null;
  readonly band: string | null;
  readonly confidence: number | null;
  readonly shares: Readonly<Record<string, number>>;
  readonly low: number | null;
  readonly high: number | null;
  readonly review: boolean;
  readonly signals: readonly Signal[];
  readonly flags: readonly string[];
}

/** Whether somebody decided, and decided yes. */
export function isYes(decision: Decision): boolean {
  return decision.positive === true && decision.produced_by !== "none";
}

/** What the app's own rule says, and in words what is to be done. */
export interface LocalAnswer {
  readonly said: Said;
  readonly action?: string;
}

/** The app's own rule. Without one, or where it says null, nobody decides. It must not be asynchronous. */
export type Fallback = Said | LocalAnswer | ((request: Request) => Said | LocalAnswer | null) | null;

export type GoneReason =
  | "unreachable"
  | "timed_out"
  | "overloaded"
  | "rate_limited"
  | "in_flight"
  | "server_error"
  | "unreadable"
  | "circuit_open";

export const BECAUSE: Readonly<Record<GoneReason, string>> = {
  unreachable: "The service could not be reached.",
  timed_out: "The service did not answer in the time that the call has.",
  overloaded: "The service has too much to do.",
  rate_limited: "The service was asked more often than this key may.",
  in_flight: "An earlier attempt of this call is still being answered.",
  server_error: "The service failed.",
  unreadable: "What came back was not an answer of the service.",
  circuit_open: "The service failed several times in a row and is left alone for a while.",
};

/** Why the service did not answer, and how often it was asked. */
export class Gone {
  constructor(
    readonly reason: GoneReason,
    readonly because: string = BECAUSE[reason],
    readonly attempts: number = 1,
  ) {}
}

/** One answer that the service did not give. `error` is what the app's own rule threw, if it did. */
export interface FellBack {
  readonly useCase: string;
  readonly request: Request;
  readonly decision: Decision;
  readonly gone: Gone;
  readonly error?: unknown;
}

/** What a person said about one decision, as the service keeps it. */
export interface Feedback {
  readonly id: string;
  readonly decision: string;
  readonly kind: string;
  readonly person: string;
  readonly reason: string;
}

/** A token for one card, and the instant (ISO 8601) until which it is good. Never put it into a link. */
export interface CardToken {
  readonly token: string;
  readonly expires_at: string;
  readonly decision: string;
}
