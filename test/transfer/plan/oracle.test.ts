/**
 * Planning held against an oracle of its own making, in generated directories: who is reached at all, that RCPT and plan agree,
 * and that nothing is lost or relayed that must not be, whatever forwards and rules there are.
 */

import t from 'tap';
import type { Submitter } from '../../../src/transfer/contract.ts';
import { ANYONE, outcomeIn, planIn, verdictIn } from '../../support/planned.ts';
import { anyAddress, anySubmitter, chanceOf, generateWorld } from '../../support/generatedWorlds.ts';
import { randomNumbers } from '../../support/randomNumbers.ts';
import { houseTargets } from '../../support/relayTricks.ts';
import { accountsOf, type RoutingWorld } from '../../support/routingWorld.ts';

const SEED = Number(process.env.HAUSPOST_SEED ?? 20261128);
const WORLDS = Number(process.env.HAUSPOST_WORLDS ?? 600);

/** What the oracle finds: words as in planned.ts. */
type Reached = Set<string>;

/** The oracle: depth first and without mercy, on the plain values, in words that have nothing to do with the code under test. */
function oracle(world: RoutingWorld, path: string, from: string, submitter: Submitter): Reached {
  const reached: Reached = new Set();
  const been = new Set<string>();
  const domainOf = (address: string) => {
    const name = address.slice(address.lastIndexOf('@') + 1);
    return world.domains.find((domain) => domain.name === name || domain.aliases?.includes(name));
  };
  const main = (address: string) =>
    `${address.slice(0, address.lastIndexOf('@'))}@${domainOf(address)?.name ?? address.slice(address.lastIndexOf('@') + 1)}`;
  const isEnabledHere = (address: string) => domainOf(address)?.isEnabled !== false;
  const objects = [...world.accounts, ...(world.aliases ?? []), ...(world.lists ?? [])];
  const owner = (address: string): string | undefined => {
    const whole = main(address);
    if (objects.some((object) => object.address === whole)) return whole;
    const plus = whole.replace(/\+[^@]*@/, '@');
    const isPlus = domainOf(address)?.plusSeparator === '+' && plus !== whole && !whole.startsWith('+');
    return isPlus && objects.some((object) => object.address === plus) ? plus : undefined;
  };
  const meant = (pattern: string, address: string) => {
    // Whose it is by plus addressing counts only as long as that is not switched off.
    const whose = objects.find((object) => object.address === owner(address) && object.isEnabled !== false);
    const forms = new Set([
      address,
      main(address),
      isEnabledHere(address) ? (whose?.address ?? address) : address,
    ]);
    return [...forms].some((form) => {
      const names =
        domainOf(form) === undefined
          ? [form.split('@')[1]]
          : [domainOf(form)?.name, ...(domainOf(form)?.aliases ?? [])];
      if (pattern === '*') return true;
      if (pattern.startsWith('*.')) return names.some((name) => name?.endsWith(pattern.slice(1)));
      if (pattern.includes('@')) return names.some((name) => `${form.split('@')[0]}@${name}` === pattern);
      return names.includes(pattern);
    });
  };
  const senders = [from, ...(submitter.kind === 'account' ? [submitter.account.address] : [])];
  const senderMeant = (pattern: string, sender: string) => {
    if (pattern === '<>' || sender === '') return pattern === '<>' && sender === '';
    return (
      meant(pattern, sender) &&
      (pattern === '*' ||
        pattern.startsWith('*.') ||
        !pattern.includes('@') ||
        main(sender) === main(pattern))
    );
  };
  const mayPost = (list: { address: string; posters?: { kind: string; addresses?: readonly string[] } }) => {
    const kind = list.posters?.kind ?? 'anyone';
    if (from === '' && submitter.kind === 'anyone') return false;
    if (kind === 'anyone') return true;
    if (kind === 'submitters') return submitter.kind !== 'anyone';
    const plain =
      from === ''
        ? []
        : [
            from,
            main(from),
            ...(owner(from) === undefined || !isAccountOrAlias(owner(from)) ? [] : [owner(from) as string]),
          ];
    const proved = submitter.kind === 'account' ? provedNames(submitter.account.address, plain) : plain;
    if (kind === 'addresses')
      return proved.some((name) => list.posters?.addresses?.some((allowed) => main(name) === main(allowed)));
    const standing = (address: string, seen: readonly string[]): boolean => {
      const members = world.lists?.find((other) => other.address === address)?.members ?? [];
      if (proved.some((name) => members.includes(name))) return true;
      const nested = members.filter(
        (member) => !seen.includes(member) && world.lists?.some((other) => other.address === member),
      );
      return nested.some((member) => standing(member, [...seen, member]));
    };
    return standing(list.address, [list.address]);
  };
  const isAccountOrAlias = (address: string | undefined) => {
    const object = [...world.accounts, ...(world.aliases ?? [])].find((each) => each.address === address);
    return object !== undefined && object.isEnabled !== false && isEnabledHere(object.address);
  };
  /** By aliases and catch-alls alone: whose address this is. */
  const leadsTo = (address: string, account: string, seen: ReadonlySet<string> = new Set()): boolean => {
    if (seen.has(address) || domainOf(address) === undefined || !isEnabledHere(address)) return false;
    const next = new Set([...seen, address]);
    const whose = owner(address);
    const alias = world.aliases?.find((each) => each.address === whose);
    if (alias !== undefined)
      return alias.isEnabled !== false && alias.targets.some((target) => leadsTo(target, account, next));
    const found = world.accounts.find((each) => each.address === whose);
    if (found !== undefined) return found.isEnabled !== false && found.address === account;
    if (whose !== undefined) return false;
    const caught = domainOf(address)?.catchAll;
    if (caught !== undefined) return leadsTo(caught, account, next);
    const isPostmaster = address.startsWith('postmaster@') && world.postmaster !== undefined;
    return isPostmaster && leadsTo(world.postmaster ?? '', account, next);
  };
  const provedNames = (account: string, plain: readonly string[]) =>
    from !== '' && leadsTo(from, account) ? [account, ...plain] : [account];
  const go = (
    address: string,
    isHouse: boolean,
    isRouted: boolean,
    isListed: boolean,
    reverse: string,
  ): void => {
    const key = JSON.stringify([address, isHouse, isRouted, isListed]);
    if (been.has(key)) return;
    been.add(key);
    const isOurs = domainOf(address) !== undefined;
    if (!isRouted || !isOurs) {
      for (const route of world.routes ?? []) {
        const { target } = route;
        if (route.isEnabled === false || !route.recipients.some((pattern) => meant(pattern, address)))
          continue;
        if (
          route.senders.length > 0 &&
          !senders.some((sender) => route.senders.some((pattern) => senderMeant(pattern, sender)))
        )
          continue;
        if (target.kind === 'refuse') return;
        if (target.kind === 'local') {
          go(target.address, isHouse, true, isListed, reverse);
          return;
        }
        const isUsable = isHouse || submitter.kind === 'account' || route.isOpenTo === 'anyone';
        const isNamed =
          !isOurs || route.recipients.some((pattern) => pattern !== '*' && meant(pattern, address));
        if (!isUsable || !isNamed || world.isRelaying === false) continue;
        const name = target.kind === 'relay' ? target.relay : target.directory;
        reached.add(`${address} via ${target.kind} ${name} from ${reverse}`);
        return;
      }
    }
    if (!isOurs || !isEnabledHere(address)) return;
    const whose = owner(address);
    const account = world.accounts.find((each) => each.address === whose);
    const alias = world.aliases?.find((each) => each.address === whose);
    const list = world.lists?.find((each) => each.address === whose);
    if (account !== undefined) {
      if (account.isEnabled !== false) reached.add(`${account.address}:INBOX`);
    } else if (alias !== undefined) {
      if (alias.isEnabled !== false)
        for (const target of alias.targets) go(target, true, isRouted, isListed, reverse);
    } else if (list !== undefined) {
      if (list.isEnabled === false || (!isListed && !mayPost(list))) return;
      const administrator = from === '' ? '' : `postmaster@${list.address.split('@')[1]}`;
      for (const member of list.members) go(member, true, isRouted, true, administrator);
    } else {
      const caught = domainOf(address)?.catchAll;
      if (caught !== undefined) go(caught, true, isRouted, isListed, reverse);
      else if (address.startsWith('postmaster@') && world.postmaster !== undefined) {
        const { postmaster } = world;
        if (world.accounts.some((account) => leadsTo(postmaster, account.address)))
          go(postmaster, isHouse, isRouted, isListed, reverse);
      }
    }
  };
  go(path, false, false, false, from);
  return reached;
}

