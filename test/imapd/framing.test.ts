/**
 * Commands, literals and strings on the wire: points 1 to 15 of the checklist (checklist.test.ts), beside wire's own tests and
 * the transcripts login and states.
 */

import t from 'tap';

import { MailError } from '../../src/base/error.ts';
import { COMMANDS } from '../../src/imapd/commands.ts';
import { ADDRESS, LOGIN, openImapSite, RawClient } from './harness.ts';

/** A string as a literal, of a client that waits or of one that does not. */
function literal(octets: string, isWaiting: boolean): string {
  return `{${octets.length}${isWaiting ? '' : '+'}}\r\n${octets}`;
}

t.test('LITERAL-: up to 4096 octets come unasked, more is TOOBIG and never a command', async (t) => {
  const site = await openImapSite(t, { literals: 'minus' });
  const client = await site.client();
  t.match(await client.command('CAPABILITY'), [/^(?=.* LITERAL-( |$))(?!.*LITERAL\+)/]);
  t.match((await client.command(LOGIN)).at(-1), /\[CAPABILITY (?=.* LITERAL-[ \]])(?!.*LITERAL\+)/);
  t.match((await client.command('SELECT {5+}\r\nINBOX')).at(-1), /^t3 OK/);
  client.send(`a APPEND INBOX {4096+}\r\n${'x'.repeat(4096)}\r\n`);
  t.match((await client.answer('a')).at(-1), /^a OK \[APPENDUID \d+ 1\]/);
  const smuggled = 'z LOGOUT\r\n'.repeat(500);
  client.send(`b APPEND INBOX {${smuggled.length}+}\r\n${smuggled}\r\n`);
  t.same(await client.answer('b'), ['b BAD [TOOBIG] Too much literal data']);
  client.send(`c SEARCH SUBJECT {4097+}\r\n${'x'.repeat(4097)}\r\n`);
  t.same(await client.answer('c'), ['c BAD [TOOBIG] Too much literal data']);
  client.send('s SEARCH SUBJECT {4097}\r\n');
  t.equal(await client.line(), '+ OK', 'one that the client waits with is asked for');
  client.send(`${'x'.repeat(4097)}\r\n`);
  t.same(await client.answer('s'), ['* SEARCH', 's OK SEARCH completed']);
  client.send('d APPEND INBOX {5000}\r\n');
  t.equal(await client.line(), '+ Ready for literal data');
  client.send(`${'x'.repeat(5000)} {4097+}\r\n${'y'.repeat(4097)}\r\n`);
  t.same(await client.answer('d'), ['d BAD [TOOBIG] The command is too long'], 'MULTIAPPEND as well');
  t.match(await client.command('STATUS INBOX (MESSAGES)'), ['* STATUS "INBOX" (MESSAGES 1)']);
  client.send('e APPEND INBOX {9000000+}\r\n');
  t.equal(await client.closed(), '* BYE [TOOBIG] The literal is too large\r\n');
});

t.test('a continuation has a space and a text, and only a literal that is waited with has one', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected();
  client.send('a SEARCH SUBJECT {3}\r\n');
  t.match(await client.line(), /^\+ \S/);
  client.send('abc\r\n');
  t.same(await client.answer('a'), ['* SEARCH', 'a OK SEARCH completed']);
  t.same(await client.command('SEARCH SUBJECT {3+}\r\nabc'), ['* SEARCH', 't3 OK SEARCH completed']);
  for (const waiting of ['IDLE', 'APPEND INBOX {3}']) {
    client.send(`b ${waiting}\r\n`);
    t.match(await client.line(), /^\+ \S/, waiting);
    client.send(waiting === 'IDLE' ? 'DONE\r\n' : 'abc\r\n');
    t.match((await client.answer('b')).at(-1), /^b OK/);
  }
  // A challenge without text keeps its space: a bare "+" stops clients.
  const stranger = await site.client();
  stranger.send('c AUTHENTICATE PLAIN\r\n');
  t.equal(await stranger.line(), '+ ');
});

