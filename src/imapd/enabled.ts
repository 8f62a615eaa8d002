/**
 * The extensions that change what a session says, and so are off until the client shows that it knows them (RFC 5161).
 *
 * CONDSTORE is also turned on by the first command that uses it (RFC 7162 section 3.1); QRESYNC by ENABLE alone, and it
 * brings CONDSTORE with it (section 3.2.3). Once on, on for the rest of the connection.
 */

/** What ENABLE takes; any other capability is ignored. */
export const ENABLED_BY_NAME = ['CONDSTORE', 'QRESYNC'] as const;
export type Enabled = (typeof ENABLED_BY_NAME)[number];
