/**
 * Which names of options, variables, headers and keys announce a secret. A name is taken apart into words
 * (`--hf_api-key`, `HF_API_KEY` and `hfApiKey` are all `hf api key`); what counts is which word it ends in and which
 * one stands before, so that `--api-key` is secret and `--sort-key`, `--max-tokens` and `--tokenizer` are not.
 */

const secretWord =
  /(?:pass(?:word|wd|phrase|code)s?|secrets?|credentials?|creds|pwd|cookie|authorization|bearer|(?:api|access|secret|private|auth)(?:key|token)s?)$/;

/** `sshpass`, `storepass`, openssl's `passin`; neither `bypass` nor the audio filters `lowpass` and `highpass`. */
const passWord = /^(?:ssh|db|user|root|admin|my|ftp|smtp|pg|mysql|redis|http|proxy|key|store|require)?pass(?:in|out)?$/;

const authWord = /^(?:o|basic|proxy|redis|http)?auth$/;

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "));

/** After a secret word these say that the value only describes or locates it: `--password-file`, `--secret-name`. */
const descriptions = words(
  "file files path dir directory name names type kind length len size count limit ttl timeout expiry expires policy " +
    "env var format mode method algorithm scheme backend provider store manager url uri endpoint host server port " +
    "version prompt stdin fd sock",
);

/** Words that may follow without changing what the value is: `API_KEY_PROD`, `token_2`. */
const additions = words(
  "value values string text base64 b64 hex prod production dev development staging test live primary secondary " +
    "default current old new",
);

const switches = words("no not disable enable skip without require requires");

const plainKeys = words(
  "public pub sort sorting order primary foreign partition group grouping cache lookup join index row column col hot " +
    "dict json yaml label labels text image images audio video target input output feature query num head range hash " +
    "shard routing map object search translation max min per value any host metric prompt response chosen rejected " +
    "message messages reward answer question conversation",
);

const plainTokens = words(
  "eos bos pad unk sep cls mask special image audio video text stop start end begin max min num per prompt fim think " +
    "reasoning",
);

const plainPasses = words("one two single multi first second full forward backward num by");

/** Plurals are secret only with one of these before: `--api-keys`, not `--max-tokens` or `--index-keys`. */
const owners = words("api access secret private auth ssh signing encryption bearer refresh");

const split = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/([A-Z])(?=[A-Z][a-z])/g, "$1 ")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/(?<=[a-z])\d+$/, ""))
    .filter((word) => word !== "");

function isSecretWord(word: string, before: string): boolean {
  switch (word) {
    case "key":
      return !plainKeys.has(before);
    case "keys":
    case "tokens":
      return owners.has(before);
    case "signature":
      return before === "access";
    case "jwt":
    case "otp":
    case "totp":
      return true;
  }
  if (word.endsWith("token")) return !plainTokens.has(before);
  return authWord.test(word) || (passWord.test(word) && !plainPasses.has(before));
}

/** Whether the value that goes by this name (`--api-key`, `DB_PASSWORD`, `X-Auth-Token`) is a secret. */
export function isSecretName(name: string): boolean {
  const parts = split(name);
  if (switches.has(parts[0] ?? "")) return false;
  const last = parts.at(-1) ?? "";
  if (parts.some((word) => secretWord.test(word))) return !descriptions.has(last);
  // Azure has the account's name behind it: `fs.azure.account.key.NAME.blob.core.windows.net`.
  if (parts.some((word, n) => word === "key" && parts[n - 1] === "account")) return true;
  while (parts.length > 1 && (additions.has(parts.at(-1) ?? "") || /^\d+$/.test(parts.at(-1) ?? ""))) parts.pop();
  return isSecretWord(parts.at(-1) ?? "", parts.at(-2) ?? "");
}
