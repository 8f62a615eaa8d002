/**
 * Where this installation stands, and which version it is. Read by commandLine.ts and appliance.ts.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The directory above src/. */
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** The data directory where no configuration names one. */
export const DATA_DIRECTORY = join(ROOT, 'data');

/** The configuration file that is read, if it is there, where none is named. */
export const USUAL_FILE = join(DATA_DIRECTORY, 'hauspost.toml');

/** As package.json has it. */
export const VERSION: string = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;
