/** What the fleet of this machine is to run, and how far this machine is. */
export interface FleetStatus {
  readonly service: string;
  /** Name of this machine in it. */
  readonly machine: string;
  /** Whether it is part of it at the moment; while it is not, it begins nothing. */
  readonly joined: boolean;
  /** The label that was deployed last, or is being deployed; null where there is none. */
  readonly release: string | null;
  /** How that deploy stands: `canary`, `rolling`, `done` and so on; null where there is none. */
  readonly state: string | null;
  /** How far this machine is: `waiting`, `deploying`, `baking`, `deployed`, `failed`, `rolled-back` … */
  readonly phase: string;
  /** Why it failed, or what it waits for. */
  readonly why: string | null;
}
