/**
 * IMAP sessions of commands with octets changed, lost, doubled and put in, cut anywhere and dropped at will: no error is
 * logged, no session stays, and a session beside them is served. The seed is fixed; FUZZ_SEED and FUZZ_ROUNDS change the run.
 */

import { Writable } from 'node:stream';

import t from 'tap';

import { createLog } from '../../src/base/log.ts';
import { ADDRESS, openImapSite, RawClient } from '../imapd/harness.ts';
import { randomNumbers } from '../support/randomNumbers.ts';
import type { Below } from '../support/randomNumbers.ts';

const SEED = Number(process.env.FUZZ_SEED ?? 3501);
const ROUNDS = Number(process.env.FUZZ_ROUNDS ?? 150);

const COMMANDS = [
  'a APPEND INBOX (\\Seen kw) " 1-Jan-2024 01:02:03 +0000" {34+}\r\nSubject: one\r\n\r\nLOGOUT\r\n1 LOGOUT\r\n',
  'a APPEND INBOX {18+}\r\nSubject: two\r\n\r\nx\n',
  'a EXAMINE Trash',
  'a FETCH 1:* (UID FLAGS ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS ({7+}\r\nsubject)] BODY[]<1.5>)',
  'a FETCH 1 (RFC822 BODY[1.2.MIME] BODY[1]<0.100> BODY[TEXT])',
  'a UID SEARCH CHARSET UTF-8 OR SUBJECT {3+}\r\ntwo TEXT "logout"',
  'a SEARCH NOT (SINCE 1-Jan-2024 OR FROM a TO b) 1:* KEYWORD x',
  'a UID STORE 1:2 +FLAGS.SILENT (\\Deleted)',
  'a STORE * FLAGS (a b)',
  'a COPY 1 Sent',
  'a UID MOVE 1:2 Trash',
  'a IDLE\r\nDONE',
  'a UID EXPUNGE 1:*',
  'a LIST (SUBSCRIBED RECURSIVEMATCH) "" (INBOX "E*") RETURN (CHILDREN STATUS (MESSAGES RECENT))',
  'a LSUB "" "%"',
  'a CREATE "Entw&APw-rfe/x"',
  'a RENAME "Entw&APw-rfe" b',
  'a DELETE b/x',
  'a RENAME INBOX c',
  'a ID ("name" "x")',
  'a AUTHENTICATE PLAIN\r\n*',
  'a CLOSE',
];
const PIECES = [
  ' ',
  '(',
  ')',
  '{1}\r\n',
  '{2+}\r\n',
  '"',
  '\\',
  '*',
  '%',
  '[',
  '<',
  '1:*',
  'NIL',
  '\0',
  '\xff',
  '\r\n',
];

function mutated(command: string, below: Below): string {
  let text = command;
  for (let count = below(3); count > 0; count -= 1) {
    const at = below(text.length + 1);
    const kind = below(4);
    const head = text.slice(0, at);
    if (kind === 0) text = head + String.fromCharCode(below(256)) + text.slice(at + 1);
    else if (kind === 1) text = head + text.slice(at + below(4));
    else if (kind === 2) text = head + (PIECES[below(PIECES.length)] ?? '') + text.slice(at);
    else text = head + text.slice(below(at + 1), at) + text.slice(at);
  }
  return text;
}

t.test(`sessions of broken commands break nothing (seed ${SEED})`, async (t) => {
  const logged: string[] = [];
  const sink = new Writable({
    write: (chunk, _encoding, done) => {
      logged.push(String(chunk));
      done();
    },
  });
  const site = await openImapSite(t, { log: createLog(sink, 'warn') });
  const canary = await site.selected();
  const below = randomNumbers(SEED);
  for (let round = 0; round < ROUNDS; round += 1) {
    const commands = Array.from({ length: 12 }, () => mutated(COMMANDS[below(COMMANDS.length)] ?? '', below));
    const input = [`l LOGIN ${ADDRESS} secret`, 's SELECT INBOX', ...commands, '']
      .slice(below(3))
      .join('\r\n');
    const client = await RawClient.connect(t, site.port);
    const cut = below(input.length);
    client.send(input.slice(0, cut));
    await new Promise((resolve) => setImmediate(resolve));
    if (below(4) === 0) client.socket.destroy();
    else client.socket.end(Buffer.from(input.slice(cut), 'latin1'));
    await client.closed();
    t.same(logged.splice(0), [], `round ${round}: ${JSON.stringify(input)}`);
  }
  while (site.imapd.sessionCount > 1) await new Promise((resolve) => setImmediate(resolve));
  t.match((await canary.command('NOOP')).at(-1), /^t3 OK/);
});
