import type { accountRoutes } from "@hypecast/contracts/api-mod.ts";
import type { z } from "zod";
import { ask, problemOf } from "#lib/live/api.ts";

export type Me = z.output<(typeof accountRoutes)["me"]["result"]>;
type Consent = "me" | "look" | "moderate" | "broadcast";

/** Where a person allows more at Twitch, or signs in anew; `next` is where they come back to. */
export const signInPath = (consent: Consent, next: string): string =>
  `/auth/twitch?for=${consent}&next=${encodeURIComponent(next)}`;

/** What moderating at Twitch asks for first of all: who has it is connected. */
const MODERATES = "moderator:manage:banned_users";

/** Who is signed in here. */
class Account {
  /** Null: the gateway has not said yet. */
  me = $state.raw<Me | null>(null);
  /** Acts reach Twitch in this person's name. */
  readonly connected = $derived(
    this.me?.twitch != null && this.me.twitch.problem === null && this.me.twitch.scopes.includes(MODERATES),
  );
  /** Somebody who could act at Twitch, if they allowed it. */
  readonly couldConnect = $derived(
    this.me?.signIn === "twitch" &&
      this.me.person?.kind === "twitch" &&
      !this.connected &&
      this.me.roles.some(({ role }) => role !== "analyst"),
  );
  /** In a channel of their own more may be allowed. */
  readonly consent = $derived<Consent>(
    this.me?.roles.some(({ channelId }) => channelId === this.me?.person?.userId) ? "broadcast" : "moderate",
  );

  /** Asks anew. Who is not signed in any more gets the page to sign in on, which the gateway serves at every address. */
  async load(): Promise<void> {
    try {
      this.me = await ask("GET", "/api/v1/me");
    } catch (error) {
      if (problemOf(error).status === 401) location.reload();
    }
  }

  /** Throws ApiProblem. */
  async signOut(): Promise<void> {
    await fetch("/api/v1/session", { method: "DELETE" });
    location.assign("/");
  }

  /** Throws ApiProblem: here it is done all the same. */
  async disconnect(): Promise<void> {
    await ask("POST", "/api/v1/me/disconnect", { body: {} });
    location.assign("/");
  }
}

export const account = new Account();
