/** Whether an answer is one of those that the description of the API tells. */
import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';

import { openApi, type Document } from '#troupe/http/openapi/document.js';
import { routeTable } from '#troupe/http/routes/router.js';
import { SecretRules } from '#troupe/http/secrets.js';
import type { Answer } from './client.js';
import { InMemoryRuntime } from './in-memory-runtime.js';

const ID = 'troupe';

interface Operation {
  readonly path: RegExp;
  /** Those that vary. */
  readonly parts: number;
  readonly at: string;
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
}

export class Description {
  readonly document: Document;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });
  readonly #operations = new Map<string, Operation[]>();
  readonly #checks = new Map<string, ValidateFunction>();

  constructor() {
    const runtime = new InMemoryRuntime();
    const deps = { runtime, secrets: new SecretRules(runtime, {}), maxBodyBytes: 1, legacy: true };
    this.document = openApi(routeTable(deps), '1.2.3');
    this.#ajv.addSchema(this.document, ID);
    for (const [path, methods] of Object.entries(this.document.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const known = this.#operations.get(method.toUpperCase()) ?? [];
        // It was just made, of this shape.
        const { responses } = operation as unknown as Operation;
        const pattern = new RegExp(
          `^${path.replaceAll(/[.$]/g, '\\$&').replaceAll(/\{\w+\}/g, '[^/]+')}/?$`,
          'i',
        );
        this.#operations.set(method.toUpperCase(), [
          ...known,
          {
            path: pattern,
            parts: path.split('{').length,
            at: pointer('paths', path, method, 'responses'),
            responses,
          },
        ]);
      }
    }
  }

  /** What no route takes is an error like any other. */
  check(method: string, target: string, { status, headers, text, json }: Answer): void {
    if (method === 'OPTIONS' || method === 'HEAD') return;
    const where = `${method} ${target} → ${status}`;
    const path = decodeTarget(target);
    const operations = (this.#operations.get(method) ?? []).filter((each) => each.path.test(path));
    // Fixed paths come before those with parts that vary.
    const operation = operations.sort((a, b) => a.parts - b.parts)[0];
    if (operation === undefined) {
      this.#fits(where, '/components/schemas/Error', json);
      return;
    }
    const response = operation.responses[status];
    assert.ok(response !== undefined, `${where} is not described: ${text}`);
    const type = headers['content-type']?.split(';')[0];
    if (response.content === undefined) {
      assert.equal(text, '', `${where} has a body that is not described`);
      return;
    }
    const content = Object.keys(response.content);
    assert.ok(
      type !== undefined && content.includes(type),
      `${where} is ${String(type)}, described as ${content.join()}`,
    );
    if (type === 'application/json')
      this.#fits(where, `${operation.at}${pointer(String(status), 'content', type, 'schema')}`, json);
  }

  #fits(where: string, at: string, json: unknown): void {
    const check = this.#checks.get(at) ?? this.#ajv.getSchema(`${ID}#${at}`);
    assert.ok(check !== undefined, `there is no schema at ${at}`);
    this.#checks.set(at, check);
    assert.ok(check(json), `${where}: ${this.#ajv.errorsText(check.errors)}: ${JSON.stringify(json)}`);
  }
}

function decodeTarget(target: string): string {
  return target.split('?')[0] || '/';
}

/** As part of a URL's fragment. */
function pointer(...parts: readonly string[]): string {
  return parts
    .map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`)
    .join('');
}
