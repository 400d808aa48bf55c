/**
 * Java's properties format: comments (# and !), continued lines, escapes, `\uXXXX`. Two things that Java lets
 * pass are problems here, since in a settings file they are always mistakes: a key that stands twice, and a
 * backslash before a letter or digit that is no escape (a Windows path loses its backslashes that way).
 */
export interface PropertiesEntry {
  readonly key: string;
  readonly value: string;
  /** Of the key, counted from 1. */
  readonly line: number;
}

export interface PropertiesProblem {
  readonly line: number;
  readonly message: string;
}

export interface PropertiesFile {
  /** In order of appearance; of a key that stands twice only the first. */
  readonly entries: readonly PropertiesEntry[];
  readonly problems: readonly PropertiesProblem[];
}

interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

export function parseProperties(text: string): PropertiesFile {
  const entries = new Map<string, PropertiesEntry>();
  const problems: PropertiesProblem[] = [];
  for (const { text: content, line } of logicalLines(text)) {
    const report = (message: string): void => void problems.push({ line, message });
    const [rawKey, rawValue] = splitKey(content);
    const key = unescape(rawKey, report);
    const value = unescape(rawValue, report);
    const first = entries.get(key);
    if (key === '') report('a value without a key');
    else if (first !== undefined) report(`${key} stands here and in line ${first.line}: keep one of them`);
    else entries.set(key, { key, value, line });
  }
  return { entries: [...entries.values()], problems };
}

function* logicalLines(text: string): Generator<LogicalLine> {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  for (let i = 0; i < lines.length; i++) {
    const line = i + 1;
    let content = trimBlankStart(lines[i] ?? '');
    // A backslash at the end of a comment continues nothing.
    if (content === '' || content.startsWith('#') || content.startsWith('!')) continue;
    while (isContinued(content)) {
      i++;
      content = content.slice(0, -1) + trimBlankStart(lines[i] ?? '');
    }
    yield { text: content, line };
  }
}

function trimBlankStart(line: string): string {
  return line.replace(/^[ \t\f]+/, '');
}

/** An even number of backslashes at the end are escaped backslashes. */
function isContinued(line: string): boolean {
  const backslashes = /\\*$/.exec(line)?.[0].length ?? 0;
  return backslashes % 2 === 1;
}

/** The key ends at the first `=`, `:` or blank that is not escaped; blanks around the separator belong to neither. */
function splitKey(content: string): readonly [key: string, value: string] {
  const key = /^(?:\\.|[^\\=: \t\f])*/s.exec(content)?.[0] ?? '';
  const value = content.slice(key.length).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '');
  return [key, value];
}

function unescape(text: string, report: (message: string) => void): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, escaped: string) => {
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
    const control = ESCAPES[escaped];
    if (control !== undefined) return control;
    if (escaped === 'u') report('\\u must be followed by four hexadecimal digits');
    else if (/[A-Za-z0-9]/.test(escaped)) report(`\\${escaped} is no escape: write \\\\ for a backslash`);
    return escaped;
  });
}
