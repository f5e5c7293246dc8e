import { paraglideVitePlugin } from "@inlang/paraglide-js";
import adapter from "@sveltejs/adapter-static";
import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";
import { needsOf } from "./live-needs.ts";
import { quietHls } from "./quiet-hls.ts";

const live = needsOf(import.meta.dirname, [
  "src/routes/+layout.svelte",
  "src/routes/live/[channel]/+page.svelte",
]);
/** The name of an icon, or the key of a message, from its file. */
const iconOf = (id: string): string | undefined =>
  /@lucide\/svelte\/dist\/icons\/([^/]+)\.svelte/.exec(id)?.[1];
const wordOf = (id: string): string | undefined => /paraglide\/messages\/(\w+)\.js/.exec(id)?.[1];

export default defineConfig({
  plugins: [
    quietHls(),
    paraglideVitePlugin({
      project: "./project.inlang",
      outdir: "./src/lib/paraglide",
      strategy: ["localStorage", "preferredLanguage", "baseLocale"],
      emitTsDeclarations: true,
    }),
    sveltekit({
      // One page for every address; the gateway serves it and the rest from memory, already compressed.
      adapter: adapter({ fallback: "200.html", precompress: true }),
      // A page loads what it shows: an overlay in OBS brings no gallery, and the player comes when there is something to play.
      output: { bundleStrategy: "split" },
      // In a <meta>, since the hash of Kit's inline script changes with every build. frame-ancestors is the gateway's header.
      csp: {
        mode: "hash",
        directives: {
          "default-src": ["self"],
          "script-src": ["self"],
          "style-src": ["self"],
          "style-src-attr": ["unsafe-inline"],
          "img-src": ["self", "data:"],
          // hls.js hands the browser its segments through a blob address.
          "media-src": ["self", "blob:"],
          "connect-src": ["self"],
          "font-src": ["self"],
          "object-src": ["none"],
          "base-uri": ["self"],
          "form-action": ["self"],
        },
      },
      // Tabs stay open for days: ask once a minute whether a newer build is being served.
      version: { pollInterval: 60_000 },
    }),
  ],
  // A font inside the style sheet would be a data: address, which the policy above does not allow.
  build: {
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        // What every page needs is one file, sooner on the screen than forty.
        codeSplitting: {
          groups: [
            {
              name: "base",
              test: (id) => {
                const icon = iconOf(id);
                if (icon !== undefined) return live.icons.has(icon);
                return (
                  /node_modules[\\/](?:svelte|@sveltejs|@lucide|tinykeys)/.test(id) ||
                  (/src[\\/]lib[\\/](?:live|text|app\.svelte|keys|toasts|prefs|shown|frames)/.test(id) &&
                    live.modules.has(id.replace(/\?.*$/, "")))
                );
              },
              minShareCount: 2,
            },
            {
              // Words that several pages say: in one file they pack better than in a file for each pair of pages.
              name: "words",
              test: (id) => live.words.has(wordOf(id) ?? ""),
              minShareCount: 2,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      "/ws": { target: "ws://127.0.0.1:4200", ws: true },
      "/api": "http://127.0.0.1:4200",
      "/emotes": "http://127.0.0.1:4200",
      "/media": "http://127.0.0.1:4200",
      "/c": "http://127.0.0.1:4200",
    },
  },
});
