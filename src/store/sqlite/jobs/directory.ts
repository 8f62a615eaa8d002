/**
 * The directory's jobs: domains, accounts, aliases.
 */

/** Jobs by name. */
export const DIRECTORY_JOBS = {} as const;
