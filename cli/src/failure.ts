/** What the program ends with. Documented in docs/cli.md. */
export const EXIT = {
  ok: 0,
  /** It was tried and did not work. */
  failed: 1,
  /** The command line is not understood. */
  usage: 2,
  /** Asked and not found: an honest answer, but scripts want to tell it. */
  notFound: 3,
  /** Nothing answers at the address. */
  unreachable: 4,
  /** The gateway wants a token, or another one. */
  unauthorized: 5,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A sentence for the person and the code that the program ends with. */
export class Failure extends Error {
  readonly code: ExitCode;
  constructor(code: ExitCode, sentence: string) {
    super(sentence);
    this.code = code;
  }
}
