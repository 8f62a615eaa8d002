/**
 * 2,000 connections that say nothing or dribble, from one address, from some and from thousands: whoever comes to be served is
 * served meanwhile by SMTP, POP3 and IMAP, at less than a second of the server's work.
 *
 * What is bounded is the processor time that the server spends between the client's connecting and its goodbye, with all of the
 * flood's in it: on a machine that does nothing else a second of that is a second.
 */

import { readFileSync } from 'node:fs';
import t from 'tap';

import { createSite, type RunningServer } from '../support/appliance.ts';
import { type FloodOptions, sourceAddresses, startFlood } from '../support/flood.ts';
import { addAccounts, callServer } from '../support/manyAccounts.ts';
import { RawImap } from '../support/rawImap.ts';
import { type Login, RawPop3 } from '../support/rawPop3.ts';
import { RawSmtp } from '../support/rawSmtp.ts';

t.setTimeout(300_000);

const WHERE = {
  skip: process.platform !== 'linux' && 'loopback has one address, and processor time is read from /proc',
};
const CONNECTIONS = 2000;
const WORK_LIMIT_MS = 1000;
/** Who comes at the very moment in which all 2,000 arrive has their accepting in his time; shared caches make that twice as long. */
const BURST_WORK_LIMIT_MS = 3000;
const ROUNDS = 3;
/** Less than CONNECTIONS over three listeners, so that all are full all the time. */
const LIMITS =
  'connectionLimit = 300\nconnectionsPerAddressLimit = 100\nconnectionsPerMinuteLimit = 100000\n';

/** Where a legitimate client comes from: an address that is not trusted, like those of the flood. */
const GUEST = '127.8.0.1';

const FLOODS: readonly (readonly [name: string, options: Omit<FloodOptions, 'ports'>])[] = [
  [
    'one address',
    { connections: CONNECTIONS, addresses: sourceAddresses(1), dribblingPercent: 50, againMs: 500 },
  ],
  [
    'twenty addresses',
    { connections: CONNECTIONS, addresses: sourceAddresses(20), dribblingPercent: 50, againMs: 500 },
  ],
  [
    'an address each',
    { connections: CONNECTIONS, addresses: sourceAddresses(CONNECTIONS), dribblingPercent: 50, againMs: 500 },
  ],
];

/** Milliseconds of processor time of the server so far (Linux: 100 ticks a second). */
function workMs({ pid }: RunningServer): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const message = (count: number) => Buffer.from(`Subject: number ${count}\r\n\r\nworld\r\n`);

t.test('floods keep nobody out', WHERE, async (t) => {
  const site = createSite();
  t.teardown(() => site.remove());
  site.changeListeners(LIMITS);
  const server = await site.serve();
  const [box] = await addAccounts(site, ['box']);
  if (box === undefined) throw new Error('no account');
  // This machine is trusted otherwise, and trusted addresses have no limits of their own.
  await callServer(site, 'range.set', { name: 'My computer', isTrusted: false });
  const { smtp, pop3, imap } = server.ports;
  let sent = 0;
  const services: readonly (readonly [name: string, use: () => Promise<void>])[] = [
    [
      'SMTP',
      async () => {
        const session = await RawSmtp.open(smtp, { localAddress: GUEST });
        sent += 1;
        const { code, text } = await session.deliver(
          { from: 'a@example.org', to: [box.address] },
          message(sent),
        );
        if (code !== 250) throw new Error(text);
        await session.quit();
      },
    ],
    ['POP3', () => usePop3(pop3, box)],
    ['IMAP', () => useImap(imap, box)],
  ];
  for (const [, use] of services) await use();

  for (const [name, options] of FLOODS) {
    const flood = await startFlood({ ...options, ports: [smtp, pop3, imap] });
    const work = new Map<string, number[]>();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [service, use] of services) {
        const [before, begunMs] = [workMs(server), performance.now()];
        await use();
        const spentMs = workMs(server) - before;
        work.set(service, [...(work.get(service) ?? []), spentMs]);
        t.comment(
          `${name}: ${service} in ${(performance.now() - begunMs).toFixed(0)} ms, work ${spentMs} ms`,
        );
      }
    }
    const { open, begun, ended } = await flood.report();
    t.ok(
      begun >= CONNECTIONS && ended > 0 && open > 0,
      `${name}: ${begun} begun, ${ended} ended, ${open} open`,
    );
    const spent = [...work.values()].flat().sort((one, other) => other - one);
    t.ok((spent[0] ?? 0) < BURST_WORK_LIMIT_MS, `${name}: ${spent[0]} ms of work at most`);
    t.ok((spent[1] ?? 0) < WORK_LIMIT_MS, `${name}: ${spent[1]} ms of work but for one`);
    await flood.stop();
  }
  const { stdout } = await server.stop();
  const log = stdout.toString();
  t.match(log, /"event":"net\.connection\.evicted"/);
  t.ok(log.length < 100_000, `a flood does not fill the log: ${log.length} octets`);
});

async function usePop3(port: number, box: Login): Promise<void> {
  const session = await RawPop3.open(port, box, { localAddress: GUEST });
  await session.multiline('RETR 1');
  await session.quit();
}

async function useImap(port: number, box: Login): Promise<void> {
  const session = await RawImap.open(port, box, { localAddress: GUEST });
  if ((await session.select()) === 0) throw new Error('the mailbox is empty');
  await session.logout();
}
