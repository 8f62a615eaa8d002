/**
 * `npm run docs`: writes the generated parts of docs/ from the code they describe. Run it after changing the schema, the
 * error table or a verb; the tests fail until then.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { documentErrors } from '../src/base/error.ts';
import { documentLoginForms } from '../src/accounts/documentLogins.ts';
import { documentPickupProblems } from '../src/wire/pickup/problems.ts';
import { documentKeys } from '../src/config/explain.ts';
import { documentProfiles } from '../src/admin/compatibilityTable.ts';
import { documentVerbs } from '../src/admin/document.ts';
import { DROP_LIMITS } from './dropLimits.ts';
import { GRAPH_LIMITS } from './graphLimits.ts';
import { HOP_LIMITS } from './hopLimits.ts';
import { LISTENER_LIMITS } from './listenerLimits.ts';
import { PICKUP_LIMITS } from './pickupLimits.ts';
import { POP3_LIMITS } from './pop3Limits.ts';
import { REPORT_LIMITS } from './reportLimits.ts';
import { SMTP_LIMITS } from './smtpLimits.ts';
import { documentTokenErrors, TOKEN_LIMITS } from './tokenLimits.ts';
import { documentLimits, documentProtocolLogLimits } from './limits.ts';

/** Replaces what stands between `<!-- name: ... -->` and `<!-- /name -->`. */
function fill(file: string, name: string, body: string): void {
  const path = new URL(`../docs/${file}`, import.meta.url);
  const text = readFileSync(path, 'utf8');
  const pattern = new RegExp(`(<!-- ${name}:[^\\n]*-->\\n)[\\s\\S]*(<!-- /${name} -->)`);
  if (!pattern.test(text)) throw new Error(`docs/${file} has no place named ${name}`);
  writeFileSync(
    path,
    text.replace(pattern, (_match, head: string, tail: string) => `${head}\n${body}\n${tail}`),
  );
}

fill('CONFIGURATION.md', 'keys', documentKeys());
fill('ERRORS.md', 'errors', documentErrors());
fill('CLI.md', 'verbs', documentVerbs());
fill('LOGIN.md', 'forms', documentLoginForms());
fill('PROFILES.md', 'profiles', documentProfiles());
fill('LIMITS.md', 'listeners', await documentLimits(LISTENER_LIMITS));
fill('LIMITS.md', 'smtp', await documentLimits(SMTP_LIMITS));
fill('LIMITS.md', 'limits', await documentLimits());
fill('LIMITS.md', 'pop3', await documentLimits(POP3_LIMITS));
fill('LIMITS.md', 'hops', await documentLimits(HOP_LIMITS));
fill('LIMITS.md', 'graph', await documentLimits(GRAPH_LIMITS));
fill('LIMITS.md', 'tokens', await documentLimits(TOKEN_LIMITS));
fill('LIMITS.md', 'reports', await documentLimits(REPORT_LIMITS));
fill('LIMITS.md', 'pickup', await documentLimits(PICKUP_LIMITS));
fill('LIMITS.md', 'drop', await documentLimits(DROP_LIMITS));
fill('PICKUP-PROBLEMS.md', 'problems', documentPickupProblems());
fill('OAUTH.md', 'errors', documentTokenErrors());
fill('PROTOCOL-LOG.md', 'limits', await documentProtocolLogLimits());
