import { type Decision, type Fallback, type FellBack, type Gone, type LocalAnswer, type Request } from "./records.js";

export const RECENT_MAX = 100;

/** The app's own rule, where the service is gone: asked, counted, and told to who wants to know. */
export class Fallbacks {
  readonly #counts = new Map<string, number>();
  readonly #recent: FellBack[] = [];

  constructor(private readonly onFallback: ((told: FellBack) => unknown) | undefined) {}

  /** What the app's rule says; where it cannot say, that nobody decided. */
  answer(useCase: string, request: Request, rule: Fallback, gone: Gone): Decision {
    let local: LocalAnswer | null = null;
    let failed: { error: unknown } | null = null;
    try {
      local = asked(rule, request);
    } catch (error) {
      failed = { error }; // there is an answer even where the app's own rule fails
    }
    const decision = local ? localDecision(useCase, local, gone) : nobody(useCase, gone, failed !== null);
    this.#tell({ useCase, request, decision, gone, ...failed });
    return decision;
  }

  counts(): Record<string, number> {
    return Object.fromEntries(this.#counts);
  }

  recent(): FellBack[] {
    return [...this.#recent];
  }

  #tell(told: FellBack): void {
    this.#counts.set(told.gone.reason, (this.#counts.get(told.gone.reason) ?? 0) + 1);
    this.#recent.push(told);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    try {
      this.onFallback?.(told);
    } catch (error) {
      console.error("pilotage-client: onFallback failed", error); // what the app does with it must not cost the answer
    }
  }
}

function asked(rule: Fallback, request: Request): LocalAnswer | null {
  const said = typeof rule === "function" ? rule(request) : rule;
  if (said === null || said === undefined) return null;
  const local = typeof said === "object" ? said : { said };
  if (!["boolean", "string", "number"].includes(typeof local.said)) {
    throw new TypeError(`A fallback says true or false, a text or a number (got ${typeof local.said}).`);
  }
  return local;
}

function localDecision(useCase: string, local: LocalAnswer, gone: Gone): Decision {
  const { said } = local;
  return {
    ...blank(useCase, gone),
    produced_by: "fallback",
    action: local.action ?? "",
    positive: typeof said === "boolean" ? said : null,
    answer: typeof said === "boolean" ? null : said,
  };
}

function nobody(useCase: string, gone: Gone, failed: boolean): Decision {
  const why = failed ? "The app's own rule failed." : "There is no local answer.";
  return { ...blank(useCase, gone), produced_by: "none", because: `${gone.because} ${why}` };
}

function blank(useCase: string, gone: Gone): Decision {
  return {
    id: "",
    use_case: useCase,
    entity: "",
    action: "",
    produced_by: "none",
    reason: gone.reason,
    because: gone.because,
    stage: "",
    positive: null,
    answer: null,
    probability: null,
    band: null,
    confidence: null,
    shares: {},
    low: null,
    high: null,
    review: false,
    signals: [],
    flags: [],
  };
}
