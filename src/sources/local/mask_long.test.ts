import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { shownCommand } from "./command_line.ts";
import { maskArguments } from "./mask.ts";
import { isSecretName } from "./secret_names.ts";
import { shellWords } from "./shell_words.ts";

/** What is special in any pattern, and beginnings of what patterns look for. */
const UNITS: readonly string[] = [
  ...[..."\\\"'`=:/@?&#;,|{}[]()-_.+*$!%^~<> \t\n\0aA0é😀"],
  ...'Aa aA \\" "\\ \\\' :// a:// a: a@ -- ://: a= "a": "token": "token":" "token":\\" token= {token:'.split(" "),
  ...'?token=none& -sk- _sk_ eyJ -eyJ _eyJ. ghp_ AKIA xoxb- AIza ya29. -----BEGIN ="x http://a:b ssh://a@'.split(" "),
  ...["a = ", "-----BEGIN PRIVATE KEY", "docker ", "docker login ", "mysql -p ", "curl -u ", "bearer ", "-p ", 'a "'],
  ...["sh -c '", "Authorization: ", "http://a:b@ ", " a://:a", "\ud800", "\u202e", "\x1b["],
];
const LENGTH = 1_000_000;
const long = (unit: string): string => unit.repeat(Math.ceil(LENGTH / unit.length));

/** A pattern that goes over a text again for each character of it would take hours here. */
describe("a million characters are masked in time by their number", () => {
  test.each(UNITS)("%j", (unit) => {
    const text = long(unit);
    for (const argv of [[text], ["sh", "-c", `x="${text}`], ["--token", text]]) {
      expect(maskArguments(argv)).toHaveLength(argv.length);
    }
    expect(shellWords(text).reduce((length, { gap, raw }) => length + gap.length + raw.length, 0)).toBe(text.length);
    expect(isSecretName(text)).toBeBoolean();
  });

  test("any of them one after the other", () => {
    const unit = fc.array(fc.constantFrom(...UNITS), { minLength: 2, maxLength: 5 }).map((units) => units.join(""));
    fc.assert(
      fc.property(unit, (one) => {
        expect(maskArguments([long(one)])).toHaveLength(1);
        expect(Buffer.byteLength(shownCommand(long(one), "masked"))).toBeLessThanOrEqual(512);
      }),
      { numRuns: 15 },
    );
  });

  test("as many arguments", () => {
    for (const one of ["docker", "-p", "curl", "--token", "a"]) {
      expect(maskArguments(Array<string>(LENGTH / 5).fill(one))).toHaveLength(LENGTH / 5);
    }
  });
});

const SECRET = "hunter2hunter2";
const carriers: readonly ((secret: string) => string)[] = [
  (secret) => `--password=${secret}`,
  (secret) => `--password ${secret}`,
  (secret) => `postgres://me:${secret}@db/x`,
  (secret) => `{"token":"${secret}"}`,
  (secret) => `sh -c "curl -H 'Authorization: Bearer ${secret}' x"`,
  (secret) => `sk-${secret}-1234567890`,
  (secret) => `-----BEGIN RSA PRIVATE KEY-----\n${secret}\n-----END`,
];

test("wherever the first cut falls in a credential, none of it is shown", () => {
  fc.assert(
    fc.property(fc.constantFrom(...carriers), fc.nat(60), fc.boolean(), (carrier, before, isMasked) => {
      // What stands before is masked too, so that what is shown comes near the cut.
      const first = 8192 - carrier(SECRET).length + 30 - before;
      const padding = isMasked ? `--token=${"y".repeat(first - 9)} ` : `${"y".repeat(first - 1)} `;
      const shown = shownCommand(padding + carrier(SECRET.repeat(20)), "masked");
      expect(shown).not.toContain(SECRET.slice(0, 4));
    }),
    { numRuns: 300 },
  );
});
