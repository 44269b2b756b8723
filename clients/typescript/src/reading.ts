import { refusal, type Problem, type Refused } from "./errors.js";
import { Gone, type CardToken, type Decision, type Feedback, type GoneReason, type Signal } from "./records.js";

/** A body that the service did not write, or that cannot be read. */
export class NotOurs extends Error {}

type Fields = Record<string, unknown>;

/** One row of a batch: a decision, or why this row was refused. */
export type BatchRow =
  | { readonly decision: Decision; readonly refused?: undefined }
  | { readonly refused: Refused; readonly decision?: undefined };

/** What became of one outcome that was told: its effect on which decisions, or the problem with it. */
export interface OutcomeRow {
  readonly status: number;
  readonly effect: string;
  readonly decisions: readonly string[];
  readonly problem: string;
}

/** A JSON object. */
export function parsed(body: string): Fields {
  let found: unknown;
  try {
    found = JSON.parse(body);
  } catch {
    throw new NotOurs("It was not JSON.");
  }
  return object(found);
}

/** A decision. One that nobody took says nothing, whatever else stands in it. */
export function decision(fields: Fields): Decision {
  const nobody = text(fields, "produced_by") === "none";
  const answer = optional(fields, "answer", (value) => typeof value === "string" || typeof value === "number");
  const positive = optional(fields, "positive", (value) => typeof value === "boolean");
  return {
    id: text(fields, "id"),
    use_case: text(fields, "use_case"),
    entity: text(fields, "entity", ""),
    action: text(fields, "action"),
    produced_by: text(fields, "produced_by"),
    reason: text(fields, "reason"),
    because: text(fields, "because", ""),
    stage: text(fields, "stage", ""),
    positive: nobody ? null : (positive as boolean | null),
    answer: nobody ? null : (answer as string | number | null),
    probability: number(fields, "probability"),
    band: optional(fields, "band", (value) => typeof value === "string") as string | null,
    confidence: number(fields, "confidence"),
    shares: (optional(fields, "shares", isObject) ?? {}) as Record<string, number>,
    low: number(fields, "low"),
    high: number(fields, "high"),
    review: (optional(fields, "review", (value) => typeof value === "boolean") ?? false) as boolean,
    signals: (optional(fields, "signals", Array.isArray) ?? []) as Signal[],
    flags: (optional(fields, "flags", Array.isArray) ?? []) as string[],
  };
}

/** The service's own refusal (problem details, RFC 9457). What somebody else answered throws `NotOurs`. */
export function refused(status: number, fields: Fields): Refused {
  const problems = optional(fields, "problems", Array.isArray) as Fields[] | null;
  return refusal(status, text(fields, "code"), text(fields, "detail"), (problems ?? []).map(problem));
}

/** A row for each request, in order; `Gone` where the service could not answer this one. */
export function batch(fields: Fields, count: number): (BatchRow | Gone)[] {
  return rows(fields, count).map((row) => {
    const status = statusOf(row);
    if (status >= 200 && status < 300) return { decision: decision(object(row["answer"])) };
    if (status >= 500 || status === 408 || status === 429) return new Gone(reasonOf(status));
    return { refused: refused(status, object(row["problem"])) };
  });
}

/** A row for each outcome, in order. */
export function outcomes(fields: Fields, count: number): OutcomeRow[] {
  return rows(fields, count).map((row) => ({
    status: statusOf(row),
    effect: text(row, "effect", ""),
    decisions: (optional(row, "decisions", Array.isArray) ?? []) as string[],
    problem: text(row, "problem", ""),
  }));
}

export function feedback(fields: Fields): Feedback {
  return {
    id: text(fields, "id"),
    decision: text(fields, "decision"),
    kind: text(fields, "kind"),
    person: text(fields, "person"),
    reason: text(fields, "reason", ""),
  };
}

export function cardToken(fields: Fields): CardToken {
  return {
    token: text(fields, "token"),
    expires_at: text(fields, "expires_at"),
    decision: text(fields, "decision"),
  };
}

function reasonOf(status: number): GoneReason {
  if (status === 503) return "overloaded";
  if (status === 429) return "rate_limited";
  return status === 408 ? "timed_out" : "server_error";
}

function problem(fields: Fields): Problem {
  const { where, message, repair } = object(fields);
  return { where: String(where ?? ""), message: String(message ?? ""), repair: String(repair ?? "") };
}

function rows(fields: Fields, count: number): Fields[] {
  const found = optional(fields, "results", Array.isArray) as unknown[] | null;
  if (found?.length !== count) throw new NotOurs(`It had ${found?.length ?? "no"} results for ${count} rows.`);
  return found.map(object);
}

function statusOf(row: Fields): number {
  const status = row["status"];
  if (typeof status !== "number") throw new NotOurs("A row had no status.");
  return status;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function object(value: unknown): Fields {
  if (!isObject(value)) throw new NotOurs("It was not an object.");
  return value as Fields;
}

function text(fields: Fields, name: string, missing?: string): string {
  const value = fields[name] ?? missing;
  if (typeof value !== "string") throw new NotOurs(`Its ${name} was no text.`);
  return value;
}

function number(fields: Fields, name: string): number | null {
  return optional(fields, name, (value) => typeof value === "number") as number | null;
}

function optional(fields: Fields, name: string, fits: (value: unknown) => boolean): unknown {
  const value = fields[name] ?? null;
  if (value !== null && !fits(value)) throw new NotOurs(`Its ${name} was of another kind.`);
  return value;
}
