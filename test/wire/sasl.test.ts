/**
 * Tests of wire/sasl: base64.ts, credentialText.ts, mechanism.ts with plain.ts and login.ts.
 *
 * Errors are written as `offset expected`.
 */

import fc from 'fast-check';
import t from 'tap';

import { WireError } from '../../src/base/error.ts';
import { decodeInitialResponse, decodeResponse, encodeChallenge } from '../../src/wire/sasl/base64.ts';
import { formatCramChallenge, parseCramAnswer } from '../../src/wire/sasl/cramMd5.ts';
import { decodeCredentialText } from '../../src/wire/sasl/credentialText.ts';
import type { SaslStep } from '../../src/wire/sasl/exchange.ts';
import { createExchange, findMechanism } from '../../src/wire/sasl/mechanism.ts';
import type { SaslMechanism } from '../../src/wire/sasl/mechanism.ts';

/** The example of RFC 2195 section 2. */
const CHALLENGE = '<1896.697170952@postoffice.reston.mci.net>';
const DIGEST = 'b913a602c7eda7a495b4e6e7334d3890';

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function attempt<Value>(run: () => Value): Value | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof WireError) return `${error.offset} ${error.expected}`;
    throw error;
  }
}

function show(step: SaslStep): string {
  if (step.kind === 'challenge') return `challenge ${step.challenge.toString('latin1')}`;
  const { authorizationId, authenticationId, password } = step.credentials;
  return `credentials ${[authorizationId, authenticationId, password].join('|')}`;
}

/** What each message of the client brings; the first is the initial response, undefined for none. */
function exchange(
  mechanism: SaslMechanism,
  [initial, ...responses]: readonly (string | undefined)[],
): string[] {
  const machine = createExchange(mechanism);
  const shown = [attempt(() => show(machine.start(initial === undefined ? undefined : latin1(initial))))];
  for (const response of responses) shown.push(attempt(() => show(machine.respond(latin1(response ?? '')))));
  return shown;
}

t.test('base64 of a response is strict', async (t) => {
  const cases: readonly [line: string, expected: string][] = [
    ['', ''],
    ['AA==', '\0'],
    ['AGE=', '\0a'],
    ['AGFi', '\0ab'],
    ['+/+/', '\xfb\xff\xbf'],
    ['*', 'cancel'],
    ['=', '1 base64 with its padding'],
    ['A', '1 base64 with its padding'],
    ['AA', '2 base64 with its padding'],
    ['AAA', '3 base64 with its padding'],
    ['AA=', '3 base64 with its padding'],
    ['AB==', '4 base64 with its padding'],
    ['AAAA=', '5 base64 with its padding'],
    ['AAAA====', '4 base64'],
    ['AAA=BBB', '3 base64'],
    ['=AAA', '0 base64'],
    ['AA-_', '2 base64'],
    ['AAAA ', '4 base64'],
    [' AAAA', '0 base64'],
    ['AA\r\nAA', '2 base64'],
    ['**', '0 base64'],
    ['AA\xff=', '2 base64'],
  ];
  for (const [line, expected] of cases) {
    const found = attempt(() => {
      const response = decodeResponse(latin1(line));
      return response.kind === 'cancel' ? 'cancel' : response.octets.toString('latin1');
    });
    t.equal(found, expected, line);
  }
  t.equal(
    attempt(() => decodeResponse(latin1('A'.repeat(12_288))).kind),
    'response',
    'up to 12,288 octets',
  );
  t.equal(
    attempt(() => decodeResponse(latin1('A'.repeat(12_292))).kind),
    '12288 a shorter response',
  );
});

t.test('an initial response may be empty, which is written as =', async (t) => {
  t.same(decodeInitialResponse(latin1('=')), Buffer.alloc(0));
  t.same(decodeInitialResponse(latin1('AGFi')), latin1('\0ab'));
  t.equal(
    attempt(() => decodeInitialResponse(latin1('*'), 20).length),
    '20 base64',
    'it can not cancel',
  );
  t.equal(
    attempt(() => decodeInitialResponse(latin1('=='), 20).length),
    '22 base64 with its padding',
  );
});

