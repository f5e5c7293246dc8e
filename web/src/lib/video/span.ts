/** A stretch of a stream, in the stream's clock. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}
