import type { Box, ChannelLayout, ChatOverlay } from "@hypecast/contracts/clip.ts";
import { CLIP_LAYOUTS, type ClipLayout } from "@hypecast/contracts/clip-words.ts";
import type { Span } from "../video/span.ts";
import type { ClipWish } from "./store.svelte.ts";

export const CHAT_AS_USUAL: ChatOverlay = {
  on: true,
  position: "right",
  size: 0.24,
  fontPx: 28,
  font: "sans",
  opacity: 0.5,
  shiftMs: null,
};

/** Layouts after one was switched on or off, in the contract's order; the last one cannot be switched off. */
export function toggled(layouts: readonly ClipLayout[], layout: ClipLayout): ClipLayout[] {
  const next = CLIP_LAYOUTS.filter((one) =>
    one === layout ? !layouts.includes(one) : layouts.includes(one),
  );
  return next.length === 0 ? [...layouts] : next;
}

/** A clip as it is being arranged in the dialog. */
export class ClipDraft {
  layouts = $state.raw<readonly ClipLayout[]>(["16:9", "9:16"]);
  /** The one that is looked at. */
  shown = $state<ClipLayout>("16:9");
  cut = $state<"instant" | "exact">("exact");
  cropX = $state(0.5);
  facecam = $state.raw<Box | null>(null);
  chat = $state.raw<ChatOverlay>(CHAT_AS_USUAL);
  normalise = $state(true);
  title = $state("");

  /** The channel's own look, where it is known. */
  constructor(layout: ChannelLayout | null, title = "") {
    if (layout !== null) {
      this.cropX = layout.cropX;
      this.facecam = layout.facecam;
      this.chat = layout.chat;
    }
    this.title = title;
  }

  toggle(layout: ClipLayout): void {
    this.layouts = toggled(this.layouts, layout);
    this.shown = this.layouts.includes(layout) ? layout : (this.layouts[0] ?? "16:9");
  }

  /** What the channel would remember. */
  layout(): ChannelLayout {
    return { facecam: this.facecam, cropX: this.cropX, chat: this.chat };
  }

  /** An instant clip is the stored picture: neither another layout nor chat can be in it. */
  wish(span: Span): Omit<ClipWish, "login"> {
    const instant = this.cut === "instant";
    return {
      startMs: Math.round(span.startMs),
      endMs: Math.round(span.endMs),
      cut: this.cut,
      layouts: instant ? ["16:9"] : [...this.layouts],
      cropX: this.cropX,
      chat: instant ? { ...this.chat, on: false } : this.chat,
      normalise: instant ? false : this.normalise,
      title: this.title.trim(),
    };
  }
}
