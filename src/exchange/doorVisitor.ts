/**
 * Who stands at the door: a client as its connection shows it. smtpd fills it in; the door judges it.
 */

/** What the client's TLS certificate shows. Texts are printable and short. */
export type ClientCertificate =
  /** None was presented, or there is no TLS. */
  | { readonly kind: 'absent' }
  /** Chain, signatures, time and name are right. */
  | { readonly kind: 'proved'; readonly name: string }
  /** It is of somebody else. */
  | { readonly kind: 'otherName'; readonly subject: string }
  /** It has the name, and the rest could not be checked, or is wrong. */
  | { readonly kind: 'unproved'; readonly why: string };

/** A client that says MAIL or hands a message over. */
export interface DoorVisitor {
  readonly remoteAddress: string;
  /** The argument of EHLO. */
  readonly heloName: string;
  /** Undefined without TLS. */
  readonly tls: string | undefined;
  /** Asked for once, where it counts. */
  readonly certificate: ClientCertificate;
}