t.setTimeout(300_000);

t.test('in worlds without forwards and rules exactly those are reached whom the oracle finds', async (t) => {
  const chance = chanceOf(randomNumbers(SEED));
  let reachedSome = 0;
  let queuedSome = 0;
  for (let count = 0; count < WORLDS; count += 1) {
    const world = generateWorld(chance, { passOn: false });
    for (let turn = 0; turn < 4; turn += 1) {
      const to = anyAddress(chance);
      const from = chance.once(6) ? '' : anyAddress(chance);
      const submitter = anySubmitter(chance, world);
      const expected = [...oracle(world, to, from, submitter)].sort();
      const outcome = await outcomeIn(world, { to: [to], from, submitter });
      const isRefused = outcome.length === 1 && /^550 /.test(outcome[0] ?? '');
      const found = isRefused ? [] : outcome;
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        t.same(found, expected, `${from} to ${to}, ${submitter.kind}: ${JSON.stringify(world)}`);
        return;
      }
      const verdict = await verdictIn(world, to, { from, submitter });
      const isAccepted = verdict === 'accepted';
      // RCPT takes a list without asking each member.
      const isDeadList = isAccepted && isRefused && (world.lists ?? []).length > 0;
      if (isAccepted === isRefused && !isDeadList) {
        t.same(verdict, outcome, `${from} to ${to}, ${submitter.kind}: ${JSON.stringify(world)}`);
        return;
      }
      if (expected.length > 0) reachedSome += 1;
      if (expected.some((word) => word.includes(' via '))) queuedSome += 1;
    }
  }
  t.ok(
    reachedSome > WORLDS / 2 && queuedSome > WORLDS / 4,
    `seed ${SEED}: ${reachedSome} reached, ${queuedSome} queued`,
  );
});

