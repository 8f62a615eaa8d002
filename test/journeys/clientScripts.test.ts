/**
 * Sessions as old clients hold them, command by command: the transcripts of test/scripts/clients, each named after its client.
 *
 * Measured on the wire with the real programs, or read in their sources where they do not run here (S22.Imap, OpenPop.NET).
 */

import { readdirSync, readFileSync } from 'node:fs';

import t from 'tap';
import type { Test } from 'tap';

import { openImapSite, play, RawClient } from '../imapd/harness.ts';
import { ADDRESS, openServer } from '../pop3d/harness.ts';
import { playTranscript, readTranscript } from '../support/transcript.ts';

const SCRIPTS = new URL('../scripts/clients/', import.meta.url);

const names = readdirSync(SCRIPTS).map((file) => file.replace(/\.txt$/, ''));

for (const name of names) {
  t.test(`the session of ${name} goes as written`, (t) =>
    name.startsWith('pop3-') ? playPop3(t, name) : playImap(t, name),
  );
}

/** Two messages wait in the maildrop. */
async function playPop3(t: Test, name: string): Promise<void> {
  const { site, connect } = await openServer(t);
  const account = await site.addAccount(ADDRESS);
  await site.deliver('From: a@example.org\r\nSubject: one\r\n\r\nfirst\r\n', account);
  await site.deliver('Subject: two\r\n\r\n.dot\r\n', account);
  await playTranscript(await connect(), readTranscript(`clients/${name}`));
}

async function playImap(t: Test, name: string): Promise<void> {
  const site = await openImapSite(t);
  const connect = () => RawClient.connect(t, site.port);
  await play(readFileSync(new URL(`${name}.txt`, SCRIPTS), 'utf8'), {
    client: name === 'imap-ruby' ? async () => inWords(await connect()) : connect,
    put: (mailbox, message) => site.put(mailbox.split('/'), message),
  });
}

/** A client whose every write goes out word by word, the line end last of all. */
function inWords(client: RawClient): RawClient {
  const { socket } = client;
  client.send = (octets) => {
    for (const word of octets.toString().split(/(?= )|(?=\r\n)/)) socket.write(Buffer.from(word, 'latin1'));
  };
  return client;
}
