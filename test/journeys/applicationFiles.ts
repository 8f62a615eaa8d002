/**
 * Files as applications write them into pickup directories: shells, Python, PHP, PowerShell, .NET, programs for IIS and for Exchange;
 * how each gets there, and what has to arrive of it, octet for octet.
 */

import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock } from '../../src/base/clock.ts';
import { runProgram } from '../support/peers.ts';

/** The pickup directories that the files are for, with what is set of each beside its name and path. */
export const DIRECTORIES = {
  scripts: '',
  dotnet: 'preset = "dotnet"',
  framework: 'preset = "dotnet"',
  iis: 'preset = "iis"',
  exchange: 'preset = "exchange"',
  replay: 'preset = "replay"\nsenders = ["local", "elsewhere.example"]',
} as const;

/** One file, and what has to come of it. */
export interface ApplicationFile {
  /** Unique; its Subject and the beginning of its Message-ID. */
  readonly key: string;
  /** Programs that write it; none where the test writes what such a program would. */
  readonly programs: readonly string[];
  readonly directory: keyof typeof DIRECTORIES;
  write(directory: string): Promise<unknown>;
  readonly reversePath: string;
  /** Everybody who gets it, local accounts (APP, TWO) and others. */
  readonly recipients: readonly string[];
  /** The message behind our trace fields. */
  readonly message: string;
}

/** The account that sends. */
export const APP = 'app@app.example.com';
/** The other account here. */
export const TWO = 'two@app.example.com';
const PARTNER = 'sales@partner.example';
const HIDDEN = 'hidden@partner.example';

const fieldsOf = (key: string) => [
  `Subject: ${key}`,
  'Date: Sat, 28 Nov 2026 10:00:00 +0000',
  `Message-ID: <${key}@app.example.com>`,
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
];
const BODY = ['', 'Grüße, 12 €', '.one dot', '..two dots', 'From here', 'last line', ''];
/** As SMTP would have it: every line with a dot in front has one more. */
const STUFFED_BODY = BODY.map((line) => (line.startsWith('.') ? `.${line}` : line));

const lines = (...parts: readonly (readonly string[])[]) => parts.flat().join('\r\n');
const toLineFeeds = (text: string) => text.replaceAll('\r\n', '\n');

/** A message with From and To in its header and nothing that is taken out. */
const plain = (key: string, to: readonly string[] = [TWO]) =>
  lines([`From: App <${APP}>`, `To: ${to.join(', ')}`], fieldsOf(key), BODY);

const SLOW_PYTHON = `
import sys, time
octets = sys.stdin.buffer.read()
with open(sys.argv[1] + "/slow.eml", "wb", buffering=0) as file:
    for begin in range(0, len(octets), 120):
        file.write(octets[begin:begin + 120])
        time.sleep(0.15)
`;
const REPLACING_PYTHON = `
import os, sys, tempfile
with tempfile.NamedTemporaryFile(dir=sys.argv[1], suffix=".tmp", delete=False) as file:
    file.write(sys.stdin.buffer.read())
os.replace(file.name, sys.argv[1] + "/replaced.eml")
`;

async function run(program: string, args: readonly string[], stdin: string): Promise<void> {
  const { exitCode, stderr } = await runProgram(program, args, { stdin });
  if (exitCode !== 0) throw new Error(`${program}: ${stderr.toString()}`);
}

const byShell = (script: string, key: string) => (directory: string) =>
  run('sh', ['-c', script, 'sh', directory], toLineFeeds(plain(key)));

/** As .NET writes: the file is made, and grows in view. */
async function growInView(path: string, octets: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    const middle = octets.length / 2;
    await file.write(octets.slice(0, middle));
    await systemClock.sleep(100);
    await file.write(octets.slice(middle));
  } finally {
    await file.close();
  }
}

/** The recipient of Bcc stands in X-Receiver alone. */
function dotnetFile(
  key: string,
  directory: 'dotnet' | 'framework',
  body: readonly string[],
): ApplicationFile {
  const header = [`Sender: ${APP}`, `From: "Zwei" <${TWO}>`, `To: ${TWO}`, ...fieldsOf(key)];
  const envelope = [`X-Sender: ${APP}`, `X-Receiver: "Zwei" <${TWO}>`, `X-Receiver: ${HIDDEN}`];
  return {
    key,
    programs: [],
    directory,
    write: (path) =>
      growInView(join(path, '0b3f0a5e-6f1c-4c3f-9d0a-3d7a1c2b4e5f.eml'), lines(envelope, header, body)),
    reversePath: APP,
    recipients: [TWO, HIDDEN],
    message: lines(header, BODY),
  };
}

