/** What a part of the HTTP side says; `serveHttp` writes it. */
export interface Answer {
  readonly status: number;
  readonly json?: unknown;
  readonly body?: Buffer | string;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Never answered: whoever asked gives up. */
  readonly hang?: true;
}
