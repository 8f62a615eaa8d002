/**
 * The command line: finds the verb, checks its arguments, runs it, and turns errors into one sentence and an exit code.
 *
 * Results go to the output stream, everything else to the error stream, so that `--json` output can be piped.
 */

import { parseArgs } from 'node:util';
import { MailError } from '../base/error.ts';
import { visibleText } from './table.ts';
import { EXIT, type ExitCode, type Invocation, UsageError, type CliIo, type Verb } from './verb.ts';

/** How verbs reach operations. */
export interface CliBackend {
  /** Errors: MailError; `Unreachable` when a server is needed and none runs. */
  call(operation: string, input: unknown, configFile: string | undefined): Promise<unknown>;
}

/** Thrown by a backend when the operation needs a running server. */
export class Unreachable extends Error {}

const COMMON_OPTIONS = {
  json: { type: 'boolean' },
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Runs one command line (without node and script). */
export async function runCli(
  argv: readonly string[],
  verbs: readonly Verb[],
  backend: CliBackend,
  io: CliIo,
): Promise<ExitCode> {
  const verb = findVerb(argv, verbs);
  if (verb === undefined) {
    const isHelp = argv.length === 0 || ['help', '--help', '-h'].includes(argv[0] ?? '');
    (isHelp ? io.out : io.err).write(isHelp ? overview(verbs) : unknownVerb(argv, verbs));
    return isHelp ? EXIT.ok : EXIT.usage;
  }
  try {
    return await runVerb(verb, argv.slice(verb.words.length), backend, io);
  } catch (error) {
    return reportError(error, verb, io);
  }
}

/** `hauspost NOUN VERB ARGUMENTS` with options, as help shows it. */
export function usageLine(verb: Verb): string {
  const options = Object.entries(verb.options).map(([name, option]) =>
    option.type === 'string' ? `[--${name} VALUE]` : `[--${name}]`,
  );
  return ['hauspost', ...verb.words, verb.usage, ...options].filter((part) => part !== '').join(' ');
}

function findVerb(argv: readonly string[], verbs: readonly Verb[]): Verb | undefined {
  return verbs.find((verb) => verb.words.every((word, index) => argv[index] === word));
}

async function runVerb(
  verb: Verb,
  rest: readonly string[],
  backend: CliBackend,
  io: CliIo,
): Promise<ExitCode> {
  const { values, positionals } = parse(verb, rest);
  if (values.help === true) {
    io.out.write(verbHelp(verb));
    return EXIT.ok;
  }
  checkArguments(verb, positionals);
  const isJson = values.json === true;
  const configFile = typeof values.config === 'string' ? values.config : undefined;
  const invocation: Invocation = {
    args: positionals,
    options: values,
    isJson,
    io,
    call: (operation, input) => backend.call(operation, input, configFile),
    answer: (result, show) => {
      io.out.write(isJson ? `${JSON.stringify(result, null, 2)}\n` : visibleText(show(result)));
    },
  };
  return verb.run(invocation);
}

function parse(verb: Verb, rest: readonly string[]) {
  try {
    return parseArgs({
      args: [...rest],
      options: { ...verb.options, ...COMMON_OPTIONS },
      allowPositionals: true,
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function checkArguments(verb: Verb, positionals: readonly string[]): void {
  const words = verb.usage.split(' ').filter((word) => word !== '');
  const required = words.filter((word) => !word.startsWith('[')).length;
  const isOpen = words.some((word) => word.endsWith('...') || word.endsWith('...]'));
  if (positionals.length < required)
    throw new UsageError(`${words[positionals.length]?.replace('...', '')} is missing`);
  if (!isOpen && positionals.length > words.length)
    throw new UsageError(`"${positionals[words.length]}" is one argument too many`);
}

function reportError(error: unknown, verb: Verb, io: CliIo): ExitCode {
  if (error instanceof UsageError) {
    io.err.write(`hauspost ${verb.words.join(' ')}: ${error.message}\nusage: ${usageLine(verb)}\n`);
    return EXIT.usage;
  }
  if (error instanceof Unreachable) {
    io.err.write(`hauspost ${verb.words.join(' ')}: ${error.message}\n`);
    return EXIT.unreachable;
  }
  if (error instanceof MailError) {
    io.err.write(`hauspost ${verb.words.join(' ')}: ${visibleText(error.message)}\n`);
    return EXIT.failed;
  }
  throw error;
}

function overview(verbs: readonly Verb[]): string {
  const width = Math.max(...verbs.map((verb) => [...verb.words, verb.usage].join(' ').length));
  const lines = verbs.map(
    (verb) => `  ${[...verb.words, verb.usage].join(' ').padEnd(width)}  ${verb.summary}`,
  );
  return `usage: hauspost VERB [ARGUMENTS] [--json] [--config FILE]\n\n${lines.join('\n')}\n\nhauspost VERB --help shows a verb's options.\n`;
}

function verbHelp(verb: Verb): string {
  const names = Object.keys(verb.options);
  const width = Math.max(6, ...names.map((name) => name.length));
  const lines = [
    ...names.map((name) => `  --${name.padEnd(width)}  ${verb.optionHelp[name] ?? ''}`),
    `  --${'json'.padEnd(width)}  The result as JSON.`,
    `  --${'config'.padEnd(width)}  The configuration file.`,
  ];
  return `usage: ${usageLine(verb)}\n\n${verb.summary}\n\n${lines.join('\n')}\n`;
}

function unknownVerb(argv: readonly string[], verbs: readonly Verb[]): string {
  const siblings = verbs.filter((verb) => verb.words[0] === argv[0]).map((verb) => verb.words.join(' '));
  const hint =
    siblings.length > 0 ? `did you mean: ${siblings.join(', ')}?` : 'hauspost help lists the verbs.';
  return `hauspost: "${argv.slice(0, 2).join(' ')}" is no verb; ${hint}\n`;
}
