/**
 * `hauspost serve|demo|version`: the verbs that are about this very process. What they run is main's.
 */

import type { FaultyConfig, LoadedConfig } from '../../config/load.ts';
import { formatProblem } from '../../config/problems.ts';
import { EXIT, type ExitCode, type Verb } from '../verb.ts';
import { textOption } from './read.ts';

/** What main hands in. */
export interface ProcessVerbOptions {
  readonly version: string;
  readonly nodeVersion: string;
  load(file: string | undefined): LoadedConfig | FaultyConfig;
  /** Serves until the process is told to stop; `reload` loads the same configuration again. */
  serve(loaded: LoadedConfig, reload: () => LoadedConfig | FaultyConfig): Promise<ExitCode>;
  demo(): Promise<ExitCode>;
}

const NO_OPTIONS = { options: {}, optionHelp: {} };

/** The verbs. */
export function processVerbs({
  version,
  nodeVersion,
  load,
  serve,
  demo,
}: ProcessVerbOptions): readonly Verb[] {
  return [
    {
      words: ['serve'],
      usage: '[FILE]',
      summary: 'Runs the server with a configuration file until it is told to stop.',
      ...NO_OPTIONS,
      run: async (invocation) => {
        const file = invocation.args[0] ?? textOption(invocation, 'config');
        const loaded = load(file);
        if (loaded.kind === 'loaded') return serve(loaded, () => load(file));
        for (const problem of loaded.problems) invocation.io.err.write(`${formatProblem(problem)}\n`);
        return EXIT.failed;
      },
    },
    {
      words: ['demo'],
      usage: '',
      summary: 'Shows the whole appliance on this machine, with a store of its own.',
      ...NO_OPTIONS,
      run: demo,
    },
    {
      words: ['version'],
      usage: '',
      summary: 'Prints the version.',
      ...NO_OPTIONS,
      run: async ({ answer }) => {
        answer(
          { hauspost: version, node: nodeVersion },
          (text) => `hauspost ${text.hauspost}, Node ${text.node}\n`,
        );
        return EXIT.ok;
      },
    },
  ];
}
