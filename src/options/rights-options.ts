import * as readers from './readers.ts';
import { spec } from './spec.ts';

/** As whom everything runs, where it is started by root. */
export const RIGHTS_OPTIONS = {
  user: spec<string | null>({
    fallback: null,
    value: '<name | number>',
    wants: 'the name or the number of a user',
    about:
      'User that workers run as from their start, with its groups, home and no way to gain rights; the supervisor binds, and stays root. Default: that of the supervisor.',
    read: readers.readName
  }),
  group: spec<string | null>({
    fallback: null,
    value: '<name | number>',
    wants: 'the name or the number of a group',
    about: 'Group of the workers. Default: the primary group of their user.',
    read: readers.readName
  }),
  supervisorUser: spec<string | null>({
    fallback: null,
    value: '<name | number>',
    wants: 'the name or the number of a user',
    about:
      'User that the supervisor itself becomes, for good, as soon as the ports of --listen are bound, and that workers run as. It can bind no further port below 1024 then.',
    read: readers.readName
  })
} as const;
