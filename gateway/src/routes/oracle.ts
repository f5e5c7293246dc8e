import type { Handlers, Parts } from "./handlers.ts";
import { searchQuestion, type Searched } from "@hypecast/contracts/oracle.ts";
import { ProblemError } from "../problems.ts";
import { placesOf, seenBy, withinOf } from "../places.ts";
import { authoriseAnswer } from "./needs.ts";

/** Longer than other questions: its words may have to be embedded by another's server. */
const SEARCH_MS = 20_000;

/** The oracle: searched, asked, judged, stopped. */
export function oracleHandlers(parts: Parts) {
  const { ask, answers } = parts;
  const asked = (text: string, field: string): void => {
    if (text.trim() === "") throw new ProblemError("invalid_parameters", `${field}: ask something`);
  };
  return {
    async search({ body: { query, scope, mode, limit, language }, person }) {
      asked(query, "query");
      const within = withinOf(seenBy(parts, person), scope);
      const text = await ask(searchQuestion, { query, within, mode, limit, language }, SEARCH_MS);
      const { hits, ...rest } = JSON.parse(text) as Searched;
      return { ...rest, hits: placesOf(parts, hits) };
    },
    async ask({ body: { question, scope, after, language }, person }) {
      asked(question, "question");
      if (after !== null) authoriseAnswer(parts, person, after);
      const within = withinOf(seenBy(parts, person), scope);
      const { hits, nearest, ...rest } = await answers.ask({ question, scope, within, after, language });
      return { ...rest, hits: placesOf(parts, hits), nearest: placesOf(parts, nearest) };
    },
    getAnswer({ params: { id } }) {
      const found = answers.get(id);
      if (found === null) throw new ProblemError("answer_not_found", `there is no answer ${id}`);
      return { ...found, hits: placesOf(parts, found.hits), nearest: placesOf(parts, found.nearest) };
    },
    async judgeAnswer({ params: { id }, body }) {
      const judged = await answers.judge(id, body);
      return { ...judged, hits: placesOf(parts, judged.hits), nearest: placesOf(parts, judged.nearest) };
    },
    async stopAnswer({ params: { id } }) {
      await answers.stop(id);
      return {};
    },
  } satisfies Partial<Handlers>;
}