t.test(
  'whatever forwards and rules there are, nothing is lost, doubled, or relayed that must not be',
  async (t) => {
    const chance = chanceOf(randomNumbers(SEED + 1));
    let forwarded = 0;
    for (let count = 0; count < WORLDS; count += 1) {
      const world = generateWorld(chance);
      const to = [...new Set([anyAddress(chance), anyAddress(chance), anyAddress(chance)])];
      const from = chance.once(6) ? '' : anyAddress(chance);
      const submitter = anySubmitter(chance, world);
      let planned: Awaited<ReturnType<typeof planIn>>;
      try {
        planned = await planIn(world, { to, from, submitter });
      } catch {
        continue;
      }
      const problem = problemOf(world, planned, to, from, submitter);
      if (problem !== undefined) {
        t.fail(
          `${problem}; ${from} to ${to}, ${submitter.kind}: ${JSON.stringify(world)} gave ${JSON.stringify(planned)}`,
        );
        return;
      }
      forwarded += planned.events.filter(({ kind }) => kind === 'forwarded').length;
    }
    t.ok(forwarded > WORLDS / 20, `seed ${SEED}: ${forwarded} forwards`);
  },
);

function problemOf(
  world: RoutingWorld,
  { copies, queued, events }: Awaited<ReturnType<typeof planIn>>,
  to: readonly string[],
  from: string,
  submitter: Submitter,
): string | undefined {
  const accounts = accountsOf(world);
  const names = copies.map(({ accountId }) => accounts[accountId - 1]?.address);
  if (new Set(names).size !== names.length) return 'an account has two copies';
  if (
    new Set(queued.map(({ recipient, reversePath }) => `${recipient} ${reversePath}`)).size !== queued.length
  )
    return 'a recipient is queued twice';
  if (world.isRelaying === false && queued.length > 0) return 'something is relayed though relaying is off';
  const house = houseTargets(world);
  for (const { recipient, nextHop } of queued) {
    if (submitter.kind !== 'anyone' || house.has(recipient)) continue;
    const open = world.routes?.find((route) => route.isOpenTo === 'anyone' && route.name === nextHop.name);
    if (open === undefined || !to.includes(recipient)) return `open relay: ${recipient}`;
  }
  // Nothing is lost: whoever the envelope means has a copy, or a rule or a forward of theirs says why not.
  const isDeletedForAll = (world.rules ?? []).some(
    ({ account, actions }) => account === undefined && actions.some(({ kind }) => kind === 'delete'),
  );
  if (isDeletedForAll) return undefined;
  for (const path of to) {
    for (const word of oracle(world, path, from, submitter)) {
      if (word.includes(' via ')) {
        if (
          !queued.some(
            (item) =>
              word ===
              `${item.recipient} via ${item.nextHop.kind} ${item.nextHop.name} from ${item.reversePath}`,
          )
        )
          return `not queued: ${word}`;
        continue;
      }
      const address = word.replace(':INBOX', '');
      if (names.includes(address)) continue;
      const isDeleted = (world.rules ?? []).some(
        ({ account, actions }) => account === address && actions.some(({ kind }) => kind === 'delete'),
      );
      const onward = (world.forwards ?? []).find(
        ({ account, keepsCopy, isEnabled }) => account === address && !keepsCopy && isEnabled,
      );
      if (isDeleted) continue;
      if (onward === undefined) return `lost: ${address}`;
      const isDone = onward.targets.every((target) =>
        events.some(
          ({ kind, fields }) =>
            kind === 'forwarded' && fields.account === address && fields.target === target,
        ),
      );
      if (!isDone) return `lost at a forward: ${address}`;
      if (
        names.length === 0 &&
        queued.length === 0 &&
        !(world.rules ?? []).some(({ actions }) => actions.some(({ kind }) => kind === 'delete'))
      )
        return 'everybody forwards and nobody has it';
    }
  }
  return undefined;
}

t.test('the oracle would notice a hole', async (t) => {
  t.equal(ANYONE.kind, 'anyone');
  const world = generateWorld(chanceOf(randomNumbers(3)));
  const planned = await planIn(world, { to: ['postmaster'] }).catch(() => undefined);
  const base = planned ?? { copies: [], queued: [], events: [], undelivered: [], delivered: [] };
  const item = {
    recipient: 'victim@far.example',
    nextHop: { kind: 'relay', name: 'none' },
    reversePath: '',
    isSmtpUtf8: false,
  } as const;
  const relaying = { ...world, isRelaying: true };
  t.match(problemOf(relaying, { ...base, queued: [item] }, ['victim@far.example'], '', ANYONE), /open relay/);
  t.match(
    problemOf({ ...world, isRelaying: false }, { ...base, queued: [item] }, [], '', ANYONE),
    /relaying is off/,
  );
  const lost = { domains: [{ name: 'one.example' }], accounts: [{ address: 'a@one.example' }] };
  t.match(problemOf(lost, { ...base, copies: [], queued: [] }, ['a@one.example'], '', ANYONE), /lost: a@one/);
});
