/**
 * What an operation of the administration is: a name, a schema for its input, and what it runs. operations.ts has the list.
 *
 * Trust: input comes as JSON from another process; what does not fit the schema is `invalid` with its path and the reason.
 */

import type { z } from 'zod';
import { MailError } from '../base/error.ts';

/** Runs on its surroundings with input that is still to be checked. */
export type Operation<Surroundings> = (surroundings: Surroundings, input: unknown) => Promise<unknown>;

/** Whether an operation needs a running server. */
export function needsServer(operation: string): boolean {
  return operation.startsWith('server.');
}

/** A function that puts operations on these surroundings together, each as an entry of a Map. */
export function operationsOn<Surroundings>() {
  return <Schema extends z.ZodType>(
    name: string,
    schema: Schema,
    run: (surroundings: Surroundings, input: z.infer<Schema>) => Promise<unknown>,
  ): readonly [string, Operation<Surroundings>] => {
    const checked: Operation<Surroundings> = async (surroundings, input) => {
      const parsed = schema.safeParse(input);
      if (parsed.success) return (await run(surroundings, parsed.data)) ?? null;
      const issue = parsed.error.issues[0];
      throw new MailError('invalid', `${issue?.path.join('.')}: ${issue?.message}`);
    };
    return [name, checked];
  };
}
