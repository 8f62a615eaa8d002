/**
 * The rows of docs/LIMITS.md for sending by Microsoft Graph: how much is under way, and how long and how much we wait for.
 */

import type { LimitRow } from './limits.ts';

const GRAPH = 'exchange/graph/limits.ts';
const STAGES = 'each stage has its deadline';
const TURNS = 'two requests at a time in a mailbox, four of an application';
const CODES = 'every code of the table is found';

/** In the order in which a message meets them. */
export const GRAPH_LIMITS: readonly LimitRow[] = [
  { name: 'APPLICATION_TURNS', file: GRAPH, answer: 'the next message waits', test: TURNS },
  { name: 'MAILBOX_TURNS', file: GRAPH, answer: 'the next message waits', test: TURNS },
  { name: 'CONNECT_DEADLINE_MS', file: GRAPH, answer: 'the relay pauses', test: STAGES },
  { name: 'SEND_DEADLINE_MS', file: GRAPH, answer: 'deferred, and the relay pauses', test: STAGES },
  {
    name: 'ANSWER_DEADLINE_MS',
    file: GRAPH,
    answer: 'deferred: Graph may have taken the message',
    test: STAGES,
  },
  {
    name: 'ABORTED_ANSWER_DEADLINE_MS',
    file: GRAPH,
    answer: 'deferred: Graph may have taken the message',
    test: 'an abort ends it: nothing was sent, or nobody knows',
  },
  { name: 'ANSWER_BODY_DEADLINE_MS', file: GRAPH, answer: 'the status alone counts', test: STAGES },
  {
    name: 'ANSWER_BODY_LIMIT_OCTETS',
    file: GRAPH,
    answer: 'the status alone counts',
    test: 'whatever goes wrong is told by its class',
  },
  {
    name: 'ANSWER_HEAD_LIMIT_OCTETS',
    file: GRAPH,
    answer: 'deferred: Graph may have taken the message',
    test: 'whatever goes wrong is told by its class',
  },
  { name: 'REPLY_LIMIT_CHARACTERS', file: GRAPH, answer: 'the rest is left out', test: CODES },
  { name: 'INNER_ERROR_LIMIT', file: GRAPH, answer: 'codes further inside are not seen', test: CODES },
  {
    name: 'RETRY_AFTER_LIMIT_MS',
    file: GRAPH,
    answer: 'as if it were this',
    test: 'Retry-After is seconds or a date',
  },
  {
    name: 'PLAIN_ADDRESSES_LIMIT',
    file: 'wire/mime/plainAddresses.ts',
    answer: 'the fallback, or held',
    test: 'a field that all read alike is read',
  },
];
