/** `npm run demo` as a person sees it: it shows itself, its printed curl line works, Ctrl-C ends it and leaves nothing behind. */

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { peerTest, runProgram, startProgram } from '../support/peers.ts';

t.setTimeout(300_000);

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

await peerTest(
  t,
  ['curl', 'sh'],
  'the demo shows mail in and out, and serves until it is told to stop',
  async (t) => {
    const temporary = mkdtempSync(join(tmpdir(), 'hauspost-test-'));
    t.teardown(() => rmSync(temporary, { recursive: true, force: true }));
    const demo = await startProgram(process.execPath, [MAIN, 'demo'], {
      deadlineMs: 250_000,
      env: { TMPDIR: temporary, TEMP: temporary },
    });
    await demo.waitFor(/Ctrl-C ends the demo/);
    const printed = demo.printed();
    t.match(printed, /Took in 12 messages \(28\.7 MB\) by SMTP with TLS in \d/);
    t.match(printed, /Fetched 13 copies \(28\.7 MB\) by POP3 with TLS in \d/);
    t.match(printed, /Fetched 13 copies \(28\.7 MB\) by IMAP with TLS in \d/);
    const lines = printed.split('\n').map((line) => line.trim());
    for (const scheme of ['imaps', 'pop3s']) {
      const line = lines.find(
        (candidate) =>
          candidate.startsWith('curl') &&
          candidate.includes(`${scheme}:`) &&
          /MAILINDEX|\/1$/.test(candidate),
      );
      const { exitCode, stdout } = await runProgram('sh', ['-c', line ?? 'false']);
      t.equal(exitCode, 0, line ?? 'no such line');
      t.match(stdout.toString('latin1'), /^Return-Path: <[\s\S]*X-OriginatorOrg: example\.com/);
    }
    demo.signal('SIGINT');
    t.equal((await demo.ended).exitCode, 0);
    t.strictSame(readdirSync(temporary), []);
  },
);
