export { CardClient, type Card } from "./card.js";
export { Client, type CallOptions, type CardTokenRequest, type DecideOptions, type Options } from "./client.js";
export {
  ClientError,
  Conflict,
  InvalidRequest,
  NotAllowed,
  NotAuthenticated,
  NotFound,
  Refused,
  ServiceGone,
  TooLarge,
  type Problem,
} from "./errors.js";
export type { BatchRow, OutcomeRow } from "./reading.js";
export {
  Gone,
  isYes,
  type CardToken,
  type Decision,
  type Fallback,
  type Feedback,
  type FellBack,
  type GoneReason,
  type LocalAnswer,
  type Request,
  type Said,
  type Signal,
} from "./records.js";
export type { Resilience } from "./resilience.js";
