/**
 * The first part of a report: what people read. What happened to whom and what to do, in the languages that are set; then what the
 * administrator needs, once, in English.
 *
 * RFC 6522 section 3. Trust: addresses, answers and the subject are strangers': each stays within its line.
 */

import { encodeQuotedPrintable } from '../mime/quotedPrintable.ts';
import type { DeliveryReport, ReportedRecipient } from './report.ts';
import { oneLine } from './oneLine.ts';
import { topicOf } from './statusTopic.ts';
import { ENGLISH } from './texts/english.ts';
import { GERMAN } from './texts/german.ts';
import type { ReportedAction, ReportTexts } from './texts/reportTexts.ts';

/** Recipients of each action that people are told of one by one; the status part has them all. */
export const EXPLAINED_RECIPIENT_LIMIT = 50;
/** Of an answer; the status part has more. */
const REPLY_LIMIT_CHARS = 500;
/** Of a subject that is repeated. */
const SUBJECT_LIMIT_CHARS = 150;
/** Lines of text are wrapped to this, where their words allow it. */
const LINE_AIM_CHARS = 76;

const ACTIONS: readonly ReportedAction[] = ['failed', 'delayed', 'relayed', 'delivered', 'expanded'];

const LANGUAGES = {
  en: [ENGLISH],
  de: [GERMAN],
  both: [ENGLISH, GERMAN],
} as const satisfies Record<DeliveryReport['languages'], readonly ReportTexts[]>;

/** The subject: what happened, and what the message was called. */
export function reportSubject({ languages, recipients, subject }: DeliveryReport): string {
  const action =
    ACTIONS.find((each) => recipients.some((recipient) => recipient.action === each)) ?? 'failed';
  const words = LANGUAGES[languages].map(({ subjects }) => subjects[action]).join(' / ');
  const called = shortened(subject ?? '');
  return called === '' ? words : `${words}: ${called}`;
}

/** The part with its header. */
export function explanationPart(report: DeliveryReport): Buffer {
  const texts: readonly ReportTexts[] = LANGUAGES[report.languages];
  const blocks = texts.map((language) => explain(report, language));
  const [first, ...others] = blocks;
  const hint = texts[1]?.tag === 'de' ? ['(Deutsche Fassung weiter unten.)', ''] : [];
  const lines = [...hint, ...(first ?? []), ...others.flatMap((block) => [RULE, '', ...block])];
  const text = [...lines, RULE, '', ...technicalDetails(report)].join('\r\n');
  const isAscii = /^[\0-\x7f]*$/.test(text);
  const header = [
    'Content-Type: text/plain; charset=utf-8',
    `Content-Language: ${texts.map(({ tag }) => tag).join(', ')}`,
    `Content-Transfer-Encoding: ${isAscii ? '7bit' : 'quoted-printable'}`,
  ];
  const body = isAscii ? text : encodeQuotedPrintable(Buffer.from(text));
  return Buffer.from(`${header.join('\r\n')}\r\n\r\n${body}\r\n`);
}

const RULE = '----------------------------------------------------------------------';

function explain(report: DeliveryReport, texts: ReportTexts): string[] {
  const { recipients, audience, subject } = report;
  const lines: string[] = [];
  for (const action of ACTIONS) {
    const some = recipients.filter((recipient) => recipient.action === action);
    if (some.length === 0) continue;
    const message = audience.kind === 'sender' ? texts.message.own : texts.message.other;
    const closing = texts.closings[action];
    lines.push(
      texts.headlines[action](message),
      '',
      ...some.slice(0, EXPLAINED_RECIPIENT_LIMIT).flatMap((each) => told(each, texts)),
    );
    const more = some.length - EXPLAINED_RECIPIENT_LIMIT;
    if (more > 0) lines.push(`  ${texts.moreRecipients(more)}`, '');
    if (closing !== undefined) lines.push(...wrapped(closing, ''), '');
  }
  if (audience.kind === 'forwarder')
    lines.push(...wrapped(texts.forwarded(oneLine(audience.address)), ''), '');
  if (audience.kind === 'postmaster') {
    const sender = audience.sender === '' ? texts.nobody : oneLine(audience.sender);
    lines.push(...wrapped(texts.postmaster(sender), ''), '');
  }
  const called = shortened(subject ?? '');
  if (called !== '') lines.push(...wrapped(texts.subjectLine(called), ''), '');
  return lines;
}

function told({ address, action, status, willRetryUntil }: ReportedRecipient, texts: ReportTexts): string[] {
  const lines = [`  ${oneLine(address)}`];
  if (action === 'failed' || action === 'delayed') {
    const { why, advice } = texts.reasons[topicOf(action === 'delayed' ? `4${status.slice(1)}` : status)];
    lines.push(...wrapped(action === 'failed' ? `${why} ${advice}` : why, '    '));
  }
  if (willRetryUntil !== undefined) lines.push(...wrapped(texts.triedUntil(willRetryUntil), '    '));
  return [...lines, ''];
}

function technicalDetails(report: DeliveryReport): string[] {
  const { reportingServer, messageTrace, messageId, recipients, returned, arrivedAt } = report;
  const isCut = returned.kind === 'header' && !returned.isWhole;
  return [
    'For administrators:',
    '',
    `Reporting server: ${oneLine(reportingServer)}`,
    `Trace: ${messageTrace} (hauspost trace ${messageTrace})`,
    `Received: ${arrivedAt}`,
    ...(messageId === undefined ? [] : [`Message-ID: ${oneLine(messageId).slice(0, REPLY_LIMIT_CHARS)}`]),
    '',
    ...recipients
      .slice(0, EXPLAINED_RECIPIENT_LIMIT)
      .flatMap(({ address, status, server, reply }) => [
        `${oneLine(address)}`,
        ...wrapped(
          `${server === undefined ? '' : `${oneLine(server)} answered: `}${oneLine(reply).slice(0, REPLY_LIMIT_CHARS)} (${oneLine(status)})`,
          '  ',
        ),
      ]),
    ...(isCut ? ['', 'The header of the message is long; only its first fields are attached.'] : []),
  ];
}

function shortened(subject: string): string {
  const line = oneLine(subject).trim();
  return line.length > SUBJECT_LIMIT_CHARS
    ? `${line.slice(0, SUBJECT_LIMIT_CHARS - 1).toWellFormed()}…`
    : line;
}

function wrapped(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    const isFull = line.length > indent.length && line.length + 1 + word.length > LINE_AIM_CHARS;
    if (isFull) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  return [...lines, line];
}
