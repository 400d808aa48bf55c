/** What of two answers to the same request is not the same, place by place. */
import type { Answered, Json } from './player.js';

export interface Difference {
  /** The step's. */
  readonly name: string;
  /** `status`, `type`, `location`, or a place in the body: `/configs/tasks.max/value/errors`. */
  readonly at: string;
  /** undefined: nothing stands there. */
  readonly kafka: Json | undefined;
  readonly troupe: Json | undefined;
}

export function differences(kafka: Answered, troupe: Answered): readonly Difference[] {
  const found: Difference[] = [];
  const { name } = kafka;
  const compare = (at: string, left: Json | undefined, right: Json | undefined): void => {
    const [one, other] = [children(left), children(right)];
    if (one === null || other === null) {
      if (JSON.stringify(left) !== JSON.stringify(right))
        found.push({ name, at, kafka: left, troupe: right });
      return;
    }
    for (const key of new Set([...one.keys(), ...other.keys()]))
      compare(`${at}/${key}`, one.get(key), other.get(key));
  };
  for (const part of ['status', 'type', 'location'] as const) compare(part, kafka[part], troupe[part]);
  compare('', kafka.body, troupe.body);
  return found;
}

/** Objects of a list are told apart by what names them, not by their places. null: it has none. */
function children(value: Json | undefined): ReadonlyMap<string, Json> | null {
  if (typeof value !== 'object' || value === null) return null;
  if (!Array.isArray(value)) return new Map(Object.entries(value));
  const items = value as readonly Json[];
  return new Map(items.map((item, i) => [nameOf(item) ?? String(i), item]));
}

function nameOf(item: Json): string | null {
  const fields = typeof item === 'object' && item !== null ? children(item) : null;
  if (fields === null) return typeof item === 'string' ? item : null;
  for (const key of ['class', 'name']) {
    const name = fields.get(key);
    if (typeof name === 'string') return name;
  }
  const definition = fields.get('definition');
  return definition === undefined ? null : nameOf(definition);
}
