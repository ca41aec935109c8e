import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { Tls } from "../api/listen.ts";
import { errorCode, UsageError } from "../errors.ts";
import { readSecretFile, readTextFile } from "./secret_file.ts";

/** A certificate chain and its private key. Throws a UsageError that names the file with which something is wrong. */
export function readTls(certPath: string, keyPath: string): Tls {
  const tls = { cert: readTextFile("--tls-cert", certPath), key: readSecretFile("--tls-key", keyPath) };
  if (!certificate(tls.cert, certPath).checkPrivateKey(privateKey(tls.key, keyPath))) {
    throw new UsageError(`--tls-key ${keyPath}: the key does not belong to the (first) certificate in ${certPath}`);
  }
  return tls;
}

function certificate(pem: string, path: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new UsageError(`--tls-cert ${path}: no certificate (PEM) in it`);
  }
}

function privateKey(pem: string, path: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    const needsPassphrase = errorCode(error) === "ERR_MISSING_PASSPHRASE";
    const words = needsPassphrase
      ? "the key is encrypted, give one without a passphrase"
      : "no private key (PEM) in it";
    throw new UsageError(`--tls-key ${path}: ${words}`);
  }
}
