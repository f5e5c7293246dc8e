import type { z } from "zod";
import type { vodRoutes } from "@hypecast/contracts/api-vods.ts";
import { EXIT, Failure } from "../failure.ts";
import { safe } from "../output.ts";
import { text, type Command } from "./command.ts";
import { placesText } from "./places.ts";
import { scopeOf, scopeOptions } from "./scope.ts";

type Answer = z.infer<typeof vodRoutes.getAnswer.result>;

export const ask: Command = {
  name: "ask",
  usage: "ask QUESTION… [--stream ID | --channel LOGIN] [--after ANSWER]",
  says: "the oracle: an answer with the lines that prove it; --after goes on from an earlier answer",
  options: { ...scopeOptions, after: { type: "string" } },
  async run(call) {
    const { client, output, positionals, values, language, signal } = call;
    const question = positionals.join(" ");
    if (question === "") throw new Failure(EXIT.usage, "ask what?");
    const asked = (await client.call("POST", "/api/v1/answers", {
      question,
      scope: scopeOf(call),
      after: text(values["after"]) ?? null,
      language,
    })) as Answer;
    let answer = asked;
    for await (const record of client.follow(`/api/v1/answers/${asked.id}/events`, signal)) {
      answer = record as Answer;
      output.progress(answer.text === "" ? `${answer.state} …` : safe(answer.text));
      if (isOver(answer)) break;
    }
    if (!isOver(answer)) answer = (await client.call("GET", `/api/v1/answers/${asked.id}`)) as Answer;
    output.result(answer, () => answerText(answer, language, client.server.url));
    if (answer.state !== "done") return EXIT.failed;
    return answer.found === true ? EXIT.ok : EXIT.notFound;
  },
};

const isOver = ({ state }: Answer): boolean => state === "done" || state === "failed" || state === "stopped";

function answerText(answer: Answer, language: "en" | "ru", server: string): string {
  if (answer.state !== "done") return `${answer.state}: ${answer.error ?? ""}`;
  const { model } = answer;
  const by =
    model === null
      ? ""
      : model.refused === null
        ? `${model.name}, ${model.inputTokens + model.outputTokens} tokens${model.costUsd === null ? "" : `, $${model.costUsd.toFixed(4)}`}`
        : `${model.name}: ${model.refused}`;
  return [
    safe(answer.text),
    placesText(answer.found === true ? answer.hits : answer.nearest, language, server),
    [`--after ${answer.id}`, by].filter((part) => part !== "").join(" · "),
  ]
    .filter((part) => part !== "")
    .join("\n");
}
