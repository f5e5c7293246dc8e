import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { onlyOneIn } from "./only-one.ts";

test("a second up on the same data folder, even by another path, is told so; after the first it may", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hypecast-only-one-"));
  symlinkSync(folder, `${folder}-link`);
  const hold = await onlyOneIn(folder);
  await expect(onlyOneIn(`${folder}-link`)).rejects.toThrow(
    /another hypecast already runs on the data folder/,
  );
  hold.close();
  (await onlyOneIn(folder)).close();
  rmSync(`${folder}-link`);
  rmSync(folder, { recursive: true });
});
