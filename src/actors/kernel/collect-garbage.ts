import v8 from 'node:v8';
import vm from 'node:vm';

let gc = takeGc();

/**
 * For all threads that start from now on. Later it would change V8's flags while they run, and code that was compiled under
 * others is compiled anew.
 */
export function allowCollections(): void {
  v8.setFlagsFromString('--expose-gc');
}

export function collectGarbage(): void {
  if (gc === null) {
    allowCollections();
    // Contexts that were made before know nothing of it.
    const found: unknown = vm.runInNewContext('globalThis.gc');
    gc = isFunction(found) ? found : () => undefined;
  }
  gc();
}

/** Out of the sight of plugins, some of which would use it. */
function takeGc(): (() => void) | null {
  const found: unknown = Reflect.get(globalThis, 'gc');
  if (!isFunction(found)) return null;
  // It cannot be deleted.
  Reflect.set(globalThis, 'gc', undefined);
  return found;
}

function isFunction(value: unknown): value is () => void {
  return typeof value === 'function';
}
