/**
 * Delivery status notifications: the message that tells somebody what became of a message.
 *
 * RFC 6522 (multipart/report of three parts), RFC 3464 (message/delivery-status, statusPart.ts), RFC 6533 (the forms of both for
 * reports that may have UTF-8 in their header). explanation.ts writes what people read, returnedPart.ts what comes back of the
 * message.
 * Invariant: nothing that a stranger wrote becomes a field, a line or a part of its own; lines are CRLF; without `isSmtpUtf8`
 * every octet is ASCII but those of a returned message.
 */

import { isPlainMessageId } from '../mime/messageId.ts';
import { formatUnstructured } from '../mime/unstructuredField.ts';
import { explanationPart, reportSubject } from './explanation.ts';
import { oneLine } from './oneLine.ts';
import type { DeliveryReport } from './report.ts';
import { returnedPart } from './returnedPart.ts';
import { statusPart } from './statusPart.ts';

/** The report as a message. */
export function formatDeliveryReport(report: DeliveryReport): Buffer {
  const parts = [
    explanationPart(report),
    statusPart(report),
    returnedPart(report.returned, report.isSmtpUtf8),
  ];
  const boundary = freeBoundary(report.id, parts);
  const pieces = parts.flatMap((part) => [Buffer.from(`\r\n--${boundary}\r\n`), part]);
  return Buffer.concat([
    Buffer.from(headerOf(report, boundary)),
    ...pieces,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

function headerOf(report: DeliveryReport, boundary: string): string {
  const { reportingServer, from, to, date, id, messageId } = report;
  const isKnown = messageId !== undefined && isPlainMessageId(messageId);
  return [
    `From: Mail delivery <${oneLine(from)}>\r\n`,
    `To: <${oneLine(to)}>\r\n`,
    formatUnstructured('Subject', reportSubject(report)),
    `Date: ${date}\r\n`,
    `Message-ID: <${id}@${oneLine(reportingServer)}>\r\n`,
    ...(isKnown ? [`In-Reply-To: <${messageId}>\r\n`, `References: <${messageId}>\r\n`] : []),
    // RFC 3834 section 5: no vacation reply, no reply of Exchange (MS-OXCMAIL) is to answer it.
    'Auto-Submitted: auto-replied\r\n',
    'X-Auto-Response-Suppress: All\r\n',
    'MIME-Version: 1.0\r\n',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"\r\n`,
  ].join('');
}

/** A boundary that is in no part; whoever wrote the returned message may have guessed the first one. */
function freeBoundary(id: string, parts: readonly Buffer[]): string {
  for (let number = 0; ; number += 1) {
    const boundary = number === 0 ? `report-${id}` : `report-${id}-${number}`;
    if (!parts.some((part) => part.includes(`--${boundary}`))) return boundary;
  }
}
