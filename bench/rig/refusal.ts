/** Why a command of the bench measures nothing. It is shown as it is, without a stack, and the exit code is 2. */
export class Refusal extends Error {}

export const NOT_BUILT = 'The package is not built: npm run build';
