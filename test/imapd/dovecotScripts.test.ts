/** The transcripts of test/scripts/imap, played against a private Dovecot as they are played against our server (sessions.test.ts). */

import { readdirSync, readFileSync } from 'node:fs';

import t from 'tap';

import { openDovecot } from '../support/dovecot.ts';
import { peerTest } from '../support/peers.ts';
import { replay } from './dovecotReplay.ts';

const SCRIPTS = new URL('../scripts/imap/', import.meta.url);

/** Transcripts that Dovecot does not play, and why. */
const NOT_REPLAYED: Readonly<Record<string, string>> = {
  login: 'Dovecot’s imap program, which is what runs here, has logged in beforehand',
  quota: 'its quotas are a plugin’s, which a private Dovecot does not have',
  condstore: 'its mod-sequences are other numbers, and UID comes with them only under QRESYNC',
  binary: 'its encodings are odd on purpose, and Dovecot fails wholly where they are not exact',
};

/** How far Dovecot's mod-sequences are behind ours: messages that were put in beforehand are one change to it. */
const MODSEQ_LAG: Readonly<Record<string, number>> = { qresync: 7 };

const names = readdirSync(SCRIPTS).map((file) => file.replace(/\.txt$/, ''));

function read(name: string): string {
  return readFileSync(new URL(`${name}.txt`, SCRIPTS), 'utf8');
}

for (const name of names) {
  if (NOT_REPLAYED[name] !== undefined) continue;
  void peerTest(t, ['dovecot'], `Dovecot answers the transcript ${name} as it says`, async (t) => {
    t.same(await replay(withLag(read(name), MODSEQ_LAG[name] ?? 0), openDovecot(t)), []);
  });
}

/** The transcript with the mod-sequences that Dovecot counts; what never was one (of 17 digits and more) stays. */
function withLag(text: string, lag: number): string {
  return text.replace(
    /((?:CHANGEDSINCE|HIGHESTMODSEQ|MODSEQ) \(?)(\d{1,9})\b/g,
    (_match, start: string, number: string) => {
      return `${start}${Math.max(1, Number(number) - lag)}`;
    },
  );
}

function isMarked(line = ''): boolean {
  return /^[CSX]\d?[dh][:+]/.test(line);
}

t.test('lines that are one server’s alone have a reason above them', async (t) => {
  for (const name of names) {
    const lines = read(name).split('\n');
    const bare = lines.flatMap((line, index) => {
      if (!isMarked(line)) return [];
      const before = lines.slice(0, index).findLastIndex((text) => !text.startsWith('#'));
      const hasReason = lines.slice(before + 1, index).some((text) => text.startsWith('# Dovecot: '));
      return hasReason || isMarked(lines[before]) ? [] : [`${name}.txt:${index + 1}: ${line}`];
    });
    t.same(bare, []);
  }
});

t.test('docs/DOVECOT.md lists the reasons, and the transcripts that Dovecot does not play', async (t) => {
  const text = readFileSync(new URL('../../docs/DOVECOT.md', import.meta.url), 'utf8');
  const [, section = ''] = /## What is answered in sessions\n([\s\S]*)$/.exec(text) ?? [];
  const listed = [...section.matchAll(/^- (?:`(\w+)`: )?(.*)$/gm)].map(([, name, reason]) => [name, reason]);
  const reasons = new Set(
    names.flatMap((name) => [...read(name).matchAll(/^# Dovecot: (.*)$/gm)].map(([, why]) => why)),
  );
  t.same(
    listed.filter(([name]) => name === undefined).map(([, reason]) => reason),
    [...reasons].sort(),
  );
  t.same(Object.fromEntries(listed.filter(([name]) => name !== undefined)), NOT_REPLAYED);
});
