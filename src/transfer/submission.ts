/**
 * What submission does to a message before it is stored (RFC 6409 section 8): blind copies go, missing fields come.
 *
 * Only messages of submission listeners are touched; mail that is relayed to us passes as it is. Octets of the body are never
 * looked at, so a Bcc there or in an attached message stays.
 * Trust: a header that is too long to be read as a whole is refused, since a Bcc may stand in the rest of it.
 */

import type { UnixMs } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { TraceId } from '../base/ids.ts';
import type { MessageHeader } from '../wire/mime/messageHeader.ts';
import { completed, hidesBlindCopies, withoutBlindCopies } from '../wire/mime/submittedHeader.ts';
import type { Envelope, Origin, TransferOptions } from './contract.ts';
import { formatDate } from './traceFields.ts';

/** What is known when a message's header has been read. */
export interface Handover {
  readonly traceId: TraceId;
  readonly begunAt: UnixMs;
  readonly zoneMinutes: number;
  readonly envelope: Envelope;
  readonly origin: Origin;
}

/** A message ready to be stored. */
export interface Prepared {
  readonly header: MessageHeader;
  /** What was added, removed and rewritten, for log and trace: `completed: 'Date, From'`. */
  readonly changes: Readonly<Record<string, string>>;
}

/** Prepares a header. Errors: `messageTooLarge` (the header), `bareLineEnd`. */
export function prepare(
  options: Pick<TransferOptions, 'serverName'>,
  handover: Handover,
  header: MessageHeader,
): Prepared {
  if (handover.origin.role !== 'submission') return { header, changes: {} };
  refuseUnsearchable(header);
  const shown = withoutBlindCopies(header);
  const whole = completed(shown.header, completionOf(options, handover));
  return {
    header: whole.header,
    changes: {
      ...(shown.removed.length === 0 ? {} : { removed: namesText(shown.removed) }),
      ...(whole.added.length === 0 ? {} : { completed: whole.added.join(', ') }),
    },
  };
}

function refuseUnsearchable(header: MessageHeader): void {
  if (!header.isWhole)
    throw new MailError('messageTooLarge', 'its header is too long to be searched for Bcc', {
      publicText:
        'The header of the message is too long: a blank line has to come within 1 MiB and 10000 lines',
    });
  if (hidesBlindCopies(header))
    throw new MailError('bareLineEnd', 'its header has a Bcc behind a CR alone', {
      publicText: 'The header of the message has a Bcc behind a CR that is not part of CRLF',
    });
}

function completionOf({ serverName }: Pick<TransferOptions, 'serverName'>, handover: Handover) {
  const { traceId, begunAt, zoneMinutes, envelope, origin } = handover;
  const { submitter } = origin;
  const known = submitter.kind === 'account' ? submitter.account.address : undefined;
  const given = envelope.reversePath === '' ? known : envelope.reversePath;
  // No listener lets through anything of the kind; other origins may.
  const from = given !== undefined && /\p{C}/u.test(given) ? undefined : given;
  return {
    date: formatDate(begunAt, zoneMinutes),
    messageId: `${traceId}@${idDomain(serverName, from)}`,
    from,
  };
}

/** Our name where it is one of the Internet, else the sender's domain: filters distrust ids of a name without a dot. */
function idDomain(serverName: string, from: string | undefined): string {
  const domain = from?.slice(from.lastIndexOf('@') + 1) ?? '';
  return serverName.includes('.') || !/^[A-Za-z0-9.-]+$/.test(domain) ? serverName : domain;
}

/** Each name once, as it is known. */
function namesText(names: readonly string[]): string {
  return [...new Set(names)].map((name) => (name === 'bcc' ? 'Bcc' : 'Resent-Bcc')).join(', ');
}
