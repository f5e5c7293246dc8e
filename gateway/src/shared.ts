import type { Objects } from "@hypecast/runtime/objects.ts";
import type { Clips } from "./clips.ts";
import type { Reply, Request } from "./http.ts";
import { clipFile } from "./media/media.ts";
import { ProblemError } from "./problems.ts";
import { sharedNothing, sharePage } from "./share-page.ts";

/** 128 random bits as base64url: nobody guesses one. */
const TOKEN = /^[\w-]{22}$/;

export interface Shared {
  /** Answers GET /c/<token> and its files, without a login. */
  answer(request: Request): Promise<Reply>;
}

/** Shared clips for everybody who has the link, for as long as it is not taken back. */
export function serveShared(clips: Clips, objects: Objects): Shared {
  return {
    async answer(request) {
      if (request.method !== "GET")
        throw new ProblemError("method_not_allowed", `${request.method} is not GET`, { Allow: "GET, HEAD" });
      const [token = "", file, ...more] = request.path.split("/").slice(2);
      const clip = TOKEN.test(token) && more.length === 0 ? clips.shared(token) : null;
      if (clip === null || clip.state !== "ready") return sharedNothing(request);
      if (file === undefined || file === "") return sharePage(clip, token, request);
      return clipFile(objects, clip, file, "shared", false, request);
    },
  };
}
