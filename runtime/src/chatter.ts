import type { Secret } from "./secret.ts";

/** Stands for a chatter wherever no name may: the same person gives the same 32 hex digits in this installation, and no other. */
export const chatterHash = (secret: Secret, userId: string): string => secret.hash("chatter", userId);
/** For files that know logins alone. */
export const loginHash = (secret: Secret, login: string): string => secret.hash("login", login.toLowerCase());
