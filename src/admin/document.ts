/**
 * The verbs as docs/CLI.md shows them; a test holds the file against this.
 */

import { usageLine } from './cli.ts';
import { EXIT, type Verb } from './verb.ts';
import { allVerbs } from './verbs/all.ts';

/** The part of docs/CLI.md that is made from the verb tables, in Markdown. */
export function documentVerbs(): string {
  const nothing = async () => EXIT.ok;
  const load = () => ({ kind: 'faulty' as const, problems: [] });
  const verbs = allVerbs({ version: '', nodeVersion: '', load, serve: nothing, demo: nothing });
  return verbs.map(documentVerb).join('\n');
}

function documentVerb(verb: Verb): string {
  const options = Object.entries(verb.optionHelp).map(([name, help]) => `- \`--${name}\`: ${help}`);
  const list = options.length === 0 ? '' : `\n${options.join('\n')}\n`;
  return `### ${verb.words.join(' ')}\n\n${verb.summary}\n\n\`\`\`\n${usageLine(verb)}\n\`\`\`\n${list}`;
}
