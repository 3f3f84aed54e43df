import { randomUUID } from 'node:crypto';
import type { DeployOrder } from '../../fleet/rules/goal-changes.ts';
import { readDuration } from '../../options/durations.ts';
import { readInteger } from '../../options/readers.ts';
import type { StrategyName } from '../../options/strategies.ts';
import type { Given } from '../commands/command.ts';
import { invalid } from '../release-flags.ts';
import { signOrder } from './open-fleet.ts';

/** Reads what `fleet deploy` was told. @throws HANDOVER_ERR_OPTION_INVALID */
export async function readDeployOrder(label: string, flags: Given['flags']): Promise<DeployOrder> {
  const { isLabel, ON_FAILURE, ORDERS } = await import('../../fleet/rules/goal.ts');
  const { readLimit } = await import('../../fleet/rules/permits.ts');
  if (!isLabel(label)) {
    const wants = 'it must be of letters, digits, dots, dashes, + and _, without two dots beside each other';
    throw invalid('<label>', `${wants}, and it is ${JSON.stringify(label)}`);
  }
  const read = <K extends string, T>(as: K, flag: string, wants: string, reader: (given: string) => T | undefined) => {
    const given = flags[toName(flag)];
    if (given === undefined) return {};
    const value = reader(String(given));
    if (value === undefined) throw invalid(flag, `it must be ${wants}, and it is ${JSON.stringify(given)}`);
    return { [as]: value } as { [N in K]: T };
  };
  const path = (as: 'entry' | 'cwd') =>
    read(as, `--${as}`, 'a path in which nothing but {label} stands in braces', readTemplate);
  const oneOf =
    <T extends string>(choices: readonly T[]) =>
    (given: string) =>
      choices.find((one) => one === given);
  return {
    ...{ id: randomUUID().slice(0, 8), label, by: signOrder(`deploy ${label}`) },
    ...path('entry'),
    ...path('cwd'),
    // `--no-fetch` and `--no-strategy` take back what the deploy before has said.
    ...(flags.fetch === false ? { fetch: null } : read('fetch', '--fetch', 'a command', (given) => given || undefined)),
    ...(flags.strategy === undefined
      ? {}
      : { strategy: flags.strategy === false ? null : (flags.strategy as StrategyName) }),
    ...read(
      'maxUnavailable',
      '--max-unavailable',
      'a number of machines from 1 on, or a share such as "25%"',
      readLimit
    ),
    ...read('canary', '--canary', 'a number of machines', readInteger(0, 1_000)),
    ...read('bakeMs', '--bake', 'a duration such as "30s"', readDuration(0)),
    ...read('order', '--order', 'host or zone', oneOf(ORDERS)),
    ...read('onFailure', '--on-failure', 'rollback or pause', oneOf(ON_FAILURE)),
    ...read('failures', '--failures', 'a number of machines from 1 on', readInteger(1, 100_000))
  };
}

/** A word that nobody puts anything in the place of, such as `{lable}`, would be found out by the first machine, and kept for the deploys after. */
function readTemplate(given: string): string | undefined {
  return given === '' || /\{(?!label\})\w+\}/.test(given) ? undefined : given;
}

/** `--max-unavailable` is kept as `maxUnavailable`. */
function toName(flag: string): string {
  return flag.slice(2).replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
