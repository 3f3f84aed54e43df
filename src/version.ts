/** The version of this package, as package.json says. */
export const version: string = '0.1.0';
