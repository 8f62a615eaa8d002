/**
 * The second part of a report: what became of each recipient, for programs.
 *
 * RFC 3464 sections 2.1 to 2.3 (per-message-fields, per-recipient-fields), RFC 3461 section 6.3 (which of them there are for mail that
 * came by SMTP, 9.2 for the `smtp` diagnostic type), RFC 6533 section 4.1 (message/global-delivery-status).
 */

import type { DeliveryReport, ReportedRecipient } from './report.ts';
import { asciiLine, oneLine } from './oneLine.ts';
import { typedAddress } from './typedAddress.ts';

/** Of an answer, for a program to read; the line stays within RFC 5322's 998 octets. */
const REPLY_LIMIT_CHARS = 900;

const STATUS = /^[245]\.\d{1,3}\.\d{1,3}$/;

/** The part with its header. */
export function statusPart(report: DeliveryReport): Buffer {
  const { reportingServer, arrivedAt, envelopeId, recipients, isSmtpUtf8 } = report;
  const fields = [
    // RFC 3461 section 6.3 (a) and (b).
    ...(envelopeId === undefined ? [] : [`Original-Envelope-Id: ${asciiLine(envelopeId)}`]),
    `Reporting-MTA: ${mtaName(reportingServer)}`,
    `Arrival-Date: ${arrivedAt}`,
    '',
    ...recipients.flatMap((recipient) => recipientFields(recipient, isSmtpUtf8)),
  ].join('\r\n');
  const isGlobal = isSmtpUtf8 && !/^[\0-\x7f]*$/.test(fields);
  const header = isGlobal
    ? 'Content-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\n'
    : 'Content-Type: message/delivery-status\r\n\r\n';
  return Buffer.from(header + fields);
}

function recipientFields(recipient: ReportedRecipient, isSmtpUtf8: boolean): string[] {
  const { address, action, status, reply, server, originalRecipient, lastAttemptAt, willRetryUntil } =
    recipient;
  return [
    ...(originalRecipient === undefined
      ? []
      : [`Original-Recipient: ${typedAddress(originalRecipient, isSmtpUtf8)}`]),
    `Final-Recipient: ${typedAddress(`rfc822;${address}`, isSmtpUtf8)}`,
    `Action: ${action}`,
    `Status: ${statusOf(recipient, status)}`,
    ...(server === undefined ? [] : [`Remote-MTA: ${mtaName(server)}`]),
    ...(reply === '' ? [] : [`Diagnostic-Code: ${diagnosticCode(reply, server !== undefined, isSmtpUtf8)}`]),
    ...(lastAttemptAt === undefined ? [] : [`Last-Attempt-Date: ${lastAttemptAt}`]),
    ...(willRetryUntil === undefined ? [] : [`Will-Retry-Until: ${willRetryUntil}`]),
    '',
  ];
}

/** RFC 3461 section 6.3 (g); the class is that of the action (RFC 3463 section 2). */
function statusOf({ action }: ReportedRecipient, status: string): string {
  const digit = action === 'failed' ? '5' : action === 'delayed' ? '4' : '2';
  return STATUS.test(status) ? `${digit}${status.slice(1)}` : `${digit}.0.0`;
}

/** RFC 3461 section 6.3 (b): `dns` is for names only; an address literal is one too (RFC 3464 section 2.1.2). */
function mtaName(name: string): string {
  const isName =
    /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(name) || /^\[[0-9A-Za-z.:]+\]$/.test(name);
  return `${isName ? 'dns' : 'x-local-hostname'}; ${asciiLine(name)}`;
}

/** `smtp` is for what a server answered, which begins with its code. */
function diagnosticCode(reply: string, isAnswer: boolean, isSmtpUtf8: boolean): string {
  const type = isAnswer && /^[2-5]\d\d(?=$|[ -])/.test(reply) ? 'smtp' : 'x-hauspost';
  const text = reply.slice(0, REPLY_LIMIT_CHARS);
  return `${type}; ${isSmtpUtf8 ? oneLine(text) : asciiLine(text)}`;
}
