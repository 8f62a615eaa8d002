/** What of messages is searched, and how it is compared: decoded texts, folding, needles across pieces. */

import fc from 'fast-check';
import t from 'tap';

import { createFolder, foldCase } from '../../src/search/foldCase.ts';
import { holds, NeedleSearch } from '../../src/search/needles.ts';
import { trigramsOf } from '../../src/search/trigrams.ts';
import { threadMs } from '../support/threadTime.ts';
import { bodyHolds, find, headerHolds, openSearchSite, textHolds } from './site.ts';

const KIB = 1024;

t.test('texts are found decoded, wherever a reader would see them', async (t) => {
  const site = await openSearchSite(t);
  const latin = (text: string) => Buffer.from(text, 'latin1');
  const messages: readonly (string | Buffer)[] = [
    // 0: quoted-printable, with a soft line break within a word
    'Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=\r\nadel Stra=DFe=20\r\n',
    // 1: base64 in lines that cut characters in two
    `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${wrapped('Grüße aus dem Süden 😀')}`,
    // 2: UTF-16
    `Content-Type: text/plain; charset=utf-16le\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from('Übergabe', 'utf16le').toString('base64')}`,
    // 3: HTML as it stands
    'Content-Type: text/html\r\n\r\n<p class="wichtig">Rech<b>nung</b> &uuml;ber</p>\r\n',
    // 4: NUL and octets that are no UTF-8
    latin('Content-Type: text/plain; charset=utf-8\r\n\r\nvor\0nach \xff\xfeMitte \xe4 Ende\r\n'),
    // 5: raw 8-bit text without a charset
    latin('Subject: Bestellung f\xfcr M\xfcller\r\n\r\nk\xf6nnen wir\r\n'),
    // 6: encoded words: folded, joined, of two charsets
    'Subject: =?utf-8?q?B=C3=BC?=\r\n =?utf-8?q?cher?= und\r\n\t=?iso-8859-1?b?TORuZGVy?=\r\n\r\nx\r\n',
    // 7: an embedded message's header and text, and an attachment
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n' +
      'Subject: =?utf-8?q?Weiterleitung_f=C3=BCr?=\r\n Anna\r\n\r\ninnen drin\r\n--b\r\n' +
      'Content-Type: application/octet-stream\r\n\r\nangehängt\r\n--b--\r\n',
    // 8: encodings that break off, and one that nobody knows
    'Content-Type: text/plain; charset=x-unbekannt\r\nContent-Transfer-Encoding: base64\r\n\r\nSGFsbG8gV2Vsd=!\r\n',
    // 9: no header at all
    '\r\nnur Text\r\n',
    // 10: nothing
    '',
    // 11: Japanese in ISO-2022-JP
    latin('Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n\x1b$B$3$s$K$A$O\x1b(B\r\n'),
    // 12: an encoded word that joins with the next line, which is no part of the field
    'Subject: =?utf-8?q?halb_=C3?=\r\n=?utf-8?q?=A4?=\r\n\r\n',
  ];
  const contents = await site.put(...messages);
  const cases: readonly (readonly [string, ReturnType<typeof bodyHolds>, readonly number[]])[] = [
    ['across a soft line break', bodyHolds('naadel straße'), [0]],
    ['base64 in UTF-8, without case', bodyHolds('GRÜSSE AUS'.replace('SS', 'ß')), [1]],
    ['an emoji', bodyHolds('😀'), [1]],
    ['UTF-16', bodyHolds('übergabe'), [2]],
    ['HTML with its tags', bodyHolds('Rech<b>nung'), [3]],
    ['an attribute of HTML', bodyHolds('class="wichtig"'), [3]],
    ['behind NUL', bodyHolds('nach'), [4]],
    ['behind octets that are no UTF-8', bodyHolds('ende'), [4]],
    ['raw 8-bit text', bodyHolds('können'), [5]],
    ['raw 8-bit header', textHolds('für Müller'), [5]],
    ['encoded words that are neighbours', headerHolds('subject', 'bücher und länder'), [6]],
    ['the same in the whole message', textHolds('bücher und länder'), [6]],
    ['a header is not the body', bodyHolds('bücher'), []],
    ['an embedded header across its fold', bodyHolds('weiterleitung für anna'), [7]],
    ['an embedded header is no field of the message', headerHolds('subject', 'weiterleitung'), []],
    ['an embedded text', bodyHolds('innen drin'), [7]],
    ['an attachment holds no text', textHolds('angehängt'), []],
    ['base64 that breaks off', bodyHolds('Hallo Wel'), [8]],
    ['a body without header', textHolds('nur text'), [9]],
    ['Japanese', bodyHolds('にちは'), [11]],
    ['nothing is held by everything', textHolds(''), messages.map((_message, at) => at)],
    ['a field that is there', headerHolds('subject', ''), [5, 6, 12]],
    ['a field that joins with what is behind it', headerHolds('subject', 'halb \ufffd'), [12]],
    ['the same in the whole message', textHolds('halb ä'), [12]],
    ['decomposed letters', bodyHolds('Gru\u0308ße'), [1]],
  ];
  for (const settings of [{ isIndexed: false }, { isIndexed: true }]) {
    const room = site.open(settings);
    if (settings.isIndexed) await room.bringIndexUpToDate();
    for (const [name, question, expected] of cases) {
      t.same(await find(room, question, contents), expected, `${name}, index ${settings.isIndexed}`);
    }
    await room.close();
  }
});

