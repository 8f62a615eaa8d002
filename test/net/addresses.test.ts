/**
 * Addresses: one spelling each, ranges that hold for one family, and the groups that are counted by.
 */

import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import { AddressRanges, addressGroup, isLoopback, normalizeAddress } from '../../src/net/addressRange.ts';

t.test('an address has one spelling', async (t) => {
  const table: [address: string, normal: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::', '::'],
    ['not an address', 'not an address'],
    ['', ''],
  ];
  for (const [address, normal] of table) t.equal(normalizeAddress(address), normal, address);
});

t.test('loopback is 127.0.0.0/8 and ::1, however it is written', async (t) => {
  for (const address of [
    '127.0.0.1',
    '127.8.9.10',
    '::1',
    '0:0:0:0:0:0:0:1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
  ])
    t.equal(isLoopback(address), true, address);
  for (const address of ['128.0.0.1', '::2', '::', 'localhost', '127.evil.example.com', ''])
    t.equal(isLoopback(address), false, address);
});

t.test('a range holds for its addresses and no others', async (t) => {
  const table: [range: string, inside: string[], outside: string[]][] = [
    ['192.0.2.1', ['192.0.2.1', '::ffff:192.0.2.1'], ['192.0.2.2', '::1']],
    ['10.0.0.0/8', ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3'], ['11.0.0.0', '9.255.255.255']],
    ['10.1.2.3/8', ['10.200.0.1'], ['11.0.0.0']],
    ['0.0.0.0/0', ['1.2.3.4', '::ffff:1.2.3.4'], ['2001:db8::1', '::1']],
    ['::/0', ['2001:db8::1', '::1'], ['1.2.3.4', '::ffff:1.2.3.4']],
    ['2001:db8::/32', ['2001:DB8:ffff::1'], ['2001:db9::1']],
    ['::ffff:10.0.0.0/104', ['10.1.1.1'], ['11.1.1.1']],
    ['192.0.2.5-192.0.2.9', ['192.0.2.5', '192.0.2.7', '192.0.2.9'], ['192.0.2.4', '192.0.2.10']],
    ['2001:db8::5 - 2001:db8::9', ['2001:db8::7'], ['2001:db8::a']],
    ['192.0.2.5-192.0.2.5', ['192.0.2.5'], ['192.0.2.6']],
  ];
  for (const [range, inside, outside] of table) {
    const ranges = new AddressRanges([range]);
    for (const address of inside) t.equal(ranges.includes(address), true, `${address} in ${range}`);
    for (const address of outside) t.equal(ranges.includes(address), false, `${address} not in ${range}`);
  }
  t.equal(new AddressRanges([]).includes('127.0.0.1'), false);
  t.equal(new AddressRanges(['0.0.0.0/0', '::/0']).includes('nonsense'), false);
});

t.test('a range that cannot be read is an error that shows it', async (t) => {
  const texts =
    '10.0.0.0/33 10.0.0.0/-1 10.0.0.0/ 10.0.0 10.0.0.9-10.0.0.1 10.0.0.1-::1 ::/129 ::ffff:0:0/95 host - x/8';
  for (const text of [...texts.split(' '), '10.0.0.0/8/8', '1-2-3'])
    t.throws(() => new AddressRanges([text]), { name: 'MailError', code: 'invalid', message: text }, text);
  t.throws(() => new AddressRanges(['10.0.0.0/8', '']), MailError);
});

t.test('an IPv6 party is its /64', async (t) => {
  const table: [address: string, group: string][] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['1::2:3:4:5:6', '1:0:0:2::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
  ];
  for (const [address, group] of table) t.equal(addressGroup(address), group, address);
});
