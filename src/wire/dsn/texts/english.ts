/**
 * Reports in English. A topic that is new in statusTopic.ts needs its sentences here: the compiler says so.
 */

import type { StatusTopic } from '../statusTopic.ts';
import type { ReasonText, ReportTexts } from './reportTexts.ts';

const REASONS: Readonly<Record<StatusTopic, ReasonText>> = {
  '5.4.1': {
    why: 'The recipient’s mail system does not know this address, or takes no mail for it.',
    advice: 'Check the spelling of the address, and ask the recipient for the right one.',
  },
  '5.1.10': {
    why: 'This address does not exist.',
    advice:
      'Check the spelling of the address. If your mail program suggested it, delete the suggestion and type it anew.',
  },
  '1.1': {
    why: 'This address does not exist.',
    advice:
      'Check the spelling of the address. If your mail program suggested it, delete the suggestion and type it anew.',
  },
  '1.2': {
    why: 'The part of the address behind the @ does not exist, or takes no mail.',
    advice: 'Check the spelling of the address behind the @.',
  },
  '1.3': { why: 'This is not a valid address.', advice: 'Check the spelling of the address.' },
  '1.6': {
    why: 'The recipient has moved and left no new address.',
    advice: 'Ask the recipient for the new address.',
  },
  '1.8': {
    why: 'The recipient’s mail system does not accept the address of the sender.',
    advice: 'Ask your administrator to check the sender address and its domain.',
  },
  '1': {
    why: 'Something is wrong with the address of the recipient or of the sender.',
    advice: 'Check both addresses.',
  },
  '2.1': {
    why: 'The recipient’s mailbox is disabled.',
    advice: 'Reach the recipient in another way.',
  },
  '2.2': {
    why: 'The recipient’s mailbox is full.',
    advice: 'Ask the recipient in another way to make room, then send the message again.',
  },
  '2.3': {
    why: 'The message is larger than this recipient may receive.',
    advice: 'Make it smaller, for example without its attachments, and send it again.',
  },
  '2.4': {
    why: 'The recipient is a list, and the message could not be passed on to its members.',
    advice: 'Tell whoever looks after the list.',
  },
  '2': {
    why: 'The recipient’s mailbox could not take the message.',
    advice: 'Try again later, or reach the recipient in another way.',
  },
  '3.1': {
    why: 'The recipient’s mail system has no room left.',
    advice: 'Try again later.',
  },
  '3.2': {
    why: 'The recipient’s mail system takes no mail at present.',
    advice: 'Try again later.',
  },
  '3.4': {
    why: 'The message is too large.',
    advice: 'Make it smaller, for example without its attachments, and send it again.',
  },
  '3': {
    why: 'The recipient’s mail system has a fault.',
    advice: 'Try again later. If it happens again, tell your administrator.',
  },
  '4.1': {
    why: 'The recipient’s mail system does not answer.',
    advice: 'Try again later. If it happens again, tell your administrator.',
  },
  '4.3': {
    why: 'The way to the recipient’s mail system could not be looked up.',
    advice: 'Check the part of the address behind the @, and try again later.',
  },
  '4.5': {
    why: 'The recipient’s mail system is overloaded.',
    advice: 'Try again later.',
  },
  '4.6': {
    why: 'The message was sent around in a circle and was stopped.',
    advice: 'Tell your administrator: two mail systems, or two forwards, lead to each other.',
  },
  '4.7': {
    why: 'The message could not be delivered in the time that was allowed for it.',
    advice:
      'Send it again, or reach the recipient in another way. If it happens again, tell your administrator.',
  },
  '4.14': {
    why: 'The message was sent around in a circle and was stopped.',
    advice: 'Tell your administrator: two mail systems, or two forwards, lead to each other.',
  },
  '4': {
    why: 'The message could not be brought to the recipient’s mail system.',
    advice: 'Try again later. If it happens again, tell your administrator.',
  },
  '5.3': {
    why: 'The message has more recipients than the next mail system takes.',
    advice: 'Send it in several parts, each to some of the recipients.',
  },
  '5': {
    why: 'The mail systems did not understand each other.',
    advice: 'Tell your administrator.',
  },
  '6.7': {
    why: 'The recipient’s mail system takes no addresses with special characters (such as ü or é).',
    advice: 'Use an address without special characters, for the sender too.',
  },
  '6.9': {
    why: 'The recipient’s mail system takes no addresses with special characters (such as ü or é).',
    advice: 'Use an address without special characters, for the sender too.',
  },
  '6.11': {
    why: 'The program that wrote the message ended its lines in a way that is not allowed.',
    advice: 'Tell whoever looks after that program.',
  },
  '6': {
    why: 'The recipient’s mail system cannot take this kind of content.',
    advice: 'Send it in another form, for example without attachments.',
  },
  '7.1': {
    why: 'The recipient’s mail system did not allow this message.',
    advice:
      'You may lack the permission to write to this recipient. Ask the recipient or your administrator.',
  },
  '7.2': {
    why: 'You may not write to this list.',
    advice: 'Ask whoever looks after the list.',
  },
  '7.8': {
    why: 'The next mail system did not accept the login of our mail server.',
    advice: 'Tell your administrator, then send the message again.',
  },
  '7.23': {
    why: 'The recipient’s mail system holds that our mail server may not send for this sender’s domain (SPF).',
    advice: 'Tell your administrator.',
  },
  '7.26': {
    why: 'The recipient’s mail system could not tell whether the message really comes from its sender (SPF, DKIM).',
    advice: 'Tell your administrator.',
  },
  '7.54': {
    why: 'The next mail system does not pass messages on to this recipient for us.',
    advice: 'Tell your administrator.',
  },
  '7.57': {
    why: 'The next mail system wants our mail server to log in first.',
    advice: 'Tell your administrator, then send the message again.',
  },
  '7.60': {
    why: 'The mailbox that our mail server sends with may not send for this sender address.',
    advice:
      'Use the address that you are allowed to send with, or ask your administrator for the permission.',
  },
  '7.64': {
    why: 'Exchange Online does not recognize our mail server as one of your organization.',
    advice: 'Tell your administrator.',
  },
  '7.68': {
    why: 'Exchange Online does not take messages of your organization from our mail server without a connector.',
    advice: 'Tell your administrator.',
  },
  '7.124': {
    why: 'This group takes messages from certain senders only, and you are not among them.',
    advice: 'Ask whoever looks after the group.',
  },
  '7.128': {
    why: 'A rule of the recipient’s organization sent the message around in a circle.',
    advice: 'Tell your administrator.',
  },
  '7.133': {
    why: 'This recipient takes messages from inside its organization only.',
    advice: 'Ask the recipient or your administrator to allow messages from you.',
  },
  '7.509': {
    why: 'The sender’s domain asks that messages be refused that it cannot be proved to come from (DMARC).',
    advice: 'Tell your administrator.',
  },
  '7.520': {
    why: 'The recipient’s mail is forwarded to another organization, which is not allowed there.',
    advice: 'Reach the recipient in another way, and tell the recipient.',
  },
  '7.606': {
    why: 'The recipient’s mail system takes nothing from the network address of our mail server.',
    advice: 'Tell your administrator.',
  },
  '7.705': {
    why: 'Your organization has sent more than Exchange Online allows.',
    advice: 'Tell your administrator.',
  },
  '7.708': {
    why: 'Exchange Online does not take mail from our mail server at present.',
    advice: 'Tell your administrator.',
  },
  '7': {
    why: 'A rule of the recipient’s mail system refused the message.',
    advice: 'Ask the recipient or your administrator.',
  },
  '': {
    why: 'The recipient’s mail system refused the message.',
    advice: 'Its answer is below. If it does not help you, show this report to your administrator.',
  },
};

