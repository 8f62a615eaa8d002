/**
 * What is wrong with relays beyond the form of each key: what is missing for a way or a login, what is out of place, and names.
 */

import type { RelayConfig } from './relayKeys.ts';

/** A key of a relay, or an empty text for all of it, and what is wrong there. */
export type RelayProblem = readonly [key: string, text: string];

type Key = keyof RelayConfig;

/** Keys that only one way has. */
const KEYS_OF_WAYS: Readonly<Record<RelayConfig['way'], readonly Key[]>> = {
  smtp: ['hosts', 'tenantDomain', 'user', 'passwordFile', 'loginMechanism'],
  direct: ['domains'],
  graph: ['mailbox', 'fallback'],
};
/** Keys for access tokens. */
const TOKEN_KEYS: readonly Key[] = [
  'tenant',
  'clientId',
  'clientSecretFile',
  'applicationCertificateFile',
  'applicationKeyFile',
  'applicationKeyPassphraseFile',
  'secretExpires',
  'tokenScope',
];
/** Of these, those of a certificate. */
const APPLICATION_KEYS: readonly Key[] = [
  'applicationCertificateFile',
  'applicationKeyFile',
  'applicationKeyPassphraseFile',
];
const PAIRS: readonly (readonly [Key, Key])[] = [
  ['certificateFile', 'keyFile'],
  ['applicationCertificateFile', 'applicationKeyFile'],
];

/** The faults of one relay among all. */
export function relayProblems(relay: RelayConfig, all: readonly RelayConfig[]): readonly RelayProblem[] {
  return [
    ...nameProblems(relay, all),
    ...misplacedKeys(relay),
    ...missingKeys(relay),
    ...PAIRS.filter(([one, other]) => (relay[one] === undefined) !== (relay[other] === undefined)).map(
      ([one, other]): RelayProblem => [
        relay[one] === undefined ? other : one,
        `${one} and ${other} go together`,
      ],
    ),
    ...hostProblems(relay),
    ...fallbackProblems(relay, all),
  ];
}

/** What works, and an administrator should know. */
export function relayWarnings({ name, login, tls, way }: RelayConfig): string[] {
  if (way !== 'smtp' || login === 'none' || tls === 'required' || tls === 'implicit') return [];
  return [
    `relay ${name} logs in with tls = "${tls}": whoever stands between can read the password; required or implicit keeps it safe`,
  ];
}

function nameProblems(relay: RelayConfig, all: readonly RelayConfig[]): RelayProblem[] {
  const first = all.find(({ name }) => name === relay.name);
  return first === relay ? [] : [['name', `found "${relay.name}" a second time; names are unique`]];
}

function misplacedKeys(relay: RelayConfig): RelayProblem[] {
  const ofOtherWays = Object.entries(KEYS_OF_WAYS).flatMap(([way, keys]) =>
    way === relay.way
      ? []
      : keys.map((key) => [key, `is for way = "${way}"; this one is "${relay.way}"`] as const),
  );
  const noTokens = TOKEN_KEYS.map((key) => [key, 'is for login = "xoauth2" and way = "graph"'] as const);
  const noPassword: RelayProblem[] = [
    ['passwordFile', 'is for login = "password"'],
    ['loginMechanism', 'is for login = "password"'],
  ];
  const noCertificate = APPLICATION_KEYS.map((key) => [key, 'is for grant = "certificate"'] as const);
  return [
    ...ofOtherWays,
    ...(usesTokens(relay) ? [] : noTokens),
    ...(relay.way === 'smtp' && relay.login !== 'password' ? noPassword : []),
    ...(usesTokens(relay) && relay.grant !== 'certificate' ? noCertificate : []),
    ...(relay.way === 'smtp' || relay.login === 'none'
      ? []
      : [['login', `is for way = "smtp"; this one is "${relay.way}"`] as const]),
  ].filter(([key]) => key === 'login' || relay[key as Key] !== undefined);
}

function missingKeys(relay: RelayConfig): RelayProblem[] {
  const needs: (readonly [Key, string])[] = [];
  if (relay.way === 'smtp')
    needs.push(['hosts', relay.preset === 'exchange-connector' ? 'tenantDomain or hosts' : 'hosts']);
  if (relay.way === 'direct') needs.push(['domains', 'domains']);
  if (relay.way === 'graph') needs.push(['mailbox', 'mailbox']);
  if (relay.way === 'smtp' && relay.login !== 'none') needs.push(['user', 'user']);
  if (usesTokens(relay)) needs.push(['tenant', 'tenant'], ['clientId', 'clientId']);
  if (usesTokens(relay) && relay.grant === 'certificate')
    needs.push(['applicationCertificateFile', 'applicationCertificateFile']);
  return needs
    .filter(([key]) => relay[key] === undefined)
    .map(([, wanted]) => ['', `needs ${wanted} (${reasonOf(relay)})`]);
}

function hostProblems({ hosts = [] }: RelayConfig): RelayProblem[] {
  return hosts
    .filter((host) => {
      const port = /:(\d+)$/.exec(host.replace(/^\[[^\]]*\]/, ''))?.[1];
      return port !== undefined && (Number(port) < 1 || Number(port) > 65_535);
    })
    .map((host) => ['hosts', `found "${host}"; allowed: a port from 1 to 65535`]);
}

function fallbackProblems(relay: RelayConfig, all: readonly RelayConfig[]): RelayProblem[] {
  if (relay.fallback === undefined) return [];
  const target = all.find(({ name }) => name === relay.fallback);
  if (target?.way === 'smtp') return [];
  const smarthosts = all.filter(({ way }) => way === 'smtp').map(({ name }) => name);
  const allowed = smarthosts.length === 0 ? 'a relay with way = "smtp"' : smarthosts.join(', ');
  return [['fallback', `found "${relay.fallback}"; allowed: ${allowed}`]];
}

/** Whether it asks for access tokens. */
function usesTokens({ way, login }: RelayConfig): boolean {
  return way === 'graph' || (way === 'smtp' && login === 'xoauth2');
}

function reasonOf({ preset, way, login }: RelayConfig): string {
  if (preset !== undefined) return `preset ${preset}`;
  return way === 'smtp' && login !== 'none' ? `login = "${login}"` : `way = "${way}"`;
}
