/** How many values of clients are remembered, with the process that knows them. */
export const MOST_CLAIMS = 100_000;
