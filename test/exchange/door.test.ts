/** The door for mail from Exchange Online: each level alone and together, each signal once and no more, and what is told and counted. */

import { readFileSync } from 'node:fs';

import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import {
  formatMessageHeader,
  type MessageHeader,
  parseMessageHeader,
  valuesOf,
} from '../../src/wire/mime/messageHeader.ts';
import { headerEnd } from '../../src/wire/mime/header.ts';
import { createDoor, type Door, type DoorOptions } from '../../src/exchange/door.ts';
import { DOOR_LEVELS, type DoorLevel } from '../../src/exchange/doorCounters.ts';
import {
  badCertificate,
  foreignAddress,
  foreignTenant,
  headerTooLong,
  noSignature,
  noTls,
  wrongSecret,
} from '../../src/exchange/doorRefusals.ts';
import type { DoorVisitor } from '../../src/exchange/doorVisitor.ts';
import { DOOR_LEVEL_NAMES } from '../../src/config/listenerKeys.ts';
import { createTestClock, TEST_CLOCK_START } from '../support/clock.ts';
import { createTestResolver, makeSigningKey, signByNodemailer } from '../support/dkimSigner.ts';

const GUIDE = readFileSync(new URL('../../docs/EXCHANGE-DOOR.md', import.meta.url), 'utf8');
const TENANT = '0a1b2c3d-1111-2222-3333-444455556666';
const OTHER = 'ffffffff-1111-2222-3333-444455556666';
const SECRET = 'correct-horse-battery-staple';
const DOMAIN = 'contoso.onmicrosoft.com';
const KEY = makeSigningKey(DOMAIN);
const VISITOR: DoorVisitor = {
  remoteAddress: '40.107.1.2',
  heloName: 'CO1PR03CU002.outbound.protection.outlook.com',
  tls: 'TLSv1.3 TLS_AES_256_GCM_SHA384',
  certificate: { kind: 'proved', name: 'mail.protection.outlook.com' },
};

function openDoor(levels: readonly DoorLevel[], options: Partial<DoorOptions> = {}): Door {
  return createDoor({
    levels,
    isSource: (address) => address.startsWith('40.107.'),
    certificateNames: ['mail.protection.outlook.com'],
    tenantIds: [TENANT.toUpperCase()],
    secretHeader: 'X-App-Relay',
    secrets: [SECRET, 'the-one-before-this-one'],
    dkimDomains: [DOMAIN],
    keyResolver: createTestResolver(KEY),
    clock: createTestClock(),
    ...options,
  });
}

/** What becomes of a message with these fields. */
async function pass(
  door: Door,
  fields: readonly string[],
  visitor: DoorVisitor = VISITOR,
): Promise<{ refusal: MailError | undefined; stored: string; isVouchedFor: boolean }> {
  return passOctets(
    door,
    Buffer.from(`${[...fields, 'From: a@b.example'].join('\r\n')}\r\n\r\nbody\r\n`),
    visitor,
  );
}

async function passOctets(door: Door, message: Buffer, visitor = VISITOR, isWhole = true) {
  const end = headerEnd(message);
  const inspection = door.inspect(visitor);
  const verdict = inspection.header(parseMessageHeader(message.subarray(0, end), isWhole));
  if (verdict instanceof MailError)
    return { refusal: verdict, stored: '', isVouchedFor: inspection.isVouchedFor };
  // As transfer hands them on, and in one piece.
  inspection.octets(message.subarray(0, end - 3));
  inspection.octets(message.subarray(end - 3));
  const refusal = await inspection.end();
  const stored = formatMessageHeader(verdict).toString('latin1');
  return { refusal, stored, isVouchedFor: inspection.isVouchedFor };
}

const crossTenantId = (id: string) => `X-MS-Exchange-CrossTenant-Id: ${id}`;
const ldProcessed = (id: string) => `X-LD-Processed: ${id},ExtAddr`;
const secret = (value: string) => `X-App-Relay: ${value}`;