t.test('property: a challenge reads back as a response, and junk throws nothing but WireError', async () => {
  const octets = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(octets, (octets) => {
      const found = decodeResponse(latin1(encodeChallenge(octets)));
      attempt(() => decodeResponse(octets));
      attempt(() => decodeInitialResponse(octets));
      return found.kind === 'response' && found.octets.equals(octets);
    }),
  );
});

t.test('PLAIN takes one message, at once or after an empty challenge', async (t) => {
  t.same(exchange('PLAIN', ['\0tim\0tanstaaf']), ['credentials |tim|tanstaaf']);
  t.same(exchange('PLAIN', [undefined, '\0tim\0tanstaaf']), ['challenge ', 'credentials |tim|tanstaaf']);
  t.same(exchange('PLAIN', ['Ursel\0Kurt\0xipj3plmq']), ['credentials Ursel|Kurt|xipj3plmq']);
  t.same(exchange('PLAIN', ['\0u\0p\xc3\xa4']), ['credentials |u|pä'], 'UTF-8');
  t.same(exchange('PLAIN', ['\0u\0p\xe4']), ['credentials |u|pä'], 'ISO 8859-1');
  t.same(exchange('PLAIN', ['\0\0']), ['credentials ||'], 'empty ones are for accounts to refuse');
  t.same(exchange('PLAIN', ['']), ['0 UTF8NUL']);
  t.same(exchange('PLAIN', ['\0u']), ['2 UTF8NUL']);
  t.same(exchange('PLAIN', ['u\0p']), ['3 UTF8NUL']);
  t.same(exchange('PLAIN', ['\0u\0p\0']), ['4 passwd without NUL']);
});

t.test('LOGIN asks for the name and then for the password', async (t) => {
  t.same(exchange('LOGIN', [undefined, 'tim', 'secret']), [
    'challenge Username:',
    'challenge Password:',
    'credentials |tim|secret',
  ]);
  t.same(exchange('LOGIN', ['tim', 'secret']), ['challenge Password:', 'credentials |tim|secret']);
  t.same(exchange('LOGIN', ['', 'tim', 'secret']), [
    'challenge Username:',
    'challenge Password:',
    'credentials |tim|secret',
  ]);
  t.same(exchange('LOGIN', [undefined, '', '']), [
    'challenge Username:',
    'challenge Password:',
    'credentials ||',
  ]);
  t.same(exchange('LOGIN', [undefined, 'ti\0m']), ['challenge Username:', '2 text without NUL']);
  t.equal(encodeChallenge(latin1('Username:')), 'VXNlcm5hbWU6');
});

t.test('mechanisms are found in any case', async (t) => {
  t.equal(findMechanism('plain'), 'PLAIN');
  t.equal(findMechanism('Login'), 'LOGIN');
  t.equal(findMechanism('CRAM-MD5'), undefined);
  t.equal(findMechanism(''), undefined);
});

t.test('text of credentials is UTF-8, or else ISO 8859-1', async (t) => {
  t.equal(decodeCredentialText(latin1('\xc3\xa4')), 'ä');
  t.equal(decodeCredentialText(latin1('\xe4')), 'ä');
  t.equal(decodeCredentialText(latin1('\xef\xbb\xbfa')), '\ufeffa', 'nothing is taken away');
  t.equal(decodeCredentialText(latin1('\xc3')), 'Ã');
  t.equal(decodeCredentialText(Buffer.alloc(0)), '');
});

t.test('CRAM-MD5 answers are a name and a digest (RFC 2195)', async (t) => {
  t.equal(formatCramChallenge('1896.697170952', 'postoffice.reston.mci.net'), CHALLENGE);
  const read = (text: string) => {
    const answer = attempt(() => parseCramAnswer(latin1(text)));
    return typeof answer === 'string' ? answer : [answer.authenticationId, answer.digest];
  };
  t.strictSame(read(`tim ${DIGEST}`), ['tim', DIGEST]);
  t.strictSame(read(`Tim Meier ${DIGEST.toUpperCase()}`), ['Tim Meier', DIGEST]);
  t.strictSame(read(`m\xfcller ${DIGEST}`), ['müller', DIGEST]);
  const wrong = [
    '',
    ' ',
    'tim',
    DIGEST,
    ` ${DIGEST}`,
    `tim ${DIGEST}0`,
    `tim ${DIGEST.slice(1)}`,
    `tim ${DIGEST} `,
  ];
  for (const text of wrong) t.match(read(text), /name and digest$/, text);
});
