/** As in contracts/src/oracle.ts, whose schemas a page does not load. A test holds the two together. */
export const LONGEST_QUERY = 10_000;
