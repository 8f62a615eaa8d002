/** Relay-in refuses for good what others did and nothing else: every error there is, thrown or told at every place of a transaction. */

import t, { type Test } from 'tap';

import { MAIL_ERRORS, MailError, type MailErrorCode } from '../../src/base/error.ts';
import type { Door } from '../../src/exchange/door.ts';
import { ask, begin, DOMAIN, openSmtpSite } from './harness.ts';

/** What a message may be refused with for good: unknown recipient, policy, size, its form, a loop. */
const PERMANENT: readonly MailErrorCode[] = [
  'messageTooLarge',
  'bareLineEnd',
  'mailLoop',
  'recipientUnknown',
  'recipientDisabled',
  'relayingDenied',
  'policyRefused',
  'senderRefused',
  'signatureRequired',
];

const CODES = Object.keys(MAIL_ERRORS) as MailErrorCode[];
const site = await openSmtpSite(t);
const real = site.createTransfer();
const message = 'From: a@b.example\r\n\r\nbody\r\n.\r\n';

/** A door that lets everybody in and refuses the message as `header` or `end` say. */
function doorOf(inspection: { header?: () => never | MailError; end?: () => Promise<MailError> }): Door {
  return {
    asksCertificate: false,
    certificateNames: [],
    noteConnection: () => {},
    refuseSender: () => undefined,
    inspect: () => ({
      header: (header) => inspection.header?.() ?? header,
      octets: () => {},
      end: async () => inspection.end?.(),
      isVouchedFor: false,
    }),
    setSecrets: () => {},
    status: () => {
      throw new Error('nobody asks');
    },
  };
}

function holds(t: Test, reply: string, code: MailErrorCode, where: string): void {
  const last = reply.trimEnd().split('\r\n').at(-1) ?? '';
  const isPermanent = PERMANENT.includes(code);
  t.match(last, isPermanent ? /^5\d\d 5\.\d+\.\d+ / : /^4\d\d 4\.\d+\.\d+ /, `${code} ${where}: ${last}`);
  if (isPermanent) {
    const { smtp } = MAIL_ERRORS[code];
    t.ok(last.startsWith(`${smtp.code} ${smtp.status} `), `${code} keeps its own code`);
  }
}

t.test('at RCPT, as a verdict and as an error that is thrown', async (t) => {
  for (const code of CODES) {
    const refused = async () => ({ kind: 'refused', error: new MailError(code) }) as const;
    const thrown = async () => {
      throw new MailError(code);
    };
    for (const checkRecipient of [refused, thrown]) {
      const server = await site.serve(t, { transfer: { ...real, checkRecipient } });
      const client = await server.greeted();
      await ask(client, 'MAIL FROM:<a@sender.example>\r\n', '250');
      const reply = await ask(client, `RCPT TO:<tickets@${DOMAIN}>\r\n`, '\\d');
      holds(t, reply, code, checkRecipient === thrown ? 'thrown at RCPT' : 'at RCPT');
      await server.close(0);
    }
  }
});

t.test('at the end of the data, from an inspection that refuses or throws', async (t) => {
  for (const code of CODES) {
    const error = new MailError(code);
    const doors = [
      doorOf({ header: () => error }),
      doorOf({
        header: () => {
          throw error;
        },
      }),
      doorOf({ end: async () => error }),
      doorOf({ end: () => Promise.reject(error) }),
    ];
    for (const [index, door] of doors.entries()) {
      const server = await site.serve(t, { door });
      const client = await server.greeted();
      await begin(client);
      holds(t, await ask(client, message, '\\d'), code, `inspection ${index}`);
      await server.close(0);
    }
  }
  t.same(await site.inbox(site.tickets), [], 'nothing is stored');
});

t.test('what no error stands for is our fault, wherever it happens', async (t) => {
  const boom = () => {
    throw new TypeError('a bug');
  };
  const servers = [
    await site.serve(t, { transfer: { ...real, checkRecipient: async () => boom() } }),
    await site.serve(t, { transfer: { ...real, accept: async () => boom() } }),
    await site.serve(t, { door: { ...doorOf({}), refuseSender: boom } }),
    await site.serve(t, { door: { ...doorOf({}), inspect: boom } }),
    await site.serve(t, { door: doorOf({ header: boom }) }),
  ];
  for (const [index, server] of servers.entries()) {
    const client = await server.greeted();
    const transaction = `MAIL FROM:<a@sender.example>\r\nRCPT TO:<tickets@${DOMAIN}>\r\nDATA\r\n`;
    const begun = await ask(client, transaction, '(?:354|503)');
    const reply = begun.includes('354') ? await ask(client, message, '\\d') : begun;
    t.match(reply, /^451 4\.3\.0 /m, `${index}: ${reply}`);
  }
});
