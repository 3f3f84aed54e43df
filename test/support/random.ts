export { drawNumbers as createRandom } from '../../bench/client/random.ts';

export type Random = () => number;

export function pick<T>(random: Random, list: readonly T[]): T | undefined {
  return list[Math.floor(random() * list.length)];
}