t.test('a literal stands wherever a string may, several in a command, cut at every octet', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'Subject: needle here\r\nX-One: 1\r\n\r\nbody text\r\n');
  const commands: readonly (readonly string[])[] = [
    ['LOGIN ', ADDRESS, ' ', 'secret'],
    ['CREATE ', 'lit box'],
    ['SUBSCRIBE ', 'lit box'],
    ['LIST ', '', ' ', 'lit*'],
    ['LSUB ', '', ' ', 'lit*'],
    ['STATUS ', 'lit box', ' (MESSAGES)'],
    ['RENAME ', 'lit box', ' ', 'other box'],
    ['APPEND ', 'other box', ' (\\Seen) {4+}\r\nmail'],
    ['SELECT ', 'INBOX'],
    ['SEARCH SUBJECT ', 'needle', ' HEADER ', 'x-one', ' ', '1', ' OR BODY ', 'text', ' TEXT ', 'nothing'],
    ['FETCH 1 BODY.PEEK[HEADER.FIELDS (', 'x-one', ' ', 'subject', ')]'],
    ['COPY 1 ', 'other box'],
    ['ID (', 'name', ' ', 'test', ')'],
    ['UNSUBSCRIBE ', 'lit box'],
    ['DELETE ', 'other box'],
  ];
  const inForm = (form: (octets: string) => string) =>
    `${commands.map((pieces, index) => `c${index} ${pieces.map((piece, at) => (at % 2 === 0 ? piece : form(piece))).join('')}`).join('\r\n')}\r\nz LOGOUT\r\n`;
  const settled = (answer: string) =>
    answer
      .replace(/^(\+ .*|\* \d+ RECENT)\r\n/gm, '')
      .replace(/(COPYUID|APPENDUID|UIDVALIDITY|MAILBOXID) [^\]]*/g, '$1 n')
      .replace(/BODY\[HEADER\.FIELDS \([^)]*\)\]/g, 'FIELDS');
  const run = async (input: string, step: number): Promise<string> => {
    const client = await RawClient.connect(t, site.port);
    await client.line();
    for (let at = 0; at < input.length; at += step) {
      await new Promise<void>((resolve) =>
        client.socket.write(Buffer.from(input.slice(at, at + step), 'latin1'), () => resolve()),
      );
    }
    return settled(await client.closed());
  };
  const quoted = await run(
    inForm((octets) => `"${octets}"`),
    10_000,
  );
  for (const [index] of commands.entries()) t.match(quoted, new RegExp(`^c${index} OK`, 'm'));
  t.match(quoted, /\* SEARCH 1\r\n[\s\S]*Subject: needle here\r\nX-One: 1/);
  t.equal(
    await run(
      inForm((octets) => literal(octets, false)),
      10_000,
    ),
    quoted,
    'LITERAL+',
  );
  t.equal(
    await run(
      inForm((octets) => literal(octets, false)),
      1,
    ),
    quoted,
    'LITERAL+, octet by octet',
  );
  t.equal(
    await run(
      inForm((octets) => literal(octets, true)),
      1,
    ),
    quoted,
    'waited with, octet by octet',
  );
});

t.test('an empty literal is an empty string, and NUL is in none', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected();
  for (const form of ['""', '{0+}\r\n']) {
    t.match((await client.command(`SEARCH SUBJECT ${form}`)).at(-1), / OK /);
    t.match((await client.command(`LIST ${form} INBOX`))[0], '* LIST (\\HasNoChildren) "/" "INBOX"');
    t.match((await client.command(`CREATE ${form}`)).at(-1), / (NO|BAD) /);
  }
  for (const command of ['SEARCH SUBJECT', 'CREATE', 'STATUS', 'LIST ""']) {
    t.match((await client.command(`${command} {3+}\r\na\0b`)).at(-1), / BAD .*CHAR8/, command);
    t.match((await client.command(`${command} "a\0b"`)).at(-1), / BAD /, command);
  }
  t.match((await client.command('NOOP')).at(-1), / OK /);
});

