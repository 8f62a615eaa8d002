/**
 * The reporter of `npm test`: one line per file with its time, failures in full, reasons of skips, and at the end every failed
 * test once more in a line, for whoever is shown the end alone, and a line alone, `N passed, N failed, N skipped`, which CI reads.
 *
 * It counts tests as a person would: a `t.test` without subtests of its own is one test, however many assertions it makes;
 * a file without any `t.test` is one; each point marked skip or todo is one skipped. A file that dies, times out or exits
 * non-zero without a failed test of its own is one failure, so is a file that tap lost. tap alone decides the exit code.
 * tap imports this file by its path (see package.json) and wants a stream class as the default export; tap-parser reads TAP.
 */

import { Transform } from 'node:stream';
import { Parser } from 'tap-parser';

const NO_COUNTS = { passed: 0, failed: 0, skipped: 0 };
/** What tap tells about a test file's process that helps nobody who reads a failure. */
const DULL_DIAGNOSTICS = new Set(['stdio', 'cwd', 'command', 'args', 'jobId', 'externalID', 'isToplevel']);
const NOISE_LINE_LIMIT = 200;
/** At the end so many failures are named, each by so many characters: the end of a report is what is always shown. */
const NAMED_FAILURES_LIMIT = 25;
const NAMED_FAILURE_LIMIT_CHARS = 300;

/** TAP in, a report for people out. */
export default class HouseReporter extends Transform {
  #parser = new Parser({ strict: false });
  #files = [];
  #strays = [];
  #skips = [];
  #failures = [];
  #plannedFiles = 0;
  #bailout;

