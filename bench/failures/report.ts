import type { Report } from '../client/index.ts';
import type { Detail } from '../rig/model.ts';
import { sum } from '../rig/statistics.ts';

/** Requests that failed, and idle clients that had to connect again. */
export const failedIn = ({ failed, reconnects }: Report) => failed + sum(Object.values(reconnects.idle));

/** What the strict client counted. */
export function describeReport(title: string, report: Report): Detail[] {
  const { sent, answered, failed, failures, reconnects, examples } = report;
  const others = Object.entries(reconnects).filter(([kind]) => kind !== 'idle');
  const failedBy = Object.entries(failures).filter(([, count]) => count > 0);
  return [
    { name: `${title}: sent`, value: sent },
    { name: `${title}: answered`, value: answered },
    { name: `${title}: failed`, value: failed },
    ...failedBy.map(([kind, count]) => ({ name: `${title}: ${kind}`, value: count })),
    ...examples.slice(0, 3).map(({ id, url, detail }) => ({ name: `example ${id}`, value: `${url}: ${detail}` })),
    { name: `${title}: idle clients that reconnected`, value: sum(Object.values(reconnects.idle)) },
    { name: `${title}: other reconnects`, value: sum(others.flatMap(([, causes]) => Object.values(causes))) }
  ];
}

export function describeVersions(title: string, { perVersion, perClient, seed }: Report): Detail[] {
  return [
    { name: `${title}: versions that answered`, value: Object.keys(perVersion).length },
    { name: `${title}: p99 of thinking clients`, value: perClient.thinking.latency.p99, unit: 'ms' },
    { name: `${title}: seed`, value: String(seed) }
  ];
}
