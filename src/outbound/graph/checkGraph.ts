/**
 * A relay by Graph tried without a message: token, permission and mailbox, as far as they can be seen without sending.
 *
 * What Graph refuses last is a body that is no message (`GraphClient.probe`); so nothing is sent, and no other permission is needed. That
 * Exchange looks at permission and mailbox first has not been seen on a real tenant.
 */

import type { GraphAnswer } from '../../exchange/graph/answer.ts';
import type { GraphClient } from '../../exchange/graph/client.ts';
import type { Relay, RelayCheck } from '../../transfer/relay.ts';

/** Checks Graph, and the fallback where there is one: both must be ready, but `trouble` is Graph's. */
export async function checkGraph(
  client: GraphClient,
  mailbox: string,
  fallback: Relay | undefined,
  signal: AbortSignal,
): Promise<RelayCheck> {
  const answer = await client.probe(signal);
  const own = checkOf(answer, mailbox);
  if (fallback === undefined)
    return { ...own, steps: [...own.steps, 'There is no fallback: what Graph cannot carry is held'] };
  const other = await fallback.check(signal);
  return {
    ...own,
    isReady: own.isReady && other.isReady,
    steps: [...own.steps, ...other.steps.map((step) => `Fallback ${fallback.name}: ${step}`)],
  };
}

function checkOf(answer: GraphAnswer, mailbox: string): RelayCheck {
  switch (answer.kind) {
    case 'accepted':
      return {
        isReady: true,
        steps: [`Graph takes our token and would read a message from ${mailbox}: ${answer.reply}`],
      };
    case 'throttled':
    case 'quota':
    case 'misconfigured':
    case 'unreachable': {
      const steps = 'advice' in answer ? [answer.reason, answer.advice] : [answer.reason];
      return { isReady: false, steps, trouble: answer };
    }
    case 'permanent':
    case 'temporary':
      return { isReady: false, steps: [`Graph answers as is not expected: ${answer.reply}`] };
    case 'unreadable':
    case 'aborted':
      return { isReady: false, steps: ['The check was ended'] };
  }
}
