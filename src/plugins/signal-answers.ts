/** What plugins say to signals, checked where it enters. All throw ConnectError: PLUGIN_CONTRACT, ANSWER_TOO_LARGE. */
import { ConnectError } from '../sdk/errors.js';
import type { PlanningAnswer } from '../sdk/plugin.js';
import type { JsonValue } from '../sdk/record.js';
import { found, isJsonValue, PLUGIN_CONTRACT } from './plugin-returns.js';

/** Characters of JSON: all nodes keep it. */
const MAX_ANSWER = 16 * 1024;

/** Nothing is null. */
export function checkAnswer(answer: unknown): JsonValue {
  if (answer === undefined) return null;
  if (!isJsonValue(answer))
    throw wrong('what it returns', 'a JSON value (no undefined, NaN, bigint or Date in it)', answer);
  const { length } = JSON.stringify(answer);
  if (length <= MAX_ANSWER) return answer;
  throw new ConnectError(
    `signal: its answer is ${length} characters of JSON, and at most ${MAX_ANSWER} are kept`,
    { code: 'ANSWER_TOO_LARGE' },
  );
}

export function checkPlanningAnswer(given: unknown): Required<PlanningAnswer> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw wrong('what it returns', '{ answer, replan }', given);
  const { answer, replan = false }: { readonly answer?: unknown; readonly replan?: unknown } = given;
  if (typeof replan !== 'boolean') throw wrong('its replan', 'true or false, or left out', replan);
  return { answer: checkAnswer(answer), replan };
}

/** Shorter ones would keep a thread busy with planning. */
const MIN_REPLAN_MS = 1000;
/** The most that a timer takes. */
const MAX_REPLAN_MS = 2 ** 31 - 1;

export function checkReplanAfter(ms: unknown): number | null {
  if (ms === null || ms === undefined) return null;
  if (typeof ms === 'number' && ms >= MIN_REPLAN_MS) return Math.min(ms, MAX_REPLAN_MS);
  throw new ConnectError(
    `replanAfterMs: what it returns must be milliseconds, at least ${MIN_REPLAN_MS}, or null, not ${found(ms)}`,
    { code: PLUGIN_CONTRACT },
  );
}

function wrong(what: string, allowed: string, value: unknown): ConnectError {
  return new ConnectError(`signal: ${what} must be ${allowed}, not ${found(value)}`, {
    code: PLUGIN_CONTRACT,
  });
}
