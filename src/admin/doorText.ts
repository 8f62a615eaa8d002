/**
 * What status says of mail from Exchange Online: per relay-in listener what is asked for, what came, and which signals it bore.
 *
 * A listener that asks for nothing and that Exchange Online has not come to is not spoken of.
 * Trust: the name in EHLO is the client's to choose, and made harmless.
 */

import { DOOR_LEVELS, type DoorStatus, SIGNALS, type Signal } from '../exchange/doorCounters.ts';
import type { ListenerStatus } from './server.ts';
import { formatFields, formatTable, visibleText } from './table.ts';

const SIGNAL_NAMES: Readonly<Record<Signal, string>> = {
  sourceAddress: 'address of Exchange Online',
  heloName: 'name of Exchange Online in EHLO',
  certificate: 'client certificate',
  crossTenantId: 'X-MS-Exchange-CrossTenant-Id',
  ldProcessed: 'X-LD-Processed',
  originatorOrg: 'X-OriginatorOrg',
  secret: 'secret header',
  dkim: 'DKIM of the tenant',
};

/** The paragraphs of all listeners, each begun with an empty line. */
export function formatDoors(listeners: readonly ListenerStatus[]): string {
  return listeners
    .flatMap(({ name, exchange }) => {
      if (exchange === null || (exchange.levels.length === 0 && exchange.lastContact === null)) return [];
      return [`\n${formatDoor(name, exchange)}`];
    })
    .join('');
}

function formatDoor(name: string, { levels, messages, refusals, signals, lastContact }: DoorStatus): string {
  const refused = DOOR_LEVELS.filter((level) => refusals[level] > 0).map(
    (level) => `${level} ${refusals[level]}`,
  );
  const fields = formatFields({
    'Exchange Online': `listener ${name}`,
    'Asks for': levels.length === 0 ? 'nothing' : levels.join(', '),
    Messages: String(messages),
    Refused: refused.length === 0 ? 'none' : refused.join(', '),
    'Last contact':
      lastContact === null
        ? 'none since the start'
        : `${new Date(lastContact.at).toISOString()} from ${lastContact.remoteAddress}${lastContact.isFromRanges ? '' : ' (not an address of Exchange Online)'}${lastContact.heloName === '' ? ', without MAIL' : ` as ${visibleText(lastContact.heloName)}`}`,
  });
  const rows = SIGNALS.map((signal) => {
    const { present, valid, refused } = signals[signal];
    return [SIGNAL_NAMES[signal], String(present), String(valid), String(refused)];
  });
  return `${fields}${formatTable(['SIGNAL', 'PRESENT', 'VALID', 'REFUSED'], rows, '')}`;
}
