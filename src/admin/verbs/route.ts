/**
 * `hauspost route add|list|show|set|remove`: where mail of some addresses goes.
 */

import type { RouteTarget } from '../../store/contract/routing.ts';
import type { RouteReport } from '../../accounts/administerRoutes.ts';
import type { WarnedRoute } from '../routeWarnings.ts';
import { formatFields, formatTable } from '../table.ts';
import { EXIT, type Invocation, UsageError, type Verb } from '../verb.ts';
import { choiceOption, enabledOption, given, listOption, positionOption, textOption } from './read.ts';

const OPTIONS = {
  to: { type: 'string' },
  senders: { type: 'string' },
  'open-to': { type: 'string' },
  position: { type: 'string' },
  enable: { type: 'boolean' },
  disable: { type: 'boolean' },
} as const;

const OPTION_HELP = {
  to: 'Where the mail goes: local:ADDRESS, relay:NAME, drop:NAME, refuse or "refuse:TEXT".',
  senders:
    'Only mail of these senders, comma-separated patterns; <> is the null path, an empty text means anyone.',
  'open-to':
    'submitters or anyone: who may use a route to a relay or drop directory; submitters for a new one.',
  position: 'Place in the order, from 1: the first route that fits counts. The last one for a new route.',
  enable: 'The route counts.',
  disable: 'The route is passed over.',
};

/** The verbs about routes. */
export const ROUTE_VERBS: readonly Verb[] = [
  {
    words: ['route', 'add'],
    usage: 'NAME RECIPIENTS...',
    summary: 'Adds a route for recipients like a@example.org, example.org, *.example.org or *.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [name, ...recipients] = invocation.args;
      const target = targetOption(invocation);
      if (target === undefined) throw new UsageError('--to is missing: where the mail goes');
      const input = { name, recipients, target, ...settings(invocation) };
      const added = (await invocation.call('route.add', input)) as RouteReport;
      invocation.answer(added, (route) => `Added the route ${route.name}.\n${showRoute(route)}`);
      return EXIT.ok;
    },
  },
  {
    words: ['route', 'list'],
    usage: '',
    summary: 'Lists the routes in their order.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const routes = (await invocation.call('route.list', {})) as readonly WarnedRoute[];
      invocation.answer(routes, (list) => {
        const rows = list.map((route) => [
          String(route.position),
          route.name,
          route.isEnabled ? 'enabled' : 'disabled',
          route.isOpenTo,
          formatTarget(route.target),
          route.senders.join(', ') || 'anyone',
          route.recipients.join(', '),
        ]);
        const warnings = list.flatMap(({ warning }) => (warning === null ? [] : `warning: ${warning}\n`));
        return formatTable(
          ['#', 'ROUTE', 'STATE', 'OPEN TO', 'TO', 'SENDERS', 'RECIPIENTS'],
          rows,
          'No routes.',
        ).concat(...warnings);
      });
      return EXIT.ok;
    },
  },
  {
    words: ['route', 'show'],
    usage: 'NAME',
    summary: 'Shows a route.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      const route = (await invocation.call('route.show', { name: invocation.args[0] })) as RouteReport;
      invocation.answer(route, showRoute);
      return EXIT.ok;
    },
  },
  {
    words: ['route', 'set'],
    usage: 'NAME [RECIPIENTS...]',
    summary: 'Changes a route; recipients given replace those it has.',
    options: OPTIONS,
    optionHelp: OPTION_HELP,
    run: async (invocation) => {
      const [name, ...recipients] = invocation.args;
      const input = {
        name,
        ...given('recipients', recipients.length > 0 ? recipients : undefined),
        ...given('target', targetOption(invocation)),
        ...settings(invocation),
      };
      invocation.answer((await invocation.call('route.set', input)) as RouteReport, showRoute);
      return EXIT.ok;
    },
  },
  {
    words: ['route', 'remove'],
    usage: 'NAME',
    summary: 'Removes a route.',
    options: {},
    optionHelp: {},
    run: async (invocation) => {
      await invocation.call('route.remove', { name: invocation.args[0] });
      invocation.answer({ removed: invocation.args[0] }, ({ removed }) => `Removed the route ${removed}.\n`);
      return EXIT.ok;
    },
  },
];

function settings(invocation: Invocation) {
  return {
    ...given('senders', listOption(invocation, 'senders')),
    ...given('isOpenTo', choiceOption(invocation, 'open-to', ['submitters', 'anyone'])),
    ...given('position', positionOption(invocation)),
    ...given('isEnabled', enabledOption(invocation)),
  };
}

function targetOption(invocation: Invocation): RouteTarget | undefined {
  const text = textOption(invocation, 'to');
  if (text === undefined) return undefined;
  const [kind = '', ...rest] = text.split(':');
  const value = rest.join(':').trim();
  if (kind === 'refuse') return value === '' ? { kind } : { kind, text: value };
  if (value !== '') {
    if (kind === 'local') return { kind, address: value };
    if (kind === 'relay') return { kind, relay: value };
    if (kind === 'drop') return { kind, directory: value };
  }
  const allowed = 'local:ADDRESS, relay:NAME, drop:NAME, refuse or "refuse:TEXT"';
  throw new UsageError(`--to: found "${text}"; allowed: ${allowed}`);
}

function formatTarget(target: RouteTarget): string {
  switch (target.kind) {
    case 'local':
      return `local:${target.address}`;
    case 'relay':
      return `relay:${target.relay}`;
    case 'drop':
      return `drop:${target.directory}`;
    case 'refuse':
      return target.text === undefined ? 'refuse' : `refuse:${target.text}`;
  }
}

function showRoute(route: RouteReport): string {
  const { danglingTarget } = route;
  return formatFields({
    Route: route.name,
    Position: String(route.position),
    State: route.isEnabled ? 'enabled' : 'disabled',
    Recipients: route.recipients.join(', '),
    Senders: route.senders.join(', ') || 'anyone',
    To: formatTarget(route.target),
    'Open to': route.isOpenTo,
  }).concat(danglingTarget === null ? '' : `Nobody receives mail for ${danglingTarget} at present.\n`);
}
