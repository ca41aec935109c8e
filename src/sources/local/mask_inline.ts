import { MASK, maskUrls } from "./mask_urls.ts";
import { isSecretName } from "./secret_names.ts";

/**
 * Secrets that can be told inside of any text: by their own shape, by a URL around them, by a key before them. Every
 * pattern takes time by the length of the text, whatever stands in it: where one fails, it has looked at few characters.
 */

/** Values that say yes, no or nothing: hiding them would hide settings, and they are nobody's secret. */
export const isPlainValue = (value: string): boolean => /^(?:true|false|yes|no|on|off|none|null)?$/i.test(value);

/** Tokens that say by their first letters what they are, as their issuers document it. */
const tokenShapes = new RegExp(
  `(?<![A-Za-z0-9])(?:${[
    "gh[pousr]_[A-Za-z0-9]{20,}",
    "github_pat_\\w{20,}",
    "glpat-[\\w-]{16,}",
    "hf_[A-Za-z0-9]{20,}",
    "nvapi-[\\w-]{20,}",
    "gsk_[A-Za-z0-9]{20,}",
    "r8_[A-Za-z0-9]{20,}",
    "(?:AKIA|ASIA)[0-9A-Z]{16}",
    "eyJ[\\w-]{8,}(?:\\.[\\w-]*)*",
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

/** As above; without a digit it is a name. */
const keyShape = /(?<![A-Za-z0-9])(?:sk|rk|pk)[-_][\w-]{16,}/g;

/** PEM, OpenPGP and SSH2 write it with four or five dashes. */
const privateKey = /-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY[\s\S]*/g;

/** End of the quoted value that `opener` begins (a quote, in nested texts with backslashes before it). */
function endOfQuoted(text: string, from: number, opener: string): number {
  for (let at = from; ; ) {
    const close = text.indexOf(opener, at);
    if (close < 0) return text.length;
    if (text[close - 1] !== "\\") return close;
    at = close + opener.length;
  }
}

/** Deeper than texts are put into texts: each time doubles the backslashes before a quote, and adds one. */
const MOST_BACKSLASHES = 15;

/** The backslashes before the first quote are looked at where it matches. */
const quotedName = /(["'])([\w.-]+)(\\{0,15})\1\s*(?:\]\s*={1,2}|[:=]|,(?!\s{0,4}\\{0,15}["']value\b))\s*/g;
/** Where a value has quotes, the first one and the backslashes before it. */
const quotedValue = /^\\*["']/;
/**
 * `name=` or `name:` after a sign; at the beginning of an argument it is the caller's. Also `name+=`, `name[0]=`, and
 * `name]=`, as the key of a list.
 */
const embeddedName = /(?<=([?&#;,|:{([+~@%!^*<>`]))([\w.-]+)(?:(?:\[\w{0,16}\]|\])?[+?]?=|:\s*)/g;
/** `name = "value"`, as programs are written. */
const assignedName = /(?<=^|[^\w.-])([\w.-]+)(?:\s{1,4}=\s{0,4}|=\s{1,4})(?=\\{0,15}["'])/g;
/** `{"name": "DB_PASSWORD", "value": "x"}`, as Kubernetes writes an environment. */
const nameAndValue = /(?<=^|[^\w.-])name[\\"'\s:=]{1,12}([\w.-]+)[\\"'\s,]{1,12}value[\\"'\s:=]{1,12}/gi;
/** They stand before the secret in an `Authorization` header. */
export const AUTHORIZATION_SCHEMES = "bearer|basic|digest|token|negotiate|apikey";
const valueWithScheme = new RegExp(`^(?:(?:${AUTHORIZATION_SCHEMES})\\s+)?\\S*`, "i");
const signature = /^(?:X-Amz-)?sig(?:nature)?$/i;

interface ValueRange {
  readonly from: number;
  readonly end: number;
}

/** The value that begins at `start`, without its quotes. */
function valueAt(text: string, start: number, bareValue: RegExp): ValueRange {
  const rest = text.slice(start);
  const opener = quotedValue.exec(rest)?.[0] ?? "";
  const from = start + opener.length;
  if (opener.length > MOST_BACKSLASHES + 1) return { from, end: text.length };
  if (opener !== "") return { from, end: endOfQuoted(text, from, opener) };
  return { from, end: from + (bareValue.exec(rest)?.[0].length ?? 0) };
}

/** Replaces the values behind the names that a global pattern finds; `bareValue` says how far one without quotes goes. */
function maskValues(
  text: string,
  names: RegExp,
  isSecret: (match: RegExpExecArray) => boolean,
  bareValue: (match: RegExpExecArray) => RegExp,
): string {
  let masked = "";
  let copied = 0;
  for (const match of text.matchAll(names)) {
    if (match.index < copied || !isSecret(match)) continue;
    const { from, end } = valueAt(text, match.index + match[0].length, bareValue(match));
    if (isPlainValue(text.slice(from, end))) continue;
    masked += text.slice(copied, from) + MASK;
    copied = end;
  }
  return masked + text.slice(copied);
}

/** Both quotes have as many backslashes before them, or the first one has more. */
const isQuoted = (text: string, { index, 3: backslashes = "" }: RegExpExecArray): boolean =>
  text.slice(Math.max(0, index - backslashes.length), index) === backslashes;

const maskQuotedPairs = (text: string): string =>
  maskValues(
    text,
    quotedName,
    (match) => isQuoted(text, match) && isSecretName(match[2] ?? ""),
    // A list or an object under a secret name has secrets in it somewhere.
    () => /^(?:[[{][\s\S]*|[^\s,}\]]*)/,
  );

const maskEmbeddedPairs = (text: string): string =>
  maskValues(
    text,
    embeddedName,
    (match) => isSecretName(match[2] ?? "") || (/[?&]/.test(match[1] ?? "") && signature.test(match[2] ?? "")),
    // Only a query string has an agreed separator; elsewhere a `,` or `;` may be part of the secret.
    (match) => (/[?&#]/.test(match[1] ?? "") ? /^[^\s&#]*/ : valueWithScheme),
  );

const maskAssignments = (text: string): string =>
  [assignedName, nameAndValue].reduce(
    (masked, names) =>
      maskValues(
        masked,
        names,
        (match) => isSecretName(match[1] ?? ""),
        () => /^[^\s,}\]"'\\]*/,
      ),
    text,
  );

const maskTokens = (text: string): string =>
  text.replace(tokenShapes, MASK).replace(keyShape, (key) => (/\d/.test(key) ? MASK : key));

/** Masks what is secret by itself, wherever in the text it stands. */
export const maskInline = (text: string): string =>
  maskTokens(maskAssignments(maskEmbeddedPairs(maskQuotedPairs(maskUrls(text.replace(privateKey, MASK))))));
