import type { Answer } from "./oracle.ts";

/** An answer that was just asked for: nothing of it is known yet. */
export const newAnswer = (
  asked: Pick<Answer, "id" | "question" | "within" | "scope" | "language" | "after">,
  nowMs: number,
): Answer => ({
  ...asked,
  revision: 1,
  state: "asked",
  askedAtMs: nowMs,
  touchedAtMs: nowMs,
  understood: null,
  text: "",
  found: null,
  best: null,
  needed: null,
  hits: [],
  nearest: [],
  searched: null,
  by: null,
  model: null,
  tookMs: null,
  error: null,
  feedback: [],
});
