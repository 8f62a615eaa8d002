/** The relay by SMTP against a hop that follows a script: what goes on the wire, and what each way of misbehaving comes to. */

import t from 'tap';

import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { createSmtpRelay } from '../../src/outbound/smtp/smtpRelay.ts';
import type { SmtpRelayOptions } from '../../src/outbound/contract.ts';
import type { Relay } from '../../src/transfer/relay.ts';
import { relayContract, type PeerBehaviour } from './relayContract.ts';
import { messageOf } from './relayedMessages.ts';
import { type HopScript, openScriptedHop, type ScriptedHop } from '../support/scriptedHop.ts';
import type { Teardown } from '../support/sockets.ts';

const NEVER = new AbortController().signal;

function openRelay(
  t: Teardown,
  hop: Pick<ScriptedHop, 'port'>,
  options: Partial<SmtpRelayOptions> = {},
): Relay {
  const relay = createSmtpRelay(
    {
      kind: 'smtp',
      name: 'smarthost',
      hosts: [{ host: '127.0.0.1', port: hop.port }],
      tls: { mode: 'none', minimumVersion: 'TLSv1.2' },
      limits: {
        connections: 2,
        messagesPerMinute: 0,
        recipientsPerDay: 0,
        recipientsPerMessage: 100,
        sizeLimitOctets: 0,
      },
      ...options,
    },
    { clock: systemClock, log: silentLog, serverName: 'hauspost.example.com' },
  );
  t.teardown(() => relay.close());
  return relay;
}

t.test('a message goes out whole, and its recipients are told as relayed', async (t) => {
  const hop = await openScriptedHop(t);
  const relay = openRelay(t, hop);
  const { outcomes, trouble } = await relay.relay(
    messageOf('Subject: a\r\n\r\n.dot\r\n..two\r\nend', ['a@example.org', 'b@example.org']),
    NEVER,
  );
  t.equal(trouble, undefined);
  t.same(
    outcomes,
    ['a', 'b'].map(() => ({
      kind: 'relayed',
      reply: '250 2.0.0 Ok: queued as 4BF2C1',
      server: '127.0.0.1',
      tellsSender: true,
    })),
  );
  t.same(hop.lines.slice(0, 2), ['EHLO hauspost.example.com', 'MAIL FROM:<sender@example.com> SIZE=30']);
  t.equal(hop.messages[0]?.octets.toString(), 'Subject: a\r\n\r\n.dot\r\n..two\r\nend\r\n');
});

const BEHAVIOURS: Readonly<Record<Exclude<PeerBehaviour, 'isAway'>, HopScript>> = {
  takes: {},
  defers: { answer: ({ verb }) => (verb === 'message' ? '451 4.3.0 Local error' : undefined) },
  refuses: { answer: ({ verb }) => (verb === 'message' ? '550 5.7.1 Refused' : undefined) },
  refusesSome: {
    answer: ({ line }) => (line.startsWith('RCPT TO:<refused') ? '550 5.1.1 Unknown' : undefined),
  },
  throttles: {
    answer: ({ verb }) => (verb === 'MAIL' ? '432 4.3.2 Concurrent connections limit exceeded' : undefined),
  },
  isMisconfigured: {
    answer: ({ verb }) => (verb === 'RCPT' ? '550 5.7.64 TenantAttribution; Relay Access Denied' : undefined),
  },
  cutsInTheMiddle: { cutsDataAfter: 100_000 },
  cutsAtTheEnd: { answer: ({ verb }) => (verb === 'message' ? { cut: true } : undefined) },
};

relayContract(t, 'a smarthost by SMTP', async (t) => {
  const hop = await openScriptedHop(t);
  return {
    relay: openRelay(t, hop),
    can: new Set(Object.keys(BEHAVIOURS) as PeerBehaviour[]),
    behave: (behaviour) => (behaviour === 'isAway' ? hop.goAway() : hop.comeBack(BEHAVIOURS[behaviour])),
    received: () =>
      hop.messages.map(({ rcpts, octets }) => ({
        recipients: rcpts.map((line) => /<(.*)>/.exec(line)?.[1] ?? ''),
        octets,
      })),
    largestOctets: 200_000_000,
  };
});
