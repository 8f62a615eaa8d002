/**
 * Every parser of wire/imap by its command, for tests that read whole commands.
 */

import { WireError } from '../../src/base/error.ts';
import { parseAppend } from '../../src/wire/imap/append.ts';
import { parseAuthenticate } from '../../src/wire/imap/authenticate.ts';
import { parseCommandHead } from '../../src/wire/imap/command.ts';
import { parseCopy } from '../../src/wire/imap/copy.ts';
import { parseCreate } from '../../src/wire/imap/create.ts';
import type { CommandDecoder } from '../../src/wire/imap/decoder.ts';
import { parseDelete } from '../../src/wire/imap/delete.ts';
import { parseEnable } from '../../src/wire/imap/enable.ts';
import { parseExamine } from '../../src/wire/imap/examine.ts';
import { parseUidExpunge } from '../../src/wire/imap/expunge.ts';
import { parseFetch } from '../../src/wire/imap/fetch.ts';
import { parseGetQuota } from '../../src/wire/imap/getquota.ts';
import { parseGetQuotaRoot } from '../../src/wire/imap/getquotaroot.ts';
import { parseId } from '../../src/wire/imap/id.ts';
import { parseList } from '../../src/wire/imap/list.ts';
import { parseLogin } from '../../src/wire/imap/login.ts';
import { parseLsub } from '../../src/wire/imap/lsub.ts';
import { parseMove } from '../../src/wire/imap/move.ts';
import { parseNoArguments } from '../../src/wire/imap/noArguments.ts';
import { parseRename } from '../../src/wire/imap/rename.ts';
import { parseSearch } from '../../src/wire/imap/search.ts';
import { parseSelect } from '../../src/wire/imap/select.ts';
import { parseSetQuota } from '../../src/wire/imap/setquota.ts';
import { parseSort } from '../../src/wire/imap/sort.ts';
import { parseStatus } from '../../src/wire/imap/status.ts';
import { parseStore } from '../../src/wire/imap/store.ts';
import { parseSubscribe } from '../../src/wire/imap/subscribe.ts';
import { parseThread } from '../../src/wire/imap/thread.ts';
import { parseUnsubscribe } from '../../src/wire/imap/unsubscribe.ts';

/** The parser of each command, as a session's table has them. */
export const PARSERS: Readonly<Record<string, (decoder: CommandDecoder) => unknown>> = {
  APPEND: parseAppend,
  AUTHENTICATE: parseAuthenticate,
  CAPABILITY: parseNoArguments,
  CHECK: parseNoArguments,
  CLOSE: parseNoArguments,
  COPY: parseCopy,
  CREATE: parseCreate,
  DELETE: parseDelete,
  ENABLE: parseEnable,
  EXAMINE: parseExamine,
  EXPUNGE: parseNoArguments,
  FETCH: parseFetch,
  GETQUOTA: parseGetQuota,
  GETQUOTAROOT: parseGetQuotaRoot,
  ID: parseId,
  IDLE: parseNoArguments,
  LIST: parseList,
  LOGIN: parseLogin,
  LOGOUT: parseNoArguments,
  LSUB: parseLsub,
  MOVE: parseMove,
  NAMESPACE: parseNoArguments,
  NOOP: parseNoArguments,
  RENAME: parseRename,
  SEARCH: parseSearch,
  SORT: parseSort,
  THREAD: parseThread,
  SETQUOTA: parseSetQuota,
  SELECT: parseSelect,
  STARTTLS: parseNoArguments,
  STATUS: parseStatus,
  STORE: parseStore,
  SUBSCRIBE: parseSubscribe,
  'UID EXPUNGE': parseUidExpunge,
  UNSELECT: parseNoArguments,
  UNSUBSCRIBE: parseUnsubscribe,
};

/** What the arguments of a whole command are. Errors: WireError. */
export function parseCommand(decoder: CommandDecoder): unknown {
  const { name, isUid } = parseCommandHead(decoder);
  const parse = (isUid ? PARSERS[`UID ${name}`] : undefined) ?? PARSERS[name];
  if (parse === undefined) throw new WireError(0, 'command');
  return plain(parse(decoder));
}

/** Sets as arrays and octets as text, so that values can be compared and read. */
export function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return value.toString('latin1');
  if (value instanceof Set) return [...value];
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)]));
}
