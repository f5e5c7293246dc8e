import type { VodError } from "@hypecast/contracts/vod.ts";
import type { VodErrorCode } from "@hypecast/contracts/vod-words.ts";

/** Why an import cannot go on. `error` goes into the stream's record as it is. */
export class ImportFailure extends Error {
  readonly error: VodError;

  constructor(code: VodErrorCode, detail: string, action: string) {
    super(`${code}: ${detail}`);
    this.error = { code, detail, action };
  }
}
