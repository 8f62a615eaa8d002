/**
 * The private Postfix itself: that it insists on what it is told to insist on.
 */

import t from 'tap';
import { createAuthority } from './authority.ts';
import { DOVECOT_SASL_PROGRAMS, openDovecotSasl } from './dovecotSasl.ts';
import { peerTest, runProgram } from './peers.ts';
import { openPostfix, POSTFIX_PROGRAMS } from './postfix.ts';

peerTest(
  t,
  [...POSTFIX_PROGRAMS, ...DOVECOT_SASL_PROGRAMS, 'swaks'],
  'without TLS and a login it takes nothing, with both what was sent',
  async (t) => {
    const authority = await createAuthority('Hop authority');
    const tls = await authority.issue({
      commonName: 'hop',
      names: ['hop.example.net'],
      uses: ['serverAuth'],
    });
    const sasl = await openDovecotSasl(t, 'app', 'geheim');
    const postfix = await openPostfix(t, { tls, saslSocket: sasl.socket });
    const send = (...args: string[]) =>
      runProgram('swaks', [
        '--server',
        `127.0.0.1:${postfix.port}`,
        '--from',
        'a@x.example',
        '--to',
        'b@y.example',
        ...args,
      ]);
    t.match((await send()).stdout.toString(), /530 5\.7\.0 Must issue a STARTTLS/);
    t.match((await send('--tls')).stdout.toString(), /55\d 5\.7\.1/);
    t.match((await send('--tls', '-a', '-au', 'app', '-ap', 'falsch')).stdout.toString(), /535 5\.7\.8/);
    const sent = await send(
      '--tls',
      '-a',
      '-au',
      'app',
      '-ap',
      'geheim',
      '--data',
      'Subject: x\n\nbody\n..dots\n',
    );
    t.equal(sent.exitCode, 0, sent.stdout.toString());
    const [first] = await postfix.taken(1);
    t.match(first, { sender: 'a@x.example', recipient: 'b@y.example' });
    t.match(first?.octets, /^Subject: x\n\nbody\n/);
  },
);
