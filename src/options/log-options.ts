import { type EventTarget, readEventTarget } from './event-target.ts';
import * as readers from './readers.ts';
import { spec } from './spec.ts';

/** Where what the supervisor and the workers say goes, and who is told of it. */
export const LOG_OPTIONS = {
  log: spec<'pretty' | 'json' | null>({
    fallback: null,
    value: '<pretty | json>',
    wants: '"pretty" or "json"',
    about: "Form of the supervisor's own lines on stderr. Default: pretty on a terminal, else JSON.",
    read: readers.readOneOf('pretty', 'json')
  }),
  logBuffer: spec<number>({
    fallback: 1024 ** 2,
    written: '1MB',
    value: '<1MB | 0>',
    wants: 'a size such as "1MB" or "512KB", or a number of bytes, and at most 64MB',
    about: 'How much of what was written last the supervisor keeps in memory, for `handover logs`.',
    read: readers.readBufferSize
  }),
  logFile: spec<string | null>({
    fallback: null,
    value: '<path>',
    wants: 'a path of at most 4095 bytes',
    about:
      'File to which events and lines of workers are appended, besides stdout and stderr. Opened anew on SIGUSR1, and where it was moved away.',
    read: readers.readText(4_095)
  }),
  logSize: spec<number>({
    fallback: 100 * 1024 ** 2,
    written: '100MB',
    value: '<100MB | 0>',
    wants: 'a size such as "100MB", or a number of bytes, and at least 64KB, or 0',
    about:
      'Size above which the log file is moved to `<path>.1`, that to `<path>.2`, and so on. `0`: never, as logrotate does it.',
    read: readers.readFileSize
  }),
  logKeep: spec<number>({
    fallback: 5,
    value: '<n>',
    wants: 'an integer from 0 to 1000',
    about: 'How many earlier log files are kept.',
    read: readers.readInteger(0, 1_000)
  }),
  onEvent: spec<EventTarget | null>({
    fallback: null,
    value: '<command | url>',
    wants: 'a command for the shell, a URL of http or https, or in code a function',
    about:
      'Who is told of the events that matter, such as a cutover or a version that failed: a command gets each as JSON on stdin, a URL by POST. Nobody waits for it.',
    read: readEventTarget
  })
} as const;
