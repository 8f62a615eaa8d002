/**
 * Contents: what was written is read, octet for octet, and drafts end as they should.
 */

import { createHash } from 'node:crypto';

import type { ContentId } from '../../../src/base/ids.ts';
import { formatBodyStructure } from '../../../src/wire/imap/bodyStructure.ts';
import { formatEnvelope } from '../../../src/wire/imap/envelope.ts';
import { walkMessage } from '../../../src/wire/mime/walker.ts';
import {
  addTenant,
  deliver,
  deliverDraft,
  draftOf,
  entriesOf,
  MESSAGE,
  type ContractTests,
  octetsOf,
  patterned,
  plain,
  uidsOf,
} from './house.ts';

const PIECE_LIMIT_BYTES = 256 * 1024;

/** Messages that parsers dislike. */
const ODD_MESSAGES: Readonly<Record<string, Buffer>> = {
  empty: Buffer.alloc(0),
  'a lone CR': Buffer.from('\r'),
  'a lone LF': Buffer.from('\n'),
  'bare LFs': Buffer.from('Subject: x\n\nbody\n.\n..\n'),
  'bare CRs': Buffer.from('Subject: x\r\rbody\r'),
  'NULs and 8-bit octets': Buffer.from([0, 1, 0, 255, 254, 13, 10, 0, 128, 10]),
  'no final line end': Buffer.from('Subject: x\r\n\r\nno end'),
  'a line of 10 kB': Buffer.from(`Subject: x\r\n\r\n${'y'.repeat(10_000)}\r\n`),
  'every octet': Buffer.from(Array.from({ length: 256 }, (_none, index) => index)),
};

