/**
 * Every number that bounds the SQLite store, each with its reason. What an administrator may change is in open.ts's options.
 */

import { DAY_MS, HOUR_MS, KIB, MIB, MINUTE_MS, SECOND_MS } from '../../base/units.ts';

/** Octets of a stored piece of a content. Large enough that 150 MB are 600 rows, small enough that a commit stays short. */
export const CHUNK_BYTES = 256 * KIB;
/** Pieces that a content may have: 2^14 of 256 KiB make 4 GiB, where IMAP's 32-bit sizes end anyway (RFC 3501 section 9). */
export const CHUNKS_PER_CONTENT = 16_384;
/** Octets of the largest content: its size must fit into 32 bits. */
export const CONTENT_LIMIT_BYTES = CHUNK_BYTES * CHUNKS_PER_CONTENT - 1;

/** Jobs in one commit: bounds how long the first of them waits for the last. */
export const BATCH_LIMIT_JOBS = 200;
/** Octets in one commit: a batch of large mail must not hold up small ones. */
export const BATCH_LIMIT_BYTES = 8 * MIB;

/** Pieces of one draft on their way to the writer; more would only wait there, in memory. */
export const DRAFT_WINDOW_CHUNKS = 4;
/** Pieces of all drafts on their way to the writer: 16 MiB. */
export const DRAFTS_WINDOW_CHUNKS = 64;
/** Drafts with pieces on disk at the same time. */
export const DRAFTS_OPEN_LIMIT = 1_000;
/** A draft that took nothing for so long is discarded; a session's own deadlines are shorter. */
export const DRAFT_IDLE_LIMIT_MS = HOUR_MS;

/**
 * Page size of a new database. A lone delivery of 5 KB rewrites a dozen pages: 50 KB of log with 4 KiB pages, 96 with 8, 171
 * with 16; octets of 1 MB messages go in about a tenth slower with 8 than with 16 (bench/store.ts, November 2026).
 */
export const PAGE_SIZE_BYTES = 8 * KIB;
/** Pages in the write-ahead log that make a commit check-point it; about 16 MiB, larger ones brought nothing. */
export const CHECKPOINT_PAGES = 2_000;
/** How long the writer waits for a lock before a batch fails; only a reader at a checkpoint or a foreign tool can hold one. */
export const BUSY_LIMIT_MS = 5 * SECOND_MS;
/** The same for reads, which stand in the event loop's way meanwhile. */
export const READ_BUSY_LIMIT_MS = 100;
/** Content ids taken from the database at a time. */
export const CONTENT_ID_BLOCK = 1_024;

/** Entries read in one short statement, about a millisecond. */
export const ENTRY_SLICE_ROWS = 500;
/** Entries that one job removes, some 10 ms: a delivery must not wait for a hundred thousand of them. */
export const REMOVAL_SLICE_ENTRIES = 2_000;
/** Keywords of one mailbox: what fits into an entry's two columns of 50 bits (a JavaScript number holds 53). */
export const KEYWORDS_PER_MAILBOX = 100;
/** Characters of a keyword; those of mail programs and filters have 30 at most, and FLAGS lists them all in one line. */
export const KEYWORD_LIMIT_CHARS = 100;
/** Expunged UIDs remembered per mailbox. */
export const EXPUNGED_KEPT = 50_000;
/** Expunged UIDs above EXPUNGED_KEPT that may gather before the oldest are forgotten together. */
export const EXPUNGED_SLACK = 5_000;
/** Levels of a mailbox's name: missing parents are made with it, and each is looked up. */
export const MAILBOX_DEPTH_LIMIT = 32;
/** Characters of a mailbox's name, all levels together: it stands in an index and in each line of LIST. */
export const MAILBOX_NAME_LIMIT_CHARS = 1_000;
/** Mailboxes of one account, unless set otherwise: LIST reads them all, some milliseconds for each thousand. */
export const MAILBOXES_PER_ACCOUNT = 10_000;
/** Subscribed names of one account, mailboxes or not: as many as mailboxes. */
export const SUBSCRIPTIONS_PER_ACCOUNT = 10_000;
/** The highest UID and UIDVALIDITY (RFC 3501 section 9, nz-number). */
export const UID_LIMIT = 4_294_967_295;

