/** How the gateway closes a websocket, and whether a client may come back by itself. Free of zod for the page's sake. */
export const CLOSE_CODES = {
  restarting: { code: 1012, retry: true },
  slow: { code: 4408, retry: true },
  badMessage: { code: 4400, retry: false },
  unauthorized: { code: 4401, retry: false },
  tooManyTopics: { code: 4429, retry: false },
} as const;
