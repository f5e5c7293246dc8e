import { webhookHeld, type Webhooks } from "../webhooks/webhooks.ts";
import type { Handlers } from "./handlers.ts";

/** Who is told of what becomes ready. */
export function webhookHandlers({ webhooks }: { webhooks: Webhooks }) {
  return {
    listWebhooks: () => ({ webhooks: webhooks.list().map(webhookHeld) }),
    addWebhook: ({ body: { url, events } }) => webhooks.add(url, events),
    async removeWebhook({ params: { id } }) {
      await webhooks.remove(id);
      return {};
    },
  } satisfies Partial<Handlers>;
}
