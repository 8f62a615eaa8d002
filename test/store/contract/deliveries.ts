/**
 * Deliveries: one content, a copy for each account, a trace, all in one.
 */

import { type AccountId, newTraceId } from '../../../src/base/ids.ts';
import {
  AT,
  addTenant,
  append,
  deliver,
  deliverDraft,
  draftOf,
  entriesOf,
  MESSAGE,
  type ContractTests,
  octetsOf,
} from './house.ts';

/** The suite of deliveries. */
export const DELIVERY_TESTS: ContractTests = {
  'a delivery puts one content into the INBOX of each account, unseen': async (t, { storeOf }) => {
    const store = await storeOf();
    const one = await addTenant(store);
    const other = await addTenant(store);
    await append(store, other.inbox, 2);
    const { contentId, copies } = await deliver(store, MESSAGE, [one.accountId, other.accountId]);
    t.same(copies, [
      { accountId: one.accountId, mailboxId: one.inbox, uid: 1 },
      { accountId: other.accountId, mailboxId: other.inbox, uid: 3 },
    ]);
    const [entry] = await entriesOf(store, one.inbox);
    t.match(entry, {
      uid: 1,
      contentId,
      flags: { system: 0, keywords: [] },
      internalDate: { at: AT, zoneMinutes: 60 },
      octets: MESSAGE.length,
      pop3Octets: MESSAGE.length,
    });
    const status = await store.mailboxes.status(one.inbox);
    t.match(status, { messages: 1, unseen: 1, deleted: 0, octets: MESSAGE.length, uidNext: 2 });
    t.equal(status.highestModSeq, entry?.modSeq);
  },

  '100 deliveries at the same time get 100 UIDs, and the counters know all': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, (_none, index) =>
        deliver(store, Buffer.from(`Subject: ${index}\r\n\r\n`), [accountId]),
      ),
    );
    const uids = outcomes.map(({ copies }) => copies[0]?.uid ?? 0).sort((one, other) => one - other);
    t.same(
      uids,
      Array.from({ length: 100 }, (_none, index) => index + 1),
    );
    const entries = await entriesOf(store, inbox);
    const octets = entries.reduce((sum, entry) => sum + entry.octets, 0);
    const status = await store.mailboxes.status(inbox);
    t.match(status, { messages: 100, unseen: 100, uidNext: 101, octets });
    for (const { contentId, copies } of outcomes) {
      const entry = entries.find(({ uid }) => uid === copies[0]?.uid);
      t.equal(entry?.contentId, contentId);
    }
  },

  'the length of the Return-Path line is kept with the content': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const line = 'Return-Path: <a@example.org>\r\n';
    const draft = await draftOf(store, Buffer.concat([Buffer.from(line), MESSAGE]));
    const { contentId } = await store.deliveries.deliver({
      traceId: newTraceId(AT),
      draft,
      returnPathOctets: line.length,
      acceptedAt: AT,
      zoneMinutes: -90,
      reversePath: '',
      recipients: [],
      copies: [{ accountId, recipient: 'x' }],
      events: [],
    });
    const content = await store.contents.open(contentId);
    t.equal(content.returnPathOctets, line.length);
    t.ok((await octetsOf(store, contentId, content.returnPathOctets)).equals(MESSAGE));
  },

  'an account that went meanwhile gets no copy, the others do': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const { copies } = await deliver(store, MESSAGE, [4711 as AccountId, accountId]);
    t.same(copies, [{ accountId, mailboxId: inbox, uid: 1 }]);
    const nowhere = await deliver(store, MESSAGE, []);
    t.same(nowhere.copies, []);
  },

  'a message that was accepted is kept although the quota is used up': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store, 10);
    const { copies } = await deliver(store, MESSAGE, [accountId]);
    t.equal(copies.length, 1);
  },

  'a delivery leaves its trace: what the plan brought, and where each copy went': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const traceId = newTraceId(AT);
    const draft = await draftOf(store, MESSAGE);
    await store.deliveries.deliver({
      traceId,
      draft,
      returnPathOctets: 0,
      acceptedAt: AT,
      zoneMinutes: 0,
      reversePath: 'a@example.org',
      recipients: ['b@example.com'],
      copies: [{ accountId, recipient: 'b@example.com' }],
      events: [{ at: AT, kind: 'accepted', fields: { protocol: 'smtp' } }],
    });
    const trace = await store.trace.find(traceId);
    t.match(trace, { traceId, acceptedAt: AT, reversePath: 'a@example.org', octets: MESSAGE.length });
    t.same(trace?.recipients, ['b@example.com']);
    t.same(
      trace?.events.map(({ kind }) => kind),
      ['accepted', 'stored'],
    );
    t.match(trace?.events[1]?.fields, { recipient: 'b@example.com', mailbox: 'INBOX', uid: 1 });
  },

  'a delivery that is refused leaves nothing, and those beside it are not hurt': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const spent = await draftOf(store, MESSAGE);
    spent.discard();
    const results = await Promise.allSettled([
      deliver(store, MESSAGE, [accountId]),
      deliverDraft(store, spent, [accountId]),
      deliver(store, MESSAGE, [accountId]),
    ]);
    t.same(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    );
    t.match(await store.mailboxes.status(inbox), { messages: 2, uidNext: 3 });
  },
};
