/** A small Java program that is asked line by line: what others' classes do, compared while cases are being made. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export class JavaConversation {
  readonly #java: ChildProcess;
  readonly #waiting: ((answer: string | Error) => void)[] = [];
  #errors = '';

  /** `source`: a `.java` file with a main method, which Java compiles as it starts. `jars`: the folder of what it needs. */
  constructor(source: string, jars: string) {
    // What depends on the machine's time zone or language is compared in UTC and English.
    const settings = [
      '-Duser.timezone=UTC',
      '-Duser.language=en',
      '-Duser.country=US',
      '-Xmx256m',
      '-XX:+UseSerialGC',
    ];
    this.#java = spawn('java', [...settings, '-cp', join(jars, '*'), source], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdout, stderr } = this.#java;
    if (stdout === null || stderr === null) throw new Error('java has no output');
    createInterface({ input: stdout, crlfDelay: Infinity }).on('line', (line) =>
      this.#waiting.shift()?.(line),
    );
    stderr.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString('utf8')).slice(-4000);
    });
    const end = (how: string): void => {
      for (const answer of this.#waiting.splice(0)) answer(new Error(`java ended, ${how}: ${this.#errors}`));
    };
    this.#java.once('error', (error) => end(error.message));
    this.#java.once('exit', (code, signal) => end(signal ?? `exit code ${String(code)}`));
  }

  /** The line that answers the line. */
  ask(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      this.#java.stdin?.write(`${line}\n`);
    });
  }

  stop(): void {
    this.#java.stdin?.end();
    this.#java.kill('SIGKILL');
  }
}
