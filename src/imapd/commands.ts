/**
 * The command table: name, states, argument parser, RFC section, what it tells, what it does.
 *
 * Commands after UID stand under their two words. FETCH, STORE, SEARCH, SORT and THREAD by number tell no expunges (RFC 3501
 * section 7.4.1, RFC 5256 section 3); commands that let the mailbox go tell nothing of it.
 */

import { parseAppend } from '../wire/imap/append.ts';
import { parseAuthenticate } from '../wire/imap/authenticate.ts';
import { parseCompress } from '../wire/imap/compress.ts';
import { parseCopy } from '../wire/imap/copy.ts';
import { parseCreate } from '../wire/imap/create.ts';
import { parseDelete } from '../wire/imap/delete.ts';
import { parseEnable } from '../wire/imap/enable.ts';
import { parseExamine } from '../wire/imap/examine.ts';
import { parseUidExpunge } from '../wire/imap/expunge.ts';
import { parseFetch } from '../wire/imap/fetch.ts';
import { parseGetQuota } from '../wire/imap/getquota.ts';
import { parseGetQuotaRoot } from '../wire/imap/getquotaroot.ts';
import { parseId } from '../wire/imap/id.ts';
import { parseList } from '../wire/imap/list.ts';
import { parseLogin } from '../wire/imap/login.ts';
import { parseLsub } from '../wire/imap/lsub.ts';
import { parseMove } from '../wire/imap/move.ts';
import { parseNoArguments } from '../wire/imap/noArguments.ts';
import { parseRename } from '../wire/imap/rename.ts';
import { parseSearch } from '../wire/imap/search.ts';
import { parseSelect } from '../wire/imap/select.ts';
import { parseSetQuota } from '../wire/imap/setquota.ts';
import { parseSort } from '../wire/imap/sort.ts';
import { parseStatus } from '../wire/imap/status.ts';
import { parseStore } from '../wire/imap/store.ts';
import { parseSubscribe } from '../wire/imap/subscribe.ts';
import { parseThread } from '../wire/imap/thread.ts';
import { parseUnsubscribe } from '../wire/imap/unsubscribe.ts';
import { afterLogin, always, beforeLogin, whenSelected } from './command.ts';
import type { Command, Run } from './command.ts';
import { append } from './commands/append.ts';
import { authenticate } from './commands/authenticate.ts';
import { capability } from './commands/capability.ts';
import { check } from './commands/check.ts';
import { close } from './commands/close.ts';
import { compress } from './commands/compress.ts';
import { copy } from './commands/copy.ts';
import { create } from './commands/create.ts';
import { deleteMailbox } from './commands/delete.ts';
import { enable } from './commands/enable.ts';
import { examine } from './commands/examine.ts';
import { expunge, uidExpunge } from './commands/expunge.ts';
import { fetch } from './commands/fetch.ts';
import { getQuota } from './commands/getquota.ts';
import { getQuotaRoot } from './commands/getquotaroot.ts';
import { id } from './commands/id.ts';
import { idle } from './commands/idle.ts';
import { list } from './commands/list.ts';
import { login, refuseLogin } from './commands/login.ts';
import { logout } from './commands/logout.ts';
import { lsub } from './commands/lsub.ts';
import { move } from './commands/move.ts';
import { namespace } from './commands/namespace.ts';
import { noop } from './commands/noop.ts';
import { rename } from './commands/rename.ts';
import { search } from './commands/search.ts';
import { select } from './commands/select.ts';
import { setQuota } from './commands/setquota.ts';
import { startTls } from './commands/starttls.ts';
import { sort } from './commands/sort.ts';
import { status } from './commands/status.ts';
import { store } from './commands/store.ts';
import { subscribe } from './commands/subscribe.ts';
import { thread } from './commands/thread.ts';
import { unselect } from './commands/unselect.ts';
import { unsubscribe } from './commands/unsubscribe.ts';
import type { Completion } from './completion.ts';
import type { SessionContext } from './sessionContext.ts';
import type { SelectedState } from './sessionState.ts';

const parse = parseNoArguments;

