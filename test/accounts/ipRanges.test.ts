/** IP ranges: which one counts for an address, what it allows over each protocol on real sessions, and its changes at once. */

import t from 'tap';

import { silentLog } from '../../src/base/log.ts';
import { openIpRanges } from '../../src/accounts/ipRanges.ts';
import { networkAddresses } from '../../src/admin/networkAddresses.ts';
import { openAccessSite, PROTOCOLS, type Protocol } from '../support/accessSite.ts';
import { openRoomSite } from '../support/site.ts';
import { secureClient } from '../support/sockets.ts';

const ADDRESS = 'ticket@app.example.com';
const ALL = [...PROTOCOLS];
const RANGE = {
  priority: 40,
  protocols: ALL,
  needsTls: false,
  isTrusted: false,
  submission: 'login',
} as const;

t.test('of the ranges that include an address the one with the highest priority counts', async (t) => {
  const { store, administration } = await openRoomSite(t);
  const { directory, feed } = store;
  const ranges = await openIpRanges({ directory, feed, addresses: networkAddresses, log: silentLog });
  t.teardown(() => ranges.close());
  const add = (name: string, priority: number, ...addresses: string[]) =>
    administration.ipRanges.add({ name, priority, addresses });
  await add('Office', 20, '10.0.0.0/8', 'fd00::/8');
  await add('Printers', 25, '10.1.0.1-10.1.0.9');
  await add('Both', 25, '10.1.0.9');
  await add('Nearly everybody', 5, '0.0.0.0/0');
  const cases: readonly [address: string, range: string | undefined][] = [
    ['192.0.2.1', 'Internet'],
    ['2001:db8::1', 'Internet'],
    ['127.0.0.1', 'My computer'],
    ['127.9.9.9', 'My computer'],
    ['::1', 'My computer'],
    ['::ffff:127.0.0.1', 'My computer'],
    ['10.9.9.9', 'Office'],
    ['::ffff:10.9.9.9', 'Office'],
    ['::ffff:0a09:0909', 'Office'],
    ['fd12::1', 'Office'],
    ['10.1.0.1', 'Printers'],
    ['10.1.0.8', 'Printers'],
    ['10.1.0.9', 'Both'],
    ['10.1.0.10', 'Office'],
    ['', undefined],
    ['unix', undefined],
  ];
  for (const [address, range] of cases) t.equal(ranges.rangeOf(address)?.name, range, address);
  t.equal(ranges.barring('pop3', 'unix'), 'none', 'what is no address gets nowhere');
  for (const [address, range] of cases.filter(([, range]) => range !== undefined))
    t.equal((await administration.ipRanges.find(address)).name, range, `test ${address}`);
  await t.rejects(administration.ipRanges.find('unix'), { code: 'invalid', message: /no IP address/ });
});

t.test('a change of ranges counts as soon as the administrator has the answer', async (t) => {
  const { store, administration } = await openRoomSite(t);
  const { directory, feed } = store;
  const ranges = await openIpRanges({ directory, feed, addresses: networkAddresses, log: silentLog });
  const turn = () => new Promise(setImmediate);
  await administration.ipRanges.add({ name: 'Old', addresses: ['192.0.2.0/24'], protocols: ['pop3'] });
  await turn();
  t.equal(ranges.barring('imap', '192.0.2.7'), 'Old');
  t.equal(ranges.barring('pop3', '192.0.2.7'), undefined);
  await administration.ipRanges.set('old', { protocols: ['imap'], needsTls: true });
  await turn();
  t.equal(ranges.barring('imap', '192.0.2.7'), undefined);
  t.equal(ranges.needsTls('192.0.2.7'), true);
  await administration.ipRanges.remove('OLD');
  await turn();
  t.equal(ranges.rangeOf('192.0.2.7')?.name, 'Internet');
  ranges.close();
  await administration.ipRanges.add({ name: 'New', addresses: ['192.0.2.0/24'] });
  await turn();
  t.equal(ranges.rangeOf('192.0.2.7')?.name, 'Internet', 'what is closed hears nothing');
});

