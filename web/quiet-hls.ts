import type { Plugin } from "vite";

const TALK = new Set(["log", "debug", "info", "trace", "warn"]);

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [part: string]: unknown;
}
const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && "start" in value;

/**
 * hls.js speaks to a logger at every step, and the logger is silent unless `debug` is on, which it never is here: those statements are a
 * tenth of the library's compressed size, so the build leaves them out. Nothing else of it is touched.
 */
export const quietHls = (): Plugin => ({
  name: "quiet-hls",
  apply: "build",
  transform: {
    filter: { id: /hls\.light\.mjs/ },
    handler(code) {
      const cuts: Node[] = [];
      find(this.parse(code), cuts);
      if (cuts.length < 100)
        this.error("hls.js does not speak as it did: look at what quiet-hls.ts should leave out");
      let kept = "";
      let from = 0;
      for (const { start, end } of cuts) {
        // A semicolon stays: the statement may be all that an `if` has.
        kept += `${code.slice(from, start)};`;
        from = end;
      }
      return { code: kept + code.slice(from), map: null };
    },
  },
});

/** Statements that are nothing but a call of the logger, in their order. */
function find(value: unknown, cuts: Node[]): void {
  if (Array.isArray(value)) for (const one of value) find(one, cuts);
  if (!isNode(value)) return;
  if (value.type === "ExpressionStatement" && isTalk(value["expression"])) cuts.push(value);
  else for (const part of Object.values(value)) if (typeof part === "object") find(part, cuts);
}

/** `this.log(…)`, `logger.warn(…)`, `hls.logger.log(…)`. */
function isTalk(call: unknown): boolean {
  if (!isNode(call) || call.type !== "CallExpression") return false;
  const { callee } = call;
  if (!isNode(callee) || callee.type !== "MemberExpression") return false;
  const { object, property } = callee;
  if (!isNode(object) || !isNode(property) || !TALK.has(String(property["name"]))) return false;
  const owner = object.type === "MemberExpression" ? object["property"] : object;
  return object.type === "ThisExpression" || (isNode(owner) && owner["name"] === "logger");
}
