/** Which of Kafka Connect's own classes an answer of its REST API is written with. */
import { fieldOf, isFields } from '#troupe/sdk/index.js';
import type { Answered, Step } from './player.js';

export interface Entity {
  /** As Java writes it. */
  readonly type: string;
  readonly body: unknown;
}

const PACKAGE = 'org.apache.kafka.connect.runtime.rest.entities';
const of = (name: string): string => `${PACKAGE}.${name}`;
const listOf = (type: string): string => `java.util.List<${type}>`;
const mapOf = (type: string): string => `java.util.Map<java.lang.String,${type}>`;
const STATE = of('ConnectorStateInfo');
const INFO = of('ConnectorInfo');
const TEXT = 'java.lang.String';

/** By method and path, the first that fits. */
const TYPES: readonly (readonly [RegExp, string])[] = [
  [/^GET \/$/, of('ServerInfo')],
  [/^GET \/connectors$/, listOf(TEXT)],
  [/^POST \/connectors$/, INFO],
  [/^GET \/connectors\/[^/]+$/, INFO],
  [/^GET \/connectors\/[^/]+\/config$/, mapOf(TEXT)],
  [/^(PUT|PATCH) \/connectors\/[^/]+\/config$/, INFO],
  [/^GET \/connectors\/[^/]+\/status$/, STATE],
  [/^POST \/connectors\/[^/]+\/restart$/, STATE],
  [/^GET \/connectors\/[^/]+\/tasks$/, listOf(of('TaskInfo'))],
  [/^GET \/connectors\/[^/]+\/tasks\/\d+\/status$/, `${STATE}$TaskState`],
  [/^GET \/connectors\/[^/]+\/topics$/, mapOf(mapOf(listOf(TEXT)))],
  [/^GET \/connectors\/[^/]+\/offsets$/, of('ConnectorOffsets')],
  [/^(PATCH|DELETE) \/connectors\/[^/]+\/offsets$/, of('Message')],
  [/^GET \/connector-plugins$/, listOf(of('PluginInfo'))],
  [/^GET \/connector-plugins\/[^/]+\/config$/, listOf(of('ConfigKeyInfo'))],
  [/^PUT \/connector-plugins\/[^/]+\/config\/validate$/, of('ConfigInfos')],
  [/^GET \/admin\/loggers$/, mapOf(of('LoggerLevel'))],
  [/^GET \/admin\/loggers\/[^/]+$/, of('LoggerLevel')],
  [/^PUT \/admin\/loggers\/[^/]+$/, listOf(TEXT)],
];

/** None where there is no body, or Kafka Connect has no class for it. */
export function entitiesOf({ send: [method, path] }: Step, { status, body }: Answered): readonly Entity[] {
  if (body === null) return [];
  if (status >= 400) return [{ type: of('ErrorMessage'), body }];
  const [route = '', query = ''] = path.split('?');
  if (route === '/connectors' && query.includes('expand=') && isFields(body)) {
    const parts = Object.values<unknown>(body).filter(isFields);
    const all = (part: string, type: string): readonly Entity[] =>
      parts
        .filter((each) => fieldOf(each, part) !== undefined)
        .map((each) => ({ type, body: fieldOf(each, part) }));
    return [...all('status', STATE), ...all('info', INFO)];
  }
  const type = TYPES.find(([pattern]) => pattern.test(`${method} ${route}`))?.[1];
  return type === undefined ? [] : [{ type, body }];
}