t.test('without a level everything is let in, and nothing is vouched for', async (t) => {
  const door = openDoor([]);
  t.equal(door.refuseSender({ ...VISITOR, remoteAddress: '192.0.2.1', tls: undefined }), undefined);
  t.match(await pass(door, [crossTenantId(TENANT)]), { refusal: undefined, isVouchedFor: false });
  t.equal(door.asksCertificate, false);
});

t.test('ip and tls are judged at MAIL', async (t) => {
  const ip = openDoor(['ip']);
  t.equal(ip.refuseSender(VISITOR), undefined);
  const foreign = ip.refuseSender({ ...VISITOR, remoteAddress: '40.95.1.1' });
  t.match(foreign?.reply, {
    isTemporary: false,
    smtp: { code: 550, status: '5.7.1' },
    publicText: /40\.95\.1\.1/,
  });
  const tls = openDoor(['tls']);
  t.equal(tls.asksCertificate, true);
  t.equal(tls.refuseSender(VISITOR), undefined);
  t.match(tls.refuseSender({ ...VISITOR, tls: undefined })?.reply.smtp, { code: 530, status: '5.7.0' });
  const certificates = [
    [{ kind: 'absent' }, 550, '5.7.1', /none was presented/],
    [{ kind: 'otherName', subject: 'evil.example' }, 550, '5.7.1', /is of evil\.example/],
    [{ kind: 'unproved', why: 'it has expired on 2026-01-01' }, 451, '4.7.5', /expired on 2026-01-01/],
  ] as const;
  for (const [certificate, code, status, publicText] of certificates)
    t.match(tls.refuseSender({ ...VISITOR, certificate })?.reply, { smtp: { code, status }, publicText });
  t.match(
    openDoor(['ip', 'tls']).refuseSender({ ...VISITOR, remoteAddress: '::1', tls: undefined })?.message,
    /addresses/,
  );
});

t.test('tenant: one field names our tenant, exactly once', async (t) => {
  const cases: [string, readonly string[], boolean][] = [
    ['neither field', [], false],
    ['CrossTenant-Id', [crossTenantId(TENANT)], true],
    ['in capitals', [crossTenantId(TENANT.toUpperCase())], true],
    ['folded', [`X-MS-Exchange-CrossTenant-Id:\r\n ${TENANT}`], true],
    ['another tenant', [crossTenantId(OTHER)], false],
    ['CrossTenant-Id twice', [crossTenantId(TENANT), crossTenantId(TENANT)], false],
    ['CrossTenant-Id twice, of two', [crossTenantId(OTHER), crossTenantId(TENANT)], false],
    ['twice, and X-LD-Processed', [crossTenantId(OTHER), crossTenantId(TENANT), ldProcessed(TENANT)], false],
    ['X-LD-Processed', [ldProcessed(TENANT)], true],
    ['X-LD-Processed of our tenant behind another’s', [crossTenantId(OTHER), ldProcessed(TENANT)], true],
    ['X-LD-Processed twice', [ldProcessed(TENANT), ldProcessed(TENANT)], false],
    [
      'X-LD-Processed twice, and the other',
      [crossTenantId(TENANT), ldProcessed(OTHER), ldProcessed(TENANT)],
      true,
    ],
    ['the id and more', [crossTenantId(`${TENANT} `), 'X: y'], true],
    ['more than the id', [crossTenantId(`${TENANT}x`)], false],
    ['X-OriginatorOrg alone', [`X-OriginatorOrg: ${DOMAIN}`], false],
  ];
  for (const [what, fields, isLetIn] of cases) {
    const { refusal, isVouchedFor } = await pass(openDoor(['tenant']), fields);
    t.equal(refusal === undefined, isLetIn, what);
    t.equal(isVouchedFor, isLetIn, what);
    if (refusal !== undefined) t.match(refusal.reply, { smtp: { code: 550, status: '5.7.1' } }, what);
  }
  const { refusal } = await pass(openDoor(['tenant']), [
    crossTenantId(OTHER),
    ldProcessed(TENANT),
    ldProcessed(TENANT),
  ]);
  t.match(
    refusal?.reply.publicText,
    `X-MS-Exchange-CrossTenant-Id of ${OTHER}, X-LD-Processed more than once`,
  );
});

