import type { Claim, Person } from "@hypecast/contracts/journal.ts";
import { claimCase } from "./api.ts";

/** As `personKey` of the contract, whose schemas the page does not bring. */
export const keyOf = ({ kind, userId }: Pick<Person, "kind" | "userId">): string =>
  kind === "twitch" ? userId : kind;
/** As CLAIM_MS of the contract: a claim without a sign of life ends then. */
const CLAIM_MS = 120_000;
/** Walking past a case does not hold it. */
const DWELL_MS = 600;
const BEAT_MS = 30_000;

/** The claim, while it still holds. */
export const standing = (claim: Claim | null, nowMs: number): Claim | null =>
  claim !== null && nowMs - claim.seenMs < CLAIM_MS ? claim : null;

/**
 * Holds the case that is open: says so after a moment, again every half minute while somebody is there, and lets go when one leaves it. Two
 * moderators thus see who is on what; the gateway decides whose it is.
 */
export class Hold {
  readonly #login: string;
  readonly #told: (caseId: string, claim: Claim | null) => void;
  readonly #active: () => boolean;
  #caseId: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #held = false;

  constructor(
    login: string,
    told: (caseId: string, claim: Claim | null) => void,
    active: () => boolean = () => true,
  ) {
    this.#login = login;
    this.#told = told;
    this.#active = active;
  }

  /** Another case, or none. */
  take(caseId: string | null): void {
    if (caseId === this.#caseId) return;
    this.#letGo();
    this.#caseId = caseId;
    if (caseId !== null) this.#timer = setTimeout(() => void this.#beat(false), DWELL_MS);
  }
  /** Takes it over from whoever holds it. */
  async steal(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#beat(true);
  }

  async #beat(steal: boolean): Promise<void> {
    const id = this.#caseId;
    if (id === null) return;
    if (steal || this.#active())
      try {
        const { claim } = await claimCase(this.#login, id, steal ? { steal } : {});
        this.#held = this.#caseId === id;
        this.#told(id, claim);
      } catch {
        // Who is on what is a courtesy: it is tried again, and nothing waits for it.
      }
    if (this.#caseId === id) this.#timer = setTimeout(() => void this.#beat(false), BEAT_MS);
  }
  #letGo(): void {
    clearTimeout(this.#timer);
    const id = this.#caseId;
    if (id === null || !this.#held) return;
    this.#held = false;
    claimCase(this.#login, id, { release: true }).then(
      ({ claim }) => this.#told(id, claim),
      () => {},
    );
  }
}
