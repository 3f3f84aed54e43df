import type { ReloadOrder } from '../control/routes.ts';
import { type CanaryPlan, showBy, showCondition } from '../core/routing/plan.ts';
import { HandoverError } from '../errors.ts';
import { type CanaryOptions, planOf, readBy, readCanary, readShareText } from '../options/canary.ts';
import { readDuration } from '../options/durations.ts';

/** What the plan depends on besides. */
interface Around {
  readonly strategy: string;
  /** An address on which the service speaks TLS; null where it does on none. */
  readonly secure: string | null;
  readonly active: number | null;
}

type Asked = Pick<ReloadOrder, 'canary' | 'hold' | 'by' | 'split' | 'splitName'>;

/**
 * How the canary of a reload is to go: as the order says, and where it does not, as the options do.
 *
 * @returns null where there is none
 * @throws HANDOVER_ERR_OPTION_INVALID
 */
export function planCanary(options: CanaryOptions, asked: Asked, around: Around): CanaryPlan | null {
  const merged = merge(options, asked);
  if (!merged) return null;
  const { strategy, secure, active } = around;
  if (strategy !== 'blue-green')
    throw invalid(
      `A canary and the strategy "${strategy}" are not usable together`,
      'a canary answers beside the active version, all of both',
      'Add `--strategy blue-green`, or leave the canary out with `--canary off`',
      active
    );
  const plan = planOf(merged, secure !== null, asked.split === undefined ? null : { name: asked.splitName ?? null });
  const readable = plan.by.kind === 'connection' || (plan.by.kind === 'ip' && plan.by.header === null);
  const conditions = [...plan.always, ...plan.never].map(showCondition);
  if (secure !== null && (!readable || conditions.length > 0)) {
    const unread = readable ? conditions.join(', ') : showBy(plan.by);
    throw invalid(
      `A canary by ${unread} is not possible here`,
      `the service speaks TLS on ${secure}, where it is decided before anything of a request can be read`,
      'Use `--by connection` or `--by ip`, or let TLS end in front of the service',
      active
    );
  }
  return plan;
}

function merge(options: CanaryOptions, { canary, hold, by, split, splitName }: Asked): CanaryOptions | null {
  if (split !== undefined && canary !== undefined)
    throw invalid('"canary" and "split" are not usable together', 'a split is never judged', 'Leave one of them out');
  if (splitName !== undefined && split === undefined)
    throw invalid('"splitName" is not usable', 'there is no split', 'Add `--split 50%`, or leave it out');
  if (canary === 'off') return null;
  const given = read('canary', canary, readCanary);
  const share = read('split', split, readShareText);
  const steps = share === undefined ? (given?.steps ?? options.steps) : [share];
  const always = given?.always ?? options.always;
  if (steps.length === 0 && always.length === 0) {
    const alone = by === undefined ? (hold === undefined ? null : 'hold') : 'by';
    if (alone === null) return null;
    throw invalid(`"${alone}" is not usable`, 'there is no canary', 'Add `--canary 5%`, or leave it out');
  }
  const fallback = canary === undefined || typeof canary !== 'object' ? options : { ...options, ...given };
  return {
    ...fallback,
    ...{ steps, always },
    holdMs: read('hold', hold, readDuration(1)) ?? given?.holdMs ?? options.holdMs,
    by: read('by', by, readBy) ?? given?.by ?? options.by
  };
}

function read<T>(name: string, given: unknown, reader: (given: unknown) => T | undefined): T | undefined {
  if (given === undefined) return undefined;
  const value = reader(given);
  if (value !== undefined) return value;
  throw invalid(`"${name}" is not usable`, `it is ${JSON.stringify(given)}`, 'See `handover reload --help`');
}

/** What `handover canary` was given is none. */
export function notAShare(given: unknown): HandoverError {
  return invalid(
    'The share is not usable',
    `it must be a share such as "25%", and it is ${JSON.stringify(given)}`,
    'Write it with its %'
  );
}

function invalid(what: string, why: string, fix: string, active: number | null = null): HandoverError {
  const still = active === null ? '' : `; nothing was started, generation ${active} is still active`;
  return new HandoverError('HANDOVER_ERR_OPTION_INVALID', { what, why, fix: `${fix}${still}` }, { active });
}
