/**
 * How the CLI reaches operations: through the control socket of the running server, or, where none runs, on the store itself
 * under its lock. No second process ever writes to the database beside a server.
 */

import type { Clock } from '../base/clock.ts';
import { MailError } from '../base/error.ts';
import type { Log } from '../base/log.ts';
import type { FaultyConfig, LoadedConfig } from '../config/load.ts';
import { formatProblem } from '../config/problems.ts';
import { type CliBackend, Unreachable } from './cli.ts';
import { callControlServer, controlSocketPath } from './controlSocket.ts';
import { needsServer } from './operation.ts';

/** What the backend is handed. */
export interface BackendOptions {
  readonly clock: Clock;
  readonly log: Log;
  load(file: string | undefined): LoadedConfig | FaultyConfig;
}

/** The backend of a CLI on this machine. Errors of `call`: MailError, and Unreachable for operations of a server. */
export function createBackend(options: BackendOptions): CliBackend {
  return {
    async call(operation, input, configFile) {
      const loaded = options.load(configFile);
      if (loaded.kind === 'faulty')
        throw new MailError('invalid', loaded.problems.map(formatProblem).join('\n'));
      const { dataDirectory } = loaded.config.server;
      const answer = await callControlServer(controlSocketPath(dataDirectory), options.clock, {
        operation,
        input,
      });
      if (answer !== undefined) return answer.result;
      if (needsServer(operation)) throw new Unreachable(`no server runs on ${dataDirectory}`);
      const { callOnStore } = await import('./storeBackend.ts');
      return callOnStore(loaded.config, options, operation, input);
    },
  };
}