t.test('a quoted string has two escapes, no line end, and 8-bit on the way in alone', async (t) => {
  const site = await openImapSite(t);
  const raw = 'Subject: caf\xe9 "quoted" back\\slash\r\n\r\n';
  await site.put(['INBOX'], Buffer.from(raw, 'latin1'));
  const client = await site.selected();
  t.match(await client.command('CREATE "a \\"b\\" \\\\c"'), [/ OK /]);
  t.match(await client.command('LIST "" "a*"'), [/ "a \\"b\\" \\\\c"$/]);
  for (const wrong of ['"a\\b"', '"a\rb"', '"a\\"', '"open', '"a"b']) {
    t.match(await client.command(`CREATE ${wrong}`), [/ BAD /], JSON.stringify(wrong));
  }
  client.send('x CREATE "a\r\nb NOOP\r\n');
  t.match(await client.answer('b'), [/^x BAD/, 'b OK NOOP completed'], 'a line end ends the command');
  const found = await client.command('SEARCH CHARSET ISO-8859-1 SUBJECT "caf\xe9"');
  t.match(found, ['* SEARCH 1']);
  const [envelope = ''] = await client.command('FETCH 1 ENVELOPE');
  t.match(envelope, /ENVELOPE \(NIL \{24\}\r\ncaf\xe9 "quoted" back\\slash /, 'a literal for 8-bit');
});

t.test('numbers, NIL and brackets are names of mailboxes like others', async (t) => {
  const site = await openImapSite(t);
  const client = await site.selected();
  for (const name of ['NIL', '123', 'a]b', '0', '-']) {
    t.match(await client.command(`CREATE ${name}`), [/ OK /], name);
    t.same((await client.command(`LIST "" ${name}`))[0], `* LIST (\\HasNoChildren) "/" "${name}"`);
    t.match((await client.command(`SELECT ${name}`)).at(-1), / OK /, `SELECT ${name}`);
    t.match(await client.command(`STATUS ${name} (MESSAGES)`), [`* STATUS "${name}" (MESSAGES 0)`]);
    t.match((await client.command('UNSELECT')).at(-1), / OK /);
    t.match(await client.command(`DELETE ${name}`), [/ OK /], name);
  }
  t.match(await client.command('CREATE a[b'), [/ OK /]);
  t.match(await client.command('CREATE a(b'), [/ BAD /]);
  t.match(await client.command('LOGIN NIL'), [/ BAD /]);
});

t.test(
  'words of the protocol have no case, names of keywords and mailboxes keep theirs, tags come back',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], 'Subject: x\r\n\r\n');
    const client = await site.client();
    t.match(await client.command(LOGIN.replace('LOGIN', 'lOgIn')), [/ OK /]);
    t.match((await client.command('sElEcT iNbOx')).at(-1), /OK \[READ-WRITE\]/);
    const stored = await client.command('sToRe 1 +fLaGs (\\sEEn KeyWord)');
    t.equal(stored.at(-2), '* 1 FETCH (FLAGS (\\Seen \\Recent KeyWord))');
    t.match((await client.command('uid search KEYWORD keyword nOt UNSEEN')).at(0), '* SEARCH 1');
    t.match(await client.command('fetch 1 (flags body.peek[text] binary.size[1])'), [/^\* 1 FETCH \(FLAGS/]);
    t.match(await client.command('CREATE MixedCase'), [/ OK /]);
    t.match(await client.command('LIST "" Mixed*'), [/"MixedCase"$/]);
    t.match((await client.command('SELECT mixedcase')).at(-1), / NO \[NONEXISTENT\]/, 'another mailbox');
    for (const tag of ['A.b-1', ']x', 'NOOP', '{3}x', '0', 'OK'.repeat(50)]) {
      client.send(`${tag} NOOP\r\n`);
      t.equal(
        await client.line(),
        tag.startsWith('{') ? '* BAD Syntax error: expected tag at octet 0' : `${tag} OK NOOP completed`,
      );
    }
    for (const wrong of ['+ NOOP', 'a+b NOOP', '* NOOP']) {
      client.send(`${wrong}\r\n`);
      t.match(await client.line(), /^\* BAD /, wrong);
    }
  },
);

