import { expect, test } from "bun:test";
import { allowedHost, hostCheck, isLoopbackHost } from "./host_check.ts";

const isAnswered = hostCheck(["proxy.example.invalid", "[fd00::1]"]);

test("this machine's own names and those that were named are answered, with any port", () => {
  const headers = [
    ...["localhost", "localhost:9090", "LOCALHOST.", "localhost.:80", "a.b.localhost", "node-1.localhost:9090"],
    ...["127.0.0.1", "127.0.0.1:9090", "127.255.3.4", "[::1]", "[::1]:9090", "[0:0:0:0:0:0:0:1]:1"],
    ...["[::ffff:127.0.0.1]", "proxy.example.invalid", "PROXY.example.invalid:443", "proxy.example.invalid."],
    "[FD00::1]:9090",
  ];
  expect(headers.filter((header) => !isAnswered(header))).toEqual([]);
});

test("so is who sends none, which no browser does", () => expect(isAnswered(undefined)).toBe(true));

test("others are not", () => {
  const headers = [
    ...[
      "",
      " ",
      "evil.invalid",
      "evil.invalid:9090",
      "localhost.evil.invalid",
      "notlocalhost",
      "localhost@evil.invalid",
    ],
    ...["127.0.0.1.evil.invalid", "128.0.0.1", "10.0.0.1:9090", "0.0.0.0", "[::]", "[fd00::2]", "127.0.0.1:9090:1"],
    ...["localhost, evil.invalid", "localhost/", "localhost#", "local\u017fhost", "127.0.0.1\0", "[::1", "::2"],
    ...["sub.proxy.example.invalid", ...["a", ".", "[", ":"].map((one) => one.repeat(1_000_000))],
  ];
  expect(headers.filter(isAnswered)).toEqual([]);
});

test("a host to be answered is one without a port", () => {
  expect(["Proxy.invalid", "10.0.0.1", "fd00::1", "[FD00::1]", "a.invalid."].map(allowedHost)).toEqual([
    ...["proxy.invalid", "10.0.0.1", "[fd00::1]", "[fd00::1]", "a.invalid"],
  ]);
  expect(["", "a:1", "[::1]:1", "http://a", "*", "a b"].map(allowedHost)).toEqual(Array(6).fill(null));
});

test("an address that is a listener's is told with and without brackets", () => {
  expect(["::1", "[::1]", "127.0.0.53", "localhost"].every(isLoopbackHost)).toBe(true);
  expect(["::", "0.0.0.0", "192.168.0.1", "fe80::1", "node"].some(isLoopbackHost)).toBe(false);
});
