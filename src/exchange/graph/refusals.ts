/**
 * Graph's error codes that sending meets: what each means for the queue, and what an administrator does about it.
 *
 * Codes are Microsoft's (microsoft-graph-docs-contrib: concepts/errors.md, api/user-sendmail.md, outlook-send-mail-from-other-user.md;
 * those beginning with Error are Exchange's, which Graph passes on). Messages change at any time and are not looked at. A code that is
 * not here is told by its HTTP status (refusalOfStatus), and counts as temporary where that says nothing: one bad guess
 * must not fail a day's mail. docs/GRAPH.md is for the administrator.
 */

/** What a refusal means. */
export type GraphRefusal =
  /** `status`: RFC 3463. `isUnsuited`: another way than Graph may take the message. */
  | {
      readonly kind: 'permanent';
      readonly status: string;
      readonly isUnsuited?: boolean;
      readonly advice: string;
    }
  | { readonly kind: 'temporary'; readonly status: string }
  | { readonly kind: 'throttled' }
  | { readonly kind: 'quota'; readonly advice: string }
  | { readonly kind: 'misconfigured'; readonly advice: string }
  | { readonly kind: 'unreachable' };

const SEND_AS: GraphRefusal = {
  kind: 'permanent',
  status: '5.7.1',
  isUnsuited: true,
  advice:
    'The mailbox may not send with the From of this message: write From with the address of the mailbox, or grant it SendAs (Add-RecipientPermission)',
};
const TOO_LARGE: GraphRefusal = {
  kind: 'permanent',
  status: '5.3.4',
  isUnsuited: true,
  advice: 'The message is too large for Graph: give the relay a fallback by SMTP',
};
const MALFORMED: GraphRefusal = {
  kind: 'permanent',
  status: '5.6.0',
  isUnsuited: true,
  advice: 'Graph cannot read this message',
};
const BAD_RECIPIENT: GraphRefusal = {
  kind: 'permanent',
  status: '5.1.3',
  isUnsuited: true,
  advice: 'Graph takes an address of this message for none',
};
const THROTTLED: GraphRefusal = { kind: 'throttled' };
const QUOTA: GraphRefusal = {
  kind: 'quota',
  advice:
    'The mailbox has used up what Exchange Online lets it send (10,000 recipients a day): wait, or spread the mail over more mailboxes',
};
const NO_TOKEN: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'Graph does not take the access token: check tenant, application id and secret or certificate, and that the token is for the same cloud as the endpoint',
};
const NO_PERMISSION: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'The application may not send from this mailbox: assign the role Application Mail.Send with a scope that holds the mailbox (docs/GRAPH.md), and wait up to two hours for it to take effect',
};
const NO_MAILBOX: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'Graph finds no mailbox of this name in Exchange Online: check its address, that it has a licence or is shared, and that it is not on premises',
};
const BARRED: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'Exchange Online has stopped this mailbox from sending: look for it among the restricted entities of the Defender portal',
};
const FULL: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'The mailbox is full, and Graph keeps what it sends in Sent Items: empty that, or give it a retention policy',
};

/** By code. */
export const GRAPH_REFUSALS: ReadonlyMap<string, GraphRefusal> = new Map(
  Object.entries({
    ErrorSendAsDenied: SEND_AS,
    ErrorMimeContentInvalidBase64String: MALFORMED,
    ErrorMimeContentInvalid: MALFORMED,
    ErrorMessageSizeExceeded: TOO_LARGE,
    RequestEntityTooLarge: TOO_LARGE,
    ErrorInvalidRecipients: BAD_RECIPIENT,

    ApplicationThrottled: THROTTLED,
    MailboxConcurrency: THROTTLED,
    ErrorServerBusy: THROTTLED,
    TooManyRequests: THROTTLED,
    activityLimitReached: THROTTLED,
    throttledRequest: THROTTLED,

    ErrorExceededMessageLimit: QUOTA,
    ErrorSubmissionQuotaExceeded: QUOTA,

    InvalidAuthenticationToken: NO_TOKEN,
    unauthenticated: NO_TOKEN,
    ErrorAccessDenied: NO_PERMISSION,
    accessDenied: NO_PERMISSION,
    Authorization_RequestDenied: NO_PERMISSION,
    extensionError: NO_PERMISSION,
    MailboxNotEnabledForRESTAPI: NO_MAILBOX,
    MailboxNotSupportedForRESTAPI: NO_MAILBOX,
    ErrorInvalidUser: NO_MAILBOX,
    ErrorNonExistentMailbox: NO_MAILBOX,
    Request_ResourceNotFound: NO_MAILBOX,
    ResourceNotFound: NO_MAILBOX,
    ErrorAccountDisabled: BARRED,
    ErrorMessageSubmissionBlocked: BARRED,
    ErrorQuotaExceeded: FULL,
    quotaLimitReached: FULL,

    ErrorMailboxMoveInProgress: { kind: 'temporary', status: '4.2.1' },
    ErrorMailboxStoreUnavailable: { kind: 'temporary', status: '4.3.0' },
    ErrorTimeoutExpired: { kind: 'temporary', status: '4.4.2' },
  } satisfies Record<string, GraphRefusal>),
);

/** By HTTP status, where no code is known. `saysWhen`: it came with Retry-After. */
export function refusalOfStatus(status: number, saysWhen: boolean): GraphRefusal {
  switch (status) {
    case 401:
      return NO_TOKEN;
    case 404:
    case 405:
    case 410:
    case 501:
      return NO_MAILBOX;
    case 413:
      return TOO_LARGE;
    case 429:
    case 509:
      return THROTTLED;
    case 503:
      return saysWhen ? THROTTLED : { kind: 'unreachable' };
    case 507:
      return FULL;
    case 408:
    case 504:
      return { kind: 'temporary', status: '4.4.2' };
    default:
      return { kind: 'temporary', status: '4.3.0' };
  }
}

/** Of an answer that leads elsewhere, which is never followed: the token would go with it. */
export const REDIRECTED: GraphRefusal = {
  kind: 'misconfigured',
  advice:
    'What answers is not Graph, or wants to be asked elsewhere: check the endpoint of the relay, and for a proxy on the way',
};
