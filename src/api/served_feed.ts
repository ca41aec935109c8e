import type { Feed } from "./feed.ts";

/** All that serving needs of a feed, wherever its cycles come from. */
export type ServedFeed = Omit<Feed, "take" | "close">;
