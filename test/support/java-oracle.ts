/** A small Java program that answers a line of JSON with a line of JSON: what others' classes do, to be compared with ours. */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { parseJson } from '#troupe/sdk/index.js';

/** Bounds, not expectations. */
const COMPILE_MS = 120_000;
const ANSWER_MS = 120_000;

/**
 * Compiles the program `source`, a `.java` file with a main method, runs it once on all questions, and returns its answers in
 * their order. `jars`: the folder of what it is compiled and run with. Its time zone is UTC.
 */
export async function askJava(
  source: string,
  jars: string,
  questions: readonly string[],
): Promise<readonly unknown[]> {
  const classes = await mkdtemp(join(tmpdir(), 'oracle-'));
  const classPath = `${join(jars, '*')}:${classes}`;
  try {
    await promisify(execFile)('javac', ['-nowarn', '-cp', classPath, '-d', classes, source], {
      timeout: COMPILE_MS,
    });
    return await answersOf(classPath, basename(source, '.java'), questions);
  } finally {
    await rm(classes, { recursive: true, force: true });
  }
}

async function answersOf(
  classPath: string,
  main: string,
  questions: readonly string[],
): Promise<readonly unknown[]> {
  const java = spawn(
    'java',
    ['-Duser.timezone=UTC', '-Xmx256m', '-XX:+UseSerialGC', '-cp', classPath, main],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: ANSWER_MS,
      killSignal: 'SIGKILL',
    },
  );
  let errors = '';
  java.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    java.once('error', reject);
    java.once('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${main} ended with ${String(code)}:\n${errors}`));
    });
  });
  // It may end before it has read everything; how it ended says more.
  java.stdin.on('error', () => undefined);
  java.stdin.end(questions.map((line) => `${line}\n`).join(''));
  const lines: string[] = [];
  createInterface({ input: java.stdout }).on('line', (line) => lines.push(line));
  await ended;
  const answers = lines.map(parseJson);
  if (answers.length !== questions.length)
    throw new Error(`${main} gave ${answers.length} answers to ${questions.length} questions:\n${errors}`);
  return answers;
}
