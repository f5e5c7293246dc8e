import type { Logger } from "@hypecast/runtime/log.ts";
import { storeErrorText } from "./store.ts";
import { WrongStore } from "./migrate.ts";

const AGAIN_MS = 1000;

export interface Preparation {
  /** Resolves when the store is as it must be; rejects when it can never be, or when asked to stop. */
  readonly done: Promise<void>;
  /** What is in the way; null when nothing is. */
  readonly trouble: () => string | null;
}

/** A store that is away is a state, not a crash: tries again each second. A store that must not be touched is a crash. */
export function untilTheStoreIs(signal: AbortSignal, log: Logger, prepare: () => Promise<void>): Preparation {
  let trouble: string | null = "the store is being prepared";
  const work = async (): Promise<void> => {
    for (let tries = 0; !signal.aborted; tries++) {
      try {
        await prepare();
        trouble = null;
        return;
      } catch (error) {
        if (error instanceof WrongStore) throw error;
        trouble = `the store does not answer: ${storeErrorText(error)}`;
        if (tries % 30 === 0)
          log.warn({ error: storeErrorText(error) }, "the store is not ready; trying again");
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  };
  return { done: work(), trouble: () => trouble };
}
