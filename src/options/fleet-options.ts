import { hostname } from 'node:os';
import { readText } from './readers.ts';
import { spec } from './spec.ts';

const NAME_WANTS = 'a text of 1 to 63 letters, digits, dots, dashes and underscores';

/** Several machines, and the etcd in which they agree. */
export const FLEET_OPTIONS = {
  etcd: spec<readonly string[]>({
    fallback: [],
    value: '<url[,url...]>',
    wants: 'one or more URLs such as "http://10.0.0.5:2379", with commas between them',
    about: 'The etcd in which several machines agree: this one joins them, and runs what `handover fleet deploy` says.',
    read: readEndpoints
  }),
  service: spec<string | null>({
    fallback: null,
    value: '<name>',
    wants: NAME_WANTS,
    about: 'What the machines of one fleet have in common. Default: the name of the app.',
    read: readFleetName
  }),
  machine: spec<string | null>({
    fallback: null,
    value: '<name>',
    wants: NAME_WANTS,
    about: 'Name of this machine in its fleet. Default: its host name.',
    read: readFleetName
  }),
  zone: spec<string | null>({
    fallback: null,
    value: '<name>',
    wants: NAME_WANTS,
    about: 'Where this machine is, for a deploy that goes zone by zone.',
    read: readFleetName
  }),
  etcdUser: spec<string | null>({
    fallback: null,
    value: '<name>',
    wants: 'a text of at most 100 characters',
    about: 'User of etcd.',
    read: readText(100)
  }),
  etcdPasswordFile: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path',
    about: 'File with the password of that user.',
    read: readText(4_096)
  }),
  etcdCa: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path',
    about: 'PEM file with the authority whose certificates of etcd are believed.',
    read: readText(4_096)
  }),
  etcdCert: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path',
    about: 'PEM file with the certificate that this side shows to etcd.',
    read: readText(4_096)
  }),
  etcdKey: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path',
    about: 'PEM file with the key of that certificate.',
    read: readText(4_096)
  })
} as const;

/** The same, as a user writes it. */
export interface UserFleetOptions {
  /**
   * URLs of the etcd in which several machines agree, such as `"http://10.0.0.5:2379"`, or a list of them: this machine joins
   * the others, and runs what `handover fleet deploy` says. Default: none.
   */
  etcd?: string | readonly string[];
  /** What the machines of one fleet have in common. Default: the name of the app. */
  service?: string;
  /** Name of this machine in its fleet. Default: its host name. */
  machine?: string;
  /** Where this machine is, for a deploy that goes zone by zone. Default: none. */
  zone?: string;
  /** User of etcd. Default: none. */
  etcdUser?: string;
  /** File with the password of that user. */
  etcdPasswordFile?: string;
  /** PEM file with the authority whose certificates of etcd are believed. Default: those that Node knows. */
  etcdCa?: string;
  /** PEM file with the certificate that this side shows to etcd. Default: none. */
  etcdCert?: string;
  /** PEM file with the key of that certificate. */
  etcdKey?: string;
}

/** A name that stands in a key: without what keys are divided by, and not only dots. */
export function readFleetName(given: unknown): string | undefined {
  return typeof given === 'string' && /^(?!\.+$)[\w.-]{1,63}$/.test(given) ? given : undefined;
}

/** How this machine is called where nobody says it. */
export function defaultMachine(): string {
  return (
    hostname()
      .replace(/[^\w.-]/g, '-')
      .slice(0, 63) || 'machine'
  );
}

export function readEndpoints(given: unknown): readonly string[] | undefined {
  const list = typeof given === 'string' ? given.split(',') : given;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const urls = list.map((one) => (typeof one === 'string' ? readUrl(one.trim()) : undefined));
  return urls.every((one) => one !== undefined) ? (urls as string[]) : undefined;
}

function readUrl(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { origin, pathname, search, username } = new URL(text);
  return pathname === '/' && search === '' && username === '' ? origin : undefined;
}