/** The suite of contents. */
export const CONTENT_TESTS: ContractTests = {
  'a content of any size is read back octet for octet, whatever pieces it was written in': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const sizes = [1, 100, 8191, 8192, 8193, 65_536, 262_143, 262_144, 262_145, 524_288, 1_000_000];
    for (const size of sizes)
      for (const pieceOctets of [4096, 100_000, 1_000_000]) {
        const octets = patterned(size);
        const draft = await draftOf(store, octets, pieceOctets);
        t.equal(draft.octets, size);
        const { contentId } = await deliverDraft(store, draft, [accountId]);
        const content = await store.contents.open(contentId);
        t.equal(content.octets, size);
        t.ok((await octetsOf(store, contentId)).equals(octets), `${size} octets by ${pieceOctets}`);
        t.ok(content.sha256.equals(createHash('sha256').update(octets).digest()), 'SHA-256');
      }
  },

  'odd messages keep every octet, and their sizes for POP3 and IMAP are told': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    for (const [name, octets] of Object.entries(ODD_MESSAGES)) {
      const { contentId } = await deliver(store, octets, [accountId]);
      const content = await store.contents.open(contentId);
      t.ok((await octetsOf(store, contentId)).equals(octets), name);
      t.equal(content.pop3Octets, pop3Form(octets).length, `${name}: POP3 octets`);
      const walked = walkMessage(octets);
      const [derived] = await store.contents.derived([contentId]);
      t.same(derived && plain(derived), walked, `${name}: derived data`);
      t.equal(derived?.envelopeText, formatEnvelope(walked.envelope), `${name}: ENVELOPE`);
      t.equal(derived?.structureText, formatBodyStructure(walked.structure), `${name}: BODYSTRUCTURE`);
    }
    const entries = await entriesOf(store, inbox);
    t.same(
      entries.map(({ octets, pop3Octets }) => [octets, pop3Octets]),
      Object.values(ODD_MESSAGES).map((octets) => [octets.length, pop3Form(octets).length]),
    );
  },

  'any range of a content is read, clamped to its end, in pieces of at most 256 KiB': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const octets = patterned(700_000);
    const { contentId } = await deliver(store, octets, [accountId]);
    const ranges = [
      [0, 0],
      [0, 1],
      [262_143, 262_145],
      [262_144, 524_288],
      [1, 699_999],
      [699_999, 700_000],
      [600_000, 9_000_000],
      [700_000, 800_000],
      [-5, 10],
      [500, 400],
    ] as const;
    for (const [start, end] of ranges) {
      const expected = octets.subarray(Math.max(start, 0), Math.max(end, 0));
      t.ok((await octetsOf(store, contentId, start, end)).equals(expected), `${start} to ${end}`);
    }
    const content = await store.contents.open(contentId);
    for await (const piece of content.read(0, content.octets)) t.ok(piece.length <= PIECE_LIMIT_BYTES);
  },

  'the buffer that was written is the caller’s again at once': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    for (const size of [1000, 300_000, 2_000_000]) {
      const octets = patterned(size);
      const lent = Buffer.from(octets);
      const draft = store.contents.begin();
      const written = draft.write(lent);
      lent.fill(0);
      await written;
      const { contentId } = await deliverDraft(store, draft, [accountId]);
      t.ok((await octetsOf(store, contentId)).equals(octets), `${size} octets`);
    }
  },

  'a piece that was read is the caller’s': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const { contentId } = await deliver(store, MESSAGE, [accountId]);
    const content = await store.contents.open(contentId);
    for await (const piece of content.read(0, content.octets)) piece.fill(0);
    t.ok((await octetsOf(store, contentId)).equals(MESSAGE));
  },

  'many large drafts are written side by side': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const sizes = Array.from({ length: 12 }, (_none, index) => 300_000 + index * 100_001);
    const outcomes = await Promise.all(sizes.map((size) => deliver(store, patterned(size), [accountId])));
    for (const [index, { contentId }] of outcomes.entries()) {
      const octets = patterned(sizes[index] ?? 0);
      t.ok((await octetsOf(store, contentId)).equals(octets), `${octets.length} octets`);
    }
    t.equal((await uidsOf(store, inbox)).length, sizes.length);
  },

  'a discarded draft takes nothing more and becomes nothing': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    for (const size of [100, 1_000_000]) {
      const draft = await draftOf(store, patterned(size));
      draft.discard();
      draft.discard();
      await t.rejects(draft.write(MESSAGE), { code: 'cannot' });
      await t.rejects(deliverDraft(store, draft, [accountId]), { code: 'cannot' });
    }
    t.same(await entriesOf(store, inbox), []);
  },

  'a sealed draft is sealed once, takes nothing more, and is not hurt by a late discard': async (
    t,
    { storeOf },
  ) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    for (const size of [100, 600_000]) {
      const octets = patterned(size);
      const draft = await draftOf(store, octets);
      const { contentId } = await deliverDraft(store, draft, [accountId]);
      await t.rejects(deliverDraft(store, draft, [accountId]), { code: 'cannot' });
      await t.rejects(draft.write(MESSAGE), { code: 'cannot' });
      draft.discard();
      t.ok((await octetsOf(store, contentId)).equals(octets));
    }
    t.same(await uidsOf(store, inbox), [1, 2]);
  },

  'a draft of another store is refused': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const foreign = { octets: 0, write: async () => {}, discard: () => {} };
    await t.rejects(deliverDraft(store, foreign, [accountId]), { code: 'cannot' });
  },

  'contents of one piece are opened with their octets, many at a time': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const sizes = [1, 8192, 262_144, 262_145];
    const ids = await Promise.all(
      sizes.map(async (size) => (await deliver(store, patterned(size), [accountId])).contentId),
    );
    const contents = await store.contents.openAll([4711 as ContentId, ...ids]);
    t.equal(contents[0], undefined, 'one that never was');
    t.equal(contents.at(-1), undefined, 'one of two pieces');
    for (const [index, size] of sizes.slice(0, -1).entries()) {
      const content = contents[index + 1];
      const id = ids[index] ?? (0 as ContentId);
      const { read: _read, ...known } = await store.contents.open(id);
      t.match(content, known, `${size} octets: as open() tells it`);
      t.ok(content?.small?.equals(patterned(size)), `${size} octets: whole`);
      const pieces: Buffer[] = [];
      for await (const piece of content?.read(-1, 5) ?? []) pieces.push(piece);
      t.ok(Buffer.concat(pieces).equals(patterned(size).subarray(0, 5)), `${size} octets: a stretch`);
    }
    t.same(await store.contents.openAll([]), []);
  },

  'a content that never was is gone': async (t, { storeOf }) => {
    const store = await storeOf();
    await t.rejects(store.contents.open(4711 as ContentId), { code: 'contentGone' });
    await t.rejects(store.contents.derived([4711 as ContentId]), { code: 'contentGone' });
    t.same(await store.contents.derived([]), []);
  },

  'derived data comes in the order asked for, also twice, also of many': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId } = await addTenant(store);
    const messages = Array.from({ length: 250 }, (_none, index) => Buffer.from(`Subject: ${index}\r\n\r\n`));
    const outcomes = await Promise.all(messages.map((octets) => deliver(store, octets, [accountId])));
    const order = [...outcomes.keys(), 0, 7, 0].reverse();
    const ids = order.map((index) => outcomes[index]?.contentId ?? (0 as ContentId));
    const derived = await store.contents.derived(ids);
    t.same(
      derived.map(({ envelope }) => envelope.subject),
      order.map((index) => String(index)),
    );
  },

  'what was visible when a hold was taken stays readable after its expunge': async (t, { storeOf }) => {
    const store = await storeOf();
    const { accountId, inbox } = await addTenant(store);
    const octets = patterned(900_000);
    const { contentId } = await deliver(store, octets, [accountId]);
    const hold = store.mailboxes.hold();
    const content = await store.contents.open(contentId);
    await store.mailboxes.expunge(inbox, undefined, false);
    const pieces = [];
    for await (const piece of content.read(0, content.octets)) pieces.push(piece);
    t.ok(Buffer.concat(pieces).equals(octets));
    hold.renew();
    hold.release();
    hold.release();
  },
};

/** POP3's form by the plainest means: the octets as latin1 text. */
function pop3Form(octets: Buffer): string {
  const text = octets.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n');
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
}
