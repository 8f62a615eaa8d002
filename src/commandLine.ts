/**
 * The command line: runs a verb of admin's; `serve` and `demo` run an appliance in this process. Called by main.ts, and by tests that
 * need a verb and no process of its own.
 *
 * A verb loads what it needs and no more, because an administrator waits for it: a quarter of what a server is made of.
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
import type { CliIo, ExitCode } from './admin/verb.ts';
import { allVerbs } from './admin/verbs/all.ts';
import { DATA_DIRECTORY, USUAL_FILE, VERSION } from './installation.ts';

/** Runs one command line (without node and script); answers the exit code. */
export async function runCommandLine(argv: readonly string[], io: CliIo): Promise<ExitCode> {
  const load = (file: string | undefined) => loadFor(file, io.environment);
  const log = createLog(io.err, 'error');
  const verbs = allVerbs({
    version: VERSION,
    nodeVersion: process.version,
    load,
    serve: async (loaded, reload) => (await import('./appliance.ts')).serve(loaded, reload),
    demo: async () => (await import('./appliance.ts')).demo(),
  });
  return runCli(argv, verbs, createBackend({ clock: systemClock, log, load }), io);
}

/** `--config` or an argument, then HAUSPOST_CONFIG, then data/hauspost.toml if it is there, then the defaults. */
function loadFor(file: string | undefined, environment: NodeJS.ProcessEnv): LoadedConfig | FaultyConfig {
  const chosen = file ?? environment.HAUSPOST_CONFIG ?? (existsSync(USUAL_FILE) ? USUAL_FILE : undefined);
  return loadConfig({
    file: chosen === undefined ? undefined : resolve(chosen),
    defaultDirectory: DATA_DIRECTORY,
    environment,
    imapCapabilities: LISTENER_CAPABILITIES,
    pop3Capabilities: POP3_CAPABILITIES,
    relayPresets: RELAY_PRESETS,
  });
}
