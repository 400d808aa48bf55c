/** Orders versions such as 1.10.0 and 2.0.0-rc.1: by number, and a pre-release before its release. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [split(a), split(b)];
  const main = compareParts(left.main, right.main);
  if (main !== 0) return main;
  if (left.pre.length === 0 || right.pre.length === 0) return right.pre.length - left.pre.length;
  return compareParts(left.pre, right.pre);
}

function split(version: string): { readonly main: readonly string[]; readonly pre: readonly string[] } {
  const [whole = ''] = version.replace(/^v/, '').split('+');
  const dash = whole.indexOf('-');
  const main = dash < 0 ? whole : whole.slice(0, dash);
  return { main: main.split('.'), pre: dash < 0 ? [] : whole.slice(dash + 1).split('.') };
}

function compareParts(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const [left, right] = [a[i] ?? '', b[i] ?? ''];
    const difference = Number(left) - Number(right);
    const order = Number.isNaN(difference) ? Number(left > right) - Number(left < right) : difference;
    if (order !== 0) return order;
  }
  return 0;
}
