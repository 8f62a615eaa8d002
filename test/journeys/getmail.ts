/**
 * How the journeys have getmail6 fetch: its rc file, with a deliverer that it does not miss the end of.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Login } from '../support/rawPop3.ts';

/** Writes a message into a file of its own, and ends when getmail waits for that. */
const DELIVERY = fileURLToPath(new URL('clients/deliver.sh', import.meta.url));

/** One fetch. */
export interface GetmailFetch {
  readonly protocol: 'pop3' | 'imap';
  readonly port: number;
  readonly login: Login;
  /** A directory that is there, for a file of each message. */
  readonly messages: string;
  /** Whether it fetches what it has fetched before as well. */
  readonly readsAll: boolean;
  readonly deletes: boolean;
}

/**
 * Writes the rc file of `fetch` into `home`, which is for getmail alone and keeps its memory; answers the arguments of getmail. Every
 * option that keeps it from changing messages is set.
 */
export function writeGetmailrc(home: string, fetch: GetmailFetch): readonly string[] {
  const { protocol, port, login, messages, readsAll, deletes } = fetch;
  // getmail does not write mail as root unless told so with these words.
  const asRoot = ['user = root', 'group = root', 'allow_root_commands = true'];
  const lines = [
    '[retriever]',
    `type = ${protocol === 'pop3' ? 'SimplePOP3Retriever' : 'SimpleIMAPRetriever'}`,
    'server = 127.0.0.1',
    `port = ${port}`,
    `username = ${login.address}`,
    `password = ${login.password}`,
    'timeout = 120',
    '[destination]',
    // Not a Maildir: it refuses to deliver to one as root, which containers are.
    'type = MDA_external',
    `path = ${DELIVERY}`,
    `arguments = ("${messages}",)`,
    ...(process.getuid?.() === 0 ? asRoot : []),
    '[options]',
    `read_all = ${readsAll}`,
    `delete = ${deletes}`,
    'delivered_to = false',
    'received = false',
    'verbose = 0',
  ];
  writeFileSync(join(home, 'getmailrc'), `${lines.join('\n')}\n`, { mode: 0o600 });
  return [`--getmaildir=${home}`, '--rcfile=getmailrc'];
}
