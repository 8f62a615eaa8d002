/** Addresses, domains and login names: one form for each, and nothing doubtful gets in. */

import fc from 'fast-check';
import t from 'tap';
import { parseAddress, parseDomain, parseLoginName } from '../../src/accounts/address.ts';
import { isOfOneScript } from '../../src/accounts/scripts.ts';

const ADDRESSES: readonly [given: string, form: string][] = [
  ['Anna.Meier@App.Example.COM', 'anna.meier@app.example.com'],
  ['anna@Bücher.example', 'anna@xn--bcher-kva.example'],
  ['anna@XN--BCHER-KVA.example', 'anna@xn--bcher-kva.example'],
  ['anna@bu\u0308cher.example', 'anna@xn--bcher-kva.example'],
  ['JU\u0308RGEN@example.com', 'j\u00fcrgen@example.com'],
  ['"anna"@example.com', 'anna@example.com'],
  ['"An\\na.b"@example.com', 'anna.b@example.com'],
  ['"two words"@example.com', '"two words"@example.com'],
  ['"say \\"hi\\""@example.com', '"say \\"hi\\""@example.com'],
  ['"a@b"@example.com', '"a@b"@example.com'],
  ['"a..b"@example.com', '"a..b"@example.com'],
  ['""@example.com', '""@example.com'],
  ["o'neil+tag=x@example.com", "o'neil+tag=x@example.com"],
  ['user%other.example@example.com', 'user%other.example@example.com'],
  ['other.example!user@example.com', 'other.example!user@example.com'],
  ['anna@localhost', 'anna@localhost'],
  ['日本語info@例え.example', '日本語info@xn--r8jz45g.example'],
  [`${'a'.repeat(64)}@example.com`, `${'a'.repeat(64)}@example.com`],
  [`a@${'b'.repeat(63)}.example`, `a@${'b'.repeat(63)}.example`],
];

t.test('an address has one form, whatever its spelling', async (t) => {
  for (const [given, form] of ADDRESSES)
    t.match(parseAddress(given), { kind: 'address', address: form }, given);
});

const NO_ADDRESSES: readonly [given: string, why: RegExp][] = [
  ['', /no @/],
  ['anna', /no @/],
  ['@example.com', /nothing before/],
  ['anna@', /domain is empty/],
  ['a b@example.com', /must be quoted/],
  ['a@b@example.com', /must be quoted/],
  ['.anna@example.com', /must be quoted/],
  ['anna.@example.com', /must be quoted/],
  ['an..na@example.com', /must be quoted/],
  ['"open@example.com', /must be quoted/],
  ['"a"b"@example.com', /must be quoted/],
  ['<anna@example.com>', /character that no domain has/],
  ['anna@example.com\r\nRCPT TO:<x@y.example>', /character that no domain has/],
  ['an\nna@example.com', /control/],
  ['"an\0na"@example.com', /control/],
  ['an\u200bna@example.com', /invisible/],
  ['an\u202ena@example.com', /invisible/],
  ['an\u00a0na@example.com', /invisible/],
  ['an\ufeffna@example.com', /invisible/],
  ['an\u3164na@example.com', /invisible/],
  ['an\ud800na@example.com', /control/],
  ['\u0440aypal@example.com', /mixes writing systems/],
  ['anna@\u0440aypal.example', /mixes writing systems/],
  ['anna@xn--aypal-uye.example', /mixes writing systems/],
  ['anna@exa_mple.com', /character that no domain has/],
  ['anna@example.com/x', /character that no domain has/],
  ['anna@ex%61mple.com', /character that no domain has/],
  ['anna@example\t.com', /character that no domain has/],
  ['anna@[127.0.0.1]', /character that no domain has/],
  ['anna@127.0.0.1', /IP address/],
  ['anna@0x7f.1', /IP address/],
  ['anna@１２７.1', /IP address/],
  ['anna@-a.example', /not a valid/],
  ['anna@a-.example', /not a valid/],
  ['anna@a..example', /not a valid/],
  ['anna@example.com.', /not a valid/],
  ['anna@ａ％ｂ.example', /not a valid/],
  ['anna@xn--a.example', /does not decode/],
  [`a@${'b'.repeat(64)}.example`, /not a valid/],
  [`${'a'.repeat(65)}@example.com`, /longer than 64/],
  [`${'ü'.repeat(33)}@example.com`, /longer than 64/],
  [`a@${'b.'.repeat(127)}c`, /longer than 253/],
];

