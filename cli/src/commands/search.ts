import type { z } from "zod";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import { EXIT, Failure } from "../failure.ts";
import { text, type Command } from "./command.ts";
import { placesText } from "./places.ts";
import { scopeOf, scopeOptions } from "./scope.ts";

type Found = z.infer<typeof vodRoutes.search.result>;

export const search: Command = {
  name: "search",
  usage: "search QUERY… [--stream ID | --channel LOGIN] [--mode hybrid|keyword|semantic] [--limit N]",
  says: "places by words and by meaning; ends with 3 when nothing is good enough",
  options: { ...scopeOptions, mode: { type: "string" }, limit: { type: "string", short: "n" } },
  async run(call) {
    const { client, output, positionals, values, language } = call;
    const query = positionals.join(" ");
    if (query === "") throw new Failure(EXIT.usage, "search for what?");
    const limit = Number(text(values["limit"]) ?? 10);
    if (!Number.isInteger(limit) || limit < 1 || limit > 50)
      throw new Failure(EXIT.usage, "--limit: a whole number from 1 to 50");
    const found = (await client.call("POST", "/api/v1/search", {
      query,
      scope: scopeOf(call),
      mode: text(values["mode"]) ?? "hybrid",
      limit,
      language,
    })) as Found;
    output.result(found, () =>
      found.found
        ? placesText(found.hits, language, client.server.url)
        : notFound(found, language, client.server.url),
    );
    return found.found ? EXIT.ok : EXIT.notFound;
  },
};

function notFound(found: Found, language: "en" | "ru", server: string): string {
  const numbers = `${found.best.toFixed(2)} < ${found.needed.toFixed(2)}`;
  const head = language === "ru" ? `Не найдено (${numbers}).` : `Not found (${numbers}).`;
  if (found.hits.length === 0) return head;
  return `${head} ${language === "ru" ? "Ближайшее:" : "Nearest:"}\n${placesText(found.hits.slice(0, 3), language, server)}`;
}
