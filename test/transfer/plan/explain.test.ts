/** `route test` against what RCPT and the plan do, in generated directories; and what it says of rules that look into a message. */

import t from 'tap';
import { unixMs } from '../../../src/base/clock.ts';
import { explain } from '../../../src/transfer/explain.ts';
import { anyAddress, anySubmitter, chanceOf, generateWorld } from '../../support/generatedWorlds.ts';
import { ANYONE, outcomeIn, verdictIn } from '../../support/planned.ts';
import { randomNumbers } from '../../support/randomNumbers.ts';
import { planningIn, type RoutingWorld, rule } from '../../support/routingWorld.ts';

const SEED = Number(process.env.HAUSPOST_SEED ?? 20261129);
const WORLDS = Number(process.env.HAUSPOST_WORLDS ?? 300);

t.setTimeout(300_000);

t.test('what is explained is what RCPT answers and the plan does', async (t) => {
  const chance = chanceOf(randomNumbers(SEED));
  let explained = 0;
  for (let count = 0; count < WORLDS; count += 1) {
    const world = generateWorld(chance);
    const [from, to, submitter] = [anyAddress(chance), anyAddress(chance), anySubmitter(chance, world)];
    const question = {
      sender: from,
      recipient: to,
      submitter,
      message: { start: Buffer.from('\r\n'), octets: 1000 },
    };
    // Aliases that nest too deep would be a fault of ours; generated ones do not.
    const told = await explain(planningIn(world), question, unixMs(0));
    const { code, status, text } = told.recipientReply;
    const verdict = await verdictIn(world, to, { from, submitter });
    const what = `${from} to ${to}, ${submitter.kind}: ${JSON.stringify(world)}`;
    if (verdict !== (code < 400 ? 'accepted' : `${code} ${status} ${text}`))
      return t.same(told, verdict, what);
    const outcome = await outcomeIn(world, { to: [to], from, submitter });
    if (JSON.stringify(wordsOf(told)) !== JSON.stringify(outcome))
      return t.same(wordsOf(told), outcome, what);
    // A global rule that deletes asks no recipient.
    const isDeleted = told.events.some(({ kind }) => kind === 'ruled');
    if (told.steps.length === 0 && !isDeleted) return t.fail(`nothing is explained: ${what}`);
    explained += told.steps.length;
  }
  return t.ok(explained > WORLDS, `${explained} steps`);
});

function wordsOf({ dataReply, copies, queued }: Awaited<ReturnType<typeof explain>>): string[] {
  if (dataReply.code >= 400) return [`${dataReply.code} ${dataReply.status} ${dataReply.text}`];
  return [
    ...copies.map(({ account, mailbox, flags }) => {
      const system = flags.system === 0 ? [] : [String(flags.system)];
      return [`${account}:${mailbox.join('/')}`, ...flags.keywords, ...system].join(' ');
    }),
    ...queued.map(({ recipient, nextHop, reversePath, forwardedFor }) => {
      const onBehalf = forwardedFor === undefined ? '' : ` for ${forwardedFor}`;
      return `${recipient} via ${nextHop.kind} ${nextHop.name} from ${reversePath}${onBehalf}`;
    }),
  ].sort();
}

t.test('without a message, rules that look into one are named', async (t) => {
  const world: RoutingWorld = {
    domains: [{ name: 'one.example' }],
    accounts: [{ address: 'a@one.example' }],
    rules: [
      rule({
        name: 'for all',
        conditions: [{ kind: 'size', comparison: 'over', octets: 10 }],
        actions: [{ kind: 'delete' }],
      }),
      rule({ name: 'always', account: 'a@one.example', actions: [{ kind: 'fileInto', mailbox: ['All'] }] }),
      rule({
        name: 'alarm',
        account: 'a@one.example',
        conditions: [{ kind: 'subject', match: 'contains', text: 'alarm', isNegated: false }],
        actions: [{ kind: 'fileInto', mailbox: ['Alarms'] }],
      }),
    ],
  };
  const question = { sender: '', recipient: 'a@one.example', submitter: ANYONE };
  const bare = await explain(planningIn(world), question, unixMs(0));
  t.match(bare, { openRules: ['for all', 'a@one.example: alarm'], copies: [{ mailbox: ['All'] }] });
  const message = { start: Buffer.from('Subject: Alarm\r\n\r\n'), octets: 9 };
  const whole = await explain(planningIn(world), { ...question, message }, unixMs(0));
  t.match(whole, { openRules: [], copies: [{ mailbox: ['Alarms'] }] });
});
