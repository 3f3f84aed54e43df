import type { ControlClient } from '../control/client.ts';
import type { ServiceEvent } from '../control/routes.ts';
import type { Option } from './commander.ts';
import type { Command, Given } from './commands/command.ts';
import { findSupervisor } from './find.ts';
import { createPlaceFlags } from './flags.ts';
import { giveOrder } from './progress.ts';

interface OrderCommand<T> extends Pick<Command, 'name' | 'about' | 'details'> {
  readonly operands?: readonly string[];
  /** Flags of its own, beside those that every order has. */
  readonly flags?: () => readonly Option[];
  /** Reads the arguments, before any supervisor is looked for, and says how to give the order. */
  readonly order: (given: Given) => (client: ControlClient) => Promise<T>;
  /** The event after which it shows no more phases; without one, it shows none. */
  readonly last?: (event: ServiceEvent) => boolean;
  /** What a person reads when it is done. */
  readonly show: (done: T) => string;
}

/** A command that gives one order to the supervisor and prints what came of it. */
export function createOrderCommand<T>({ order, last, show, flags, operands = [], ...about }: OrderCommand<T>): Command {
  return {
    ...about,
    operands,
    flags: () => [...(flags?.() ?? []), ...createPlaceFlags()],
    async run(given, io) {
      const json = given.flags.json === true;
      const give = order(given);
      const done = await giveOrder(await findSupervisor(given.flags), io, {
        order: give,
        last: last ?? (() => true),
        quiet: json || last === undefined
      });
      io.out(json ? JSON.stringify(done) : show(done));
    }
  };
}
