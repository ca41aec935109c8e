import { afterAll, expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UsageError } from "../errors.ts";
import { readTls } from "./tls_files.ts";

const folder = mkdtempSync(join(tmpdir(), "all-smi-tls-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const fixture = (name: string): string => readFileSync(join(import.meta.dir, "../../test/fixtures/tls", name), "utf8");
const cert = file("cert.pem", fixture("cert.pem"));
const key = file("key.pem", fixture("key.pem"));

function complaint(certPath: string, keyPath: string): string {
  try {
    readTls(certPath, keyPath);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
}

const pkcs8 = { type: "pkcs8", format: "pem" } as const;
const otherKey = (passphrase?: string): string =>
  generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export(
    passphrase === undefined ? pkcs8 : { ...pkcs8, cipher: "aes-256-cbc", passphrase },
  );

test("a certificate and its key are read", () => {
  expect(readTls(cert, key)).toEqual({ cert: fixture("cert.pem"), key: fixture("key.pem") });
});

test("a key of something else", () => {
  const other = file("other.pem", otherKey());
  expect(complaint(cert, other)).toBe(
    `--tls-key ${other}: the key does not belong to the (first) certificate in ${cert}`,
  );
});

test("files that hold something else", () => {
  expect(complaint(key, key)).toBe(`--tls-cert ${key}: no certificate (PEM) in it`);
  expect(complaint(cert, cert)).toBe(`--tls-key ${cert}: no private key (PEM) in it`);
  const empty = file("empty.pem", "");
  expect(complaint(empty, key)).toBe(`--tls-cert ${empty}: no certificate (PEM) in it`);
  expect(complaint(cert, empty)).toBe(`--tls-key ${empty}: no private key (PEM) in it`);
});

test("a key that wants a passphrase", () => {
  const locked = file("locked.pem", otherKey("secret"));
  expect(complaint(cert, locked)).toBe(`--tls-key ${locked}: the key is encrypted, give one without a passphrase`);
});
