/** The keys of one service. No name in them has a slash. */
export interface Keys {
  readonly goal: string;
  readonly machines: string;
  readonly machine: (id: string) => string;
  /** All who wait or deploy, by their deploys. */
  readonly queue: string;
  readonly outcomes: (deploy: string) => string;
  readonly outcome: (deploy: string, machine: string) => string;
  readonly permits: string;
  readonly permit: (slot: number) => string;
}

export function keysOf(service: string): Keys {
  const root = `/handover/${service}/`;
  return {
    goal: `${root}goal`,
    machines: `${root}machines/`,
    machine: (id) => `${root}machines/${id}`,
    queue: `${root}queue/`,
    outcomes: (deploy) => `${root}outcomes/${deploy}/`,
    outcome: (deploy, machine) => `${root}outcomes/${deploy}/${machine}`,
    permits: `${root}permits/`,
    permit: (slot) => `${root}permits/${slot}`
  };
}
