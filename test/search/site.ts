/**
 * The search room on the real store, with an account whose messages are asked of.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { Test } from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import type { ContentId } from '../../src/base/ids.ts';
import { silentLog } from '../../src/base/log.ts';
import { foldCase } from '../../src/search/foldCase.ts';
import type { SearchOptions } from '../../src/search/options.ts';
import type { TextQuestion } from '../../src/search/question.ts';
import { openSearch, type Search } from '../../src/search/search.ts';
import type { MailboxId } from '../../src/base/ids.ts';
import { openStore, type SqliteStore } from '../../src/store/sqlite/open.ts';

/** A store in a directory of its own. */
export interface SearchSite {
  readonly directory: string;
  readonly store: SqliteStore;
  readonly inbox: MailboxId;
  /** Opens the room; it is closed when the test ends. */
  open(settings?: Partial<SearchOptions>): Search;
  /** Appends messages; answers their contents. */
  put(...messages: readonly (string | Buffer)[]): Promise<readonly ContentId[]>;
  /** Deletes all messages up to the `count`th, contents and all. */
  deleteFirst(count: number): Promise<void>;
  /** Changes the store's database behind its back. */
  tamper(sql: string, ...values: readonly unknown[]): void;
  /** Asks the index's file behind the room's back. */
  askIndex(sql: string): unknown;
}

/** Opens a site; all of it goes when the test ends. */
export async function openSearchSite(t: Test, name = 'data'): Promise<SearchSite> {
  const directory = join(t.testdir(), name);
  const store = await openStore({ directory, clock: systemClock, log: silentLog });
  const rooms: Search[] = [];
  t.teardown(async () => {
    for (const room of rooms) await room.close();
    await store.close();
  });
  await store.directory.addDomain('app.example.com', {});
  const account = await store.directory.addAccount({ address: 'in@app.example.com', passwordHash: '' });
  const inbox = (await store.mailboxes.find(account.id, ['INBOX']))?.id as MailboxId;
  return {
    directory,
    store,
    inbox,
    open: (settings = {}) => {
      const room = openSearch({
        reserveOctets: 0,
        directory,
        feed: store.feed,
        clock: systemClock,
        log: silentLog,
        ...settings,
      });
      rooms.push(room);
      return room;
    },
    put: (...messages) => put(store, inbox, messages),
    deleteFirst: async (count) => {
      const uids = [{ first: 1, last: count }];
      await store.mailboxes.setFlags(inbox, uids, 'add', { system: 8, keywords: [] });
      await store.mailboxes.expunge(inbox, undefined, true);
      await store.maintain();
    },
    tamper: (sql, ...values) => {
      const db = new Sqlite(join(directory, 'hauspost.db'));
      db.prepare(sql).run(...values);
      db.close();
    },
    askIndex: (sql) => {
      const db = new Sqlite(join(directory, 'hauspost-search.db'), { readonly: true });
      const value = db.prepare(sql).pluck().get();
      db.close();
      return value;
    },
  };
}

async function put(
  store: SqliteStore,
  mailbox: MailboxId,
  messages: readonly (string | Buffer)[],
): Promise<readonly ContentId[]> {
  const appendices = [];
  for (const octets of messages) {
    const draft = store.contents.begin();
    await draft.write(Buffer.from(octets));
    const internalDate = { at: systemClock.now(), zoneMinutes: 0 };
    appendices.push({ draft, flags: { system: 0, keywords: [] }, internalDate });
  }
  const { to } = await store.mailboxes.append(mailbox, appendices);
  const ids: ContentId[] = [];
  const first = Math.min(...to);
  for await (const entries of store.mailboxes.entries(mailbox, { first, last: Math.max(...to) }))
    ids.push(...entries.map(({ contentId }) => contentId));
  return ids;
}

/** Files of the index in a directory. */
export function indexFiles(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => name.startsWith('hauspost-search'));
}

/** A question for a text as a client gives it. */
export function bodyHolds(needle: string): TextQuestion {
  return { kind: 'body', needle: foldCase(needle) };
}

/** The same for the whole message. */
export function textHolds(needle: string): TextQuestion {
  return { kind: 'text', needle: foldCase(needle) };
}

/** The same for a header field. */
export function headerHolds(field: string, needle: string): TextQuestion {
  return { kind: 'header', field, needle: foldCase(needle) };
}

/** What one search answers: for each content the questions that it answers yes, and how many were read. */
export async function askAll(
  room: Search,
  questions: readonly TextQuestion[],
  contents: readonly ContentId[],
): Promise<{ readonly yes: readonly (readonly boolean[])[]; readonly readCount: number }> {
  const search = room.begin(questions);
  const answers = await search.ask(contents);
  search.end();
  const yes = answers.map((set) => questions.map((question) => set.has(question)));
  return { yes, readCount: search.readCount };
}

/** The positions in `contents` of the messages that answer yes. */
export async function find(
  room: Search,
  question: TextQuestion,
  contents: readonly ContentId[],
): Promise<readonly number[]> {
  const { yes } = await askAll(room, [question], contents);
  return yes.flatMap(([isYes], at) => (isYes ? [at] : []));
}
