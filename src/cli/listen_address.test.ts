import { expect, test } from "bun:test";
import { listenAddress } from "./listen_address.ts";

test.each([
  ["127.0.0.1", "127.0.0.1", null],
  ["0.0.0.0:9100", "0.0.0.0", 9100],
  ["node-1.example.org:80", "node-1.example.org", 80],
  ["::", "::", null],
  ["fd00::1", "fd00::1", null],
  ["[::1]", "::1", null],
  ["[::1]:65535", "::1", 65_535],
  [":9100", "0.0.0.0", 9100],
])("%s", (text, hostname, port) => {
  expect(listenAddress(text)).toEqual({ hostname, port });
});

test.each([
  ...["", ":", "a:", "a:b", "a:0", "a:65536", "a:123456", "[]:1", "[a]:1", "[1.2.3.4]:1", "[::1", "::1]:2", "a b"],
  ...["http://a", "a/b", "1:2:3", "[::1]9090", "a:-1", " "],
])("%j is refused", (text) => {
  expect(() => listenAddress(text)).toThrow(/^Give host|^A port/);
});