/** English. */
export const ENGLISH: ReportTexts = {
  tag: 'en',
  subjects: {
    failed: 'Undeliverable',
    delayed: 'Delayed',
    delivered: 'Delivered',
    relayed: 'Relayed',
    expanded: 'Delivered',
  },
  message: { own: 'Your message', other: 'The message' },
  headlines: {
    failed: (message) => `${message} could not be delivered to:`,
    delayed: (message) => `${message} has not been delivered yet to:`,
    delivered: (message) => `${message} was delivered to:`,
    relayed: (message) => `${message} was handed over to the mail system of:`,
    expanded: (message) => `${message} was passed on to several addresses for:`,
  },
  closings: {
    failed: undefined,
    delayed: 'You need not do anything: delivery will be tried again, and you will be told if it fails.',
    delivered: undefined,
    relayed:
      'That system does not tell whether it delivers the message; you will hear no more of it unless it fails.',
    expanded: undefined,
  },
  forwarded: (address) =>
    `You are told of this because ${address} forwards its mail to this recipient. The sender of the message was not told.`,
  postmaster: (sender) => `This report is for the postmaster. The message was sent by ${sender}.`,
  nobody: 'a mail server (a report or an automatic reply)',
  moreRecipients: (count) => `… and ${count} more, who are named in the attached status.`,
  triedUntil: (date) => `It will be given up on ${date}.`,
  subjectLine: (subject) => `Subject of the message: ${subject}`,
  reasons: REASONS,
};
