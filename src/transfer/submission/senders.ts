/**
 * Whether a submitter may use an address as sender, in MAIL FROM and in From (RFC 6409 section 6.1).
 *
 * `own` are the addresses whose mail comes to the account and to nobody else: its own, under every name of its domain, aliases,
 * catch-all and plus addresses that lead to it alone. `local` is every address of our domains, known or not. The null path is
 * always allowed (RFC 6409 section 3.2).
 * Trust: addresses are the other side's. What is no address of RFC 5321 is allowed by `*` alone.
 */

import { MailError } from '../../base/error.ts';
import type { MessageHeader } from '../../wire/mime/messageHeader.ts';
import { senderAddresses } from '../../wire/mime/senderAddresses.ts';
import { nameOf } from '../../wire/mime/submittedHeader.ts';
import type { Accounts } from '../../accounts/accounts.ts';
import { parseAddress, type ValidAddress } from '../../accounts/address.ts';
import type { SubmissionPolicy } from './policy.ts';

/** Characters of an address in a reply, whose line has 512 octets at most (RFC 5321 section 4.5.3.1.5). */
const SHOWN_LIMIT_CHARS = 200;
/** From fields that are looked at; RFC 5322 section 3.6 allows one. */
const FROM_FIELDS_LIMIT = 10;

/** Where addresses are looked up. */
interface Resolving {
  readonly accounts: Pick<Accounts, 'resolveRecipient'>;
}

/** The reverse path that the message gets, allowed or rewritten. Errors: `senderRefused`, the store's. */
export async function senderFor(
  resolving: Resolving,
  policy: SubmissionPolicy,
  reversePath: string,
): Promise<string> {
  if (reversePath === '' || (await mayUse(resolving, policy, reversePath))) return reversePath;
  if (policy.rewriteSender !== undefined) return policy.rewriteSender;
  throw refusal(policy, `the sender address ${shown(reversePath)} may not be used`, reversePath);
}

/** Why a header's From is not allowed; undefined where it is, or where there is none. Errors: the store's. */
export async function refuseFrom(
  resolving: Resolving,
  policy: SubmissionPolicy,
  { fields }: MessageHeader,
): Promise<MailError | undefined> {
  if (policy.senders.includes('*')) return undefined;
  const froms = fields.filter((field, index) => nameOf(field, index) === 'from');
  if (froms.length > FROM_FIELDS_LIMIT)
    return refusal(policy, 'a message with so many From fields may not be sent');
  for (const { value } of froms) {
    const found = senderAddresses(value);
    if (found.kind === 'unclear')
      return refusal(policy, `the field From: ${shown(value)} names no clear address and may not be used`);
    for (const address of found.addresses) {
      if (!(await mayUse(resolving, policy, address)))
        return refusal(policy, `the address ${shown(address)} in the field From may not be used`, address);
    }
  }
  return undefined;
}

async function mayUse(resolving: Resolving, policy: SubmissionPolicy, address: string): Promise<boolean> {
  if (policy.senders.includes('*')) return true;
  const parsed = parseAddress(address);
  if (parsed.kind === 'invalid') return false;
  if (parsed.address === policy.rewriteSender) return true;
  for (const pattern of policy.senders) if (await matches(resolving, policy, pattern, parsed)) return true;
  return false;
}

async function matches(
  { accounts }: Resolving,
  { subject }: SubmissionPolicy,
  pattern: string,
  { address, domain }: ValidAddress,
): Promise<boolean> {
  if (pattern === 'local') return (await accounts.resolveRecipient(address)).kind !== 'foreign';
  if (pattern === 'own') {
    const found = await accounts.resolveRecipient(address);
    if (found.kind !== 'accounts' || subject?.kind !== 'account') return false;
    return found.accounts.length === 1 && found.accounts[0]?.id === subject.accountId;
  }
  if (pattern.startsWith('*.')) return domain.endsWith(pattern.slice(1));
  return pattern.includes('@') ? pattern === address : pattern === domain;
}

function refusal({ publicName, directory }: SubmissionPolicy, what: string, address = ''): MailError {
  const at = address.lastIndexOf('@');
  // Whoever reads the reason beside a file is who may allow it.
  const isMended = directory !== undefined && at >= 0;
  const advice = isMended ? `: its senders would have to name ${shown(address.slice(at + 1))}` : '';
  const text = `${what} by ${publicName}${advice}`;
  return new MailError('senderRefused', text, { publicText: text.charAt(0).toUpperCase() + text.slice(1) });
}

function shown(text: string): string {
  return text.length > SHOWN_LIMIT_CHARS ? `${text.slice(0, SHOWN_LIMIT_CHARS)}...` : text;
}
