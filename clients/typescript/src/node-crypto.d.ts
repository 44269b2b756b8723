// The little of node:crypto that is used: the whole of Node's types would be a dependency.
declare module "node:crypto" {
  interface Hmac {
    update(data: string): Hmac;
    digest(encoding: "base64url"): string;
  }
  export function createHmac(algorithm: "sha256", key: string): Hmac;
}
