/** A line, record or object that is longer is counted and left out. Twitch's longest comment with its fragments is below 20 KB, a page of a hundred below 300 KB. */
export const RECORD_BYTES = 1024 * 1024;
/** What a file may unpack to. */
export const UNPACKED_BYTES = 16 * 1024 ** 3;
/** Chat packs 5 to 40 times; what packs better than this, and is no longer small, was made to fill a disk. */
export const PACK_RATIO = 250;
export const PACK_RATIO_FROM_BYTES = 64 * 1024 * 1024;
/** Offsets further away than this are no place in a stream. */
export const MOST_HOURS = 100;
/** Longest text that is kept of one message, in UTF-16 units; Twitch allows 500 characters. */
export const TEXT_LENGTH = 4000;
/** Unreadable lines that are shown. */
export const BAD_LINES_SHOWN = 10;
/** Files in an archive that are looked into. */
export const ARCHIVE_FILES = 100;
