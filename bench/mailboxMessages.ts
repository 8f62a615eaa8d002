/**
 * Messages for bench/: of about 5 to 10 KB, each another, in the shapes that mail of companies has: plain text, text beside
 * HTML, attachments, inline pictures, a forwarded message. The same number gives the same octets.
 */

/** What exactly one message in a thousand says, for a search that finds few. */
export const RARE_WORD = 'Zwetschgenkuchen';

const WORDS =
  'the invoice for your order has been sent to our warehouse and will be paid within thirty days of delivery please see below'.split(
    ' ',
  );

/** Message number `index`, from 0. */
export function mailboxMessage(index: number): Buffer {
  const random = randomFrom(index + 1);
  const boundary = `----=_Part_${index}_${Math.floor(random() * 1e9)}`;
  const [type, body] = bodyOf(index, random, boundary);
  const header = [
    `Return-Path: <orders-${index % 97}@example.org>`,
    `Received: from mail-${index % 7}.example.org (mail.example.org [192.0.2.${index % 250}]) by mx.example.com`,
    '\twith ESMTPS id 4XyZ; Mon, 23 Nov 2026 10:00:00 +0000',
    `From: =?utf-8?Q?M=C3=BCller=2C_${WORDS[index % WORDS.length]}?= <orders-${index % 97}@example.org>`,
    `To: "Desk, ${index % 13}" <desk-${index % 13}@app.example.com>, archive@app.example.com`,
    ...(index % 3 === 0 ? [`Cc: team-${index % 5}@example.com, "A. B." <ab@example.net>`] : []),
    `Subject: Order ${index} ${words(random, 6)}`,
    `Date: Mon, ${1 + (index % 28)} Nov 2026 10:${String(index % 60).padStart(2, '0')}:00 +0100`,
    `Message-ID: <${index}.${Math.floor(random() * 1e12)}@mail.example.org>`,
    ...(index % 4 === 0 ? [`In-Reply-To: <${index - 1}.1@mail.example.org>`] : []),
    'MIME-Version: 1.0',
    `X-Mailer: Example Mailer ${index % 11}.0`,
    type,
    '',
    '',
  ];
  return Buffer.from(header.join('\r\n') + body, 'latin1');
}

function bodyOf(index: number, random: () => number, boundary: string): [type: string, body: string] {
  const rare = index % 1000 === 500 ? `${RARE_WORD}\r\n` : '';
  const plain = `${PLAIN_HEADER}\r\n\r\n${rare}${text(random, 2500 + random() * 1500)}`;
  const html = `${HTML_HEADER}\r\n\r\n<html><body>${text(random, 3000 + random() * 2000)}</body></html>\r\n`;
  const multipart = (kind: string, parts: readonly string[], name = boundary): [string, string] => [
    `Content-Type: multipart/${kind}; boundary="${name}"`,
    `${parts.map((part) => `--${name}\r\n${part}\r\n`).join('')}--${name}--\r\n`,
  ];
  const nested = ([type, body]: [string, string]) => `${type}\r\n\r\n${body}`;
  switch (index % 5) {
    case 0:
      return [PLAIN_HEADER, `${rare}${text(random, 5000 + random() * 4000)}`];
    case 1:
    case 2:
      return multipart('alternative', [plain, html]);
    case 3:
      return multipart('mixed', [
        nested(multipart('alternative', [plain, html], `${boundary}_a`)),
        attachment(random, `order ${index}.pdf`, 1500 + random() * 1500),
      ]);
    default: {
      const forwarded = `From: a@example.net\r\nTo: b@example.net\r\nSubject: ${words(random, 4)}\r\n${plain}`;
      return multipart('mixed', [plain, `Content-Type: message/rfc822\r\n\r\n${forwarded}`]);
    }
  }
}

const PLAIN_HEADER = 'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 8bit';
const HTML_HEADER = 'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable';

function attachment(random: () => number, name: string, octets: number): string {
  const data = Buffer.from(Array.from({ length: octets }, () => Math.floor(random() * 256)));
  const lines = data.toString('base64').replace(/.{76}/g, '$&\r\n');
  return [
    `Content-Type: application/pdf; name="${name}"`,
    `Content-Disposition: attachment; filename="${name}"; size=${data.length}`,
    'Content-Transfer-Encoding: base64',
    'Content-ID: <part@example.org>',
    '',
    lines,
  ].join('\r\n');
}

function text(random: () => number, octets: number): string {
  let written = '';
  while (written.length < octets) written += `${words(random, 12)}\r\n`;
  return written;
}

function words(random: () => number, count: number): string {
  return Array.from({ length: count }, () => WORDS[Math.floor(random() * WORDS.length)]).join(' ');
}

/** Park and Miller's generator: the same numbers on every machine. */
function randomFrom(seed: number): () => number {
  let state = (seed * 48_271) % 2_147_483_647;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}
