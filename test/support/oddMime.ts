/**
 * Messages whose MIME structure is odd, each for one reason that its name gives.
 *
 * Read by test/imapd/dovecot.test.ts, which asks our server and a private Dovecot for everything that IMAP tells of them, and
 * beside ODD_MESSAGES (oddMessages.ts, octets that must stay) and wire's tables (test/wire/mimeMessages.ts, outlines). Lines
 * are written with LF here and end with CRLF, but where the name says otherwise. One character is one octet.
 */

import { ODD_FIELDS } from './oddFields.ts';
import type { OddMessage } from './oddMessages.ts';

const FROM = 'From: a@b.example\nSubject: odd\n';
const MIXED = 'Content-Type: multipart/mixed; boundary=b\n\n';
const PLAIN = 'Content-Type: text/plain\n\n';
const RFC822 = 'Content-Type: message/rfc822\n\n';

function odd(name: string, text: string): OddMessage {
  return { name, octets: Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1') };
}

/** Multiparts and their boundaries (RFC 2046 section 5.1). */
const MULTIPARTS: readonly OddMessage[] = [
  odd(
    'a boundary with every bchar',
    `Content-Type: multipart/mixed; boundary="'()+_,-./:=? x"\n\n--'()+_,-./:=? x\n${PLAIN}one\n--'()+_,-./:=? x--\n`,
  ),
  odd('a boundary of one dash', `Content-Type: multipart/mixed; boundary=-\n\n---\n${PLAIN}one\n-----\n`),
  odd(
    'a boundary of 70 octets',
    `Content-Type: multipart/mixed; boundary=${'q'.repeat(70)}\n\n--${'q'.repeat(70)}\n${PLAIN}one\n--${'q'.repeat(70)}--\n`,
  ),
  odd(
    'a boundary in single quotes',
    `Content-Type: multipart/mixed; boundary='b'\n\n--'b'\n${PLAIN}one\n--'b'--\n`,
  ),
  odd(
    'a boundary with a comment behind it',
    `Content-Type: multipart/mixed; boundary=b (the end)\n\n--b\n${PLAIN}one\n--b--\n`,
  ),
  odd(
    'a boundary in another case',
    `Content-Type: multipart/mixed; BOUNDARY=bB\n\n--bb\n${PLAIN}no\n--bB\n${PLAIN}one\n--bB--\n`,
  ),
  odd(
    'a boundary with 8-bit octets',
    `Content-Type: multipart/mixed; boundary="\xe4b"\n\n--\xe4b\n${PLAIN}one\n--\xe4b--\n`,
  ),
  odd(
    'a boundary folded away from its type',
    `Content-Type: multipart/mixed;\n\tcharset=utf-8;\n boundary\n =\n "b"\n\n--b\n${PLAIN}one\n--b--\n`,
  ),
  odd(
    'a long preamble',
    `${FROM}${MIXED}${'This is a message in MIME format.\n'.repeat(200)}--b\n${PLAIN}one\n--b--\n`,
  ),
  odd('a long epilogue', `${FROM}${MIXED}--b\n${PLAIN}one\n--b--\n${'after the end\n'.repeat(200)}`),
  odd(
    'an epilogue that looks like a part',
    `${FROM}${MIXED}--b\n${PLAIN}one\n--b--\n--b\n${PLAIN}two\n--b--\n`,
  ),
  odd(
    'a preamble that looks like a header',
    `${FROM}${MIXED}Content-Type: text/html\n\n<p>\n--b\n${PLAIN}one\n--b--\n`,
  ),
  odd('a close-delimiter without line end', `${FROM}${MIXED}--b\n${PLAIN}one\n--b--`),
  odd(
    'a part that is only a header',
    `${FROM}${MIXED}--b\nContent-Type: text/html\nX: y\n--b\n${PLAIN}two\n--b--\n`,
  ),
  odd('a part without blank line before its text', `${FROM}${MIXED}--b\nno header here\nnor here\n--b--\n`),
  odd('parts without header', `${FROM}${MIXED}--b\n\none\n--b\n\ntwo\n--b--\n`),
  odd('a part of one line end', `${FROM}${MIXED}--b\n${PLAIN}\n--b--\n`),
  odd(
    'two kinds of alternatives',
    `${FROM}Content-Type: multipart/alternative; boundary=b\n\n--b\n${PLAIN}one\n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C3=B6</p>\n--b--\n`,
  ),
  odd(
    'related parts with a start',
    `${FROM}Content-Type: multipart/related; boundary=b; type="text/html"; start="<a@b>"\n\n--b\nContent-Type: text/html\nContent-ID: <a@b>\n\n<img src="cid:i@b">\n--b\nContent-Type: image/png\nContent-ID: <i@b>\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--b--\n`,
  ),
  odd(
    'a signed message',
    `${FROM}Content-Type: multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=b\n\n--b\n${PLAIN}one\n\n--b\nContent-Type: application/pgp-signature; name="signature.asc"\n\n-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n--b--\n`,
  ),
  odd(
    'a report with three parts',
    `${FROM}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nIt failed.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b@c\nAction: failed\n\n--b\nContent-Type: text/rfc822-headers\n\nSubject: was\n\n--b--\n`,
  ),
  odd(
    'an unknown multipart',
    `${FROM}Content-Type: multipart/x-unknown; boundary=b\n\n--b\n${PLAIN}one\n--b--\n`,
  ),
  odd(
    'form data',
    `Content-Type: multipart/form-data; boundary=b\n\n--b\nContent-Disposition: form-data; name="a"\n\n1\n--b--\n`,
  ),
  odd(
    'a multipart with a description and a language',
    `${FROM}Content-Description: all of it\nContent-Language: de, en\nContent-Location: http://a/b\nContent-Disposition: inline; x=y\n${MIXED}--b\n${PLAIN}one\n--b--\n`,
  ),
  odd(
    'multiparts side by side with the same boundary',
    `${FROM}${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}1\n--c--\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}2\n--c--\n--b--\n`,
  ),
  odd(
    'three multiparts deep, each with an epilogue',
    `${FROM}${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\npre\n--c\nContent-Type: multipart/mixed; boundary=d\n\n--d\n${PLAIN}1\n--d--\nepi d\n--c--\nepi c\n--b\n${PLAIN}2\n--b--\nepi b\n`,
  ),
  odd(
    'an inner multipart without boundary',
    `${FROM}${MIXED}--b\nContent-Type: multipart/mixed\n\n--c\n\n1\n--c--\n--b\n${PLAIN}2\n--b--\n`,
  ),
  odd(
    'an inner multipart without parts',
    `${FROM}${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\nnothing\n--b\n${PLAIN}2\n--b--\n`,
  ),
  odd(
    'a boundary of an inner part after the end',
    `${FROM}${MIXED}--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}1\n--b--\n--c--\n`,
  ),
  odd('delimiters in text of another multipart', `${FROM}${MIXED}--b\n${PLAIN}> --b\n--c\n--c--\n--b--\n`),
  odd('a delimiter directly behind the header', `${FROM}${MIXED}--b\n\n--b--\n`),
  odd('a thousand parts', `${FROM}${MIXED}${`--b\n${PLAIN}x\n`.repeat(1000)}--b--\n`),
  odd('a hundred levels', nested(100)),
  odd('a hundred and twenty levels', nested(120)),
  odd('levels that are never closed', unclosed(50)),
  odd('boundaries that are prefixes of one another', prefixes(12)),
];

/** Messages in messages and the other message types (RFC 2046 section 5.2). */
const EMBEDDED: readonly OddMessage[] = [
  odd('messages two deep', embedded(2)),
  odd('messages three deep', embedded(3)),
  odd('messages five deep', embedded(5)),
  odd(
    'a message with an attachment in a message',
    `${FROM}${MIXED}--b\n${RFC822}Subject: in\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}text\n--c\nContent-Type: image/png; name=a.png\nContent-Disposition: attachment; filename=a.png\nContent-Transfer-Encoding: base64\n\niVBORw0KGgo=\n--c--\n\n--b--\n`,
  ),
  odd(
    'a message of text beside one of multipart',
    `${FROM}${MIXED}--b\n${RFC822}Subject: text\n\nx\n--b\n${RFC822}Subject: multi\nContent-Type: multipart/mixed; boundary=c\n\n--c\n${PLAIN}1\n--c\n${PLAIN}2\n--c--\n\n--b--\n`,
  ),
  odd('an embedded message without header', `${FROM}${MIXED}--b\n${RFC822}\nonly a body\n--b--\n`),
  odd('an embedded message without body', `${FROM}${MIXED}--b\n${RFC822}Subject: in\n\n--b--\n`),
  odd('an embedded message of no octets', `${FROM}${MIXED}--b\n${RFC822}--b--\n`),
  odd(
    'an embedded message with an mbox line',
    `${FROM}${MIXED}--b\n${RFC822}From x@y Thu Jan 15 10:00:00 2026\nSubject: in\n\nx\n--b--\n`,
  ),
  odd(
    'an embedded message in 8bit',
    `${FROM}${MIXED}--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\nSubject: \xc3\xb6\n\n\xc3\xb6\n--b--\n`,
  ),
  odd(
    'an embedded message in base64 in a multipart',
    `${FROM}${MIXED}--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogaW4NCg0KYm9keQ0K\n--b\n${PLAIN}two\n--b--\n`,
  ),
  odd(
    'an embedded message in uppercase BASE64',
    `${FROM}Content-Type: message/rfc822\nContent-Transfer-Encoding: BASE64\n\nU3ViamVjdDogaW4NCg0K\n`,
  ),
  odd(
    'an embedded message with parameters',
    `${FROM}${MIXED}--b\nContent-Type: MESSAGE/RFC822; name="in.eml"\nContent-Disposition: attachment; filename="in.eml"\nContent-Description: was sent\n\nSubject: in\n\nx\n--b--\n`,
  ),
  odd(
    'part one of a partial message',
    `${FROM}Content-Type: message/partial; id="a@b"; number=1; total=3\n\nSubject: whole\nContent-Type: text/plain\n\nfirst\n`,
  ),
  odd(
    'an external body with a phantom',
    `${FROM}Content-Type: message/external-body; access-type=URL; URL="http://a/b"; size=3\n\nContent-Type: image/png\nContent-ID: <a@b>\n\nphantom\n`,
  ),
  odd(
    'a delivery status with three blocks',
    `${FROM}Content-Type: message/delivery-status\n\nReporting-MTA: dns; a\n\nFinal-Recipient: rfc822; b@c\n\nFinal-Recipient: rfc822; d@e\n`,
  ),
  odd(
    'a disposition notification',
    `${FROM}Content-Type: message/disposition-notification\n\nReporting-UA: x\nDisposition: manual-action/MDN-sent-manually; displayed\n`,
  ),
  odd('message without subtype', `${FROM}Content-Type: message\n\nSubject: in\n\nx\n`),
  odd('an unknown message type', `${FROM}Content-Type: message/x-unknown\n\nSubject: in\n\nx\n`),
  odd(
    'a digest of three',
    `${FROM}Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: 1\n\none\n--b\nContent-Type: text/plain\n\ntwo\n--b\nX: y\n\nSubject: 3\nContent-Type: text/html\n\nthree\n--b--\n`,
  ),
  odd(
    'a digest whose part has no blank line',
    `${FROM}Content-Type: multipart/digest; boundary=b\n\n--b\nSubject: 1\n\none\n--b--\n`,
  ),
  odd(
    'a digest in a digest',
    `${FROM}Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: in\nContent-Type: multipart/digest; boundary=c\n\n--c\n\nSubject: 1\n\none\n--c--\n\n--b--\n`,
  ),
  odd(
    'a multipart in a digest',
    `${FROM}Content-Type: multipart/digest; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\none\n--c--\n\n--b--\n`,
  ),
  odd('a message cut off in its embedded header', `${FROM}${MIXED}--b\n${RFC822}Subject: in\nTo: a@`),
];

function nested(depth: number): string {
  let text = `${PLAIN}at the bottom\n`;
  for (let level = 0; level < depth; level += 1) {
    text = `Content-Type: multipart/mixed; boundary="level${level}x"\n\n--level${level}x\n${text}\n--level${level}x--\n`;
  }
  return FROM + text;
}

function unclosed(depth: number): string {
  const levels = Array.from(
    { length: depth },
    (_, level) => `Content-Type: multipart/mixed; boundary=u${level}x\n\n--u${level}x\n`,
  );
  return `${FROM}${levels.join('')}${PLAIN}at the bottom\n`;
}

/** Each boundary is the next one's beginning: b, bb, bbb. */
function prefixes(depth: number): string {
  let text = `${PLAIN}at the bottom\n`;
  for (let level = depth; level > 0; level -= 1) {
    const boundary = 'b'.repeat(level);
    text = `Content-Type: multipart/mixed; boundary=${boundary}\n\n--${boundary}\n${text}\n--${boundary}--\n`;
  }
  return FROM + text;
}

function embedded(depth: number): string {
  let text = `Subject: level 0\n${MIXED}--b\n${PLAIN}at the bottom\n--b\nContent-Type: image/png\n\nx\n--b--\n`;
  for (let level = 1; level < depth; level += 1) {
    text = `Subject: level ${level}\nFrom: l${level}@b\nContent-Type: multipart/mixed; boundary=e${level}x\n\n--e${level}x\n${PLAIN}above\n--e${level}x\n${RFC822}${text}\n--e${level}x--\n`;
  }
  return `${FROM}${RFC822}${text}`;
}

/** All of them, those of oddFields.ts too. */
export const ODD_MIME: readonly OddMessage[] = [...MULTIPARTS, ...EMBEDDED, ...ODD_FIELDS];
