/** Whole IMAP sessions over sockets and the real store, as transcripts under test/scripts/imap. */

import t from 'tap';

import { playScript } from './harness.ts';

const SCRIPTS = [
  'states',
  'login',
  'mailboxes',
  'fetch',
  'store',
  'append',
  'binary',
  'search',
  'esearch',
  'searchres',
  'sort',
  'thread',
  'enable',
  'status',
  'condstore',
  'qresync',
  'savedate',
  'preview',
];

for (const name of SCRIPTS) {
  t.test(`the transcript ${name} goes as written`, async (t) => {
    await playScript(t, name, { appendLimitOctets: 1000 });
  });
}
