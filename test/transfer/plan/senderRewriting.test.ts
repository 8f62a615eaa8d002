/** Senders of what is forwarded, rewritten and had back: any address, lengths, forgeries, age, and what the plan makes of it. */

import fc from 'fast-check';
import t from 'tap';
import { unixMs } from '../../../src/base/clock.ts';
import { DAY_MS } from '../../../src/base/units.ts';
import { isSrs, restoreSrs, rewriteSrs, SRS_LIFETIME_DAYS } from '../../../src/wire/smtp/srs.ts';
import { createSenderRewriting } from '../../../src/transfer/plan/senderRewriting.ts';
import { outcomeIn } from '../../support/planned.ts';
import { planningIn, type RoutingWorld, route } from '../../support/routingWorld.ts';

const KEY = 'a key that nobody guesses';
const DAY = 20_000;

const localPart = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,24}(\.[A-Za-z0-9+=-]{1,8})?$/);
const domain = fc.stringMatching(/^[a-z0-9-]{1,12}(\.[a-z]{2,6}){1,2}$/);

t.test('what is rewritten is had back within its days, whatever case it comes back in', (t) => {
  let rewrites = 0;
  fc.assert(
    fc.property(localPart, domain, fc.nat(3000), fc.nat(SRS_LIFETIME_DAYS), (local, of, day, age) => {
      const address = { localPart: local, domain: of };
      const rewritten = rewriteSrs(address, KEY, day);
      if (rewritten === undefined) return isSrs(local) || local.length + of.length + 17 > 64;
      rewrites += 1;
      const restored = restoreSrs(rewritten, KEY, day + age);
      const folded = restoreSrs(rewritten.toLowerCase(), KEY, day + age);
      return (
        rewritten.length <= 64 &&
        (isSrs(local) ||
          (restored.kind === 'restored' &&
            restored.address.localPart === local &&
            restored.address.domain === of)) &&
        folded.kind === restored.kind
      );
    }),
    { numRuns: 1000 },
  );
  t.ok(rewrites > 300, `${rewrites} were rewritten`);
  t.end();
});

t.test('what we have not made, or long ago, is not had back', (t) => {
  const rewritten = rewriteSrs({ localPart: 'somebody', domain: 'far.example' }, KEY, DAY) ?? '';
  t.match(rewritten, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=far\.example=somebody$/);
  t.strictSame(restoreSrs(rewritten, KEY, DAY + SRS_LIFETIME_DAYS + 1), { kind: 'expired' });
  t.strictSame(restoreSrs(rewritten, KEY, DAY - 1).kind, 'restored', 'a clock that was set back by a day');
  t.strictSame(restoreSrs(rewritten, KEY, DAY - 2), { kind: 'expired' });
  t.strictSame(restoreSrs(rewritten, 'another key', DAY), { kind: 'forged' });
  for (let at = 5; at < rewritten.length; at += 1) {
    const changed = `${rewritten.slice(0, at)}${rewritten[at] === 'x' ? 'y' : 'x'}${rewritten.slice(at + 1)}`;
    t.not(restoreSrs(changed, KEY, DAY).kind, 'restored', changed);
  }
  for (const nonsense of ['SRS0', 'SRS0=', 'SRS0====', 'SRS0=a=b=c=d', 'SRS1=x=y==', 'SRS2=a', ''])
    t.strictSame(restoreSrs(nonsense, KEY, DAY), { kind: 'forged' });
  t.end();
});

t.test('what another forwarder has rewritten goes back to that forwarder', (t) => {
  const other = { localPart: 'SRS0+abcd=ab=far.example=x', domain: 'one.example' };
  const rewritten = rewriteSrs(other, KEY, DAY) ?? '';
  t.match(rewritten, /^SRS1=[a-z2-7]{8}=one\.example=\+abcd=ab=far\.example=x$/);
  t.strictSame(restoreSrs(rewritten, KEY, DAY), { kind: 'restored', address: other });
  const third = { localPart: 'SRS1=zzzz=one.example==abcd=ab=far.example=x', domain: 'two.example' };
  const again = rewriteSrs(third, KEY, DAY) ?? '';
  t.match(again, /^SRS1=[a-z2-7]{8}=one\.example==abcd=ab=far\.example=x$/);
  t.match(restoreSrs(again, KEY, DAY), { kind: 'restored', address: { domain: 'one.example' } });
  for (const odd of ['"a b"', 'a..b', 'jürgen', 'x'.repeat(48)])
    t.equal(rewriteSrs({ localPart: odd, domain: 'far.example' }, KEY, DAY), undefined, odd);
  t.end();
});

const WORLD: RoutingWorld = {
  domains: [{ name: 'app.example', catchAll: 'b@app.example' }],
  accounts: [{ address: 'a@app.example' }, { address: 'b@app.example' }],
  forwards: [{ account: 'a@app.example', targets: ['a@far.example'], keepsCopy: false, isEnabled: true }],
  routes: [route({ name: 'out', recipients: ['*'], target: { kind: 'relay', relay: 'm365' } })],
};

function planningWith(day: number) {
  const senderRewriting = createSenderRewriting(KEY, { now: () => unixMs(day * DAY_MS) });
  return { ...planningIn(WORLD), senderRewriting };
}

t.test('a forward leaves with a sender of ours, and a bounce to it reaches the first sender', async (t) => {
  const [sent = ''] = await outcomeIn(
    WORLD,
    { from: 's@sender.example', to: ['a@app.example'] },
    planningWith(DAY),
  );
  const rewritten =
    /^a@far\.example via relay m365 from (SRS0=\S+=sender\.example=s@app\.example)/.exec(sent)?.[1] ?? '';
  t.not(rewritten, '', sent);
  const bounce = { from: '', to: [rewritten] };
  const [back = ''] = await outcomeIn(WORLD, bounce, planningWith(DAY + 2));
  t.match(back, /^s@sender\.example via relay m365/);
  const [abused = ''] = await outcomeIn(
    WORLD,
    { from: 'stranger@far.example', to: [rewritten] },
    planningWith(DAY + 2),
  );
  t.match(abused, /^550 5\.1\.1 /, 'who saw the address sends nothing but bounces by it');
  const [late = ''] = await outcomeIn(WORLD, bounce, planningWith(DAY + 30));
  t.match(late, /^550 5\.1\.1 /, 'not even a catch-all takes it');
  const [forged = ''] = await outcomeIn(
    WORLD,
    { from: '', to: [rewritten.replace('=s@', '=other@')] },
    planningWith(DAY),
  );
  t.match(forged, /^550 5\.1\.1 /);
});

t.test('senders of ours, null paths and what nobody forwards stay as they are', async (t) => {
  for (const [from, to, expected] of [
    ['b@app.example', 'a@app.example', /via relay m365(?: from b@app\.example)?/],
    ['', 'a@app.example', /via relay m365(?: from <?>?)?$|via relay m365/],
  ] as const) {
    const [outcome = ''] = await outcomeIn(WORLD, { from, to: [to] }, planningWith(DAY));
    t.match(outcome, expected);
    t.notMatch(outcome, /SRS/);
  }
  const [long = ''] = await outcomeIn(
    WORLD,
    { from: `${'x'.repeat(60)}@sender.example`, to: ['a@app.example'] },
    planningWith(DAY),
  );
  t.match(long, /from a@app\.example/, 'where 64 octets are too few, whoever forwards is the sender');
  const [off = ''] = await outcomeIn(WORLD, { from: 's@sender.example', to: ['a@app.example'] });
  t.notMatch(off, /SRS/);
});
