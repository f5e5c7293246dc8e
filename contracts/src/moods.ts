/** The moods that chat shows by its emotes and emote-like words. Order is the order of every mood bar and ribbon. */
export const MOODS = ["laugh", "shock", "hype", "love", "sad", "anger", "cringe"] as const;
export type Mood = (typeof MOODS)[number];
