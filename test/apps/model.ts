/** What came of the requests of some clients. */
export interface Counts {
  readonly requests: number;
  readonly failed: number;
  readonly reconnects: number;
  /** The first failures and reconnects, in words. */
  readonly examples: readonly string[];
}

/** Some clients of one kind that load an app while it is deployed. */
export interface Clients {
  /** Resolves when each of them has had an answer. */
  warm(): Promise<void>;
  /** From now on only this version may answer; null: any that was started. */
  expect(version: string | null): void;
  /** How many answers a version has given. */
  answered(version: string): number;
  /** Asks once more, and has its answer only when the app has long been told to stop. */
  atStop?(): Promise<Counts>;
  /** Ends them; what they waited for is still answered. */
  stop(): Promise<Counts>;
}

/** Where a row runs. */
export interface Place {
  /** What the packages are installed into, and the app copied. */
  readonly folder: string;
  /** The public port. */
  readonly port: number;
  /** A second one: of metrics, of a microservice, or of the proxy in front. */
  readonly secondPort: number;
}

/** What a row must show. */
export interface Expected {
  readonly failed: number;
  /** How many there may be, and must be. */
  readonly reconnects: number | readonly [least: number, most: number];
  /** Why it is not 0 and 0: the limit that it comes from. */
  readonly why?: string;
}

/** One application as people run it, and what its clients must see. */
export interface App {
  readonly name: string;
  /** Its folder in test/apps, where it has files. */
  readonly folder?: string;
  /** What is installed for it; versions are those of test/apps/package.json. */
  readonly packages: readonly string[];
  /** What it shows that others do not. */
  readonly about: string;
  /** What is still to be built before it can pass: it runs only if it is named. */
  readonly notYet?: string;
  /** Why it cannot run on this machine, or null. */
  missing?(): string | null;
  /** Commands that build it, found in node_modules/.bin. */
  readonly build?: readonly (readonly string[])[];
  /** Writes what the next version is made of, where VERSION in its environment does not say it. */
  release?(place: Place, version: string): void;
  /** What a user writes after `handover run`. */
  run(place: Place): readonly string[];
  readonly env?: (place: Place) => Readonly<Record<string, string>>;
  /** A proxy in front: the command that runs it, in the foreground. */
  front?(place: Place): readonly string[];
  clients(place: Place): readonly Clients[];
  /** How many reloads there are before the rollback: 3, or 1 where every version is to stay warm. */
  readonly deploys?: 1;
  readonly expected: Expected;
}

/** What all apps are expected to show but those that say why not. */
export const UNNOTICED: Expected = { failed: 0, reconnects: 0 };
