/**
 * What smtp-server asks at MAIL, RCPT and the end of the data, answered by transfer.
 *
 * Every handler has a deadline and answers exactly once, whatever is thrown: the library waits for ever for one that rejects,
 * and an error that nobody listens to would end the process (facts/reliability-security.md section 3).
 * Trust: envelope and octets are the client's. RCPT is transfer's decision alone; there is no way round it.
 */

import type { SMTPServerAddress, SMTPServerDataStream, SMTPServerSession } from 'smtp-server';

import type { Clock } from '../base/clock.ts';
import { asMailError, MailError, type MailErrorCode } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import { createLineTally, tallyLines, wordView } from '../wire/mime/lineTally.ts';
import type { Origin } from '../transfer/traceFields.ts';
import type { Acceptance, Transfer } from '../transfer/transfer.ts';
import { HANDLER_DEADLINE_MS } from './limits.ts';

/** How a lone CR or LF in a message is met. */
export type BareLineFeed = 'keep' | 'refuse';

/** What the handlers need. */
export interface HandlerSurroundings {
  readonly listener: string;
  readonly isTlsRequired: boolean;
  readonly bareLineFeed: BareLineFeed;
  readonly transfer: Transfer;
  readonly clock: Clock;
  readonly log: Log;
  /** Called for each accepted message with the session's id. */
  onAccepted(sessionId: string): void;
}

type Callback = (error?: Error | null, message?: string) => void;

/** The handlers in the form that smtp-server takes. */
export function createHandlers(around: HandlerSurroundings) {
  return {
    onConnect: (session: SMTPServerSession, callback: Callback) => {
      around.log.debug('smtpd.session.open', { session: session.id, remote: session.remoteAddress });
      callback();
    },
    onMailFrom: (_address: SMTPServerAddress, session: SMTPServerSession, callback: Callback) => {
      const isInClear = around.isTlsRequired && !session.secure;
      callback(isInClear ? replyError(530, '5.7.0 Must issue a STARTTLS command first') : null);
    },
    onRcptTo: (address: SMTPServerAddress, session: SMTPServerSession, callback: Callback) => {
      answer(around, callback, within(around.clock, checkRecipient(around, address.address, session)));
    },
    onData: (stream: SMTPServerDataStream, session: SMTPServerSession, callback: Callback) => {
      answer(around, callback, takeMessage(around, stream, session));
    },
    onClose: (session: SMTPServerSession) => {
      around.log.debug('smtpd.session.close', { session: session.id, remote: session.remoteAddress });
    },
  };
}

/** Settles a handler once. Errors become the reply of their code. */
function answer(around: HandlerSurroundings, callback: Callback, work: Promise<string | undefined>): void {
  work.then(
    (message) => callback(null, message),
    (error: unknown) => {
      const { code, reply } = asMailError(error);
      if (code === 'internal') around.log.error('smtpd.handler.failed', { error });
      callback(replyError(reply.smtp.code, `${reply.smtp.status} ${reply.publicText}`));
    },
  );
}

async function checkRecipient(
  { transfer, log }: HandlerSurroundings,
  path: string,
  session: SMTPServerSession,
): Promise<undefined> {
  const verdict = await transfer.checkRecipient(path, declaredOctets(session));
  if (verdict.kind === 'accepted') return undefined;
  log.info('smtpd.recipient.refused', { recipient: path, code: verdict.code, remote: session.remoteAddress });
  throw new MailError(verdict.code satisfies MailErrorCode);
}

/** SIZE= of MAIL (RFC 1870 section 6); 0 when the client did not say. */
function declaredOctets({ envelope }: SMTPServerSession): number {
  const args = envelope.mailFrom === false ? undefined : envelope.mailFrom?.args;
  const size = typeof args === 'object' ? Number((args as Readonly<Record<string, unknown>>).SIZE) : 0;
  return Number.isSafeInteger(size) && size > 0 ? size : 0;
}

async function takeMessage(
  around: HandlerSurroundings,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
): Promise<string> {
  const { envelope } = session;
  const paths = {
    reversePath: envelope.mailFrom === false ? '' : (envelope.mailFrom?.address ?? ''),
    recipients: envelope.rcptTo.map(({ address }) => address),
  };
  const origin = originOf(around, session);
  let acceptance: Acceptance;
  try {
    acceptance = await around.transfer.accept(paths, arriving(stream, around.bareLineFeed), origin);
  } finally {
    // What nobody read must not keep the parser waiting.
    stream.resume();
  }
  if (acceptance.kind === 'refused') throw acceptance.error;
  around.onAccepted(session.id);
  return `2.0.0 Queued as ${acceptance.traceId}`;
}

/** The message's octets. Rejects with `connectionLost` when the client goes before the end, `bareLineEnd` where that is asked for. */
async function* arriving(stream: SMTPServerDataStream, bareLineFeed: BareLineFeed): AsyncGenerator<Buffer> {
  const tally = createLineTally();
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (bareLineFeed === 'refuse') tallyLines(tally, wordView(chunk), 0, chunk.length, false);
      yield chunk;
    }
  } catch (error) {
    throw new MailError('connectionLost', 'the connection ended inside the message', { cause: error });
  }
  if (tally.lineFeeds !== tally.pairs || tally.returns !== tally.pairs) throw new MailError('bareLineEnd');
}

function originOf(around: HandlerSurroundings, session: SMTPServerSession): Origin {
  const tls = session.tlsOptions === false ? undefined : session.tlsOptions;
  return {
    kind: 'smtp',
    listener: around.listener,
    remoteAddress: session.remoteAddress,
    heloName: session.hostNameAppearsAs || '',
    isExtended: session.openingCommand !== 'HELO',
    tls: tls === undefined ? undefined : `${tls.version} ${tls.standardName ?? tls.name}`,
  };
}

function replyError(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

function within<T>(clock: Clock, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(HANDLER_DEADLINE_MS, () => reject(new MailError('deadlineExceeded')));
    promise.then(resolve, reject).finally(() => timer.clear());
  });
}
