import { ask } from "./ask.ts";
import type { Command } from "./command.ts";
import { exportStream } from "./export.ts";
import { importStream } from "./import.ts";
import { journal } from "./journal.ts";
import { render } from "./render.ts";
import { search } from "./search.ts";
import { status } from "./status.ts";

export const commands: readonly Command[] = [
  importStream,
  search,
  ask,
  render,
  status,
  exportStream,
  journal,
];