t.test('a range that cannot be read is logged and includes nobody; the others hold', async (t) => {
  const { store } = await openRoomSite(t);
  await store.directory.addIpRange({ ...RANGE, name: 'Odd', addresses: ['10.0.0.0/8', 'what?'] });
  const logged: unknown[] = [];
  const log = { ...silentLog, error: (event: string, fields: unknown) => logged.push([event, fields]) };
  const { directory, feed } = store;
  const ranges = await openIpRanges({ directory, feed, addresses: networkAddresses, log });
  t.teardown(() => ranges.close());
  t.equal(ranges.rangeOf('10.0.0.1')?.name, 'Internet');
  t.match(logged, [['accounts.range.unreadable', { range: 'Odd' }]]);
});

t.test('the administrator’s values are checked, and the built-in ranges stay', async (t) => {
  const { administration } = await openRoomSite(t);
  const { ipRanges } = administration;
  const add = (changes: object) => ipRanges.add({ name: 'X', addresses: ['10.0.0.1'], ...changes });
  await t.rejects(add({ name: ' ' }), { code: 'invalid', message: /cannot name an IP range/ });
  await t.rejects(add({ name: 'a\nb' }), { code: 'invalid' });
  await t.rejects(add({ addresses: [] }), { code: 'invalid', message: /one address at least/ });
  await t.rejects(add({ addresses: ['10.0.0.0/33'] }), { code: 'invalid', message: /10\.0\.0\.0\/33/ });
  await t.rejects(add({ addresses: Array(51).fill('10.0.0.1') }), { code: 'invalid', message: /50 at most/ });
  await t.rejects(add({ priority: 1001 }), { code: 'invalid', message: /from 0 to 1000/ });
  await t.rejects(add({ priority: 1.5 }), { code: 'invalid' });
  await t.rejects(add({ protocols: ['ftp'] }), { code: 'invalid', message: /smtp, pop3, imap/ });
  t.match(await add({ protocols: ['imap', 'smtp'] }), {
    priority: 20,
    protocols: ['smtp', 'imap'],
    submission: 'login',
  });
  t.match(await ipRanges.set('x', { submission: 'trusted' }), { submission: 'trusted' });
  t.match(await ipRanges.set('x', { priority: 20 }), { submission: 'trusted' }, 'what is absent stays');
  await t.rejects(add({ name: 'x' }), { code: 'conflict' });
  await t.rejects(ipRanges.show('y'), { code: 'notFound' });
  await t.rejects(ipRanges.set('y', {}), { code: 'notFound' });
  await t.rejects(ipRanges.remove('y'), { code: 'notFound' });
  await t.rejects(ipRanges.remove('internet'), { code: 'cannot', message: /“Internet” is always there/ });
  await t.rejects(ipRanges.set('My computer', { addresses: ['10.0.0.1'] }), { code: 'cannot' });
  t.match(await ipRanges.set('my COMPUTER', { priority: 50, protocols: [] }), {
    name: 'My computer',
    priority: 50,
    protocols: [],
    addresses: ['127.0.0.0/8', '::1'],
  });
  t.same(
    (await ipRanges.list()).map(({ name }) => name),
    ['My computer', 'X', 'Internet'],
  );
});

const GREETING: Readonly<Record<Protocol, RegExp>> = {
  smtp: /^220 .*\r\n$/,
  pop3: /^\+OK .*\r\n$/,
  imap: /^\* OK .*\r\n$/,
};
const BARRED: Readonly<Record<Protocol, string>> = {
  smtp: '554 mail.example.com Your address may not use this service\r\n',
  pop3: '-ERR Your address may not use this service\r\n',
  imap: '* BYE [NOPERM] Your address may not use this service\r\n',
};

