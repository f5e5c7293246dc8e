import type { Person } from "@hypecast/contracts/journal.ts";
import type { Claim } from "../access.ts";
import type { Reply, Request } from "../http.ts";

/** Signing in with Twitch, and out. */
export interface SignInServer {
  /** Answers /auth/…; throws ProblemError. */
  answer(request: Request, claim: Claim): Promise<Reply>;
  /** Waits for Twitch's word on a person's roles where the last is too old to be believed. */
  freshen(person: Person): Promise<void>;
  /** A person is about to sign out. */
  leaving(claim: Claim): Promise<void>;
}
