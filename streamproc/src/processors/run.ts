import { isHandover, type Fold, type FoldInput, type FoldOutput } from "./fold.ts";

/** One channel through a list of folds without the engine around it: for tests, benchmarks and whoever replays a log. */
export interface Run {
  readonly states: unknown[];
  /** One event of the log; returns what is for the log. */
  step(input: FoldInput): FoldOutput[];
  /** Every fold's state through its bytes and back. */
  reload(): void;
}

export function runOf(folds: readonly Fold[], channelId: string): Run {
  const states = folds.map((fold) => fold.initial(channelId));
  return {
    states,
    step(input) {
      const said: FoldInput[] = [input];
      const outputs: FoldOutput[] = [];
      for (const [at, fold] of folds.entries()) {
        const upTo = said.length; // a fold does not see what it says itself
        for (let i = 0; i < upTo; i++)
          fold.step(states[at], said[i]!, (output) => {
            said.push(output);
            if (!isHandover(output)) outputs.push(output);
          });
      }
      return outputs;
    },
    reload() {
      for (const [at, fold] of folds.entries())
        states[at] = fold.load(channelId, fold.version, fold.save(states[at])) ?? fold.initial(channelId);
    },
  };
}