  constructor() {
    super({ decodeStrings: true });
    const root = grow('', this.#parser, (file) => this.#reportFile(file));
    this.#files = root.kids;
    this.#strays = root.points;
    this.#parser.on('plan', (plan) => {
      this.#plannedFiles = plan.end;
    });
    this.#parser.on('bailout', (reason) => {
      this.#bailout = reason || 'without a reason';
    });
    this.#parser.on('extra', (line) => this.#files.at(-1)?.noise.push(line.trimEnd()));
  }

  _transform(chunk, _encoding, done) {
    this.#parser.write(chunk);
    done();
  }

  _flush(done) {
    this.#parser.end();
    for (const file of this.#files) if (file.result === undefined) this.#reportFile(file);
    const total = sum([...this.#files.map(count), ...this.#reportStrays()]);
    if (this.#skips.length > 0) this.push(`\nskipped:\n${this.#skips.join('')}`);
    if (this.#failures.length > 0) this.push(`\nfailed:\n${nameFailures(this.#failures)}`);
    this.push(`\n${wordCounts(total)}\n`);
    done();
  }

  #reportFile(file) {
    const counts = count(file);
    const time = file.result?.time == null ? '' : `  ${(file.result.time / 1000).toFixed(2)} s`;
    this.push(`${counts.failed > 0 ? 'FAIL' : 'ok  '}  ${file.name}  ${wordCounts(counts, true)}${time}\n`);
    for (const { path, result } of collectSkips(file)) {
      const reason = result.skip || result.todo;
      const mark = result.skip ? '' : 'todo: ';
      this.#skips.push(`  ${path.join(' > ')}: ${mark}${reason === true ? 'no reason given' : reason}\n`);
    }
    if (counts.failed === 0) return;
    for (const { path, test, result } of collectFailures(file)) {
      const diagnostics = result === undefined ? { message: 'it never ended' } : (result.diag ?? {});
      this.push(`    not ok: ${path.join(' > ')}\n${describeIndented(diagnostics)}`);
      this.#failures.push({ test: test.join(' > '), name: path.join(' > '), diagnostics });
    }
    const noise = file.noise.slice(-NOISE_LINE_LIMIT);
    if (noise.length > 0) this.push(`    printed by the file:\n${indent(noise.join('\n'), 8)}\n`);
  }

  /** Counts of what belongs to no file's own line: time-outs that tap reports by themselves, lost files, bail-outs. */
  #reportStrays() {
    const counts = [];
    const fail = (name, diagnostics = {}) => {
      this.push(`FAIL  ${name}\n${describeIndented(diagnostics)}`);
      this.#failures.push({ test: name, name, diagnostics });
      counts.push({ ...NO_COUNTS, failed: 1 });
    };
    const seen = new Map(this.#files.map((file) => [file.name, file]));
    for (const stray of this.#strays.filter((point) => !point.ok)) {
      const name = stray.diag?.expired ?? stray.diag?.externalID;
      const file = seen.get(name);
      if (file !== undefined && count(file).failed > 0) continue;
      seen.set(name ?? stray, undefined);
      fail(`${name ?? stray.name}  ${stray.name}`, stray.diag ?? undefined);
    }
    for (let lost = this.#plannedFiles - seen.size; lost > 0; lost -= 1)
      fail('a file that tap started and did not report (a time-out elsewhere does this)');
    if (this.#bailout !== undefined) fail(`bail out: ${this.#bailout}`);
    return counts;
  }
}

/** A tree of what `parser` reads: `kids` are subtests in order, `points` the test points that close no subtest. */
function grow(name, parser, whenKidEnds) {
  const node = { name, kids: [], points: [], result: undefined, noise: [] };
  let open;
  parser.on('child', (kidParser) => {
    open = grow(kidParser.name, kidParser);
    node.kids.push(open);
  });
  parser.on('assert', (result) => {
    if (!result.closingTestPoint || open === undefined) {
      node.points.push(result);
      return;
    }
    open.result = result;
    whenKidEnds?.(open);
    open = undefined;
  });
  return node;
}

const isMarked = (point) => Boolean(point.skip || point.todo);
const isFailed = (point) => !point.ok && !isMarked(point);
const wasPassed = (node) => node.result !== undefined && !isFailed(node.result);

function count(node) {
  const marked = node.points.filter(isMarked).length;
  const failedHere = node.points.some(isFailed);
  const below = sum([...node.kids.map(count), { ...NO_COUNTS, skipped: marked }]);
  if (failedHere || (!wasPassed(node) && below.failed === 0)) return { ...below, failed: below.failed + 1 };
  if (node.kids.length > 0 || below.failed > 0) return below;
  if (isMarked(node.result)) return { ...below, skipped: below.skipped + 1 };
  if (marked > 0 && marked === node.points.length) return below;
  return { ...below, passed: below.passed + 1 };
}

function collectFailures(node, above = []) {
  const path = [...above, node.name];
  const failed = node.points.filter(isFailed);
  const found = failed.map((result) => ({ path: [...path, result.name], test: path, result }));
  for (const kid of node.kids) found.push(...collectFailures(kid, path));
  const isEnd = found.length === 0 || node.result?.diag?.exitCode > 1 || node.result?.diag?.signal;
  if (wasPassed(node) || !isEnd) return found;
  const { result } = node;
  // tap closes a file that timed out with a point of another name.
  const isNamedOtherwise = result !== undefined && result.name !== node.name;
  found.push({ path: isNamedOtherwise ? [...path, result.name] : path, test: [...path, 'end'], result });
  return found;
}

function collectSkips(node, above = []) {
  const path = [...above, node.name];
  const found = node.points.filter(isMarked).map((result) => ({ path: [...path, result.name], result }));
  for (const kid of node.kids) found.push(...collectSkips(kid, path));
  if (node.result !== undefined && isMarked(node.result)) found.push({ path, result: node.result });
  return found;
}

/** A line for each failed test, with the first thing that failed in it. */
function nameFailures(failures) {
  const tests = [...Map.groupBy(failures, ({ test }) => test).values()];
  const lines = tests.slice(0, NAMED_FAILURES_LIMIT).map(([{ name, diagnostics }, ...others]) => {
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    const line = `${name}${reasonIn(diagnostics)}`.replace(/\s+/g, ' ');
    return `  ${line.slice(0, NAMED_FAILURE_LIMIT_CHARS)}${more}\n`;
  });
  const left = tests.length - lines.length;
  return `${lines.join('')}${left > 0 ? `  and ${left} more tests\n` : ''}`;
}

/** Where it failed, and what was found instead or how it ended. */
function reasonIn({ at, diff, message, signal, exitCode }) {
  const place = at?.fileName === undefined ? '' : ` (${at.fileName}:${at.lineNumber})`;
  const changes = diff?.split('\n').filter((line) => /^[-+](?![-+]{2} )/.test(line));
  const told = [message, changes?.join(' '), signal, exitCode == null ? '' : `exit code ${exitCode}`];
  const reason = told.find(Boolean);
  return reason === undefined ? place : `${place}: ${reason}`;
}

function sum(counts) {
  return counts.reduce(
    (total, each) => ({
      passed: total.passed + each.passed,
      failed: total.failed + each.failed,
      skipped: total.skipped + each.skipped,
    }),
    NO_COUNTS,
  );
}

function wordCounts(counts, isShort = false) {
  const words = ['passed', 'failed', 'skipped'].map((word) => ({ word, number: counts[word] }));
  const shown = isShort ? words.filter(({ word, number }) => word === 'passed' || number > 0) : words;
  return shown.map(({ word, number }) => `${number} ${word}`).join(', ');
}

function describeIndented(diagnostics) {
  const text = indent(describe(diagnostics), 8);
  return text === '' ? '' : `${text}\n`;
}

function describe(value) {
  if (typeof value === 'string') return value.trimEnd();
  if (value === null || typeof value !== 'object') return String(value);
  return Object.entries(value)
    .filter(([key, inner]) => !DULL_DIAGNOSTICS.has(key) && inner !== null)
    .map(([key, inner]) => {
      const text = describe(inner);
      return text.includes('\n') || typeof inner === 'object'
        ? `${key}:\n${indent(text, 2)}`
        : `${key}: ${text}`;
    })
    .join('\n');
}

function indent(text, columns) {
  return text.replace(/^(?=.)/gm, ' '.repeat(columns));
}
