/** How a connection moves of which nobody has read anything. */
export const AS_OPENED = {
  ...{ fresh: true, pipelines: false, resume: '', to: '', request: '', lot: -1, sides: 0, tries: '' }
} as const;
