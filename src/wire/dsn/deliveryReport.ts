/**
 * Delivery status notifications: the message that tells a sender what became of his.
 *
 * RFC 6522 (multipart/report), RFC 3464 sections 2.1 to 2.3 (message/delivery-status: per-message-fields, per-recipient-fields),
 * RFC 6533 section 3 (addresses of type utf-8, in the form that needs no SMTPUTF8). Behind the status stands the header of the
 * message, not the message (RFC 3461 section 4.3 has HDRS for that; a report must not be large).
 * Invariant: nothing that a stranger wrote becomes a field or a line of its own; lines are CRLF.
 */

/** What became of one recipient. */
export interface ReportedRecipient {
  /** Forward path as it was given. */
  readonly address: string;
  readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  /** RFC 3463, as 5.2.2. */
  readonly status: string;
  /** One sentence for a person. */
  readonly explanation: string;
  /** ORCPT, decoded: `rfc822;a@example.org`. */
  readonly originalRecipient?: string | undefined;
}

/** A report. */
export interface DeliveryReport {
  /** Who writes it: a host name. */
  readonly reportingServer: string;
  readonly from: string;
  readonly to: string;
  /** date-time of RFC 5322, of the report and of the arrival. */
  readonly date: string;
  readonly arrivedAt: string;
  /** Of the message: makes Message-ID (with what kind of report it is, since the message may be called by it too) and boundary. */
  readonly id: string;
  /** ENVID, decoded. */
  readonly envelopeId?: string | undefined;
  readonly recipients: readonly ReportedRecipient[];
  /** The header of the message, as it came. */
  readonly header: Buffer;
}

/** The report as a message. */
export function formatDeliveryReport(report: DeliveryReport): Buffer {
  const { reportingServer, from, to, date, id, recipients, header } = report;
  const boundary = `report-${id}`;
  const isFailure = recipients.some(({ action }) => action === 'failed');
  const subject = isFailure ? 'Undelivered mail: some recipients did not get it' : 'Report about your mail';
  const head = [
    `From: Mail delivery <${oneLine(from)}>`,
    `To: <${oneLine(to)}>`,
    `Subject: ${subject}`,
    `Date: ${date}`,
    `Message-ID: <${id}.${isFailure ? 'failure' : 'report'}@${oneLine(reportingServer)}>`,
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=delivery-status;\r\n boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    `This is the mail server ${oneLine(reportingServer)}. About your message:`,
    '',
    ...recipients.map(({ address, explanation }) => `<${oneLine(address)}>: ${oneLine(explanation)}`),
    '',
    `--${boundary}`,
    'Content-Type: message/delivery-status',
    '',
    ...statusLines(report),
    `--${boundary}`,
    'Content-Type: text/rfc822-headers',
    'Content-Transfer-Encoding: 8bit',
    '',
    '',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), fieldsOf(header), Buffer.from(`\r\n--${boundary}--\r\n`)]);
}

/** RFC 3464 section 2.1: a group of fields for the message, one for each recipient, blank lines between. */
function statusLines({ reportingServer, arrivedAt, envelopeId, recipients }: DeliveryReport): string[] {
  return [
    `Reporting-MTA: dns; ${oneLine(reportingServer)}`,
    ...(envelopeId === undefined ? [] : [`Original-Envelope-Id: ${oneLine(envelopeId)}`]),
    `Arrival-Date: ${arrivedAt}`,
    '',
    ...recipients.flatMap(recipientLines),
  ];
}

function recipientLines({
  address,
  action,
  status,
  originalRecipient,
  explanation,
}: ReportedRecipient): string[] {
  return [
    ...(originalRecipient === undefined ? [] : [`Original-Recipient: ${typedAddress(originalRecipient)}`]),
    `Final-Recipient: ${typedAddress(`rfc822;${address}`)}`,
    `Action: ${action}`,
    `Status: ${status}`,
    ...(action === 'failed' ? [`Diagnostic-Code: x-hauspost; ${oneLine(explanation)}`] : []),
    '',
  ];
}

/** `type; address`; an address that is not ASCII is of type utf-8, its characters as \x{...} (RFC 6533 section 3). */
function typedAddress(typed: string): string {
  const semicolon = typed.indexOf(';');
  const [type, address] = [typed.slice(0, semicolon), typed.slice(semicolon + 1).trim()];
  if (/^[\x20-\x7e]*$/.test(address)) return `${oneLine(type)}; ${address}`;
  const escaped = address.replace(
    /[^\x21-\x5b\x5d-\x7e]/gu,
    (character) => `\\x{${(character.codePointAt(0) ?? 0).toString(16).toUpperCase()}}`,
  );
  return `utf-8; ${escaped}`;
}

/** The header without the blank line that ends it. */
function fieldsOf(header: Buffer): Buffer {
  const text = header.toString('latin1');
  return Buffer.from(text.replace(/(\r?\n)+$/, '\r\n'), 'latin1');
}

function oneLine(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}<>]/gu, '?');
}