t.test('what is no address, or looks like another one, is refused with a reason', async (t) => {
  for (const [given, why] of NO_ADDRESSES)
    t.match(parseAddress(given), { kind: 'invalid', reason: why }, given);
});

/** Text that is now and then an address: letters that fold, compose and look alike, punctuation, controls. */
const doubtful = fc.string({
  unit: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...'abzABZ019.-_+') },
    { weight: 3, arbitrary: fc.constantFrom(...'äÖßİıſKÅΣςяЯ日かカ한é\u0301\u0308\u0327ﬁ１．。') },
    { weight: 1, arbitrary: fc.constantFrom(...'"\\ @<>()[],;:%!/\t\r\n\0\u00a0\u200b\u202e\u00ad') },
  ),
  minLength: 1,
  maxLength: 8,
});

t.test('a form stays as it is when it is parsed again', async (t) => {
  let taken = 0;
  const isStable = (given: string) => {
    const first = parseAddress(given);
    if (first.kind === 'invalid') return true;
    taken += 1;
    const again = parseAddress(first.address);
    return again.kind === 'address' && again.address === first.address;
  };
  const property = fc.property(doubtful, doubtful, fc.boolean(), (local, domain, isQuoted) =>
    isStable(`${isQuoted ? `"${local}"` : local}@${domain}.example`),
  );
  fc.assert(property, { seed: 5321, numRuns: 20_000 });
  t.ok(taken > 1000, `${taken} of 20000 were addresses`);
});

t.test(
  'whatever is accepted has no control and nothing invisible, and no blank or bracket without quotes',
  async (t) => {
    let taken = 0;
    const isClean = (local: string) => {
      const parsed = parseAddress(`${local}@example.com`);
      if (parsed.kind === 'invalid') return true;
      taken += 1;
      const isBare = !parsed.localPart.startsWith('"');
      return (
        !/[\0-\x1f\x7f-\xa0\u00ad\u200b\u202e]/.test(parsed.address) &&
        !(isBare && /[ <>()@"]/.test(parsed.localPart))
      );
    };
    fc.assert(fc.property(doubtful, isClean), { seed: 5322, numRuns: 10_000 });
    t.ok(taken > 1000, `${taken} of 10000 were addresses`);
  },
);

t.test('a domain is taken in U-labels and A-labels, of one label or more', async (t) => {
  t.same(parseDomain('Straße.DE'), { kind: 'domain', domain: 'xn--strae-oqa.de' });
  t.same(parseDomain('app'), { kind: 'domain', domain: 'app' });
  t.match(parseDomain(''), { kind: 'invalid' });
});

t.test('a login name is an address or any visible text', async (t) => {
  const form = (text: string) => {
    const parsed = parseLoginName(text);
    return parsed.kind === 'loginName' ? parsed.loginName : parsed.kind;
  };
  t.equal(form('Anna@BÜCHER.example'), 'anna@xn--bcher-kva.example');
  t.equal(form('DOMAIN\\User'), 'domain\\user');
  t.equal(form('upn@example.com/Alias'), 'upn@example.com/alias');
  t.equal(form('JU\u0308RGEN'), 'j\u00fcrgen');
  t.equal(form('two words'), 'two words');
  for (const text of ['', ' anna', 'anna ', 'an\nna', 'an\u200bna', '\u0430nna', 'x'.repeat(321)]) {
    t.equal(form(text), 'invalid', JSON.stringify(text));
  }
});

t.test('one script, or those that are written together', async (t) => {
  for (const text of ['', '12-3', 'straße', 'пример', '東京タワーabc', '서울seoul', 'ѕсоре', 'عربي12']) {
    t.ok(isOfOneScript(text), text);
  }
  for (const text of ['pаypal', 'αlpha', 'пrимер', '서울東京かな', 'ᚠᚢᚦ']) t.notOk(isOfOneScript(text), text);
});
