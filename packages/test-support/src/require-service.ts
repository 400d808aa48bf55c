/**
 * For the `skip` option of a test or suite that needs something which may not be installed: false when it is there
 * (`missing` is null), else the reason to skip. With `REQUIRE_SERVICES=1` it throws instead, so that the file fails.
 */
export function requireService(missing: string | null): string | false {
  if (missing === null) return false;
  if (process.env['REQUIRE_SERVICES'] === '1')
    throw new Error(`REQUIRE_SERVICES=1 forbids to skip: ${missing}`);
  return missing;
}
