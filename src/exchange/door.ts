/**
 * The door for mail from Exchange Online on one relay-in listener: what proves that a message is of our tenant, level by level.
 *
 * smtpd asks `refuseSender` at MAIL and hands `inspect` to transfer. `ip` and `tls` are judged at MAIL: a greeting of 5yz would be
 * reported by Exchange as "cannot connect" after a day of tries, without a word of ours; a refused MAIL is reported at once with
 * its text. The rest needs the message. Levels add up; none is asked for by default, and then nothing is vouched for.
 * Trust: nothing. Signals are counted whether or not their level is set; the secret's field is taken out wherever it is named.
 */

import type { Clock } from '../base/clock.ts';
import type { MailError } from '../base/error.ts';
import { type MessageHeader, withoutFields } from '../wire/mime/messageHeader.ts';
import type { KeyResolver } from './dkimKeys.ts';
import { beginDkimVerification, type DkimVerification } from './dkimVerification.ts';
import { createDoorCounters, type DoorCounters, type DoorLevel, type DoorStatus } from './doorCounters.ts';
import {
  badCertificate,
  foreignAddress,
  foreignTenant,
  headerTooLong,
  noSignature,
  noTls,
  wrongSecret,
} from './doorRefusals.ts';
import type { DoorVisitor } from './doorVisitor.ts';
import { isExchangeName } from './sourceRanges.ts';
import {
  readCrossTenantId,
  readLdProcessed,
  readOriginatorOrg,
  readSecret,
  type Standing,
  type TenantField,
} from './tenantSignals.ts';

/** What a door is made from. */
export interface DoorOptions {
  readonly levels: readonly DoorLevel[];
  /** Whether an address is one of Exchange Online's. */
  readonly isSource: (remoteAddress: string) => boolean;
  /** Names of which Exchange Online's client certificate has one. */
  readonly certificateNames: readonly string[];
  readonly tenantIds: readonly string[];
  /** The field that a mail flow rule sets, and the values it may have: two while one takes the other's place. */
  readonly secretHeader: string | undefined;
  readonly secrets: readonly string[];
  /** Domains whose DKIM signature is the tenant's. */
  readonly dkimDomains: readonly string[];
  readonly keyResolver: KeyResolver;
  readonly clock: Clock;
}

/** A door. */
export interface Door {
  /** Whether clients are asked for their certificate, of these names. */
  readonly asksCertificate: boolean;
  readonly certificateNames: readonly string[];
  /** A client has connected. */
  noteConnection(remoteAddress: string): void;
  /** What MAIL is refused with. */
  refuseSender(visitor: DoorVisitor): MailError | undefined;
  /** For one message; what transfer calls an Inspection. */
  inspect(visitor: DoorVisitor): DoorInspection;
  /** Takes other values of the secret's field, from the next message on. */
  setSecrets(secrets: readonly string[]): void;
  status(): DoorStatus;
}

/** Looks at one message. */
export interface DoorInspection {
  /** The header without the secret's field, or a refusal. */
  header(header: MessageHeader): MessageHeader | MailError;
  octets(block: Buffer): void;
  end(): Promise<MailError | undefined>;
  /** Whether every level has been met, and there is one. */
  readonly isVouchedFor: boolean;
}

/** Opens a door. */
export function createDoor(options: DoorOptions): Door {
  const facts = prepare(options);
  const counters = createDoorCounters();
  const { levels, certificateNames } = options;
  return {
    asksCertificate: facts.has('tls'),
    certificateNames,
    noteConnection: (remoteAddress) => noteContact(facts, counters, remoteAddress, ''),
    refuseSender: (visitor) => refuseSender(facts, counters, visitor),
    inspect: (visitor) => inspect(facts, counters, visitor),
    setSecrets: (secrets) => {
      facts.secrets = secrets;
    },
    status: () => counters.status(levels),
  };
}

type Facts = ReturnType<typeof prepare>;

function prepare(options: DoorOptions) {
  const lower = (texts: readonly string[]) => new Set(texts.map((text) => text.toLowerCase()));
  const levels = new Set(options.levels);
  return {
    ...options,
    has: (level: DoorLevel) => levels.has(level),
    tenantIds: lower(options.tenantIds),
    dkimDomains: lower(options.dkimDomains),
    secretHeader: options.secretHeader?.toLowerCase(),
  };
}

function refuseSender(facts: Facts, counters: DoorCounters, visitor: DoorVisitor): MailError | undefined {
  const { remoteAddress, heloName, tls } = visitor;
  noteContact(facts, counters, remoteAddress, heloName);
  if (facts.has('ip') && !facts.isSource(remoteAddress)) {
    counters.noteRefusal('ip');
    return foreignAddress(remoteAddress);
  }
  if (!facts.has('tls')) return undefined;
  const isProved = tls !== undefined && visitor.certificate.kind === 'proved';
  if (isProved) return undefined;
  counters.noteRefusal('tls');
  return tls === undefined ? noTls() : badCertificate(visitor.certificate, facts.certificateNames);
}

