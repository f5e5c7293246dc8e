import { jetstream } from "@nats-io/jetstream";
import { pino } from "pino";
import { expect, test } from "vitest";
import { chatLines, packLines } from "@hypecast/contracts/chat.ts";
import { subjectOf } from "@hypecast/contracts/event.ts";
import { toxicityScores, type ToxicityScores } from "@hypecast/contracts/toxicity.ts";
import { connectBus, ensureStreams } from "@hypecast/runtime/bus.ts";
import { readConfig } from "@hypecast/runtime/config.ts";
import { startNats } from "@hypecast/tests/servers.ts";
import { joinMembers, type Members } from "../../partitions/members.ts";
import { openOnnx } from "../../scorer/onnx.ts";
import { MODELS_FOLDER } from "../../scorer/open.ts";
import { createToxicity, TOXICITY_MODEL } from "../../toxicity/classify.ts";
import { openScoreLog } from "./score-log.ts";
import { startToxicityTask } from "./task.ts";

test("two processes score every pack once with our model, also when one leaves and the log's server is killed", async () => {
  const nats = await startNats();
  const config = readConfig({ HYPECAST_NATS_URL: nats.url });
  const logger = pino({ level: "silent" });
  const nc = await connectBus(config, "test");
  const jsm = await ensureStreams(nc, 1);
  const js = jetstream(nc);
  const scorer = await openOnnx(MODELS_FOLDER, [TOXICITY_MODEL]);

  const begin = async (id: string) => {
    const task = startToxicityTask({
      ...{ log: openScoreLog(nc, jsm), toxicity: createToxicity(scorer), instance: id, logger },
    });
    let members: Members | null = null;
    members = await joinMembers(nc, {
      ...{ bucket: "toxicity", id, replicas: 1, log: logger },
      changed: () => members !== null && task.settle(members),
    });
    task.settle(members);
    return { task, members };
  };
  let serial = 0;
  const send = async (): Promise<void> => {
    for (let i = 0; i < 60; i++) {
      const channelId = `channel${i % 6}`;
      const lines = [0, 1, 2].map((n) => ({
        ...{ id: `l${++serial}`, channelId, sentAtMs: Date.now(), userId: String(n), login: `u${n}` },
        text:
          n === 0 && i % 3 === 0
            ? "you are worthless trash, everybody hates you"
            : "what a lovely stream today",
      }));
      const pack = packLines(lines);
      const again = { retries: 20, msgID: `pack${serial}`, timeout: 1000 };
      await js.publish(subjectOf(chatLines, channelId), pack, again);
    }
  };
  const scores = async (): Promise<ToxicityScores[]> => {
    const found: ToxicityScores[] = [];
    const consumer = await js.consumers.get("INPUT", { filter_subjects: [`${toxicityScores.name}.>`] });
    for (let left = (await consumer.info()).num_pending; left > 0; left--)
      found.push(toxicityScores.schema.parse((await consumer.next({ expires: 2000 }))!.json()));
    return found;
  };

  const first = await begin("a");
  const second = await begin("b");
  await send();
  await expect.poll(async () => (await scores()).length).toBe(60);
  await second.task.close();
  await second.members.close();
  await nats.crash();
  await send();
  await expect.poll(async () => (await scores()).length).toBeGreaterThanOrEqual(120);

  const all = await scores();
  expect(new Set(all.map(({ id }) => id)).size).toBe(120);
  expect(all).toHaveLength(120);
  const flagged = all.flatMap((one) => one.flagged);
  expect(flagged.filter(({ text }) => text.includes("worthless"))).toHaveLength(40);
  expect(flagged.filter(({ text }) => text.includes("lovely"))).toHaveLength(0);
  expect(all.every(({ unknown, model }) => unknown === 0 && model.startsWith("toxicity@"))).toBe(true);

  await first.task.close();
  await first.members.close();
  await scorer.close();
  await nc.close();
  await nats.close();
});
