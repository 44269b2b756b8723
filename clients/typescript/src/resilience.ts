/**
 * How hard a client tries.
 *
 * At most `attemptsMax` attempts a call. Every call earns `retryRatio` of a retry, and at most `retryReserve` retries
 * are saved up, which a new client has: over many calls no more than that ratio is asked again. The pause before a
 * retry is random, up to `backoffMs` doubled each time and at most `backoffMsMax`, and comes after what the
 * service names in `Retry-After`. After `breakerFailures` failures in a row of one kind of call the service is left
 * alone with this kind for `breakerPauseMs`, then tried with one call. A kind is a method of the client: outcomes that
 * cannot be told do not keep decisions from being asked for.
 */
export interface Resilience {
  readonly attemptsMax: number;
  readonly retryRatio: number;
  readonly retryReserve: number;
  readonly backoffMs: number;
  readonly backoffMsMax: number;
  readonly breakerFailures: number;
  readonly breakerPauseMs: number;
}

export const USUAL: Resilience = {
  attemptsMax: 3,
  retryRatio: 0.1,
  retryReserve: 10,
  backoffMs: 50,
  backoffMsMax: 1_000,
  breakerFailures: 5,
  breakerPauseMs: 30_000,
};

/** Milliseconds of a clock that only goes forward. */
export const now = (): number => performance.now();

/** A bucket of tokens: calls fill it by a fraction, a retry takes a whole one (Google, SRE, chapter 21). */
export class RetryBudget {
  #tokens: number;

  constructor(
    private readonly ratio: number,
    private readonly reserve: number,
  ) {
    this.#tokens = reserve;
  }

  earn(): void {
    this.#tokens = Math.min(this.reserve, this.#tokens + this.ratio);
  }

  /** Whether there is a retry left; it is taken. */
  spend(): boolean {
    if (this.#tokens < 1 - 1e-9) return false; // ten times a tenth is a little less than one
    this.#tokens -= 1;
    return true;
  }
}

/** Closed: all pass. Open: none passes. Half-open: one passes, and what comes of it decides (Nygard, Release It!). */
export class Breaker {
  #failures = 0;
  #openedAt: number | null = null;
  #probes = false;

  constructor(
    private readonly failuresMax: number,
    private readonly pauseMs: number,
  ) {}

  /** Whether an attempt may be made now; one that was admitted must be reported. */
  admits(): boolean {
    if (this.#openedAt === null) return true;
    if (this.#probes || now() - this.#openedAt < this.pauseMs) return false;
    this.#probes = true;
    return true;
  }

  /** The service answered, whatever it said. */
  succeeded(): void {
    this.#failures = 0;
    this.#openedAt = null;
    this.#probes = false;
  }

  /** The service did not answer, not in time, or not sensibly. */
  failed(): void {
    this.#failures += 1;
    if (this.#probes || this.#failures >= this.failuresMax) {
      this.#openedAt = now();
      this.#probes = false;
    }
  }

  get isOpen(): boolean {
    return this.#openedAt !== null;
  }
}

/** What a client knows about its service, shared by all its calls. */
export class Health {
  readonly budget: RetryBudget;
  readonly #breakers = new Map<string, Breaker>();

  constructor(readonly resilience: Resilience) {
    this.budget = new RetryBudget(resilience.retryRatio, resilience.retryReserve);
  }

  /** That of this kind of call. */
  breaker(kind: string): Breaker {
    const { breakerFailures, breakerPauseMs } = this.resilience;
    const found = this.#breakers.get(kind) ?? new Breaker(breakerFailures, breakerPauseMs);
    this.#breakers.set(kind, found);
    return found;
  }
}
