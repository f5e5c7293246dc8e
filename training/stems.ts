import { keyOf, wordsOf } from "../analytics/src/oracle/embed/words.ts";

/** Words on standard input, one a line; on standard output what each is called in the model's table, tab-separated where the tokeniser cuts it. */
let text = "";
for await (const part of process.stdin) text += part;
for (const line of text.split("\n")) console.log(wordsOf(line).map(keyOf).join("\t"));
