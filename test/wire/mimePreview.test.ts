/** Previews: the first words of messages as a reader sees them (RFC 8970), in src/wire/mime/preview.ts and the text of HTML. */

import fc from 'fast-check';
import t from 'tap';

import { decodeEntities } from '../../src/wire/mime/htmlEntities.ts';
import { htmlText } from '../../src/wire/mime/htmlText.ts';
import { PREVIEW_CHARACTERS, previewOf, previewSources } from '../../src/wire/mime/preview.ts';
import { walkMessage } from '../../src/wire/mime/walker.ts';
import { threadMs } from '../support/threadTime.ts';

function preview(message: string | Buffer): string {
  const octets = Buffer.from(message);
  for (const source of previewSources(walkMessage(octets).structure)) {
    const { bodyStart } = source.part;
    const found = previewOf(source, octets.subarray(bodyStart, bodyStart + source.sourceOctets));
    if (found !== '') return found;
  }
  return '';
}

function plain(text: string, fields = ''): string {
  return `Content-Type: text/plain; charset=utf-8\r\n${fields}\r\n${text}`;
}

function html(text: string): string {
  return `Content-Type: text/html; charset=utf-8\r\n\r\n${text}`;
}

function multipart(subtype: string, ...parts: readonly string[]): string {
  const body = parts.map((part) => `--b\r\n${part}\r\n`).join('');
  return `Content-Type: multipart/${subtype}; boundary=b\r\n\r\npreamble\r\n${body}--b--\r\n`;
}

const ATTACHED = 'Content-Disposition: attachment; filename=x.txt\r\n';

t.test('the preview is the first text, white space made one space', async (t) => {
  const cases: readonly [message: string, expected: string][] = [
    ['Subject: x\r\n\r\nHello   world\r\n\r\n\tSecond\x0c line \0\r\n', 'Hello world Second line'],
    ['Subject: x\r\n\r\n', ''],
    ['Subject: only a header', ''],
    [plain('\u00a0\u3000 \ufeffGr\u00fc\u00dfe'), 'Gr\u00fc\u00dfe'],
    [
      plain('J=C3=BCrgen sch=\r\nreibt', 'Content-Transfer-Encoding: quoted-printable\r\n'),
      'J\u00fcrgen schreibt',
    ],
    [plain(Buffer.from('Bücher').toString('base64'), 'Content-Transfer-Encoding: base64\r\n'), 'B\u00fccher'],
    ['Content-Type: image/png\r\n\r\nabc', ''],
    [multipart('mixed', plain('attached', ATTACHED), plain('body')), 'body'],
    [multipart('mixed', plain('attached', ATTACHED)), ''],
    [multipart('alternative', plain('plain'), html('<p>html</p>')), 'plain'],
    [multipart('alternative', plain(' \r\n'), html('<p>html</p>')), 'html'],
    [multipart('mixed', 'Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR', plain('come')), 'come'],
    [multipart('mixed', multipart('related', html('deep')).replaceAll(/--b|=b/g, '$&b')), 'deep'],
    [multipart('digest', 'Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nforwarded'), 'forwarded'],
    [multipart('encrypted', 'Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1'), ''],
    [plain('-----BEGIN PGP MESSAGE-----\r\n\r\nabc'), ''],
    [
      plain('On Monday A wrote:\r\n> a question\r\n>> older\r\n\r\nThe answer'),
      'On Monday A wrote: The answer',
    ],
    [plain('> only\r\n> > quoted > text'), 'only quoted > text'],
    [html('<blockquote>theirs<blockquote>x</blockquote></blockquote><p>mine</p>'), 'mine'],
    [html('</blockquote><blockquote>theirs</blockquote>'), 'theirs'],
  ];
  for (const [message, expected] of cases) t.equal(preview(message), expected, JSON.stringify(message));
  const latin = Buffer.concat([
    Buffer.from('Content-Type: text/plain; charset=iso-8859-1\r\n\r\n'),
    Buffer.from('na\xefve', 'latin1'),
  ]);
  t.equal(preview(latin), 'na\u00efve');
});

