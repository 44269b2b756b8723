import { ServiceGone } from "./errors.js";
import { exchanged, type Asked } from "./exchange.js";
import * as reading from "./reading.js";
import { Gone, type Feedback } from "./records.js";
import { Health, USUAL } from "./resilience.js";
import { checkedAddress, checkedTimeout, sent } from "./sending.js";

/** What a card shows now. In state `nothing` it has no other field. */
export interface Card {
  readonly state: string;
  readonly [field: string]: unknown;
}

/**
 * A card of one's own in a browser: it holds no API key, only tokens that your server mints, good for five minutes and
 * one entity on one site. `token` gives one whenever it is asked.
 */
export class CardClient {
  readonly #address: string;
  readonly #timeoutMs: number;
  #shown = "";
  readonly #health = new Health({ ...USUAL, attemptsMax: 1 });

  constructor(
    address: string,
    private readonly token: () => string | Promise<string>,
    options: { readonly timeoutMs?: number } = {},
  ) {
    this.#address = checkedAddress(address);
    this.#timeoutMs = checkedTimeout(options.timeoutMs ?? 3_000);
  }

  /** What the card shows now. Throws `Refused` or `ServiceGone`. */
  async read(): Promise<Card> {
    const card = await this.#present({ kind: "/v1/card", method: "GET", path: "/v1/card", read: cardOf });
    this.#shown = typeof card["decision"] === "string" ? card["decision"] : "";
    return card;
  }

  /** Tell what the person did on the card, about the decision that was read last. */
  async feedback(kind: string, reason = ""): Promise<Feedback> {
    return this.#said("/v1/card/feedback", { kind, reason, ...(this.#shown && { decision: this.#shown }) });
  }

  /** Take back what the person said a moment ago. Throws `Conflict` when it is too late. */
  async undo(feedback: Feedback): Promise<Feedback> {
    return this.#said("/v1/card/feedback/undo", { feedback: feedback.id });
  }

  async #said(path: string, said: object): Promise<Feedback> {
    return this.#present({ kind: path, method: "POST", path, read: reading.feedback, body: JSON.stringify(said) });
  }

  async #present<T>(asked: Asked<T>): Promise<T> {
    const headers: Record<string, string> = { Authorization: `Bearer ${await this.token()}` };
    if (asked.body !== undefined) headers["Content-Type"] = "application/json";
    // No header of the client's own: the service lets other sites send these two only.
    const found = await exchanged(asked, this.#health, this.#timeoutMs, (_, leftMs) =>
      sent(this.#address + asked.path, { method: asked.method, body: asked.body ?? null, headers }, leftMs),
    );
    if (found instanceof Gone) throw new ServiceGone(found.reason, found.because);
    return found;
  }
}

function cardOf(fields: Record<string, unknown>): Card {
  if (typeof fields["state"] !== "string") throw new reading.NotOurs("It had no state.");
  return fields as Card;
}
