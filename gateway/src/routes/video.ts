import { playlistPath } from "@hypecast/contracts/media.ts";
import { audio, chatSpan, shots } from "@hypecast/contracts/question.ts";
import { askedOf } from "./asked.ts";
import { given } from "./given.ts";
import type { Handlers, Parts } from "./handlers.ts";

/** A channel's picture, what was measured in it, and the chat beside it. */
export function videoHandlers(parts: Parts) {
  const { videoStates, layouts } = parts;
  const { known, spanned } = askedOf(parts);
  return {
    channelVideo({ params: { login } }) {
      known(login);
      const video = videoStates.get(login);
      return { video, playlist: (video?.oldestMs ?? null) === null ? null : playlistPath(login) };
    },
    channelShots: ({ params, query }) => spanned(shots, params, query),
    channelAudio: ({ params, query }) => spanned(audio, params, query),
    channelChat: ({ params, query }) => spanned(chatSpan, params, query),
    getLayout({ params: { login } }) {
      known(login);
      return layouts.of(login);
    },
    changeLayout({ params: { login }, body: { facecam, cropX, chat } }) {
      known(login);
      return layouts.change(login, given({ facecam, cropX, chat }));
    },
  } satisfies Partial<Handlers>;
}
