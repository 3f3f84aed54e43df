import manifest from '../package.json' with { type: 'json' };

/** The version of this package, as package.json says. The build copies it in. */
export const version: string = manifest.version;