t.test('secret: either of two values, exactly once, and it never goes on', async (t) => {
  const cases: [readonly string[], boolean][] = [
    [[secret(SECRET)], true],
    [[secret('the-one-before-this-one')], true],
    [[`x-aPP-rELAY:${SECRET}`], true],
    [[`X-App-Relay:\r\n\t${SECRET}`], true],
    [[], false],
    [[secret('')], false],
    [[secret(`${SECRET}x`)], false],
    [[secret(SECRET.toUpperCase())], false],
    [[secret(SECRET), secret(SECRET)], false],
    [[secret('guess'), secret(SECRET)], false],
  ];
  for (const [fields, isLetIn] of cases) {
    const { refusal, stored } = await pass(openDoor(['secret']), fields);
    t.equal(refusal === undefined, isLetIn, fields.join());
    t.notMatch(stored, /app-relay/i);
    t.notMatch(`${refusal?.message}${refusal?.reply.publicText}`, new RegExp(`${SECRET}|guess`, 'i'));
  }
});

t.test(
  'the secret’s field is taken out where its level is not set, every one of them, and nothing else is',
  async (t) => {
    const kept = [
      'X-MS-Exchange-Inbox-Rules-Loop: a@b.example',
      'X-App-Relay-2: x',
      `X-Odd :  two\r\n\tlines`,
    ];
    const { stored } = await pass(openDoor([]), [
      kept[0] ?? '',
      secret('one'),
      kept[1] ?? '',
      secret('two'),
      kept[2] ?? '',
    ]);
    t.equal(stored, `${kept.join('\r\n')}\r\nFrom: a@b.example\r\n\r\n`);
    const plain = await pass(openDoor([], { secretHeader: undefined }), [secret('one')]);
    t.match(plain.stored, /X-App-Relay: one/);
  },
);

t.test('new secrets count from the next message on', async (t) => {
  const door = openDoor(['secret']);
  door.setSecrets(['quite-another-value']);
  t.match((await pass(door, [secret(SECRET)])).refusal, { code: 'policyRefused' });
  t.equal((await pass(door, [secret('quite-another-value')])).refusal, undefined);
});

t.test('dkim: a signature of the tenant that passes, found while the octets pass', async (t) => {
  const message = Buffer.from('From: a@b.example\r\nTo: c@d.example\r\nSubject: s\r\n\r\nbody\r\n');
  const signed = await signByNodemailer(message, KEY);
  const withSecret = Buffer.concat([Buffer.from(`${secret(SECRET)}\r\n`), signed]);
  const good = await passOctets(openDoor(['dkim']), withSecret);
  t.match(good, { refusal: undefined, isVouchedFor: true }, 'judged by the octets as they came');
  t.notMatch(good.stored, /App-Relay/);
  t.match((await passOctets(openDoor(['dkim']), message)).refusal?.reply, {
    smtp: { code: 550, status: '5.7.20' },
    publicText: /seen: no signature/,
  });
  const foreign = await signByNodemailer(message, makeSigningKey('fabrikam.example'));
  t.match(
    (await passOctets(openDoor(['dkim']), foreign)).refusal?.reply.publicText,
    /only of fabrikam\.example/,
  );
  const changed = Buffer.concat([signed, Buffer.from('more\r\n')]);
  t.match((await passOctets(openDoor(['dkim']), changed)).refusal?.reply.publicText, /body was changed/);
  const keyResolver = createTestResolver();
  keyResolver.records.set(`selector1._domainkey.${DOMAIN}`, { code: 'ESERVFAIL' });
  const trouble = await passOctets(openDoor(['dkim'], { keyResolver }), signed);
  t.match(trouble.refusal?.reply, { isTemporary: true, smtp: { code: 451, status: '4.4.3' } });
  t.equal(trouble.isVouchedFor, false);
});

