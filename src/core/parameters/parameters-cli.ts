/** The command line: what was asked for, and everything that is wrong with it. */
export interface Setting {
  readonly key: string;
  readonly text: string;
  /** Where it was written, for errors: `conf/connect.conf:3`, `TROUPE_HTTP_PORT`, `--set`. */
  readonly source: string;
}

export interface CommandLine {
  readonly action: 'run' | 'help' | 'version';
  readonly configFile: string | null;
  readonly settings: readonly Setting[];
  readonly errors: readonly string[];
}

export const USAGE = `Usage: node dist/supervisor.js [-c FILE] [--set KEY=VALUE]...

  -c, --config FILE   read parameters from this properties file
  --set KEY=VALUE     set one parameter; may be repeated, the last one of a key counts
  -h, --help          show this text
  --version           show the version

A parameter is taken from the command line, else from the environment (httpPort is
TROUPE_HTTP_PORT, heartbeat.interval.ms is TROUPE_HEARTBEAT_INTERVAL_MS), else from the
file, else it has its default. docs/configuration.md describes them all.
`;

/** `argv` without the program and the script. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  const errors: string[] = [];
  const settings: Setting[] = [];
  let action: CommandLine['action'] = 'run';
  let configFile: string | null = null;
  for (let i = 0; i < argv.length; i++) {
    const [option, inline] = splitOption(argv[i] ?? '');
    const argument = (): string | null => {
      const value = inline ?? argv[++i];
      if (value !== undefined && value !== '') return value;
      errors.push(`BAD_COMMAND_LINE: ${option} needs a value`);
      return null;
    };
    switch (option) {
      case '-h':
      case '--help':
        action = 'help';
        break;
      case '--version':
        if (action === 'run') action = 'version';
        break;
      case '-c':
      case '--config':
      case '--configFile': {
        const file = argument();
        if (file !== null && configFile !== null) errors.push('BAD_COMMAND_LINE: --config stands twice');
        configFile ??= file;
        break;
      }
      case '--set': {
        const assignment = argument();
        if (assignment === null) break;
        const setting = parseAssignment(assignment);
        // The text may hold a secret: it is not repeated.
        if (setting === null) errors.push('BAD_COMMAND_LINE: --set needs KEY=VALUE');
        else settings.push(setting);
        break;
      }
      default:
        // A forgotten --set: what stands behind the = may be a secret.
        errors.push(`BAD_COMMAND_LINE: ${option.replace(/=.*$/s, '')} is not an option; see --help`);
    }
  }
  return { action, configFile, settings, errors };
}

function splitOption(argument: string): readonly [option: string, inline: string | undefined] {
  const equals = argument.indexOf('=');
  if (!argument.startsWith('--') || equals < 0) return [argument, undefined];
  return [argument.slice(0, equals), argument.slice(equals + 1)];
}

function parseAssignment(assignment: string): Setting | null {
  const equals = assignment.indexOf('=');
  if (equals <= 0) return null;
  return { key: assignment.slice(0, equals).trim(), text: assignment.slice(equals + 1), source: '--set' };
}
