// What tells connections apart that are no client's.

/** The id of connections for private requests, which do not count as requests of the service. */
export const PRIVATE_ID = 'private';

/** What the key of a listener begins with whose connections come back to the worker that sends them: it rehearses. */
export const REHEARSAL = 'rehearsal:';

/** The key of a link over which one worker forwards requests to another. */
export const FORWARDING = 'forwarding:';