/** From connecting on, so that a client that never gets beyond TLS is seen; what it calls itself comes later. */
function noteContact(facts: Facts, counters: DoorCounters, remoteAddress: string, heloName: string): void {
  const isFromRanges = facts.isSource(remoteAddress);
  const isNamedAsExchange = isExchangeName(heloName);
  if (!isFromRanges && !isNamedAsExchange) return;
  counters.noteContact({
    at: facts.clock.now(),
    remoteAddress,
    heloName,
    isFromRanges,
    isNamedAsExchange,
  });
}

function inspect(facts: Facts, counters: DoorCounters, visitor: DoorVisitor): DoorInspection {
  let dkim: DkimVerification | undefined;
  let headerOctets = 0;
  let isVouchedFor = false;
  const refuse = (level: DoorLevel, refusal: MailError) => {
    counters.noteRefusal(level);
    return refusal;
  };
  return {
    header(header) {
      noteVisitor(facts, counters, visitor);
      const refusal = judgeHeader(facts, counters, header, refuse);
      if (refusal !== undefined) return refusal;
      headerOctets = header.fields.reduce((sum, { octets }) => sum + octets.length, header.blankLine.length);
      if (facts.has('dkim')) {
        const { dkimDomains: domains, keyResolver: resolver, clock } = facts;
        dkim = beginDkimVerification({ domains, resolver, clock }, header);
      }
      return facts.secretHeader === undefined ? header : withoutFields(header, new Set([facts.secretHeader]));
    },
    octets(block) {
      const skipped = Math.min(headerOctets, block.length);
      headerOctets -= skipped;
      if (skipped < block.length) dkim?.push(block.subarray(skipped));
    },
    async end() {
      if (dkim !== undefined) {
        const verdict = await dkim.end();
        const isPass = verdict.kind === 'pass';
        const finding = isPass ? 'valid' : verdict.kind === 'failed' ? 'refused' : verdict.kind;
        counters.noteSignal('dkim', finding === 'unknown' ? 'unjudged' : finding);
        if (!isPass) return refuse('dkim', noSignature(verdict, [...facts.dkimDomains]));
      }
      isVouchedFor = facts.levels.length > 0;
      return undefined;
    },
    get isVouchedFor() {
      return isVouchedFor;
    },
  };
}

function noteVisitor(facts: Facts, counters: DoorCounters, visitor: DoorVisitor): void {
  counters.noteMessage();
  counters.noteSignal('sourceAddress', facts.isSource(visitor.remoteAddress) ? 'valid' : 'refused');
  counters.noteSignal('heloName', isExchangeName(visitor.heloName) ? 'valid' : 'refused');
  if (!facts.has('tls') || visitor.certificate.kind === 'absent') return;
  counters.noteSignal('certificate', visitor.certificate.kind === 'proved' ? 'valid' : 'refused');
}

/** Counts what the header says, and judges it. */
function judgeHeader(
  facts: Facts,
  counters: DoorCounters,
  header: MessageHeader,
  refuse: (level: DoorLevel, refusal: MailError) => MailError,
): MailError | undefined {
  const { tenantIds, secretHeader, secrets, dkimDomains } = facts;
  const crossTenantId = readCrossTenantId(header, tenantIds);
  const ldProcessed = readLdProcessed(header, tenantIds);
  noteStanding(counters, 'crossTenantId', crossTenantId.standing, tenantIds.size > 0);
  noteStanding(counters, 'ldProcessed', ldProcessed.standing, tenantIds.size > 0);
  noteStanding(counters, 'originatorOrg', readOriginatorOrg(header, dkimDomains), dkimDomains.size > 0);
  const secret = secretHeader === undefined ? 'absent' : readSecret(header, secretHeader, secrets);
  noteStanding(counters, 'secret', secret, secrets.length > 0);
  if (!header.isWhole) {
    const level = (['secret', 'tenant', 'dkim'] as const).find(facts.has);
    if (level !== undefined) return refuse(level, headerTooLong());
    // What cannot be taken out is not let in.
    if (secretHeader !== undefined) return headerTooLong();
  }
  if (facts.has('tenant') && !isOurTenant(crossTenantId, ldProcessed))
    return refuse('tenant', foreignTenant(crossTenantId, ldProcessed));
  if (facts.has('secret') && secret !== 'valid') return refuse('secret', wrongSecret(secret));
  return undefined;
}

/**
 * Exchange writes CrossTenant-Id once; where it stands twice, somebody has added one. X-LD-Processed may be there once for each
 * tenant that has passed the message on, and is then no proof, but none against it either.
 */
function isOurTenant(crossTenantId: TenantField, ldProcessed: TenantField): boolean {
  if (crossTenantId.standing === 'repeated') return false;
  return crossTenantId.standing === 'valid' || ldProcessed.standing === 'valid';
}

function noteStanding(
  counters: DoorCounters,
  signal: 'crossTenantId' | 'ldProcessed' | 'originatorOrg' | 'secret',
  standing: Standing,
  canBeJudged: boolean,
): void {
  if (standing === 'absent') counters.noteSignal(signal, 'absent');
  else if (standing === 'valid') counters.noteSignal(signal, 'valid');
  else counters.noteSignal(signal, canBeJudged || standing === 'repeated' ? 'refused' : 'unjudged');
}
