import type { Clip } from "@hypecast/contracts/clip.ts";
import type { Config } from "@hypecast/runtime/config.ts";

/** Twitch makes a clip of what was on the air just now: asked later, it would show something else. */
const FRESH_MS = 60_000;
const WITHIN_MS = 5000;

export type TwitchSettings = Pick<Config, "TWITCH_CLIP_TOKEN" | "TWITCH_CLIENT_ID" | "TWITCH_HELIX_URL">;

/**
 * Asks Twitch for a clip of the same moment, where the broadcaster's token is configured; resolves to its address. Null: none is configured, or the
 * moment is too long ago. Rejects with a sentence when Twitch refuses; our own clip does not depend on it.
 */
export async function createTwitchClip(
  settings: TwitchSettings,
  clip: Pick<Clip, "channelId" | "endMs">,
  nowMs: number,
): Promise<string | null> {
  if (settings.TWITCH_CLIP_TOKEN === "" || nowMs - clip.endMs > FRESH_MS) return null;
  const url = new URL(`${settings.TWITCH_HELIX_URL}/clips`);
  url.searchParams.set("broadcaster_id", clip.channelId);
  const response = await fetch(url, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${settings.TWITCH_CLIP_TOKEN}`,
      "Client-Id": settings.TWITCH_CLIENT_ID,
    },
    signal: AbortSignal.timeout(WITHIN_MS),
  });
  if (response.status !== 202) throw new Error(`Twitch made no clip: HTTP ${response.status}`);
  const answer: unknown = await response.json();
  const id = idIn(answer);
  if (id === null) throw new Error("Twitch made a clip and did not say which");
  return `https://clips.twitch.tv/${id}`;
}

function idIn(answer: unknown): string | null {
  if (typeof answer !== "object" || answer === null || !("data" in answer) || !Array.isArray(answer.data))
    return null;
  const first: unknown = answer.data[0];
  const id = typeof first === "object" && first !== null && "id" in first ? first.id : null;
  return typeof id === "string" && /^[\w-]{1,100}$/.test(id) ? id : null;
}
