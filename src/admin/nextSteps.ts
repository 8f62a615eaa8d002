/**
 * What a server without accounts says at its start: where it listens, and what to do next.
 */

import type { ListenerStatus } from './server.ts';
import { formatTable } from './table.ts';

/** The text. `usualFile` is where a configuration file would be found, when there is none. */
export function nextSteps(server: {
  readonly version: string;
  readonly directory: string;
  readonly listeners: readonly ListenerStatus[];
  readonly usualFile: string | undefined;
}): string {
  const defaults = server.usualFile === undefined ? '' : ', on its defaults (no configuration file)';
  const rows = server.listeners.map(({ name, address, port, tls }) => [name, `${address}:${port}`, tls]);
  return [
    `Hauspost ${server.version} serves from ${server.directory}${defaults}.`,
    '',
    formatTable(['LISTENER', 'ADDRESS', 'TLS'], rows, 'It listens nowhere.'),
    'There are no accounts yet. In another terminal:',
    '  npx hauspost domain add app.example.com',
    '  npx hauspost account add ticket@app.example.com',
    ...(server.usualFile === undefined
      ? []
      : [`Listeners, certificate and limits go into ${server.usualFile} (docs/CONFIGURATION.md).`]),
    '',
  ].join('\n');
}
