/**
 * What bounds searching for texts, each with its reason. What an administrator may change is in options.ts.
 */

import { KIB, MIB, MINUTE_MS, SECOND_MS } from '../base/units.ts';

/** Questions of one search. Clients make a key for each word or correspondent; a thousand are nobody's words. */
export const QUESTION_LIMIT = 1_000;
/** Different texts of BODY and TEXT questions in one search: each is looked for in every body that is read. */
export const BODY_NEEDLE_LIMIT = 50;
/** Characters of all texts of a search together; a longer text can be in no message that a person would look for. */
export const NEEDLE_LIMIT_CHARS = 128 * KIB;
/** Contents in one request; an IMAP session asks of as many as the store reads entries in a slice. */
export const ASK_LIMIT_CONTENTS = 1_000;
/** Requests that the thread works on at a time, taking turns; others wait in order. Each holds a piece of a message. */
export const ASKS_RUNNING = 4;
/** Requests that wait; a session has one at a time, so this is sessions that search at the same moment. */
export const ASKS_WAITING_LIMIT = 1_000;
/** How long the thread works on one request before it answers of what it has got so far, at the end of a message. */
export const ASK_SLICE_MS = 100;
/** How long a request may be with the thread. One message is the least it answers of, and 256 MiB of text take some seconds. */
export const ASK_DEADLINE_MS = MINUTE_MS;
/** How long a request may wait for its turn. */
export const WAIT_DEADLINE_MS = 2 * MINUTE_MS;
/** Octets of a message's text parts, encoded, that are looked at. The store's messages are 150 MB unless set otherwise. */
export const SEARCHED_OCTETS_PER_MESSAGE = 256 * MIB;
/** Octets of V8's heap in the search thread, in MiB: what breaks it must not take the process's memory with it. */
export const THREAD_HEAP_MIB = 512;
/** How long closing waits for the thread to let go of the database. */
export const CLOSE_DEADLINE_MS = 2 * SECOND_MS;

/** Contents that the index may name for one text; for more it is quicker to read every message, and memory is bounded. */
export const CANDIDATE_LIMIT = 50_000;
/** Searches whose candidates are kept: at most 13 MB with the limit above for the usual one text each. */
export const CANDIDATE_SETS_KEPT = 32;
/** Trigrams of a text that the index is asked for: more narrow it down no further. */
export const TRIGRAM_LIMIT = 16;

/** The index begins when the store was quiet for so long, so that a burst of mail is taken in first. */
export const INDEX_QUIET_MS = SECOND_MS;
/** It waits for quiet at most so long. */
export const INDEX_WAIT_LIMIT_MS = 10 * SECOND_MS;
/** Characters put into the index in one transaction, some 20 ms in which the thread answers nothing; larger ones are no quicker. */
export const INDEX_BATCH_CHARS = 64 * KIB;
/** Contents in one transaction of the index. */
export const INDEX_BATCH_CONTENTS = 100;
/** The least pause between two transactions; else three times what the last one took, so that indexing has a quarter of a core. */
export const INDEX_PAUSE_MS = 20;
/** How long a transaction of the index waits for a moment without searches. */
export const INDEX_BUSY_WAIT_MS = 2 * SECOND_MS;
/** How often deleted contents are taken out of the index. */
export const SWEEP_PERIOD_MS = 10 * MINUTE_MS;
/** How long indexing rests after an error (a full disk), or after the thread died. */
export const INDEX_REST_MS = MINUTE_MS;