/** A right form of each command, for a session that has a mailbox selected; those that end the session or wait are left out. */
const RIGHT: Readonly<Record<string, string>> = {
  CAPABILITY: '',
  NOOP: '',
  ID: ' NIL',
  ENABLE: ' CONDSTORE',
  CREATE: ' one',
  DELETE: ' one',
  RENAME: ' one two',
  SUBSCRIBE: ' INBOX',
  UNSUBSCRIBE: ' INBOX',
  LIST: ' "" %',
  LSUB: ' "" %',
  STATUS: ' INBOX (MESSAGES)',
  NAMESPACE: '',
  GETQUOTA: ' ""',
  GETQUOTAROOT: ' INBOX',
  SETQUOTA: ' "" (STORAGE 1)',
  COMPRESS: ' DEFLATE',
  CHECK: '',
  EXPUNGE: '',
  'UID EXPUNGE': ' 1',
  SEARCH: ' ALL',
  'UID SEARCH': ' ALL',
  SORT: ' (DATE) UTF-8 ALL',
  'UID SORT': ' (DATE) UTF-8 ALL',
  THREAD: ' REFERENCES UTF-8 ALL',
  'UID THREAD': ' REFERENCES UTF-8 ALL',
  FETCH: ' 1 FLAGS',
  'UID FETCH': ' 1 FLAGS',
  STORE: ' 1 FLAGS ()',
  'UID STORE': ' 1 FLAGS ()',
  COPY: ' 1 INBOX',
  'UID COPY': ' 1 INBOX',
  MOVE: ' 1 Trash',
  'UID MOVE': ' 1 Trash',
  SELECT: ' INBOX',
  EXAMINE: ' INBOX',
};

t.test('a space too many, an argument too few or a word too many is BAD for every command', async (t) => {
  const site = await openImapSite(t);
  await site.put(['INBOX'], 'Subject: x\r\n\r\n');
  const client = await site.selected();
  let tested = 0;
  for (const [name, args] of Object.entries(RIGHT)) {
    if (!COMMANDS.has(name)) t.fail(`${name} is no command`);
    const wrong = [`${name}${args} `, `${name}${args} )`, `${name} ${args} `];
    if (args !== '')
      wrong.push(name, `${name} `, `${name} ${args}`, `${name}${args.replace(/ (?=\S+$)/, '  ')}`);
    for (const command of wrong) {
      client.send(`w ${command}\r\nn NOOP\r\n`);
      const [answer = '', after = ''] = await client.answer('n');
      t.match(answer, /^w BAD /, JSON.stringify(command));
      t.equal(after, 'n OK NOOP completed');
      tested += 1;
    }
  }
  t.ok(tested > 150, `${tested}`);
  const untested = [...COMMANDS.keys()].filter((name) => RIGHT[name] === undefined);
  t.same(untested, ['LOGOUT', 'STARTTLS', 'AUTHENTICATE', 'LOGIN', 'APPEND', 'IDLE', 'CLOSE', 'UNSELECT']);
  t.match((await client.command('FETCH 1 FLAGS')).at(-1), / OK /, 'nothing has changed the state');
});

t.test('nothing that stands behind STARTTLS in the clear is read, whatever ends its lines', async (t) => {
  const site = await openImapSite(t);
  for (const behind of ['x NOOP\r\n', 'x NOOP\n', `x ${LOGIN}\n`, 'x LOGIN {3+}\r\n', 'half a line']) {
    for (const end of ['\r\n', '\n']) {
      const client = await site.client();
      client.send(`s STARTTLS${end}${behind}`);
      t.equal(await client.line(), 's OK Begin TLS negotiation now');
      const secure = await client.secure(t);
      t.match(
        await secure.command('CAPABILITY'),
        [/^(?!.*STARTTLS)\* CAPABILITY/, /^t1 OK/],
        JSON.stringify(behind),
      );
    }
  }
});

