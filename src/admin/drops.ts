/**
 * The drop directories of a running server: options of the configuration, and looks at the directories.
 *
 * What has not changed at a reload stays the same object, so that outbound leaves it alone. Nothing can be wrong with a drop before it is
 * used: a directory that is missing is told by its standing.
 */

import type { Clock } from '../base/clock.ts';
import type { DropRelayOptions } from '../outbound/contract.ts';
import { FILES_AT_A_TIME, RECIPIENTS_PER_FILE } from '../outbound/drop/limits.ts';
import { createDropLook, type DropLook } from '../outbound/drop/lookAtDrop.ts';
import type { DropConfig } from '../config/dropKeys.ts';

/** The drops of a running server. */
export interface Drops {
  /** In the configuration's order. */
  options(): readonly DropRelayOptions[];
  /** As configured now. */
  all(): readonly DropConfig[];
  /** What is in the directory; undefined when there is no such drop. Never rejects. */
  look(name: string): Promise<DropLook | undefined>;
  /** Takes another configuration. */
  reload(drops: readonly DropConfig[]): void;
}

interface OpenDrop {
  readonly drop: DropConfig;
  readonly options: DropRelayOptions;
  look(): Promise<DropLook>;
}

/** The drops of a configuration. */
export function createDrops(configured: readonly DropConfig[], clock: Clock): Drops {
  let open: readonly OpenDrop[] = [];
  const reload = (drops: readonly DropConfig[]) => {
    const before = open;
    open = drops.map((drop) => {
      const old = before.find((one) => JSON.stringify(one.drop) === JSON.stringify(drop));
      if (old !== undefined) return old;
      return { drop, options: dropOptions(drop), look: createDropLook(drop.directory, clock) };
    });
  };
  reload(configured);
  return {
    options: () => open.map(({ options }) => options),
    all: () => open.map(({ drop }) => drop),
    look: async (name) => open.find(({ drop }) => drop.name === name)?.look(),
    reload,
  };
}

function dropOptions(drop: DropConfig): DropRelayOptions {
  const { name, directory, createDirectory, preset: format, fileLimit, deleteAfterHours } = drop;
  return {
    kind: 'drop',
    name,
    directory,
    createDirectory,
    format,
    fileLimit,
    deleteAfterHours,
    limits: {
      connections: FILES_AT_A_TIME,
      messagesPerMinute: 0,
      recipientsPerDay: 0,
      recipientsPerMessage: RECIPIENTS_PER_FILE,
      sizeLimitOctets: drop.sizeLimitOctets,
    },
  };
}