/** A hold ends by itself after so long, so that a forgotten session does not keep every expunged message. */
export const HOLD_LIMIT_MS = DAY_MS;
/** How often the store looks whether there is something to tidy up. */
export const MAINTENANCE_PERIOD_MS = 5 * SECOND_MS;
/** How often it looks whether messages have come to the end of their days: each look asks of every account. */
export const EXPIRY_PERIOD_MS = 10 * MINUTE_MS;
/** Entries that one job of the expiry retains or expunges, their traces included: some milliseconds. */
export const EXPIRY_SLICE_ENTRIES = 250;
/** Accounts looked at by one short read of the expiry, about two milliseconds. */
export const EXPIRY_SLICE_ACCOUNTS = 100;
/** Pieces deleted by one sweeping job: some milliseconds. */
export const SWEEP_SLICE_CHUNKS = 32;
/** Orphans looked at by one sweeping job. */
export const SWEEP_SLICE_ORPHANS = 500;
/** Contents whose derived data is read, dropped or rebuilt in one go. */
export const DERIVED_SLICE_ROWS = 100;
/** Free space of the disk is looked at anew when the last look is older. */
export const FREE_SPACE_AGE_MS = SECOND_MS;

/** Rows of the directory read in one short statement, about two milliseconds. */
export const DIRECTORY_SLICE_ROWS = 200;

/** Names that are looked for in one address with a detail, some 20 µs each. */
export const DETAIL_TRIES = 8;

/** Items of the queue looked at by one short statement, about a millisecond. */
export const QUEUE_SLICE_ROWS = 250;

/** Items that one lease takes at most, some 20 ms; a scheduler asks again. */
export const LEASE_SLICE_ITEMS = 1_000;
/** Items that one job changes for an administrator, their traces included: some milliseconds. */
export const QUEUE_CHANGE_SLICE_ITEMS = 100;
/** Characters kept of a next hop's answer; Exchange Online's have some 300. */
export const QUEUE_REPLY_LIMIT_CHARS = 1_000;
/** Days of which is known what a hop has taken. */
export const HOP_USE_DAYS = 31;

/** Events kept per message; the last one kept says that more were left out. */
export const TRACE_EVENTS_PER_MESSAGE = 100;
/** Events kept per message when attempts to relay it are among them: some 60 for each recipient that waits for two days. */
export const TRACE_ATTEMPTS_PER_MESSAGE = 1_000;
/** Events that tell of items put into the queue by one delivery; the last one counts the others. */
export const QUEUED_EVENTS_PER_DELIVERY = 50;
/** Characters of a text in an event. */
export const TRACE_FIELD_LIMIT_CHARS = 500;
/** Characters of a subject that a message is found by: longer ones are cut. */
export const TRACE_SUBJECT_LIMIT_CHARS = 200;
/** Characters of a Message-ID that a message is found by; Exchange's have some 80. */
export const TRACE_MESSAGE_ID_LIMIT_CHARS = 250;
/** Subjects read by one short statement and looked at, about a millisecond. */
export const TRACE_SUBJECT_SLICE_ROWS = 250;
/** Notes written by one job, some milliseconds. */
export const TRACE_NOTES_PER_JOB = 250;
/** How long a note may wait for others to be written with it. */
export const TRACE_NOTES_WAIT_MS = 200;
/** How long whoever reads a trace waits until what was noted before is written; after that it is read as it is. */
export const TRACE_READ_WAIT_MS = 1000;
/** Notes that wait to be written, some megabytes; more are dropped and counted. */
export const TRACE_NOTES_LIMIT = 10_000;
/** Traces deleted by one job of the maintenance, some milliseconds. */
export const TRACE_SWEEP_ROWS = 100;
/** Traces read in one turn of the event loop. */
export const TRACE_SLICE_MESSAGES = 20;

/** Claims forgotten by one job of the maintenance, some milliseconds. */
export const CLAIM_SWEEP_ROWS = 500;

/** Contents listed by one short statement, about a millisecond. */
export const CONTENT_SLICE_ROWS = 500;
/** Rows of the text index's documents read by one short statement. */
export const DOCUMENT_SLICE_ROWS = 500;
