/**
 * The program: reads the command line and runs a verb of admin's; `serve` and `demo` run an appliance in this process. Beside base
 * and appliance.ts the only file that touches the process, its streams and its signals.
 *
 * A verb loads what it needs and no more, because an administrator waits for it: a tenth of what a server is made of.
 */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import process from 'node:process';

import { systemClock } from './base/clock.ts';
import { createLog } from './base/log.ts';
import { RELAY_PRESETS } from './exchange/relayPresets.ts';
import { LISTENER_CAPABILITIES } from './imapd/capabilities.ts';
import { CAPABILITIES as POP3_CAPABILITIES } from './pop3d/capabilities.ts';
import { type FaultyConfig, type LoadedConfig, loadConfig } from './config/load.ts';
import { createBackend } from './admin/backend.ts';
import { runCli } from './admin/cli.ts';
import type { CliIo } from './admin/verb.ts';
import { allVerbs } from './admin/verbs/all.ts';
import { DATA_DIRECTORY, USUAL_FILE, VERSION } from './installation.ts';

const io: CliIo = { out: process.stdout, err: process.stderr, in: process.stdin, environment: process.env };

async function main(argv: readonly string[]): Promise<number> {
  const log = createLog(process.stderr, 'error');
  const verbs = allVerbs({
    version: VERSION,
    nodeVersion: process.version,
    load: loadFor,
    serve: async (loaded, reload) => (await import('./appliance.ts')).serve(loaded, reload),
    demo: async () => (await import('./appliance.ts')).demo(),
  });
  return runCli(argv, verbs, createBackend({ clock: systemClock, log, load: loadFor }), io);
}

/** `--config` or an argument, then HAUSPOST_CONFIG, then data/hauspost.toml if it is there, then the defaults. */
function loadFor(file: string | undefined): LoadedConfig | FaultyConfig {
  const chosen = file ?? process.env.HAUSPOST_CONFIG ?? (existsSync(USUAL_FILE) ? USUAL_FILE : undefined);
  return loadConfig({
    file: chosen === undefined ? undefined : resolve(chosen),
    defaultDirectory: DATA_DIRECTORY,
    environment: process.env,
    imapCapabilities: LISTENER_CAPABILITIES,
    pop3Capabilities: POP3_CAPABILITIES,
    relayPresets: RELAY_PRESETS,
  });
}

// Whoever reads our output may go away (a pipe, a collector that restarts); that ends no mail server.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2));
