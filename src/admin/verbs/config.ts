/**
 * `hauspost config check|print|schema`: none of them needs a server or a store.
 */

import type { FaultyConfig, LoadedConfig } from '../../config/load.ts';
import { maskedConfig, printConfig } from '../../config/explain.ts';
import { configJsonSchema } from '../../config/keys.ts';
import { formatProblem } from '../../config/problems.ts';
import type { ListenerConfig } from '../../config/listenerKeys.ts';
import type { Config } from '../../config/schema.ts';
import { listenerFields } from '../compatibilityTable.ts';
import { compatibilityOf, serverCompatibility } from '../listenerOptions.ts';
import { EXIT, type ExitCode, type Invocation, type Verb } from '../verb.ts';
import { textOption } from './read.ts';

/** The verbs about the configuration; `load` is handed in by main, which knows where the file is looked for. */
export function configVerbs(
  load: (file: string | undefined) => LoadedConfig | FaultyConfig,
): readonly Verb[] {
  const loadFor = (invocation: Invocation) => load(invocation.args[0] ?? textOption(invocation, 'config'));
  return [
    {
      words: ['config', 'check'],
      usage: '[FILE]',
      summary: 'Checks a configuration file and names every fault.',
      options: {},
      optionHelp: {},
      run: async (invocation) => {
        const result = loadFor(invocation);
        if (result.kind === 'faulty') return reportFaults(invocation, result);
        for (const warning of result.warnings) invocation.io.err.write(`warning: ${warning}\n`);
        invocation.answer(
          { file: result.file ?? null, problems: [], warnings: result.warnings },
          ({ file }) =>
            file === null ? 'No configuration file: the defaults are in force.\n' : `${file} is right.\n`,
        );
        return EXIT.ok;
      },
    },
    {
      words: ['config', 'print'],
      usage: '[FILE]',
      summary: 'Prints what is in force and where each value came from; secrets are masked.',
      options: {},
      optionHelp: {},
      run: async (invocation) => {
        const result = loadFor(invocation);
        if (result.kind === 'faulty') return reportFaults(invocation, result);
        invocation.answer(maskedConfig(result), () =>
          printConfig(result, (listener) => profileRemarks(result.config, listener)),
        );
        return EXIT.ok;
      },
    },
    {
      words: ['config', 'schema'],
      usage: '',
      summary: 'Prints the JSON Schema of the configuration file.',
      options: {},
      optionHelp: {},
      run: async (invocation) => {
        invocation.answer(configJsonSchema(), (schema) => `${JSON.stringify(schema, null, 2)}\n`);
        return EXIT.ok;
      },
    },
  ];
}

/** What a listener with a profile comes to, for accounts that have nothing of their own. */
function profileRemarks(config: Config, listener: ListenerConfig): string[] {
  const { protocol, profile } = listener;
  if (profile === undefined || protocol === 'smtp') return [];
  const fields = listenerFields(protocol, compatibilityOf(listener), serverCompatibility(config));
  const lines = Object.entries(fields).map(([name, text]) => `  ${name}: ${text}`);
  return [`In force with the profile ${profile}, for accounts that have nothing of their own:`, ...lines];
}

function reportFaults(invocation: Invocation, { problems }: FaultyConfig): ExitCode {
  if (invocation.isJson) invocation.io.out.write(`${JSON.stringify({ problems }, null, 2)}\n`);
  else for (const problem of problems) invocation.io.err.write(`${formatProblem(problem)}\n`);
  return EXIT.failed;
}
