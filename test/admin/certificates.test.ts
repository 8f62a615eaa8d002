/**
 * Certificates of listeners: read again at a reload and by themselves, each for itself, and warned about before they end.
 */

import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import t, { type Test } from 'tap';

import { type Clock, systemClock, unixMs } from '../../src/base/clock.ts';
import { createLog } from '../../src/base/log.ts';
import { DAY_MS } from '../../src/base/units.ts';
import { ensureSelfSigned } from '../../src/net/selfSigned.ts';
import { configSchema } from '../../src/config/schema.ts';
import {
  CERTIFICATE_LOOK_PERIOD_MS,
  type Certificates,
  EXPIRY_LOG_PERIOD_MS,
  openCertificates,
} from '../../src/admin/certificates.ts';
import { createTestClock } from '../support/clock.ts';

const root = mkdtempSync(join(tmpdir(), 'hauspost-certificates-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));

/** A certificate for `name`. */
async function make(name: string) {
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true });
  return ensureSelfSigned({ directory, hostName: `${name}.example.com`, clock: systemClock });
}

const [first, second] = [await make('first'), await make('second')];

/** A directory with the first pair as a.crt and a.key, a configuration that names them, and the lines of a log. */
function createPlace(t: Test) {
  const directory = mkdtempSync(join(root, 'place-'));
  const [certificateFile, keyFile] = [join(directory, 'a.crt'), join(directory, 'a.key')];
  copyFileSync(first.certificateFile, certificateFile);
  copyFileSync(first.keyFile, keyFile);
  const config = configSchema.parse({
    server: { dataDirectory: directory },
    tls: { certificateFile, keyFile },
    listeners: [
      { name: 'smtp', protocol: 'smtp', port: 0 },
      {
        name: 'own',
        protocol: 'pop3',
        port: 0,
        certificateFile: first.certificateFile,
        keyFile: first.keyFile,
      },
    ],
  });
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const open = async (clock: Clock, changed: Partial<typeof config.tls> = {}) => {
    const changedConfig = { ...config, tls: { ...config.tls, ...changed } };
    const certificates = await openCertificates(changedConfig, clock, createLog(stream, 'info'));
    t.teardown(() => certificates.close());
    return certificates;
  };
  const events = () => lines.map(({ event }) => event);
  return { config, certificateFile, keyFile, lines, events, open };
}

const subjectOf = (certificates: Certificates, file: string) =>
  certificates.status().find((status) => status.file === file)?.subject;

t.test('a reload renews what has changed, and tells what stays because it cannot be used', async (t) => {
  const place = createPlace(t);
  const certificates = await place.open(createTestClock());
  t.same(await certificates.reload(), { renewed: [], problems: [] });
  t.match(certificates.status(), [
    { file: place.certificateFile, listeners: ['smtp'], problem: null },
    { file: first.certificateFile, listeners: ['own'], problem: null },
  ]);
  copyFileSync(second.certificateFile, place.certificateFile);
  const half = await certificates.reload();
  t.match(half, { renewed: [], problems: [/the key does not belong to the certificate/] });
  t.equal(subjectOf(certificates, place.certificateFile), 'CN=first.example.com', 'the old one stays');
  t.match(certificates.warnings(), [/the certificate in use is an older one: .*a\.crt/]);
  copyFileSync(second.keyFile, place.keyFile);
  t.same(await certificates.reload(), { renewed: [place.certificateFile], problems: [] });
  t.equal(subjectOf(certificates, place.certificateFile), 'CN=second.example.com');
  t.same(certificates.warnings(), []);
});

t.test(
  'files of a new configuration count from the reload on, and those that a listener names stay',
  async (t) => {
    const place = createPlace(t);
    const { keyFile, certificateFile } = second;
    const certificates = await place.open(createTestClock());
    const tls = { ...place.config.tls, certificateFile, keyFile };
    t.same(await certificates.reload(tls), { renewed: [certificateFile], problems: [] });
    t.match(certificates.status(), [
      { file: certificateFile, listeners: ['smtp'] },
      { file: first.certificateFile, listeners: ['own'] },
    ]);
    const missing = { ...tls, certificateFile: join(root, 'nothing.crt') };
    t.match(await certificates.reload(missing), { renewed: [], problems: [/nothing\.crt: ENOENT/] });
    t.match(certificates.status()[0], { subject: 'CN=second.example.com', problem: /nothing\.crt/ });
    const none = { ...tls, certificateFile: undefined, keyFile: undefined };
    t.match(await certificates.reload(none), { renewed: [/self-signed\.crt$/], problems: [] });
  },
);

t.test('files that have changed are read by themselves within a minute, when both are there', async (t) => {
  const place = createPlace(t);
  const clock = createTestClock();
  const certificates = await place.open(clock);
  const look = async () => {
    clock.advance(CERTIFICATE_LOOK_PERIOD_MS);
    // What was begun is finished before it closes.
    await certificates.settled();
  };
  await look();
  t.same(place.events(), [], 'nothing has changed');
  copyFileSync(second.certificateFile, place.certificateFile);
  await look();
  await look();
  t.same(place.events(), ['admin.certificate.refused'], 'told once');
  copyFileSync(second.keyFile, place.keyFile);
  await look();
  t.match(place.lines[1], { event: 'admin.certificate.renewed', subject: 'CN=second.example.com' });
  writeFileSync(place.certificateFile, 'nonsense');
  await look();
  t.equal(subjectOf(certificates, place.certificateFile), 'CN=second.example.com');
  rmSync(place.certificateFile);
  await look();
  t.match(certificates.warnings(), [/older one/]);
  copyFileSync(second.certificateFile, place.certificateFile);
  await look();
  t.same(certificates.warnings(), [], 'the same one again is no problem any more');

  const manual = await createPlaceThatWaits(t);
  t.equal(manual, 'CN=first.example.com', 'where that is set they wait for a reload');
});

async function createPlaceThatWaits(t: Test): Promise<string | undefined> {
  const place = createPlace(t);
  const clock = createTestClock();
  const certificates = await place.open(clock, { followFiles: false });
  copyFileSync(second.certificateFile, place.certificateFile);
  copyFileSync(second.keyFile, place.keyFile);
  clock.advance(CERTIFICATE_LOOK_PERIOD_MS);
  await certificates.settled();
  return subjectOf(certificates, place.certificateFile);
}

t.test('a certificate that ends within 21 days is in warnings, and in the log once a day', async (t) => {
  const place = createPlace(t);
  const clock = createTestClock(unixMs(first.validTo - 22 * DAY_MS));
  const certificates = await place.open(clock, { followFiles: false });
  const told = () => place.events().filter((event) => event === 'admin.certificate.expiring').length;
  t.same([certificates.warnings(), told()], [[], 0]);
  for (let days = 0; days < 3; days += 1) {
    clock.advance(EXPIRY_LOG_PERIOD_MS);
    await certificates.settled();
  }
  t.equal(told(), 4, 'two certificates, on two of three days');
  t.match(certificates.warnings(), [
    /a\.crt ends in 19 days, on 20\d\d-/,
    /first\.crt|self-signed\.crt ends in 19/,
  ]);
  clock.setCalendar(unixMs(first.validTo + 1));
  t.match(certificates.warnings()[0], /ended on 20\d\d-.*: clients refuse it/);
});