t.test('a needle is found across the pieces of a large message', async (t) => {
  const site = await openSearchSite(t);
  const room = site.open();
  const piece = 256 * KIB;
  const header = 'Content-Type: text/plain; charset=utf-8\r\n\r\n';
  // The store's pieces end at multiples of 256 KiB: one ends within the needle, one within its ü, one between u and its dots.
  const across = (word: string, cut: number) => {
    const octets = Buffer.alloc(piece + 100, 'x');
    octets.write(header);
    octets.write(word, piece - cut);
    return octets;
  };
  const long = `lang${'er'.repeat(60)}!`;
  const contents = await site.put(
    across('Nadelöhr', 3),
    across('Grüße', 3),
    across('Gru\u0308ße', 3),
    across('Gru\u0308ße', 4),
    across(long, 40),
  );
  t.same(await find(room, bodyHolds('nadelöhr'), contents), [0]);
  t.same(await find(room, bodyHolds('grüße'), contents), [1, 2, 3]);
  t.same(await find(room, bodyHolds(long), contents), [4]);
  t.same(await find(room, bodyHolds(long.replace('!', '?')), contents), []);
});

t.test('folding gives the same for a text whole and in pieces', async (_t) => {
  const letters = fc.constantFrom(
    ...'aAßẞıİiIςσΣéÉ',
    'e\u0301',
    '\u0301',
    '\u0323',
    '\u1112',
    '\u1161',
    '\u11ab',
    '😀',
    '\u{16d67}',
    '\u212b',
  );
  const text = fc.array(fc.oneof(letters, fc.string({ unit: 'grapheme' })), { maxLength: 40 });
  fc.assert(
    fc.property(text, fc.array(fc.nat(50)), (parts, cuts) => {
      const folder = createFolder();
      let folded = '';
      let group: string[] = [];
      for (const [at, part] of parts.entries()) {
        group.push(part);
        if (!cuts.includes(at)) continue;
        folded += folder.push(group.join(''));
        group = [];
      }
      folded += folder.push(group.join('')) + folder.end();
      return folded === foldCase(parts.join(''));
    }),
    { seed: 3, numRuns: 2_000 },
  );
});

t.test('every character that can join the one before it is kept with it', async (t) => {
  const apart: string[] = [];
  for (let code = 0; code < 0x110000; code += 1) {
    const character = String.fromCodePoint(code);
    const parts = Array.from(character.normalize('NFD'));
    const last = parts.pop();
    if (parts.length === 0 || last === undefined || (code >= 0xd800 && code < 0xe000)) continue;
    const folder = createFolder();
    const pieces = folder.push(parts.join('').normalize('NFC')) + folder.push(last) + folder.end();
    if (pieces !== foldCase(character)) apart.push(code.toString(16));
  }
  t.same(apart, []);
});

t.test('a needle is found in pieces exactly where it is found in the whole', async (_t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 200 });
  const needle = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 50 });
  fc.assert(
    fc.property(text, fc.array(needle, { maxLength: 4 }), fc.array(fc.nat(200)), (whole, needles, cuts) => {
      const search = new NeedleSearch(needles);
      search.begin();
      let from = 0;
      for (const cut of [...cuts.sort((one, other) => one - other), whole.length]) {
        search.add(whole.slice(from, cut));
        from = Math.max(from, cut);
      }
      return needles.every(
        (one) => search.found.has(one) === whole.includes(one) && holds(whole, one) === whole.includes(one),
      );
    }),
    { seed: 3, numRuns: 3_000 },
  );
});

t.test('a needle of one letter repeated costs no more than its length and the text’s', async (t) => {
  const text = 'a'.repeat(1_000_000);
  const needle = `${'a'.repeat(50_000)}b${'a'.repeat(50_000)}`;
  const started = threadMs();
  t.notOk(holds(text, needle));
  // Length times length would be 5 * 10^10 steps.
  t.ok(threadMs() - started < 5_000);
});

t.test('what holds a needle holds its trigrams', async (t) => {
  const letters = fc.constantFrom('a', 'b', '"', '\0', 'ß', '\u0301', '😀', '\ufffe', '한', '\ufeff', ' ');
  const text = fc.string({ unit: letters, maxLength: 30 });
  fc.assert(
    fc.property(text, text, text, (before, needle, after) => {
      const all = new Set(trigramsOf(before + needle + after));
      return (
        before.length + needle.length + after.length > 16 || trigramsOf(needle).every((one) => all.has(one))
      );
    }),
    { seed: 3 },
  );
  t.same(trigramsOf('ab'), []);
  t.same(trigramsOf('😀😀'), []);
  t.equal(trigramsOf('the quick brown fox jumps over the lazy dog').length, 16);
});

function wrapped(text: string): string {
  return Buffer.from(text).toString('base64').replace(/.{7}/g, '$&\r\n');
}