t.test('an address speaks the protocols of its range and is told so where it may not', async (t) => {
  const { site, reach } = await openAccessSite(t);
  await site.administration.ipRanges.add({ name: 'Four', addresses: ['127.0.0.2', '::1'], priority: 40 });
  for (const allowed of [[], ['smtp'], ['pop3'], ['imap'], ['pop3', 'imap'], ALL]) {
    await site.administration.ipRanges.set('Four', { protocols: allowed });
    for (const protocol of PROTOCOLS) {
      for (const address of ['127.0.0.2', '::1']) {
        const client = await reach(t, protocol, address);
        const message = `${protocol} from ${address} where ${allowed} may be spoken`;
        if (allowed.includes(protocol)) t.match(await client.until(/\n/), GREETING[protocol], message);
        else t.equal(await client.closed(), BARRED[protocol], message);
        client.socket.destroy();
      }
    }
    const neighbour = await reach(t, 'pop3', '127.0.0.1');
    t.match(await neighbour.until(/\n/), GREETING.pop3, 'another address is in another range');
  }
});

t.test('under TLS from the first octet a barred address is just closed, without a handshake', async (t) => {
  const { site, reach } = await openAccessSite(t);
  const one = await reach(t, 'imap', '127.0.0.2', 'implicit');
  t.match(await (await secureClient(t, one.socket)).until(/\n/), GREETING.imap);
  await site.administration.ipRanges.add({
    name: 'Two',
    addresses: ['127.0.0.2'],
    priority: 40,
    protocols: [],
  });
  const two = await reach(t, 'imap', '127.0.0.2', 'implicit');
  t.equal(await two.closed(), '');
});

const BEFORE_TLS: Readonly<
  Record<Protocol, { readonly send: string; readonly refused: RegExp; readonly taken: RegExp }>
> = {
  smtp: { send: 'MAIL FROM:<a@example.org>\r\n', refused: /^530 5\.7\.0/m, taken: /^250 2\.1\.0/m },
  pop3: { send: `USER ${ADDRESS}\r\nPASS secret\r\n`, refused: /^-ERR .*TLS/m, taken: /^\+OK Logged in/m },
  imap: { send: `a LOGIN ${ADDRESS} secret\r\n`, refused: /^a NO \[PRIVACYREQUIRED\]/m, taken: /^a OK/m },
};

t.test(
  'a range that needs TLS has it before anything of value, on listeners with and without TLS',
  async (t) => {
    const { site, reach } = await openAccessSite(t);
    await site.addAccount(ADDRESS);
    await site.administration.ipRanges.add({
      name: 'Private',
      addresses: ['127.0.0.2', '::1'],
      priority: 40,
      needsTls: true,
    });
    const begin = async (protocol: Protocol, address: string, tls: 'none' | 'starttls' | 'implicit') => {
      const plain = await reach(t, protocol, address, tls);
      const client = tls === 'implicit' ? await secureClient(t, plain.socket) : plain;
      await client.until(/\n/);
      if (protocol === 'smtp') {
        client.send('EHLO client.example.org\r\n');
        await client.until(/^250 /m);
      }
      return client;
    };
    for (const protocol of PROTOCOLS) {
      const { send, refused, taken } = BEFORE_TLS[protocol];
      for (const address of ['127.0.0.1', '127.0.0.2', '::1']) {
        for (const tls of ['none', 'starttls', 'implicit'] as const) {
          const client = await begin(protocol, address, tls);
          client.send(send);
          const isFine = address === '127.0.0.1' || tls === 'implicit';
          await client.until(isFine ? taken : refused);
          t.pass(`${protocol} from ${address}, ${tls}: ${isFine ? 'taken' : 'refused'}`);
          client.socket.destroy();
        }
      }
    }
    const imap = await begin('imap', '127.0.0.2', 'starttls');
    imap.send('b CAPABILITY\r\n');
    t.match(await imap.until(/^b OK/m), /LOGINDISABLED/, 'the client is told before it sends a password');
    await site.administration.ipRanges.set('Private', { needsTls: false });
    imap.send(`c LOGIN ${ADDRESS} secret\r\n`);
    await imap.until(/^c OK/m);
    t.pass('a change counts for sessions that are open, too');
  },
);