t.test('HTML becomes the text that it shows', async (t) => {
  const cases: readonly [html: string, expected: string][] = [
    [
      '<html><head><title>T</title><style>p { color: red }</style></head><body>A<script>if (a < b) x("</p>")</script>B',
      'A B',
    ],
    [
      '<p>One&nbsp;two</p><p>Three &auml;&#8364;&#x20AC;&amp;amp; <b>bo</b>ld<br>x</p>',
      'One two Three ä€€&amp; bold x',
    ],
    ['a<!-- <p>not</p> -->b<!DOCTYPE x>c<?xml y?>d', 'abcd'],
    ['<!--[if mso]><p>Outlook</p><![endif]--><![if !mso]>others<![endif]>', 'others'],
    ['1 < 2 & 3 > 2 <3', '1 < 2 & 3 > 2 <3'],
    ["<a title=\"a > b\" href='x>y'>link</a> it's <b class=don't>fine</b>", "link it's fine"],
    ['<td>a</td><td>b</td><li>c<li>d', 'a b c d'],
    ['<STYLE>x</Style >a<TITLE/>b', 'a b'],
    ['a<style>never closed', 'a'],
    ['a<p never closed', 'a'],
    ['a<p title="never closed>b</p>', 'a'],
    ['a<!-- never closed', 'a'],
    ['&#0;&#xD800;&#1114112;&#128;&bogus;&amp', '\ufffd\ufffd\ufffd€&bogus;&'],
    ['&auml &copy2 &AMP;', 'ä &copy2 &'],
  ];
  for (const [source, expected] of cases) t.equal(preview(html(source)), expected, source);
  t.equal(htmlText('a<blockquote>b</blockquote>c', 100, false), 'a b c');
  t.equal(decodeEntities('&szlig;&yuml;&nbsp;&bdquo;'), 'ßÿ\u00a0„');
});

t.test('a preview ends at 200 characters, and no character is cut in two', async (t) => {
  t.equal(PREVIEW_CHARACTERS, 200);
  t.equal([...preview(plain('😀'.repeat(300)))].length, 200);
  t.equal(preview(plain('ab '.repeat(100))), 'ab '.repeat(67).slice(0, 200).trim());
  const long = plain(`${'> quoted\r\n'.repeat(3000)}answer`);
  t.match(preview(long), /^quoted quoted/, 'an answer too far below is not looked for');
  const cut = plain(`${' '.repeat(16 * 1024 - 1)}ä`);
  t.equal(preview(cut), '', 'the half of a character is none');
  t.equal(preview(html(`<style>${'x'.repeat(60_000)}</style>text`)), 'text', 'below a long style sheet');
  t.equal(preview(html(`${'<b></b>'.repeat(1_900)}text`)), 'text');
  t.equal(preview(html(`${'<b></b>'.repeat(2_100)}text`)), '', 'behind more tags than anybody writes');
  t.equal(preview(html(`<style>${'x'.repeat(70_000)}</style>text`)), '');
  const texts = Array.from({ length: 5 }, (_none, index) => plain(index === 4 ? 'fifth' : ''));
  t.equal(preview(multipart('mixed', ...texts)), '', 'no more than four texts are read');
});

t.test('what has no width is kept within a word only, and nothing turns the writing round', async (t) => {
  t.equal(preview(plain('👩\u200d💻 می\u200cخواهم')), '👩\u200d💻 می\u200cخواهم');
  t.equal(preview(html(`Hi${'&#847;&zwnj;&nbsp;'.repeat(90)}there`)), 'Hi there');
  t.equal(preview(plain('so\u00adft \u00ad hyphen')), 'so\u00adft hyphen');
  t.equal(preview(plain('\u200b\u034fa\u202eb\u2066c\u200b')), 'abc');
});

t.test(
  'property: any HTML gives a preview within the limit, the same each time, in linear time',
  async () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '"',
      "'",
      '=',
      '<!--',
      '-->',
      '<style>',
      '</style>',
      '<p a="',
      '&#',
      ';',
      'x',
      ' ',
    );
    const documents = fc.array(fc.oneof(pieces, fc.string({ unit: 'binary' })), { maxLength: 200 });
    fc.assert(
      fc.property(documents, (parts) => {
        const message = html(parts.join(''));
        const found = preview(message);
        return (
          [...found].length <= PREVIEW_CHARACTERS && found === preview(message) && found === found.trim()
        );
      }),
      { seed: 8970, numRuns: 500 },
    );
    for (const piece of [
      '<',
      '<a ',
      '<!--',
      '<p "',
      '<style>',
      "<p a='",
      '&',
      '&#',
      '</',
      '<blockquote>',
      '\u200b',
      ' ',
    ]) {
      const source = html(piece.repeat(Math.ceil(65_536 / piece.length)));
      const before = threadMs();
      preview(source);
      const tookMs = threadMs() - before;
      if (tookMs > 500) throw new Error(`${piece} took ${tookMs} ms`);
    }
  },
);