/** Every file. */
export const APPLICATION_FILES: readonly ApplicationFile[] = [
  {
    key: 'shell-renames',
    programs: ['sh', 'cat', 'mv'],
    directory: 'scripts',
    write: byShell('cat > "$1/x.tmp" && mv "$1/x.tmp" "$1/renamed.EML"', 'shell-renames'),
    reversePath: APP,
    recipients: [TWO],
    message: plain('shell-renames'),
  },
  {
    key: 'shell-appends',
    programs: ['sh'],
    directory: 'scripts',
    write: byShell(
      'while IFS= read -r line; do printf "%s\\n" "$line" >> "$1/appended.eml"; done',
      'shell-appends',
    ),
    reversePath: APP,
    recipients: [TWO],
    message: plain('shell-appends'),
  },
  {
    key: 'python-writes-slowly',
    programs: ['python3'],
    directory: 'scripts',
    write: (directory) =>
      run('python3', ['-c', SLOW_PYTHON, directory], plain('python-writes-slowly', [APP, TWO, PARTNER])),
    reversePath: APP,
    recipients: [APP, TWO, PARTNER],
    message: plain('python-writes-slowly', [APP, TWO, PARTNER]),
  },
  {
    key: 'python-replaces',
    programs: ['python3'],
    directory: 'scripts',
    write: (directory) => run('python3', ['-c', REPLACING_PYTHON, directory], plain('python-replaces')),
    reversePath: APP,
    recipients: [TWO],
    message: plain('python-replaces'),
  },
  {
    key: 'php-puts-contents',
    programs: ['php'],
    directory: 'scripts',
    write: (directory) =>
      run(
        'php',
        ['-r', 'file_put_contents($argv[1] . "/php.eml", file_get_contents("php://stdin"));', directory],
        toLineFeeds(plain('php-puts-contents')),
      ),
    reversePath: APP,
    recipients: [TWO],
    message: plain('php-puts-contents'),
  },
  {
    key: 'powershell-redirects',
    programs: [],
    directory: 'scripts',
    write: (directory) =>
      writeFile(join(directory, 'powershell.eml'), `\ufeff${plain('powershell-redirects')}`, 'utf16le'),
    reversePath: APP,
    recipients: [TWO],
    message: plain('powershell-redirects'),
  },
  {
    key: 'bcc-in-a-header',
    programs: [],
    directory: 'scripts',
    write: (directory) => {
      const header = [`From: ${APP}`, `To: ${TWO}`, `Bcc: Hidden <${HIDDEN}>,`, `\t${APP}`];
      return writeFile(join(directory, 'bcc.eml'), lines(header, fieldsOf('bcc-in-a-header'), BODY));
    },
    reversePath: APP,
    recipients: [TWO, HIDDEN, APP],
    message: lines([`From: ${APP}`, `To: ${TWO}`], fieldsOf('bcc-in-a-header'), BODY),
  },
  dotnetFile('dotnet-raw', 'dotnet', BODY),
  dotnetFile('dotnet-framework-stuffed', 'framework', STUFFED_BODY),
  {
    key: 'iis-stuffed',
    programs: [],
    directory: 'iis',
    write: (directory) => {
      const envelope = [`x-sender: ${APP}`, `x-receiver: ${TWO}`, `x-receiver: ${PARTNER}`];
      const header = ['From: nobody@app.example.com', 'To: nobody@elsewhere.example'];
      const octets = lines(envelope, header, fieldsOf('iis-stuffed'), STUFFED_BODY, ['.', '']);
      return writeFile(join(directory, 'message.txt'), octets.replace(/\r\n\r\n\.\r\n$/, '\r\n.\r\n'));
    },
    reversePath: APP,
    recipients: [TWO, PARTNER],
    message: lines(
      ['From: nobody@app.example.com', 'To: nobody@elsewhere.example'],
      fieldsOf('iis-stuffed'),
      BODY,
    ),
  },
  {
    key: 'exchange-cleans-up',
    programs: [],
    directory: 'exchange',
    write: (directory) => {
      const header = [
        'Received: from old.example by older.example; Fri, 27 Nov 2026 10:00:00 +0000',
        `From: ${APP}`,
      ];
      return writeFile(
        join(directory, 'exported.eml'),
        lines(header, [`To: ${TWO}`], fieldsOf('exchange-cleans-up'), BODY),
      );
    },
    reversePath: APP,
    recipients: [TWO],
    message: lines([`From: ${APP}`, `To: ${TWO}`], fieldsOf('exchange-cleans-up'), BODY),
  },
  {
    key: 'exchange-replays',
    programs: [],
    directory: 'replay',
    write: (directory) => {
      const envelope = [
        `X-Sender: <${APP}> BODY=8BITMIME RET=HDRS ENVID=abc123 auth=<>`,
        `X-Receiver: <${TWO}> NOTIFY=NEVER`,
        `\tORcpt=rfc822;${TWO}`,
        'X-CreatedBy: MSExchange15',
        'X-HeloDomain: old.example',
      ];
      const header = [
        'Received: from a.example by b.example; Fri, 27 Nov 2026 10:00:00 +0000',
        'From: x@elsewhere.example',
      ];
      return writeFile(
        join(directory, 'replayed.eml'),
        lines(envelope, header, [`To: ${APP}`], fieldsOf('exchange-replays'), BODY),
      );
    },
    reversePath: APP,
    recipients: [TWO],
    message: lines(
      [
        'Received: from a.example by b.example; Fri, 27 Nov 2026 10:00:00 +0000',
        'From: x@elsewhere.example',
        `To: ${APP}`,
      ],
      fieldsOf('exchange-replays'),
      BODY,
    ),
  },
];
