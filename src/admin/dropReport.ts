/**
 * A drop directory as an administrator sees it: what is configured, how it stands, what waits for it, and what lies in it unfetched.
 */

import type { UnixMs } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { HOUR_MS } from '../base/units.ts';
import type { QueueState } from '../store/contract/queue.ts';
import type { Store } from '../store/contract/store.ts';
import type { HopStanding, HopStatus } from '../outbound/contract.ts';
import type { DropLook } from '../outbound/drop/lookAtDrop.ts';
import type { DropConfig } from '../config/dropKeys.ts';
import { type ReportedStanding, reportStanding } from './relayReport.ts';
import type { Sending } from './sending.ts';

/** What `drop list`, `drop show` and `status` tell of a drop. Null is what there is not, or what is not known. */
export interface DropReport extends ReportedStanding {
  readonly name: string;
  readonly directory: string | null;
  readonly preset: DropConfig['preset'] | null;
  readonly state: HopStanding['kind'];
  readonly items: Readonly<Record<QueueState, number>>;
  /** When the oldest item that waits for it was made. */
  readonly oldestAt: UnixMs | null;
  /** Messages in the directory, and when the oldest was written. */
  readonly files: number | null;
  readonly oldestFileAt: UnixMs | null;
  readonly freeOctets: number | null;
  readonly fileLimit: number;
  readonly ageLimitHours: number;
  readonly deleteAfterHours: number;
  readonly sizeLimitOctets: number;
  /** Recipients of today. */
  readonly recipientsToday: number | null;
  /** When the last message was written, in this run of the server. */
  readonly lastWrittenAt: UnixMs | null;
  readonly alarms: readonly string[];
}

/** Every drop that is configured, and every one that items wait for without being configured. */
export async function reportDrops(
  { drops, hops }: Pick<Sending, 'drops' | 'hops'>,
  queue: Pick<Store['queue'], 'list'>,
  clock: Pick<Clock, 'now'>,
): Promise<readonly DropReport[]> {
  const statuses = (await hops()).filter(({ nextHop }) => nextHop.kind === 'drop');
  const configured = drops.all();
  return Promise.all(
    statuses.map(async (status) => {
      const [oldest] = await queue.list({ nextHop: status.nextHop }, 1);
      const drop = configured.find(({ name }) => name === status.nextHop.name);
      const look = await drops.look(status.nextHop.name);
      return reportOf(status, drop, look, oldest?.createdAt, clock.now());
    }),
  );
}

function reportOf(
  status: HopStatus,
  drop: DropConfig | undefined,
  look: DropLook | undefined,
  oldestAt: UnixMs | undefined,
  now: UnixMs,
): DropReport {
  const { nextHop, standing, items, today, lastRelayedAt } = status;
  const seen = look?.kind === 'seen' ? look : undefined;
  return {
    name: nextHop.name,
    directory: drop?.directory ?? null,
    preset: drop?.preset ?? null,
    ...reportStanding(standing, undefined),
    state: standing.kind,
    items,
    oldestAt: oldestAt ?? null,
    files: seen?.files ?? null,
    oldestFileAt: seen?.oldestAt ?? null,
    freeOctets: seen?.freeOctets ?? null,
    fileLimit: drop?.fileLimit ?? 0,
    ageLimitHours: drop?.ageLimitHours ?? 0,
    deleteAfterHours: drop?.deleteAfterHours ?? 0,
    sizeLimitOctets: drop?.sizeLimitOctets ?? 0,
    recipientsToday: today?.recipients ?? null,
    lastWrittenAt: lastRelayedAt ?? null,
    alarms: [...status.alarms, ...alarmsOf(nextHop.name, standing, drop, look, now)],
  };
}

/** What stops a drop is an alarm at once: a directory is there, or somebody has to do something. */
function alarmsOf(
  name: string,
  standing: HopStanding,
  drop: DropConfig | undefined,
  look: DropLook | undefined,
  now: UnixMs,
): readonly string[] {
  const told = (reason: string, advice: string | undefined) =>
    `drop ${name}: ${reason}${advice === undefined ? '' : `; ${advice}`}`;
  if (standing.kind === 'paused') return [told(standing.reason, standing.advice)];
  if (look?.kind === 'unseen') {
    const { reason, advice } = { advice: undefined, ...look.trouble };
    return [told(reason, advice)];
  }
  if (drop === undefined || look?.oldestAt === undefined || drop.ageLimitHours === 0) return [];
  if (now - look.oldestAt <= drop.ageLimitHours * HOUR_MS) return [];
  const hours = Math.floor((now - look.oldestAt) / HOUR_MS);
  return [
    told(
      `a message in ${drop.directory} has not been fetched for ${hours} hours`,
      'see to the application that is to fetch it',
    ),
  ];
}
