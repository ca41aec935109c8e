import { isSecretName } from "./secret_names.ts";

/** Secrets that can be told inside of any text: by their own shape, by a URL around them, by a key before them. */

export const MASK = "***";

/** Values that say yes, no or nothing: hiding them would hide settings, and they are nobody's secret. */
export const isPlainValue = (value: string): boolean => /^(?:true|false|yes|no|on|off|none|null)?$/i.test(value);

/** Tokens that say by their first letters what they are, as their issuers document it. */
const tokenShapes = new RegExp(
  `(?<![A-Za-z0-9])(?:${[
    "gh[pousr]_[A-Za-z0-9]{20,}",
    "github_pat_\\w{20,}",
    "glpat-[\\w-]{16,}",
    "(?:sk|rk|pk)[-_](?=[\\w-]*\\d)[\\w-]{16,}",
    "hf_[A-Za-z0-9]{20,}",
    "nvapi-[\\w-]{20,}",
    "gsk_[A-Za-z0-9]{20,}",
    "r8_[A-Za-z0-9]{20,}",
    "(?:AKIA|ASIA)[0-9A-Z]{16}",
    "eyJ[\\w-]{8,}\\.[\\w-]*(?:\\.[\\w-]*)*",
    "xox[abeoprs]-[\\w-]{10,}",
    "AIza[\\w-]{30,}",
    "ya29\\.[\\w-]{10,}",
    "npm_[A-Za-z0-9]{30,}",
    "pypi-[\\w-]{16,}",
    "tskey-[\\w-]{10,}",
    "dop_v1_[0-9a-f]{30,}",
  ].join("|")})`,
  "g",
);

const privateKey = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*/g;

const url = /([a-z][a-z0-9+.-]{0,31}:\/\/)(\S+)/gi;

/** A password may hold an unescaped `/`, but what stands between a colon and a slash may as well be a port. */
const port = /^\d{1,5}(?:[/?#]|$)/;

function maskUserinfo(scheme: string, rest: string): string {
  const authority = rest.match(/^[^/?#]*/)?.[0] ?? "";
  const colon = rest.indexOf(":");
  let at = authority.lastIndexOf("@");
  if (at < 0 && colon >= 0 && colon < authority.length && !port.test(rest.slice(colon + 1))) at = rest.lastIndexOf("@");
  if (at < 0) return scheme + maskUrls(rest);
  const host = maskUrls(rest.slice(at));
  if (colon >= 0 && colon < at) return `${scheme}${rest.slice(0, colon)}:${MASK}${host}`;
  // Over HTTP a user without a password is a token; over ssh:// it is a user.
  return scheme + (/https?:\/\/$/i.test(scheme) ? MASK : rest.slice(0, at)) + host;
}

const maskUrls = (text: string): string => text.replace(url, (_, scheme, rest) => maskUserinfo(scheme, rest));

/** End of the quoted value that `opener` begins (a quote, in nested texts with backslashes before it). */
function endOfQuoted(text: string, from: number, opener: string): number {
  for (let at = from; ; ) {
    const close = text.indexOf(opener, at);
    if (close < 0) return text.length;
    if (text[close - 1] !== "\\") return close;
    at = close + opener.length;
  }
}

const quotedName = /(\\*["'])([\w.-]{1,64})\1\s*[:=]\s*/g;
/** `name=` or `name:` after a separator; at the beginning of an argument it is the caller's. */
const embeddedName = /(?<=([?&#;,|:{([]))([\w.-]{1,64})(?:=|:\s*)/g;
const signature = /^(?:X-Amz-)?sig(?:nature)?$/i;

/** Replaces the values behind the names that a global pattern finds, where `endOfBare` says how far a bare one goes. */
function maskValues(
  text: string,
  names: RegExp,
  isSecret: (match: RegExpMatchArray) => boolean,
  bareValue: (match: RegExpMatchArray) => RegExp,
): string {
  let masked = "";
  let copied = 0;
  for (const match of text.matchAll(names)) {
    const start = match.index + match[0].length;
    if (match.index < copied || !isSecret(match)) continue;
    const opener = text.slice(start).match(/^\\*["']/)?.[0];
    const from = start + (opener?.length ?? 0);
    const end = opener
      ? endOfQuoted(text, from, opener)
      : from + (text.slice(from).match(bareValue(match))?.[0].length ?? 0);
    if (isPlainValue(text.slice(from, end))) continue;
    masked += text.slice(copied, from) + MASK;
    copied = end;
  }
  return masked + text.slice(copied);
}

const maskQuotedPairs = (text: string): string =>
  maskValues(
    text,
    quotedName,
    (match) => isSecretName(match[2] ?? ""),
    // A list or an object under a secret name has secrets in it somewhere.
    () => /^(?:[[{][\s\S]*|[^\s,}\]]*)/,
  );

const maskEmbeddedPairs = (text: string): string =>
  maskValues(
    text,
    embeddedName,
    (match) => isSecretName(match[2] ?? "") || (/[?&]/.test(match[1] ?? "") && signature.test(match[2] ?? "")),
    // Only a query string has an agreed separator; elsewhere a `,` or `;` may be part of the secret.
    (match) => (/[?&#]/.test(match[1] ?? "") ? /^[^\s&#]*/ : /^\S*/),
  );

/** Masks what is secret by itself, wherever in the text it stands. */
export const maskInline = (text: string): string =>
  maskEmbeddedPairs(maskQuotedPairs(maskUrls(text.replace(privateKey, MASK)))).replace(tokenShapes, MASK);
