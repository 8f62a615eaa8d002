/**
 * Soaks the appliance: 200 clients that poll by POP3 and IMAP beside 20 deliveries a second, on a server process of its own.
 *
 * Run: npm run soak [-- seconds, default 1200]; HAUSPOST_SOAK_SECONDS does the same. Prints a table. Exits with 1 after any
 * error, or when the resident memory of the last quarter of the time (minutes 15 to 20) is more than 5 MB above that of the
 * second (minutes 5 to 10).
 */

import { growthMb, runSoak, type SoakReport, type Spread } from '../test/support/soak.ts';

const GROWTH_LIMIT_MB = 5;
const seconds = Number(process.argv[2] ?? process.env.HAUSPOST_SOAK_SECONDS ?? 1200);

const report = await runSoak({ seconds, tell: (line) => print(line) });
printReport(report);
if (report.faults.length > 0 || growthMb(report) > GROWTH_LIMIT_MB) process.exitCode = 1;

function printReport(it: SoakReport): void {
  const rows: [what: string, figure: string][] = [
    ['time', `${seconds} s`],
    ['delivered', `${it.delivered} messages, ${(it.delivered / seconds).toFixed(1)} a second`],
    ['fetched and deleted', `${it.fetched} messages`],
    ['polls by POP3', String(it.polls.pop3)],
    ['polls by IMAP, a session each', String(it.polls.imap)],
    ['polls by IMAP, in one session', String(it.polls.imapOpen)],
    ['a delivery', spread(it.deliveryMs)],
    ['a poll with all it fetches', spread(it.pollMs)],
    ['CPU', `${it.cpuSeconds.toFixed(0)} s, ${((it.cpuSeconds * 100) / seconds).toFixed(0)} % of a core`],
    ['resident, each twentieth of the time', `${it.memoryMb.map((mb) => mb.toFixed(0)).join(' ')} MB`],
    ['resident, second quarter', `${it.earlyMb.toFixed(1)} MB`],
    ['resident, last quarter', `${it.lateMb.toFixed(1)} MB`],
    ['growth', `${growthMb(it).toFixed(1)} MB, at most ${GROWTH_LIMIT_MB}`],
    ['errors', String(it.faults.length)],
  ];
  for (const [what, figure] of rows) print(`${what.padEnd(38)} ${figure}`);
  for (const fault of it.faults) print(`error: ${fault}`);
}

function spread({ median, p99, longest }: Spread): string {
  return `p50 ${median.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, longest ${longest.toFixed(0)} ms`;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
