import { readDuration } from '../../options/durations.ts';
import { DURATION } from '../../options/fields.ts';
import { Option } from '../commander.ts';
import { checkPorts, checkRights } from '../doctor/check-places.ts';
import { findPatient } from '../doctor/find-patient.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkKeepAlive } from '../doctor/keep-alive.ts';
import { checkBacklog, checkClock, checkDescriptors, checkDisk, checkNode, checkTmpfiles } from '../doctor/machine.ts';
import { checkUnit } from '../doctor/unit.ts';
import { createPlaceFlags } from '../flags.ts';
import type { Io } from '../io.ts';
import { count } from '../print.ts';
import { invalid } from '../release-flags.ts';
import type { Command } from './command.ts';

const COLOURS = { ok: 'green', warning: 'yellow', wrong: 'red', unknown: 'dim' } as const;

export const doctor: Command = {
  name: 'doctor',
  operands: [],
  about: 'Look at what commonly is wrong on a machine and in a unit, and say for each how it is mended.',
  details: `It looks at the service of this folder, running or not: Node, descriptors, the kernel's queue, addresses, rights, the unit
beside the options, the clock, the disk, the temp folder, and a proxy that keeps connections longer than the app. A service that
runs is asked for HEAD / once, if a proxy is known.

Exit code 0: nothing is wrong; warnings, and what could not be looked at, do not count. 1: something is wrong.`,
  flags: () => [
    new Option('--unit <path>', 'The unit to look at. Default: that of the service, or of this folder.'),
    new Option(
      '--proxy-keep-alive <60s>',
      'How long the proxy in front keeps idle connections, where it is no nginx of this machine.'
    ).argParser(readProxy),
    ...createPlaceFlags()
  ],
  async run({ flags }, io) {
    const { unit: file, proxyKeepAlive: proxyMs = null } = flags as {
      readonly unit?: string;
      readonly proxyKeepAlive?: number;
    };
    const patient = { ...(await findPatient(flags, file)), proxyMs };
    const findings = [
      checkNode(),
      checkDescriptors(patient),
      checkBacklog(patient),
      await checkPorts(patient),
      checkRights(patient),
      ...checkUnit(patient),
      await checkClock(),
      checkDisk(patient),
      checkTmpfiles(patient),
      await checkKeepAlive(patient)
    ];
    const wrong = findings.filter(({ level }) => level === 'wrong').length;
    const warnings = findings.filter(({ level }) => level === 'warning').length;
    io.out(
      flags.json
        ? JSON.stringify({ ok: wrong === 0, wrong, warnings, checks: findings })
        : show(findings, wrong, warnings, io.paint)
    );
    return wrong === 0 ? 0 : 1;
  }
};

function readProxy(given: string): number {
  const ms = readDuration(1)(given);
  if (ms !== undefined) return ms;
  throw invalid('--proxy-keep-alive', `it must be ${DURATION.wants}, and it is ${JSON.stringify(given)}`);
}

function show(findings: readonly Finding[], wrong: number, warnings: number, paint: Io['paint']): string {
  const lines = findings.flatMap(({ check, level, what, fix }) => [
    `${paint(COLOURS[level], level.padEnd(7))}  ${check}: ${what}`,
    ...(fix === null ? [] : [`         mend it: ${fix}`])
  ]);
  const end = wrong === 0 ? 'Nothing is wrong' : `${count(wrong, 'thing')} ${wrong === 1 ? 'is' : 'are'} wrong`;
  return [...lines, `${end}; ${count(warnings, 'warning')}.`].join('\n');
}
