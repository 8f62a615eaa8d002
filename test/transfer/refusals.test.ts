/** How many refusals the trace tells one by one, what is told of the others, and that none of it grows without bound. */

import { Writable } from 'node:stream';
import t from 'tap';
import { createLog } from '../../src/base/log.ts';
import { newTraceId } from '../../src/base/ids.ts';
import type { NotedRefusal } from '../../src/store/contract/trace.ts';
import { FIRST_REFUSALS, REFUSAL_WINDOW_MS, Refusals } from '../../src/transfer/refusals.ts';
import { createTestClock } from '../support/clock.ts';

function openRefusals(budget = { perNetwork: 10, inAll: 20 }) {
  const clock = createTestClock();
  const told: NotedRefusal[] = [];
  const lines: Record<string, unknown>[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  const trace = { noteRefusal: (refusal: NotedRefusal) => void told.push(refusal) };
  const refusals = new Refusals({ trace, budget, clock, log: createLog(sink, 'info') });
  const traceId = newTraceId(clock.now());
  return {
    clock,
    told,
    lines,
    /** Notes `count` refusals of an address; answers how many of them were told. */
    refuse(address: string, count: number): number {
      const before = told.length;
      for (let index = 0; index < count; index += 1)
        refusals.note(address, {
          ...{ traceId, reversePath: '', recipients: ['x@app.example'] },
          event: { at: clock.now(), kind: 'refused', fields: {} },
        });
      return told.length - before;
    },
    numbers: () => told.filter(({ event }) => event.kind === 'refusedMore').map(({ event }) => event.fields),
  };
}

t.test('an address has its budget in an hour, and a new one in the next hour', (t) => {
  const { clock, told, lines, refuse, numbers } = openRefusals();
  t.equal(refuse('192.0.2.1', 15), 10);
  t.same(told[0]?.otherNames, ['192.0.2.1'], 'and is what its refusals are found by');
  clock.advance(REFUSAL_WINDOW_MS - 1);
  t.equal(refuse('192.0.2.1', 1), 0);
  t.same(numbers(), []);
  clock.advance(1);
  t.same(numbers(), [{ refusals: 6, remote: '192.0.2.1' }], 'what was more is told by its number');
  t.match(lines, [{ event: 'transfer.refusals.untraced', level: 'warn', refusals: 6, remote: '192.0.2.1' }]);
  t.same(told.at(-1)?.otherNames, ['192.0.2.1']);
  t.equal(refuse('192.0.2.1', 15), 10);
  t.equal(clock.pendingTimers, 1);
  t.end();
});

t.test('whoever floods from many addresses does not hide what is refused to others', (t) => {
  const { refuse } = openRefusals();
  for (let index = 0; index < 4; index += 1) refuse(`192.0.2.${index}`, 1000);
  t.equal(refuse('198.51.100.1', 5), 0, 'both budgets are used up by now');
  const calmer = openRefusals();
  t.equal(
    calmer.refuse('192.0.2.1', 1000) + calmer.refuse('192.0.2.2', 1000) + calmer.refuse('192.0.2.3', 1000),
    30,
  );
  t.equal(
    calmer.refuse('198.51.100.1', 5),
    FIRST_REFUSALS,
    'the first ones of each have a budget of their own',
  );
  t.end();
});

t.test('an IPv6 network is one client, however it is written', (t) => {
  const { clock, refuse, numbers } = openRefusals();
  t.equal(refuse('2001:db8::1', 6) + refuse('2001:db8:0:0:ffff::2', 6), 10);
  t.equal(refuse('2001:db8:0:1::1', 1), 1, 'the next network is another one');
  clock.advance(REFUSAL_WINDOW_MS);
  t.same(numbers(), [{ refusals: 2, remote: '2001:db8:0:0::/64' }]);
  t.end();
});

t.test(
  'a hundred thousand refusals from as many addresses cost a bounded number of traces, and none is forgotten',
  (t) => {
    const { clock, told, refuse, numbers } = openRefusals({ perNetwork: 100, inAll: 1000 });
    for (let index = 0; index < 100_000; index += 1)
      refuse(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`, 1);
    t.equal(told.length, 2000);
    clock.advance(REFUSAL_WINDOW_MS);
    t.ok(numbers().length <= 21, `${numbers().length} numbers`);
    const counted = numbers().reduce((sum, { refusals }) => sum + Number(refusals), 0);
    t.equal(counted + 2000, 100_000);
    t.equal(clock.pendingTimers, 0);
    t.end();
  },
);

t.test('a budget of nothing tells the number alone', (t) => {
  const { clock, refuse, numbers } = openRefusals({ perNetwork: 10, inAll: 0 });
  t.equal(refuse('192.0.2.1', 3), 0);
  clock.advance(REFUSAL_WINDOW_MS);
  t.same(numbers(), [{ refusals: 3, remote: '192.0.2.1' }]);
  t.end();
});