t.test('levels add up: each of them has to be met', async (t) => {
  const message = Buffer.from('From: a@b.example\r\nSubject: s\r\n\r\nbody\r\n');
  const fields = [crossTenantId(TENANT), secret(SECRET)];
  const signed = await signByNodemailer(message, KEY);
  for (const missing of [undefined, 'tenant', 'secret', 'dkim'] as const) {
    const [tenantField = '', secretField = ''] = fields;
    const head = [
      ...(missing === 'tenant' ? [] : [tenantField]),
      ...(missing === 'secret' ? [] : [secretField]),
    ].map((field) => `${field}\r\n`);
    const octets = Buffer.concat([Buffer.from(head.join('')), missing === 'dkim' ? message : signed]);
    const door = openDoor(DOOR_LEVELS);
    t.equal(door.refuseSender(VISITOR), undefined);
    const { refusal, isVouchedFor } = await passOctets(door, octets);
    t.equal(isVouchedFor, missing === undefined, missing ?? 'none');
    t.equal(refusal === undefined, missing === undefined);
    const { refusals } = door.status();
    t.same(
      DOOR_LEVELS.filter((level) => refusals[level] > 0),
      missing === undefined ? [] : [missing],
    );
  }
});

t.test(
  'a header that is longer than what is looked at proves nothing, and carries no secret in',
  async (t) => {
    const message = Buffer.from(`${crossTenantId(TENANT)}\r\n${secret(SECRET)}\r\n\r\n`);
    for (const level of ['tenant', 'secret', 'dkim'] as const) {
      const { refusal } = await passOctets(openDoor([level]), message, VISITOR, false);
      t.match(refusal?.reply.publicText, /too long/, level);
    }
    t.match((await passOctets(openDoor([]), message, VISITOR, false)).refusal?.message, /too long/);
    const plain = openDoor([], { secretHeader: undefined });
    t.equal((await passOctets(plain, message, VISITOR, false)).refusal, undefined);
  },
);

t.test('signals are counted with and without their level, and the last contact is told', async (t) => {
  const door = openDoor(['secret']);
  t.equal(door.status().lastContact, null);
  door.refuseSender({ ...VISITOR, remoteAddress: '192.0.2.1', heloName: 'mail.example.org' });
  t.equal(door.status().lastContact, null, 'neither address nor name');
  door.noteConnection('192.0.2.1');
  t.equal(door.status().lastContact, null);
  door.noteConnection('40.107.9.9');
  t.match(door.status().lastContact, { remoteAddress: '40.107.9.9', heloName: '', isFromRanges: true });
  door.refuseSender({ ...VISITOR, remoteAddress: '192.0.2.1' });
  t.match(door.status().lastContact, { isFromRanges: false, isNamedAsExchange: true, at: TEST_CLOCK_START });
  door.refuseSender(VISITOR);
  t.match(door.status().lastContact, { remoteAddress: '40.107.1.2', isFromRanges: true });
  await pass(door, [crossTenantId(TENANT), ldProcessed(OTHER), secret(SECRET), `X-OriginatorOrg: ${DOMAIN}`]);
  await pass(door, [crossTenantId(OTHER), secret('x')], {
    ...VISITOR,
    remoteAddress: '192.0.2.1',
    heloName: 'me',
  });
  await pass(door, [crossTenantId(TENANT), crossTenantId(TENANT)]);
  t.match(door.status(), {
    levels: ['secret'],
    messages: 3,
    refusals: { ip: 0, tls: 0, tenant: 0, secret: 2, dkim: 0 },
    signals: {
      sourceAddress: { present: 3, valid: 2, refused: 1 },
      heloName: { present: 3, valid: 2, refused: 1 },
      certificate: { present: 0, valid: 0, refused: 0 },
      crossTenantId: { present: 3, valid: 1, refused: 2 },
      ldProcessed: { present: 1, valid: 0, refused: 1 },
      originatorOrg: { present: 1, valid: 1, refused: 0 },
      secret: { present: 2, valid: 1, refused: 1 },
      dkim: { present: 0, valid: 0, refused: 0 },
    },
  });
  const unset = openDoor([], { tenantIds: [], dkimDomains: [], secrets: [] });
  await pass(unset, [crossTenantId(TENANT), secret('x')]);
  t.match(unset.status().signals, {
    crossTenantId: { present: 1, valid: 0, refused: 0 },
    secret: { present: 1, valid: 0, refused: 0 },
  });
});

