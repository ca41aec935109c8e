import { createHash, timingSafeEqual } from "node:crypto";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Whether an `Authorization` header holds the bearer token (RFC 6750). How long it takes tells nothing of the token:
 * digests are compared, which are of one length, over all of it.
 */
export function tokenCheck(token: string): (header: string | undefined) => boolean {
  const expected = digest(token);
  return (header) => {
    const [, given] = /^Bearer +(\S+) *$/i.exec(header ?? "") ?? [];
    return timingSafeEqual(digest(given ?? ""), expected) && given !== undefined;
  };
}
