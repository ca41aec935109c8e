import { expect, test } from "bun:test";
import { tokenCheck } from "./token.ts";

const isRight = tokenCheck("s3cret-token");

test.each([
  ["Bearer s3cret-token", true],
  ["bearer s3cret-token", true],
  ["Bearer   s3cret-token ", true],
  [undefined, false],
  ["", false],
  ["Bearer", false],
  ["Bearer ", false],
  ["s3cret-token", false],
  ["Basic s3cret-token", false],
  ["Bearer s3cret-toke", false],
  ["Bearer s3cret-tokenx", false],
  ["Bearer S3CRET-TOKEN", false],
  ["Bearer s3cret-token extra", false],
])("%p: %p", (header, expected) => {
  expect(isRight(header)).toBe(expected);
});
