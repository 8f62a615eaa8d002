/**
 * What an enhanced status code (RFC 3463, with the registry of RFC 5248 and Exchange Online's own details) is about, as far as a
 * report has a sentence for it.
 *
 * A topic is a code or a part of one: `5.4.1` with its class, `2.2` in either class, `2` for a subject, and the empty one for
 * everything else. Exchange Online gives some codes a meaning of its own, which holds here, since that is where most mail goes.
 */

/** The longest first: a code is what the first topic says that fits. */
export const STATUS_TOPICS = [
  '5.4.1',
  '5.1.10',
  '1.1',
  '1.2',
  '1.3',
  '1.6',
  '1.8',
  '1',
  '2.1',
  '2.2',
  '2.3',
  '2.4',
  '2',
  '3.1',
  '3.2',
  '3.4',
  '3',
  '4.1',
  '4.3',
  '4.5',
  '4.6',
  '4.7',
  '4.14',
  '4',
  '5.3',
  '5',
  '6.7',
  '6.9',
  '6.11',
  '6',
  '7.1',
  '7.2',
  '7.8',
  '7.23',
  '7.26',
  '7.54',
  '7.57',
  '7.60',
  '7.64',
  '7.68',
  '7.124',
  '7.128',
  '7.133',
  '7.509',
  '7.520',
  '7.606',
  '7.705',
  '7.708',
  '7',
  '',
] as const;
export type StatusTopic = (typeof STATUS_TOPICS)[number];

/** Topics that stand for codes with the same meaning. */
const SAME: Readonly<Record<string, StatusTopic>> = {
  '1.7': '1.8',
  '4.4': '1.2',
  '7.9': '7.8',
  '7.20': '7.26',
  '7.21': '7.26',
  '7.22': '7.26',
  '7.25': '7.606',
  '7.27': '1.8',
  '7.30': '7.8',
  '7.134': '7.133',
  '7.135': '7.133',
  '7.136': '7.133',
  '7.506': '7.606',
  '7.512': '7.60',
  '7.703': '7.705',
  '7.750': '7.708',
};

const TOPICS: ReadonlySet<string> = new Set(STATUS_TOPICS);

/** What `status` (`5.2.2`) is about; whatever is no code is about nothing in particular. */
export function topicOf(status: string): StatusTopic {
  const parts = /^([245])\.(\d{1,3})\.(\d{1,3})$/.exec(status);
  if (parts === null) return '';
  const [, , subject = '', detail = ''] = parts;
  const code = `${subject}.${detail}`;
  for (const topic of [status, SAME[code] ?? code, isBannedAddress(code) ? '7.606' : subject])
    if (isTopic(topic)) return topic;
  return '';
}

/** Exchange Online: 5.7.606 to 5.7.649 are addresses that it has banned. */
function isBannedAddress(code: string): boolean {
  return /^7\.6(0[6-9]|[1-4]\d)$/.test(code);
}

function isTopic(text: string): text is StatusTopic {
  return TOPICS.has(text);
}
