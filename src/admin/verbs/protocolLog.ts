/**
 * `hauspost protocol-log on|off|status|show`: what a program and the server say to each other, for a time.
 *
 * `on`, `off`, `status` and `show --follow` talk to the running server; `show` reads the files, with or without a server.
 */

import { once } from 'node:events';
import { userInfo } from 'node:os';

import { MailError } from '../../base/error.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/units.ts';
import { AddressRanges } from '../../net/addressRange.ts';
import type { FaultyConfig, LoadedConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problems.ts';
import { WATCH_LIMIT_MS } from '../protocolLog/limits.ts';
import { formatLine, type ProtocolLine } from '../protocolLog/line.ts';
import { protocolLogDirectory } from '../protocolLog/logFiles.ts';
import type { ProtocolLogStatus } from '../protocolLog/protocolLog.ts';
import { type LineFilter, lineFilter, readLog } from '../protocolLog/readLog.ts';
import type { FollowedLines } from '../protocolLog/recentLines.ts';
import type { Watch } from '../protocolLog/watches.ts';
import { formatWatch } from '../protocolLog/watchText.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { given, listOption, textOption } from './read.ts';

type Load = (file: string | undefined) => LoadedConfig | FaultyConfig;

const UNITS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS };
const ADDRESS_HELP = 'An address or a range, as 192.0.2.7 or 192.0.2.0/24.';

/** The verbs about the protocol log; `load` finds the data directory for those that read files. */
export function protocolLogVerbs(load: Load): readonly Verb[] {
  return [
    {
      words: ['protocol-log', 'on'],
      usage: '',
      summary:
        'Writes down, for a time, every line of the sessions of an account or an address; secrets are masked.',
      options: {
        account: { type: 'string' },
        address: { type: 'string' },
        all: { type: 'boolean' },
        protocol: { type: 'string' },
        for: { type: 'string' },
      },
      optionHelp: {
        account: 'Sessions that log in, or try to, by a name of this account.',
        address: `Sessions that come from here. ${ADDRESS_HELP}`,
        all: 'All sessions.',
        protocol: 'Only these, comma-separated: smtp, pop3, imap.',
        for: `How long, as 90s, 30m or 2h; 1h unless given, ${WATCH_LIMIT_MS / HOUR_MS}h at most. A restart ends it sooner.`,
      },
      run: runOn,
    },
    {
      words: ['protocol-log', 'off'],
      usage: '[ID]',
      summary: 'Ends the watch of this number, or all of them. What was written stays.',
      options: {},
      optionHelp: {},
      run: runOff,
    },
    {
      words: ['protocol-log', 'status'],
      usage: '',
      summary: 'Says which watches are on, and where the files are.',
      options: {},
      optionHelp: {},
      run: async (invocation) => {
        const status = (await invocation.call('server.protocolLog.status', {})) as ProtocolLogStatus;
        invocation.answer(status, showStatus);
        return EXIT.ok;
      },
    },
    {
      words: ['protocol-log', 'show'],
      usage: '',
      summary: 'Shows what was written down, oldest first; with --json, one object a line.',
      options: {
        account: { type: 'string' },
        address: { type: 'string' },
        session: { type: 'string' },
        follow: { type: 'boolean' },
      },
      optionHelp: {
        account: 'Sessions of this account only.',
        address: `Sessions from here only. ${ADDRESS_HELP}`,
        session: 'This session only.',
        follow:
          'Shows what comes from now on, until Ctrl-C; with --account, from the login on where an address is watched.',
      },
      run: (invocation) => (invocation.options.follow === true ? follow(invocation) : show(invocation, load)),
    },
  ];
}

async function runOn(invocation: Invocation) {
  const account = textOption(invocation, 'account');
  const address = checkedRange(textOption(invocation, 'address'));
  const isAll = invocation.options.all === true;
  if ([account !== undefined, address !== undefined, isAll].filter(Boolean).length !== 1)
    throw new UsageError('one of --account, --address and --all has to be given');
  const watch = (await invocation.call('server.protocolLog.on', {
    ...given('account', account),
    ...given('address', address),
    ...(isAll ? { all: true } : {}),
    ...given('protocols', protocolsOption(invocation)),
    ...given('durationMs', durationOption(invocation)),
    by: userName(invocation.io),
  })) as Watch;
  invocation.answer(
    watch,
    (on) =>
      `${formatWatch(on)}\nSessions that are open already are not heard. hauspost protocol-log show reads it.\n`,
  );
  return EXIT.ok;
}

