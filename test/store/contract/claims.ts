/**
 * Claims: the same message is stored once for a recipient, however often and however quickly it is handed over again.
 */

import { createHash } from 'node:crypto';

import { type AccountId, newTraceId, type TraceId } from '../../../src/base/ids.ts';
import { DAY_MS } from '../../../src/base/units.ts';
import type { DuplicateKind, PlannedClaim } from '../../../src/store/contract/claims.ts';
import type { DeliveryOutcome, PlannedDelivery } from '../../../src/store/contract/deliveries.ts';
import type { Store } from '../../../src/store/contract/store.ts';
import { AT, addTenant, type ContractTests, draftOf, MESSAGE, patterned, type Tenant } from './house.ts';

const FAR = (AT + 10_000 * DAY_MS) as typeof AT;

/** The claim of `message` for a recipient. */
export function claimOf(message: string, recipient: string, kind: DuplicateKind = 'resend'): PlannedClaim {
  const key = createHash('sha256').update(`${kind} ${message} ${recipient}`).digest('hex').slice(0, 32);
  return { kind, recipient, key, expiresAt: FAR };
}

/** Delivers a message to tenants, with a claim for each of them unless others are given. */
export async function deliverOnce(
  store: Store,
  message: string,
  tenants: readonly Tenant[],
  more: Partial<PlannedDelivery> = {},
): Promise<DeliveryOutcome & { readonly traceId: TraceId }> {
  const traceId = newTraceId(AT);
  const recipients = tenants.map(({ address }) => address);
  const outcome = await store.deliveries.deliver({
    traceId,
    draft: await draftOf(store, MESSAGE),
    returnPathOctets: 0,
    acceptedAt: AT,
    zoneMinutes: 0,
    reversePath: 'a@example.org',
    recipients,
    copies: tenants.map(({ accountId, address }) => ({ accountId, recipient: address })),
    events: recipients.map((recipient) => ({ at: AT, kind: 'refused', fields: { recipient } })),
    claims: recipients.map((recipient) => claimOf(message, recipient)),
    ...more,
  });
  return { ...outcome, traceId };
}

async function messagesOf(store: Store, tenants: readonly Tenant[]): Promise<number[]> {
  const statuses = tenants.map(({ inbox }) => store.mailboxes.status(inbox));
  return (await Promise.all(statuses)).map(({ messages }) => messages);
}

