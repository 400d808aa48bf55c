import { DigestedMap } from '../replica/digested-map.js';
import { parseUnitKey, type Claim, type UnitKey } from '../model.js';

/** The claims of a cluster, at hand by connector too: else each new one would look through all of them. */
export class Claims extends DigestedMap<UnitKey, Claim> {
  readonly #ofConnector = new Map<string, Map<UnitKey, Claim>>();

  constructor() {
    super((claim) => ({ claim }));
  }

  override set(unit: UnitKey, claim: Claim): this {
    const { connector } = parseUnitKey(unit);
    const units = this.#ofConnector.get(connector) ?? new Map<UnitKey, Claim>();
    this.#ofConnector.set(connector, units.set(unit, claim));
    return super.set(unit, claim);
  }

  override delete(unit: UnitKey): boolean {
    const { connector } = parseUnitKey(unit);
    const units = this.#ofConnector.get(connector);
    units?.delete(unit);
    if (units?.size === 0) this.#ofConnector.delete(connector);
    return super.delete(unit);
  }

  override clear(): void {
    this.#ofConnector.clear();
    super.clear();
  }

  /** That a task of this one's connector is claimed for; 0: none. */
  newestPlan(unit: UnitKey): number {
    let newest = 0;
    for (const { plan } of this.#ofConnector.get(parseUnitKey(unit).connector)?.values() ?? [])
      newest = Math.max(newest, plan ?? 0);
    return newest;
  }
}
