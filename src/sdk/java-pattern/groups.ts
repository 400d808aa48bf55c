import { Untranslatable } from './sets.js';

/** A part of a pattern in parentheses, or the whole. What is not yet known when it is opened is filled in later. */
export interface Group {
  readonly parent: Group | null;
  /** null: it captures nothing. */
  readonly number: number | null;
  readonly kind: 'plain' | 'not' | 'behind' | 'not-behind';
  alternatives: boolean;
  /** It may be passed over, or come more than once. */
  skipped: boolean;
  repeated: boolean;
  nullable: boolean;
}

export function openGroup(parent: Group | null, number: number | null, kind: Group['kind'] = 'plain'): Group {
  return { parent, number, kind, alternatives: false, skipped: false, repeated: false, nullable: false };
}

export function isBehind(group: Group | null): boolean {
  for (let at = group; at !== null; at = at.parent) if (at.kind.endsWith('behind')) return true;
  return false;
}

/**
 * JavaScript takes a reference to a group that took no part for the empty text, where Java does not match: refused,
 * unless the group always takes part before its reference.
 */
export function checkReference(target: Group, from: Group): void {
  const around = new Set<Group>();
  for (let at: Group | null = from; at !== null; at = at.parent) around.add(at);
  let child: Group = target;
  while (!around.has(child)) {
    if (child.skipped || child.kind.startsWith('not') || child.parent === null || child.parent.alternatives)
      throw new Untranslatable(`it refers back to group ${target.number}, which may take no part in a match`);
    child = child.parent;
  }
  if (isForgetful(target))
    throw new Untranslatable(
      `it refers back to group ${target.number}, whose text is not certain after a repetition`,
    );
  if (child === target) throw new Untranslatable(`group ${target.number} refers to itself`);
}

/** Whether what the group captured may differ from Java's: JavaScript forgets it with each turn of a repetition. */
export function isForgetful(group: Group): boolean {
  if (isBehind(group)) return true;
  let mayMiss = group.nullable;
  if (group.repeated && mayMiss) return true;
  for (let child = group; child.parent !== null; child = child.parent) {
    mayMiss ||= child.skipped || child.parent.alternatives;
    if (child.parent.repeated && mayMiss) return true;
  }
  return false;
}
