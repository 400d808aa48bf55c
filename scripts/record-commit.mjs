/** Writes the commit that dist/ was built from to dist/commit, for `GET /`. Without git there is no such file. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';

const file = new URL('../dist/commit', import.meta.url);

try {
  const options = {
    cwd: new URL('..', import.meta.url),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  };
  writeFileSync(file, execFileSync('git', ['rev-parse', 'HEAD'], options));
} catch {
  rmSync(file, { force: true });
}
