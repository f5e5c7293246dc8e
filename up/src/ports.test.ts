import { createServer } from "node:net";
import { expect, test } from "vitest";
import { portIsFree, portOwner } from "./ports.ts";

test("a taken port is named with the process that has it", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  expect(await portIsFree(port)).toBe(false);
  if (process.platform === "linux") expect(portOwner(port)).toContain(`pid ${process.pid} (`);
  await new Promise((resolve) => server.close(resolve));
  expect(await portIsFree(port)).toBe(true);
  expect(portOwner(port)).toBeNull();
});