/** Every command by its name in upper case. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ['CAPABILITY', always({ section: 'RFC 3501 6.1.1', parse, run: capability })],
  ['NOOP', always({ section: 'RFC 3501 6.1.2', parse, run: noop })],
  ['LOGOUT', always({ section: 'RFC 3501 6.1.3', parse, run: logout, tells: 'nothing' })],
  ['ID', always({ section: 'RFC 2971 3.1', parse: parseId, run: id })],

  ['STARTTLS', beforeLogin({ section: 'RFC 3501 6.2.1', parse, run: startTls })],
  ['AUTHENTICATE', beforeLogin({ section: 'RFC 3501 6.2.2', parse: parseAuthenticate, run: authenticate })],
  ['LOGIN', beforeLogin({ section: 'RFC 3501 6.2.3', parse: parseLogin, run: login, refuse: refuseLogin })],

  ['ENABLE', afterLogin({ section: 'RFC 5161 3.1', parse: parseEnable, run: enable })],
  ['SELECT', afterLogin({ section: 'RFC 3501 6.3.1', parse: parseSelect, run: select, tells: 'nothing' })],
  ['EXAMINE', afterLogin({ section: 'RFC 3501 6.3.2', parse: parseExamine, run: examine, tells: 'nothing' })],
  ['CREATE', afterLogin({ section: 'RFC 3501 6.3.3', parse: parseCreate, run: create })],
  ['DELETE', afterLogin({ section: 'RFC 3501 6.3.4', parse: parseDelete, run: deleteMailbox })],
  ['RENAME', afterLogin({ section: 'RFC 3501 6.3.5', parse: parseRename, run: rename })],
  ['SUBSCRIBE', afterLogin({ section: 'RFC 3501 6.3.6', parse: parseSubscribe, run: subscribe })],
  ['UNSUBSCRIBE', afterLogin({ section: 'RFC 3501 6.3.7', parse: parseUnsubscribe, run: unsubscribe })],
  ['LIST', afterLogin({ section: 'RFC 3501 6.3.8', parse: parseList, run: list })],
  ['LSUB', afterLogin({ section: 'RFC 3501 6.3.9', parse: parseLsub, run: lsub })],
  ['STATUS', afterLogin({ section: 'RFC 3501 6.3.10', parse: parseStatus, run: status })],
  ['APPEND', afterLogin({ section: 'RFC 3501 6.3.11', parse: parseAppend, run: append })],
  ['NAMESPACE', afterLogin({ section: 'RFC 2342 5', parse, run: namespace })],
  ['GETQUOTA', afterLogin({ section: 'RFC 9208 4.1.1', parse: parseGetQuota, run: getQuota })],
  ['GETQUOTAROOT', afterLogin({ section: 'RFC 9208 4.1.2', parse: parseGetQuotaRoot, run: getQuotaRoot })],
  ['SETQUOTA', afterLogin({ section: 'RFC 9208 4.1.3', parse: parseSetQuota, run: setQuota })],
  ['COMPRESS', afterLogin({ section: 'RFC 4978 3', parse: parseCompress, run: compress })],
  ['IDLE', afterLogin({ section: 'RFC 2177 3', parse, run: idle })],

  ['CHECK', whenSelected({ section: 'RFC 3501 6.4.1', parse, run: check })],
  ['CLOSE', whenSelected({ section: 'RFC 3501 6.4.2', parse, run: close })],
  ['UNSELECT', whenSelected({ section: 'RFC 3691 2', parse, run: unselect })],
  ['EXPUNGE', whenSelected({ section: 'RFC 3501 6.4.3', parse, run: expunge })],
  ['UID EXPUNGE', whenSelected({ section: 'RFC 4315 2.1', parse: parseUidExpunge, run: uidExpunge })],
  ...bothForms('SEARCH', {
    section: 'RFC 3501 6.4.4',
    parse: parseSearch,
    run: search,
    tells: 'withoutExpunge',
  }),
  ...bothForms('SORT', {
    section: 'RFC 5256 3',
    parse: parseSort,
    run: sort,
    tells: 'withoutExpunge',
  }),
  ...bothForms('THREAD', {
    section: 'RFC 5256 3',
    parse: parseThread,
    run: thread,
    tells: 'withoutExpunge',
  }),
  ...bothForms('FETCH', {
    section: 'RFC 3501 6.4.5',
    parse: parseFetch,
    run: fetch,
    tells: 'withoutExpunge',
  }),
  ...bothForms('STORE', {
    section: 'RFC 3501 6.4.6',
    parse: parseStore,
    run: store,
    tells: 'withoutExpunge',
  }),
  ...bothForms('COPY', { section: 'RFC 3501 6.4.7', parse: parseCopy, run: copy, tells: 'all' }),
  ...bothForms('MOVE', { section: 'RFC 6851 3', parse: parseMove, run: move, tells: 'all' }),
]);

interface BothForms<Arguments> {
  readonly section: string;
  readonly parse: (decoder: Parameters<typeof parseFetch>[0]) => Arguments;
  readonly run: (
    session: SessionContext,
    state: SelectedState,
    args: Arguments,
    isUid: boolean,
  ) => Promise<Completion>;
  /** By number; after UID everything is told (RFC 3501 section 7.4.1). */
  readonly tells: Command['tells'];
}

/** The command by sequence numbers, and after UID by UIDs (RFC 3501 section 6.4.8). */
function bothForms<Arguments>(
  name: string,
  { section, parse: parseArguments, run, tells }: BothForms<Arguments>,
): readonly (readonly [string, Command])[] {
  const by = (isUid: boolean): Run<SelectedState, Arguments> => {
    return (session, state, args) => run(session, state, args, isUid);
  };
  return [
    [name, whenSelected({ section, parse: parseArguments, run: by(false), tells })],
    [`UID ${name}`, whenSelected({ section, parse: parseArguments, run: by(true) })],
  ];
}
