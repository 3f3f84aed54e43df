import type { Effect, News, State } from '../../src/core/state/state.ts';
import { step } from '../../src/core/step.ts';
import { readNews, readSetting, readState, type Setting, START_AT, showEffect, showState, usual } from './script.ts';

/** How far the clock goes on before news that no deadline brings. */
const BEAT_MS = 10;

/** Plays a script line by line, with a clock that jumps to the deadline which is told to pass. */
export class Player {
  state: State;
  now = START_AT;
  readonly effects: Effect[] = [];
  /** The deadlines that are set, and when they pass. */
  readonly deadlines = new Map<string, number>();
  readonly #setting: Setting;
  #lastRequest = 0;

  constructor(begin: string, setting: Setting = usual) {
    this.#setting = setting;
    this.state = readState(begin, setting);
    const standby = 'standby' in this.state ? this.state.standby : null;
    const { keepWarmMs } = setting.limits;
    if (standby && Number.isFinite(keepWarmMs)) this.deadlines.set(`warm-over ${standby.id}`, START_AT + keepWarmMs);
  }

  /** Plays one line, and tells what the reader of a transcript should see. */
  play(line: string): string[] {
    const due = this.deadlines.get(line);
    this.now = Math.max(this.now + BEAT_MS, due ?? 0);
    if (/^(boot|reload|rollback|promote|abort|retire|scale|drain|undrain|stop)\b/.test(line)) this.#lastRequest += 1;
    this.deadlines.delete(line);
    const effects = this.post(readNews(line, this.now, this.#lastRequest, this.#setting));
    const verify = effects.find((effect) => effect.do === 'verify');
    if (verify && !this.#setting.unreached)
      effects.push(...this.post(readNews(`reached ${verify.generation}`, this.now, 0, this.#setting)));
    return [`  ${showState(this.state)}`, ...effects.map((effect) => `    ! ${showEffect(effect)}`)];
  }

  /** @returns the effects, without the clearing of deadlines that were not set */
  post(news: News): Effect[] {
    const { state, effects } = step(this.state, news);
    this.state = state;
    this.effects.push(...effects);
    return effects.filter((effect) => this.#keep(effect));
  }

  #keep(effect: Effect): boolean {
    if (effect.do === 'clear-deadline') return this.deadlines.delete(`${effect.deadline} ${effect.about}`);
    if (effect.do === 'set-deadline')
      this.deadlines.set(`${effect.deadline} ${effect.about}`, this.now + effect.afterMs);
    return true;
  }
}

/** Plays a whole script: an optional `with` line, the state it begins in, then news line by line. */
export function play(...script: string[]): Player {
  const [first = '', ...rest] = script;
  const player = first.startsWith('with ') ? new Player(rest.shift() ?? '', readSetting(first)) : new Player(first);
  for (const line of rest) player.play(line);
  return player;
}

/** The effects of the last line of a script, as text. */
export function lastEffects(...script: string[]): string[] {
  const player = play(...script.slice(0, -1));
  return player
    .play(script.at(-1) ?? '')
    .slice(1)
    .map((line) => line.replace(/^ +! /, ''));
}
