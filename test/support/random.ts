/** Numbers from a seed, so that a failing run can be repeated with TEST_SEED. `next(n)` is from 0 to n - 1. */
export function random(): { readonly seed: number; readonly next: (bound: number) => number } {
  const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000_007);
  let state = seed >>> 0;
  const next = (bound: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(1, Math.floor(bound));
  };
  return { seed, next };
}
