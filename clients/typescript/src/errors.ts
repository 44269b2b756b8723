/** One mistake, at one place, with its repair. */
export interface Problem {
  readonly where: string;
  readonly message: string;
  readonly repair: string;
}

/** Everything that a call can throw. */
export class ClientError extends Error {
  override readonly name: string = "ClientError";
}

/** The service understood and refused: a mistake of the caller. `code` and `detail` are the service's words. */
export class Refused extends ClientError {
  override readonly name: string = "Refused";

  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly problems: readonly Problem[] = [],
  ) {
    const named = problems.map((each) => `\n  ${each.where}: ${each.message} ${each.repair}`.trimEnd()).join("");
    super(`${detail} (HTTP ${status}, ${code})${named}`);
  }
}

/** The request does not fit its contract; `problems` names every field at fault. */
export class InvalidRequest extends Refused {
  override readonly name = "InvalidRequest";
}

/** No key, or one that the service does not know. */
export class NotAuthenticated extends Refused {
  override readonly name = "NotAuthenticated";
}

/** The key may not do this. */
export class NotAllowed extends Refused {
  override readonly name = "NotAllowed";
}

/** There is no such thing, or the key may not know of it. */
export class NotFound extends Refused {
  override readonly name = "NotFound";
}

/** Already done, changed meanwhile, or the same idempotency key with another request. */
export class Conflict extends Refused {
  override readonly name = "Conflict";
}

/** The request is larger than the service takes. */
export class TooLarge extends Refused {
  override readonly name = "TooLarge";
}

/** The service did not answer a call for which no rule of the app can stand in. `reason` is a code. */
export class ServiceGone extends ClientError {
  override readonly name = "ServiceGone";

  constructor(
    readonly reason: string,
    readonly because: string,
  ) {
    super(`${because} (${reason}) Try again later.`);
  }
}

const BY_STATUS: Readonly<Record<number, typeof Refused>> = {
  400: InvalidRequest,
  401: NotAuthenticated,
  403: NotAllowed,
  404: NotFound,
  409: Conflict,
  413: TooLarge,
  422: InvalidRequest,
};

/** The error that stands for this status. */
export function refusal(status: number, code: string, detail: string, problems: readonly Problem[]): Refused {
  return new (BY_STATUS[status] ?? Refused)(status, code, detail, problems);
}