/** The suite of claims. */
export const CLAIM_TESTS: ContractTests = {
  'of twenty deliveries of one message at the same moment one is stored, and both traces tell': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => deliverOnce(store, 'twin', [tenant])),
    );
    t.same(await messagesOf(store, [tenant]), [1]);
    const [stored, ...none] = outcomes.filter(({ duplicates }) => duplicates.length === 0);
    t.equal(none.length, 0);
    const first = stored?.traceId as TraceId;
    for (const { traceId, copies, duplicates } of outcomes) {
      if (traceId === first) continue;
      t.same(copies, []);
      t.same(duplicates, [{ recipient: tenant.address, kind: 'resend', of: first }]);
      t.match(await store.trace.find(traceId), {
        events: [{ kind: 'accepted' }, { kind: 'duplicate', fields: { reason: 'resend', of: first } }],
      });
    }
    const told = (await store.trace.find(first))?.events.filter(({ kind }) => kind === 'duplicate');
    t.same(
      told?.map(({ fields }) => fields.again).sort(),
      outcomes
        .map(({ traceId }) => traceId)
        .filter((id) => id !== first)
        .sort(),
    );
  },

  'a recipient who has the message already gets no second copy, the others get theirs': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const [one, two, three] = [await addTenant(store), await addTenant(store), await addTenant(store)];
    const first = await deliverOnce(store, 'some', [one]);
    const second = await deliverOnce(store, 'some', [two, one, three]);
    t.same(await messagesOf(store, [one, two, three]), [1, 1, 1]);
    t.same(second.duplicates, [{ recipient: one.address, kind: 'resend', of: first.traceId }]);
    t.same(
      second.copies.map(({ accountId }) => accountId),
      [two.accountId, three.accountId],
    );
    const third = await deliverOnce(store, 'some', [three, two, one]);
    t.same(await messagesOf(store, [one, two, three]), [1, 1, 1]);
    t.same(
      third.duplicates.map(({ of }) => of),
      [second.traceId, second.traceId, first.traceId],
    );
    const told = (await store.trace.find(third.traceId))?.events;
    t.match(told, [
      { kind: 'accepted' },
      { kind: 'duplicate', fields: { recipients: 2, of: second.traceId } },
      { kind: 'duplicate', fields: { recipients: 1, recipient: one.address, of: first.traceId } },
    ]);
    const planned = (await store.trace.find(second.traceId))?.events.filter(({ kind }) => kind === 'refused');
    t.same(
      planned?.map(({ fields }) => fields.recipient),
      [two.address, three.address],
      'what was planned for him who has it is not told',
    );
  },

  'another message, and another recipient of the same one, is no duplicate': async (t, { storeOf }) => {
    const store = await storeOf();
    const [one, two] = [await addTenant(store), await addTenant(store)];
    await deliverOnce(store, 'first', [one]);
    t.same((await deliverOnce(store, 'second', [one])).duplicates, []);
    t.same((await deliverOnce(store, 'first', [two])).duplicates, []);
    t.same((await deliverOnce(store, 'first', [one], { claims: [] })).duplicates, []);
    t.same(await messagesOf(store, [one, two]), [3, 1]);
  },

  'a delivery that is undone gives its claims back': async (t, { storeOf }) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    const gone = { copies: [{ accountId: 4711 as AccountId, recipient: tenant.address }] };
    await t.rejects(deliverOnce(store, 'undone', [tenant], gone), { code: 'recipientUnknown' });
    t.same((await deliverOnce(store, 'undone', [tenant])).duplicates, []);
    t.same(await messagesOf(store, [tenant]), [1]);
  },

  'what one kind of claim finds is known by the other kind from then on': async (t, { storeOf }) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    const { address } = tenant;
    const exchange = claimOf('ids', address, 'exchange');
    const first = await deliverOnce(store, '', [tenant], {
      claims: [claimOf('octets 1', address), exchange],
    });
    const other = await deliverOnce(store, '', [tenant], {
      claims: [claimOf('octets 2', address), exchange],
    });
    t.same(other.duplicates, [{ recipient: address, kind: 'exchange', of: first.traceId }]);
    const again = await deliverOnce(store, '', [tenant], { claims: [claimOf('octets 2', address)] });
    t.same(again.duplicates, [{ recipient: address, kind: 'resend', of: first.traceId }]);
    t.same(await messagesOf(store, [tenant]), [1]);
  },

  'a message that was deleted meanwhile is a duplicate all the same': async (t, { storeOf }) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    await deliverOnce(store, 'fetched', [tenant]);
    await store.mailboxes.expunge(tenant.inbox, undefined, false);
    const events: PlannedDelivery['events'] = [{ at: AT, kind: 'ruled', fields: { rule: 'for all' } }];
    const again = await deliverOnce(store, 'fetched', [tenant], { events });
    t.equal(again.duplicates.length, 1);
    const told = (await store.trace.find(again.traceId))?.events.map(({ kind }) => kind);
    t.same(told, ['accepted', 'duplicate'], 'and no rule is told of, since none did anything');
    t.same(await messagesOf(store, [tenant]), [0]);
  },

  'a file is one for all its recipients: handed over again it is stored for none of them': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const tenants = [await addTenant(store), await addTenant(store)];
    const keyOf = (name: string) => claimOf(name, '', 'pickup').key;
    const file = (name: string) => ({
      claims: tenants.map(
        ({ address }) => ({ kind: 'pickup', recipient: address, key: keyOf(name), expiresAt: FAR }) as const,
      ),
    });
    t.equal(await store.deliveries.renewClaim(keyOf('one.eml'), FAR), undefined);
    const outcomes = await Promise.all([
      deliverOnce(store, '', tenants, file('one.eml')),
      deliverOnce(store, '', tenants, file('one.eml')),
    ]);
    const [first, second] = outcomes.sort((one, other) => one.duplicates.length - other.duplicates.length);
    t.same(first?.duplicates, []);
    const of = first?.traceId;
    t.same(
      second?.duplicates,
      tenants.map(({ address }) => ({ recipient: address, kind: 'pickup', of })),
    );
    for (const { inbox } of tenants) await store.mailboxes.expunge(inbox, undefined, false);
    t.equal(
      (await deliverOnce(store, '', tenants, file('one.eml'))).duplicates.length,
      2,
      'fetched and deleted',
    );
    t.same((await deliverOnce(store, '', tenants, file('two.eml'))).duplicates, [], 'another file');
    t.same(await messagesOf(store, tenants), [1, 1]);
  },

  'a file whose message somebody has already is known by its own message': async (t, { storeOf }) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    const { address } = tenant;
    await deliverOnce(store, 'same octets', [tenant]);
    const { key } = claimOf('three.eml', address, 'pickup');
    const claims = [
      { kind: 'pickup', recipient: address, key, expiresAt: FAR } as const,
      claimOf('same octets', address),
    ];
    const again = await deliverOnce(store, '', [tenant], { claims });
    t.match(again.duplicates, [{ kind: 'resend' }]);
    t.equal(await store.deliveries.renewClaim(key, FAR), again.traceId);
  },

  'a large duplicate that came in pieces is stored for nobody': async (t, { storeOf }) => {
    const store = await storeOf();
    const tenant = await addTenant(store);
    const octets = patterned(1_000_000);
    const drafts = [await draftOf(store, octets), await draftOf(store, octets)];
    for (const draft of drafts) await deliverOnce(store, 'large', [tenant], { draft });
    t.same(await messagesOf(store, [tenant]), [1]);
    t.equal((await store.mailboxes.status(tenant.inbox)).octets, octets.length);
  },
};