t.test(
  'every refusal fits into one reply line and says what is wanted, what was seen and what to do',
  async (t) => {
    const long = 'a'.repeat(80);
    const longDomains = [`${'d'.repeat(40)}.onmicrosoft.com`];
    const field = { standing: 'other', tenantId: OTHER } as const;
    const refusals = [
      foreignAddress('2a01:111:f400:1234:5678:9abc:def0:1234'),
      noTls(),
      badCertificate({ kind: 'absent' }, ['mail.protection.outlook.com']),
      badCertificate({ kind: 'otherName', subject: long }, ['mail.protection.outlook.com']),
      badCertificate({ kind: 'unproved', why: long }, ['mail.protection.outlook.com']),
      foreignTenant(field, field),
      ...(['absent', 'other', 'repeated'] as const).map(wrongSecret),
      noSignature({ kind: 'absent', others: Array(5).fill('mail.subdomain.example.com') }, longDomains),
      noSignature(
        {
          kind: 'failed',
          why: `the signature of ${longDomains[0]}: there is no key at selector1._domainkey.${longDomains[0]}`,
        },
        longDomains,
      ),
      noSignature(
        {
          kind: 'unknown',
          why: `the DNS does not answer for selector1._domainkey.${longDomains[0]} (ESERVFAIL)`,
        },
        longDomains,
      ),
      headerTooLong(),
    ];
    for (const { reply } of refusals) {
      const line = `${reply.smtp.code} ${reply.smtp.status} ${reply.publicText}\r\n`;
      t.ok(line.length <= 512, `${line.length}: ${line}`);
      t.equal(String(reply.smtp.code)[0], reply.isTemporary ? '4' : '5');
      t.equal(reply.smtp.status[0], reply.isTemporary ? '4' : '5');
      t.match(line, reply.isTemporary ? /tried again/ : /Exchange administrator: \w+/);
      const sentence = reply.publicText.split(/[;:(]| by |, which| from one/)[0] ?? '';
      t.ok(GUIDE.includes(sentence.slice(0, 36)), `docs/EXCHANGE-DOOR.md: ${sentence}`);
      t.ok(GUIDE.includes(`${reply.smtp.code} ${reply.smtp.status}`));
      t.notMatch(line, /exchange\.[a-z]+|\/etc|\.toml/, 'no key and no path');
    }
  },
);

t.test('configuration and door know the same levels', async (t) => {
  t.same(DOOR_LEVEL_NAMES, DOOR_LEVELS);
});

t.test('what is handed on is the header as it came but for the secret', async (t) => {
  const octets = Buffer.from('A: 1\r\nx-app-relay: y\r\nB:\xff 2\n\r\n', 'latin1');
  const header = openDoor([]).inspect(VISITOR).header(parseMessageHeader(octets, true)) as MessageHeader;
  t.equal(formatMessageHeader(header).toString('latin1'), 'A: 1\r\nB:\xff 2\n\r\n');
  t.same(valuesOf(header, 'a'), ['1']);
});
