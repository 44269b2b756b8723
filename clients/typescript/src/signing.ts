import { createHmac } from "node:crypto";

/** What a token says of its card. `actions`: its buttons; all of them where they are absent. */
export interface CardTokenClaims {
  readonly entity: string;
  readonly origin: string;
  readonly person: string;
  readonly actions?: readonly string[];
  readonly seconds?: number;
  /** In seconds since 1970; this machine's clock where it is absent. */
  readonly now?: number;
}

const ACTIONS = ["useful", "wrong", "override", "escalate", "accept"];
const SECONDS_MAX = 300;
const SECRET = /^(key_[0-9A-Za-z]{1,36})\.([0-9a-f]{64})$/;

/**
 * A token for one card, signed by your own server without asking the service: this entity, this site, these buttons, so
 * many seconds; a JWT (RFC 7519) by HS256. `secret` is what `pilotage key make … --card-secret` printed; it stays on
 * the server. Hand the token to the page in a body, never in a link.
 */
export function signCardToken(secret: string, useCase: string, card: CardTokenClaims): string {
  const [, keyId, key] = SECRET.exec(secret) ?? [];
  if (keyId === undefined || key === undefined) {
    throw new RangeError(
      "The card secret must look like key_….<64 hexadecimal digits>: pilotage key make … --card-secret prints it.",
    );
  }
  const seconds = card.seconds ?? SECONDS_MAX;
  if (!(seconds >= 1 && seconds <= SECONDS_MAX)) {
    throw new RangeError(`A card token lasts 1 to ${SECONDS_MAX} seconds (got ${seconds}).`);
  }
  const issued = Math.floor(card.now ?? Date.now() / 1000);
  const said = {
    aud: "pilotage-card",
    iat: issued,
    exp: issued + Math.floor(seconds),
    use_case: useCase,
    entity: card.entity,
    origin: card.origin,
    person: card.person,
    actions: card.actions ?? ACTIONS,
  };
  const signed = `${part({ alg: "HS256", kid: keyId })}.${part(said)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

function part(said: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(said));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
