/** What is handed in everywhere: errors and their documentation, ids, log, clock. */

import { readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { systemClock, unixMs } from '../../src/base/clock.ts';
import { asMailError, documentErrors, MAIL_ERRORS, MailError, WireError } from '../../src/base/error.ts';
import { newTraceId, parseTraceId } from '../../src/base/ids.ts';
import { createLog } from '../../src/base/log.ts';

t.test(
  'every error code answers temporary faults with 4yz and permanent ones with 5yz, in one line of plain text',
  async (t) => {
    for (const [code, { isTemporary, smtp, imap, publicText }] of Object.entries(MAIL_ERRORS)) {
      t.equal(Math.floor(smtp.code / 100), isTemporary ? 4 : 5, code);
      t.equal(smtp.status.charAt(0), isTemporary ? '4' : '5', code);
      t.match(smtp.status, /^[45]\.\d{1,3}\.\d{1,3}$/, code);
      t.match(publicText, /^[\x20-\x7e]+$/, code);
      t.equal(imap.condition, 'NO', code);
    }
  },
);

t.test('docs/ERRORS.md holds every error as the table has it', async (t) => {
  const text = readFileSync(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8');
  t.ok(text.includes(documentErrors()), 'run `npm run docs` and commit the result');
});

t.test('an unknown error counts as temporary and keeps its cause; a MailError stays itself', async (t) => {
  const cause = new TypeError('x is not a function');
  t.match(asMailError(cause), { code: 'internal', cause });
  t.match(asMailError('words'), { code: 'internal', message: 'words' });
  const known = new MailError('diskFull');
  t.equal(asMailError(known), known);
  t.match(new WireError(3, 'nz-number'), { offset: 3, message: 'expected nz-number at octet 3' });
});

t.test('trace ids sort by time, differ at the same time, and are read back in any case', async (t) => {
  const early = newTraceId(unixMs(1_700_000_000_000));
  const late = newTraceId(unixMs(1_700_000_000_001));
  t.ok(early < late);
  t.match(early, /^[0-9A-HJKMNP-TV-Z]{20}$/);
  t.not(newTraceId(unixMs(5)), newTraceId(unixMs(5)));
  t.equal(parseTraceId(early.toLowerCase()), early);
  t.equal(parseTraceId('a@example.com'), undefined);
});

t.test('the log writes an event with its fields as one JSON line, and only up to its level', async (t) => {
  const stream = new PassThrough();
  const log = createLog(stream, 'info');
  const session = log.with({ session: 7 });
  session.debug('a.b.c');
  session.info('smtpd.session.open', { remote: '127.0.0.1\r\nx', error: new MailError('diskFull') });
  log.setLevel('debug');
  session.debug('d.e.f');
  const lines = stream
    .read()
    .toString()
    .trim()
    .split('\n')
    .map((line: string) => JSON.parse(line));
  t.match(lines, [
    {
      level: 'info',
      event: 'smtpd.session.open',
      session: 7,
      remote: '127.0.0.1\r\nx',
      error: { code: 'diskFull' },
    },
    { level: 'debug', event: 'd.e.f', session: 7 },
  ]);
});

t.test('sleeping ends by its signal', async (t) => {
  const controller = new AbortController();
  const sleeping = systemClock.sleep(60_000, controller.signal);
  controller.abort(new MailError('shuttingDown'));
  await t.rejects(sleeping, { code: 'shuttingDown' });
  await t.rejects(systemClock.sleep(60_000, controller.signal), { code: 'shuttingDown' });
});
