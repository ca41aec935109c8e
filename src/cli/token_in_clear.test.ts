import { expect, test } from "bun:test";
import { TargetList } from "../sources/remote/targets.ts";
import { tokenInClear } from "./token_in_clear.ts";

function wordsFor(...lines: string[]): string | null {
  const list = new TargetList();
  for (const line of lines) list.addLine(line, "--hosts");
  return tokenInClear(list.targets);
}

test("plain HTTP to another machine shows the token to the network", () => {
  expect(wordsFor("dgx-01")).toBe("the token passes the network in the clear to dgx-01:9090: https:// encrypts it");
  expect(wordsFor("https://dgx-01", "gpu=https://dgx-02,http://dgx-02:9400", "10.0.0.7", "localhost")).toContain(
    " to 2 of 4 hosts: ",
  );
});

test("TLS does not, nor does what stays on this machine", () => {
  expect(wordsFor("https://dgx-01", "localhost", "127.0.0.1:9400", "http://[::1]:9090/snapshot")).toBeNull();
});
