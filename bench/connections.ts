/**
 * Measures what connections cost that wait for a login: resident memory for each, of SMTP, POP3 and IMAP, plain and with TLS, with
 * 1,000 and with 2,000 of them; and how quickly a guest is served by all three while 2,000 others flood the SMTP listener.
 *
 * Run: npx node bench/connections.ts [connections, default 1000]
 */

import { type FloodOptions, sourceAddresses, startFlood } from '../test/support/flood.ts';
import {
  closeAll,
  IDLE_KINDS,
  type MeteredServer,
  openIdle,
  serveMetered,
} from '../test/support/idleConnections.ts';
import { createSite } from '../test/support/appliance.ts';
import { addAccounts, callServer } from '../test/support/manyAccounts.ts';
import { RawImap } from '../test/support/rawImap.ts';
import { RawPop3 } from '../test/support/rawPop3.ts';
import { RawSmtp } from '../test/support/rawSmtp.ts';

const COUNT = Number(process.argv[2] ?? 1000);
const GUEST = { localAddress: '127.8.0.1' };
const ROUNDS = 20;

await measureMemory();
await measureFloods();

async function measureMemory(): Promise<void> {
  for (const kind of IDLE_KINDS) {
    // A server each: the next kind would live in the room that this one leaves.
    const metered = await serveMetered();
    try {
      print(`memory of a connection, ${kind.name}`, await memoryOf(metered, kind));
    } finally {
      await metered.site.remove();
    }
  }
}

async function memoryOf(metered: MeteredServer, kind: (typeof IDLE_KINDS)[number]): Promise<string> {
  // Some first, so that code is compiled and rooms of the heap are there.
  await closeAll(await openIdle(metered, kind, COUNT / 10));
  const sizes = [await metered.residentOctets()];
  const sockets = [];
  for (let step = 0; step < 2; step += 1) {
    sockets.push(...(await openIdle(metered, kind, COUNT)));
    sizes.push(await metered.residentOctets());
  }
  await closeAll(sockets);
  const [none = 0, once = 0, twice = 0] = sizes;
  const kb = (octets: number, count: number) => `${(octets / count / 1024).toFixed(1)} KiB`;
  return `${kb(once - none, COUNT)} with ${COUNT}, ${kb(twice - none, 2 * COUNT)} with ${2 * COUNT}`;
}

async function measureFloods(): Promise<void> {
  const site = createSite();
  try {
    site.changeListeners('connectionsPerMinuteLimit = 1000000\n');
    const server = await site.serve();
    const [box] = await addAccounts(site, ['box']);
    if (box === undefined) throw new Error('no account');
    await callServer(site, 'range.set', { name: 'My computer', isTrusted: false });
    const { smtp, pop3, imap } = server.ports;
    const common = { ports: [smtp], connections: 2000, dribblingPercent: 50, againMs: 1000 };
    const floods: readonly (readonly [name: string, options: FloodOptions | undefined])[] = [
      ['no flood', undefined],
      ['2,000 from one address', { ...common, addresses: sourceAddresses(1) }],
      ['2,000 from 20 addresses', { ...common, addresses: sourceAddresses(20) }],
      ['2,000 from an address each', { ...common, addresses: sourceAddresses(2000) }],
    ];
    for (const [name, options] of floods) {
      const flood = options === undefined ? undefined : await startFlood(options);
      const waits: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const begun = performance.now();
        const session = await RawSmtp.open(smtp, GUEST);
        const message = Buffer.from(`Subject: ${name} ${round}\r\n\r\nx\r\n`);
        const { code } = await session.deliver({ from: 'a@example.org', to: [box.address] }, message);
        if (code !== 250) throw new Error(`refused with ${code}`);
        await session.quit();
        const pop = await RawPop3.open(pop3, box, GUEST);
        await pop.quit();
        const imapSession = await RawImap.open(imap, box, GUEST);
        await imapSession.logout();
        waits.push((performance.now() - begun) / 3);
      }
      await flood?.stop();
      waits.sort((one, other) => one - other);
      print(
        `a guest, ${name}`,
        `p50 ${waits[ROUNDS / 2]?.toFixed(0)} ms, longest ${waits.at(-1)?.toFixed(0)} ms`,
      );
    }
    await server.stop();
  } finally {
    await site.remove();
  }
}

function print(what: string, figure: string): void {
  process.stdout.write(`${what.padEnd(56)} ${figure}\n`);
}
