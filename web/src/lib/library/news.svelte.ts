import type { Clip } from "@hypecast/contracts/clip.ts";
import type { Vod } from "@hypecast/contracts/vod.ts";
import { goto } from "$app/navigation";
import { lengthMsOf } from "../clips/list.ts";
import { m } from "../paraglide/messages.js";
import { toast } from "../toasts.svelte.ts";
import { duration } from "../text/words.ts";
import { streamPath } from "../vod/api.ts";
import { titleOf } from "./words.ts";

const WANTED = "hypecast.notify";

const allowed = (): NotificationPermission | "none" =>
  typeof Notification === "undefined" ? "none" : Notification.permission;
const wanted = (): boolean => {
  try {
    return localStorage.getItem(WANTED) === "1";
  } catch {
    return false;
  }
};

let on = $state(wanted() && allowed() === "granted");
export const notifying = (): boolean => on;

/** Told outside of the page too. The browser is asked on a person's click alone; what it answers is what counts. */
export async function toggleNotifying(): Promise<void> {
  if (on) on = false;
  else {
    if (allowed() === "none") return toast(m.notify_none());
    const answer = allowed() === "default" ? await Notification.requestPermission() : allowed();
    if (answer !== "granted") return toast(m.notify_denied());
    on = true;
    toast(m.notify_on());
  }
  try {
    localStorage.setItem(WANTED, on ? "1" : "0");
  } catch {
    // Storage is off: the choice lasts as long as the page.
  }
}

/** In the browser's own way, when the page is not looked at. */
function outside(title: string, body: string, tag: string, address: string): void {
  if (!on || document.visibilityState === "visible" || allowed() !== "granted") return;
  try {
    const note = new Notification(title, { body, tag });
    note.addEventListener("click", () => {
      window.focus();
      note.close();
      void goto(address);
    });
  } catch {
    // Some phones want a service worker for it: the page's own toast has said it.
  }
}

export const clipReady = (clip: Clip): void =>
  outside(
    m.clip_ready({ length: duration(lengthMsOf(clip)) }),
    clip.title,
    `clip ${clip.id}`,
    "/clips?state=ready",
  );

export function streamReady(stream: Vod): void {
  const title = titleOf(stream);
  toast(m.stream_ready({ title }), {
    word: m.open_it(),
    run: () => void goto(streamPath(stream.id)),
    keyless: true,
  });
  outside(m.stream_ready_short(), title, `stream ${stream.id}`, streamPath(stream.id));
}
