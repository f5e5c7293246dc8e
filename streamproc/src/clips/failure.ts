import type { ClipError } from "@hypecast/contracts/clip.ts";

/** Why there is no clip, in words for the person who asked. Trying again would end the same way. */
export class ClipFailure extends Error {
  readonly error: ClipError;
  constructor(code: ClipError["code"], detail: string, action: string, options?: ErrorOptions) {
    super(`${detail} ${action}`, options);
    this.error = { code, detail, action };
  }
}

export const diskFull = (cause: unknown): ClipFailure =>
  new ClipFailure(
    "disk_full",
    "There is no room left for the clip's files.",
    "Free some space or let less be kept, then try again.",
    { cause },
  );
