/**
 * The program: this process with its arguments, streams and exit code. What runs is commandLine.ts's, and appliance.ts's for `serve`
 * and `demo`; beside base these three are the only files that touch the process and its signals.
 */

import process from 'node:process';

import { runCommandLine } from './commandLine.ts';

// Whoever reads our output may go away (a pipe, a collector that restarts); that ends no mail server.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: process.stdout,
  err: process.stderr,
  in: process.stdin,
  environment: process.env,
});
