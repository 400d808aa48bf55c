/** Parts of a task that fail for one record, as a table of tests wants it. */
import type { CatalogEntry } from '#troupe/plugins/catalog.js';
import { buildTransformChain, type TransformChain } from '#troupe/plugins/transform-chain.js';
import { DataError, RetriableError } from '#troupe/sdk/errors.js';
import type { ConverterInstance } from '#troupe/sdk/plugin.js';

/** permanent: each time, and says so. broken: each time, by any error. passing: says each time that it may pass. once: and passes. */
export type Fault = 'permanent' | 'broken' | 'passing' | 'once';

export const BAD = 'bad';

/** Throws for what is bad, as the fault wants it. */
export function failing(fault: Fault): (value: unknown) => void {
  let met = 0;
  return (value) => {
    if (value !== BAD) return;
    met += 1;
    if (fault === 'permanent') throw new DataError('this is bad', { code: 'IS_BAD' });
    if (fault === 'broken') throw new TypeError('this breaks it');
    if (fault === 'passing') throw new RetriableError('it is away', { retryAfterMs: 1 });
    if (met === 1) throw new RetriableError('it is busy', { retryAfterMs: 1 });
  };
}

export function failingConverter(fail: (value: unknown) => void): {
  readonly input: 'text';
  readonly instance: ConverterInstance;
} {
  return {
    input: 'text',
    instance: {
      fromConnectData: (_topic, _schema, value) => {
        fail(value);
        return String(value);
      },
      toConnectData: (_topic, value) => {
        fail(value);
        return { schema: null, value };
      },
    },
  };
}

/** The second transform of a chain calls it with the value of each record. */
export async function failingChain(fail: (value: unknown) => void): Promise<TransformChain> {
  const hook = `fail ${(chains += 1)}`;
  Reflect.set(globalThis, Symbol.for(hook), fail);
  const transform = (name: string, body: string): CatalogEntry => ({
    class: name,
    type: 'transformation',
    version: '1',
    aliases: [],
    module: `data:text/javascript,${encodeURIComponent(
      `export default { type: 'transformation', plugin: { version: '1', config: [], create: () => ({ apply(r) { ${body} return r; } }) } };`,
    )}`,
    exportName: 'default',
    location: null,
  });
  const plugins = [
    transform('Passing', ''),
    transform('Failing', `globalThis[Symbol.for(${JSON.stringify(hook)})](r.value);`),
  ];
  const raw = {
    transforms: 'first,second',
    'transforms.first.type': 'Passing',
    'transforms.second.type': 'Failing',
  };
  return buildTransformChain(raw, { plugins, problems: [] });
}

let chains = 0;