t.test('a login that the server cannot decide is NO [UNAVAILABLE], by either command', async (t) => {
  const accounts = {
    authenticate: () => Promise.reject(new MailError('storeUnavailable')),
    quotaOf: () => Promise.reject(new MailError('storeUnavailable')),
  };
  const site = await openImapSite(t, { accounts });
  const client = await site.client();
  t.match(await client.command(LOGIN), [/^t1 NO \[UNAVAILABLE\]/]);
  t.match(await client.command('AUTHENTICATE PLAIN AHgAeQ=='), [/^t2 NO \[UNAVAILABLE\]/]);
  t.match(await client.command('NOOP'), [/^t3 OK/]);
});

t.test(
  'greeting and login tell the capabilities that CAPABILITY tells, and no response is without text',
  async (t) => {
    const site = await openImapSite(t);
    const client = await RawClient.connect(t, site.port);
    const [, greeted] = /^\* OK \[CAPABILITY ([^\]]+)\] \S/.exec(await client.line()) ?? [];
    t.match(await client.command('CAPABILITY'), [`* CAPABILITY ${greeted}`, /^t1 OK \S/]);
    const [, loggedIn] =
      /^t2 OK \[CAPABILITY ([^\]]+)\] \S/.exec((await client.command(LOGIN))[0] ?? '') ?? [];
    t.match(await client.command('CAPABILITY'), [`* CAPABILITY ${loggedIn}`, /^t3 OK \S/]);
    t.match(greeted, /STARTTLS .*AUTH=PLAIN/);
    t.notMatch(loggedIn, /STARTTLS|AUTH=|LOGINDISABLED/);
    const lines: string[] = [];
    for (const text of ['NOOP', 'SELECT INBOX', 'SELECT no', 'BOGUS', 'CLOSE', 'UNSELECT', 'LOGOUT']) {
      lines.push(...(await client.command(text)));
    }
    for (const line of lines.filter((line) => /^\S+ (OK|NO|BAD|BYE)/.test(line))) {
      t.match(line, /^\S+ (OK|NO|BAD|BYE) (\[[^\]]+\] )?[^\s[]/, line);
    }
  },
);

t.test(
  'pipelined commands run in their order, each under its tag, and numbers are those of their turn',
  async (t) => {
    const site = await openImapSite(t);
    await site.put(['INBOX'], ...[1, 2, 3].map((number) => `Subject: ${number}\r\n\r\n`));
    const client = await site.selected();
    client.send(
      [
        'a STORE 1 +FLAGS.SILENT (\\Deleted)',
        'b EXPUNGE',
        'c FETCH 1 UID',
        'd APPEND INBOX {3+}\r\nnew',
        'e SEARCH UID 4',
        'f FETCH 3 UID',
        'g FETCH 4 UID',
        'h MOVE 1 Trash',
        'i UID SEARCH ALL',
        'j SELECT Trash',
        'k FETCH 1:* UID',
        'l LOGOUT\r\n',
      ].join('\r\n'),
    );
    const said = (await client.closed())
      .split('\r\n')
      .filter((line) => !/^\* (FLAGS|OK|\d+ RECENT)/.test(line))
      .map((line) =>
        line
          .replace(/ \[.*?\]/g, '')
          .replace(/completed.*/, '')
          .trim(),
      );
    t.same(said, [
      'a OK STORE',
      '* 1 EXPUNGE',
      'b OK EXPUNGE',
      '* 1 FETCH (UID 2)',
      'c OK FETCH',
      '* 3 EXISTS',
      'd OK APPEND',
      '* SEARCH 3',
      'e OK SEARCH',
      '* 3 FETCH (UID 4)',
      'f OK FETCH',
      'g BAD Syntax error: expected message sequence numbers from 1 to 3 at octet 0',
      '* 1 EXPUNGE',
      'h OK MOVE',
      '* SEARCH 3 4',
      'i OK SEARCH',
      '* 1 EXISTS',
      'j OK SELECT',
      '* 1 FETCH (UID 1)',
      'k OK FETCH',
      '* BYE Logging out',
      'l OK LOGOUT',
      '',
    ]);
  },
);