async function runOff(invocation: Invocation) {
  const [text] = invocation.args;
  if (text !== undefined && !/^[0-9]{1,9}$/.test(text))
    throw new UsageError(`"${text}" is no number of a watch; hauspost protocol-log status shows them`);
  const id = text === undefined ? undefined : Number(text);
  const input = { ...given('id', id), by: userName(invocation.io) };
  const ended = (await invocation.call('server.protocolLog.off', input)) as readonly Watch[];
  invocation.answer(ended, (watches) =>
    watches.length === 0
      ? 'No such watch was on.\n'
      : watches.map((watch) => `Off: ${formatWatch(watch)}\n`).join(''),
  );
  return ended.length === 0 && id !== undefined ? EXIT.failed : EXIT.ok;
}

function showStatus({ watches, sessions, droppedLines, directory }: ProtocolLogStatus): string {
  const on =
    watches.length === 0 ? 'No watch is on.\n' : watches.map((watch) => `${formatWatch(watch)}\n`).join('');
  const dropped =
    droppedLines === 0 ? '' : `${droppedLines} lines were dropped: the disk was too slow or took nothing.\n`;
  return `${on}${dropped}${sessions} sessions are heard now.\nFiles: ${directory}\n`;
}

async function show(invocation: Invocation, load: Load) {
  const loaded = load(textOption(invocation, 'config'));
  if (loaded.kind === 'faulty') throw new MailError('invalid', loaded.problems.map(formatProblem).join('\n'));
  const directory = protocolLogDirectory(loaded.config.server.dataDirectory);
  let count = 0;
  for await (const line of readLog(directory, filterOf(invocation))) {
    count += 1;
    if (!(await print(invocation, line))) return EXIT.ok;
  }
  if (count > 0) return EXIT.ok;
  invocation.io.err.write(
    'Nothing of that is in the protocol log; hauspost protocol-log on switches it on.\n',
  );
  return EXIT.failed;
}

/** Ends with the server, or with whoever reads our output. */
async function follow(invocation: Invocation) {
  const { learn, wants } = lineFilter(filterOf(invocation));
  let place: number | undefined;
  for (;;) {
    const input = given('place', place);
    const { lines, next, missed } = (await invocation.call(
      'server.protocolLog.follow',
      input,
    )) as FollowedLines;
    place = next;
    if (missed > 0)
      invocation.io.err.write(`${missed} lines came too fast to be followed; the files have them.\n`);
    for (const line of lines) {
      learn(line);
      if (wants(line) && !(await print(invocation, line))) return EXIT.ok;
    }
    if (!invocation.io.out.writable) return EXIT.ok;
  }
}

/** False where nobody reads any more. */
async function print({ io: { out }, isJson }: Invocation, line: ProtocolLine): Promise<boolean> {
  const text = isJson ? `${JSON.stringify(line)}\n` : formatLine(line);
  if (!out.writable) return false;
  if (!out.write(text)) await Promise.race([once(out, 'drain'), once(out, 'close')]).catch(() => {});
  return out.writable;
}

function filterOf(invocation: Invocation): LineFilter {
  return {
    account: textOption(invocation, 'account')?.toLowerCase(),
    address: checkedRange(textOption(invocation, 'address')),
    session: textOption(invocation, 'session'),
  };
}

function checkedRange(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    new AddressRanges([text]);
    return text;
  } catch (error) {
    throw new UsageError(`--address: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function protocolsOption(invocation: Invocation): readonly string[] | undefined {
  const names = listOption(invocation, 'protocol');
  const isRight = names?.every((name) => ['smtp', 'pop3', 'imap'].includes(name)) && names.length > 0;
  if (names !== undefined && !isRight)
    throw new UsageError('--protocol: allowed: smtp, pop3, imap, comma-separated');
  return names && [...new Set(names)];
}

function durationOption(invocation: Invocation): number | undefined {
  const text = textOption(invocation, 'for');
  if (text === undefined) return undefined;
  const [, count, unit = ''] = /^([1-9][0-9]{0,5})([smh])$/.exec(text) ?? [];
  const durationMs = Number(count) * (UNITS[unit] ?? 0);
  if (count === undefined || durationMs > WATCH_LIMIT_MS)
    throw new UsageError(
      `--for: found "${text}"; allowed: a time like 90s, 30m or 2h, up to ${WATCH_LIMIT_MS / HOUR_MS}h`,
    );
  return durationMs;
}

/** Who asks, for the log: whoever can reach the control socket is an administrator, and says this of himself. */
function userName({ environment }: Invocation['io']): string {
  const sudoer = environment.SUDO_USER;
  try {
    const { username } = userInfo();
    return sudoer === undefined ? username : `${sudoer} as ${username}`;
  } catch {
    return 'a user without a name';
  }
}
