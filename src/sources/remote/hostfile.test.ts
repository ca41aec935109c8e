import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { UsageError } from "../../errors.ts";
import { parseHostfile, readTargets } from "./hostfile.ts";
import { endpointId, type Target } from "./target.ts";
import { TargetList } from "./targets.ts";

function targetsOf(text: string, file = "hosts"): Target[] {
  const list = new TargetList();
  parseHostfile(text, file, list);
  return list.targets;
}

const idsOf = (text: string, file?: string): string[] => targetsOf(text, file).map(({ host_id }) => host_id);

function complaint(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "";
}

describe("lines", () => {
  test("hosts, ports, comments, blank lines, Windows line ends", () => {
    expect(idsOf("# all of them\r\n\r\ndgx-01\r\n  dgx-02:9400  # the new one\n10.0.0.3:9100#last\n")).toEqual([
      "dgx-01:9090",
      "dgx-02:9400",
      "10.0.0.3:9100",
    ]);
  });

  test("several on a line, between blanks or commas", () => {
    expect(idsOf("a b:1,c ,  d\n")).toEqual(["a:9090", "b:1", "c:9090", "d:9090"]);
  });

  test("schemes and paths", () => {
    const [plain, secure] = targetsOf("http://A.example:9100/\nhttps://b/federate?match=x\n");
    expect(plain).toMatchObject({ host_id: "a.example:9100", endpoints: [{ scheme: "http", path: null }] });
    expect(secure?.endpoints).toEqual([{ scheme: "https", host: "b", port: 9090, path: "/federate?match=x" }]);
  });

  test("IPv6 in brackets", () => {
    const [one, two] = targetsOf("[fd00::1]:9100\n[::1]\n");
    expect(one).toMatchObject({ host_id: "[fd00::1]:9100", endpoints: [{ host: "fd00::1", port: 9100 }] });
    expect(two?.host_id).toBe("[::1]:9090");
  });

  test("ranges: with zeros in front, of ports, two in one", () => {
    const nodes = idsOf("node-[001-100]:9090\n");
    expect(nodes).toHaveLength(100);
    expect([nodes[0], nodes[8], nodes[99]]).toEqual(["node-001:9090", "node-009:9090", "node-100:9090"]);
    expect(idsOf("n[8-11]")).toEqual(["n8:9090", "n9:9090", "n10:9090", "n11:9090"]);
    expect(idsOf("localhost:[20001-20003]")).toEqual(["localhost:20001", "localhost:20002", "localhost:20003"]);
    expect(idsOf("r[1-2]n[1-2]")).toEqual(["r1n1:9090", "r1n2:9090", "r2n1:9090", "r2n2:9090"]);
  });

  test("lists as schedulers print them: commas and steps between brackets, several brackets", () => {
    const names = (text: string) => idsOf(text).map((id) => id.replace(":9090", ""));
    expect(names("gpu[001-003,020]")).toEqual(["gpu001", "gpu002", "gpu003", "gpu020"]);
    expect(names("gpu[1, 3-4],cpu7 x[9]")).toEqual(["gpu1", "gpu3", "gpu4", "cpu7", "x9"]);
    expect(names("n[1-10/4]")).toEqual(["n1", "n5", "n9"]);
    expect(names("n[001-010/3,2]")).toEqual(["n001", "n004", "n007", "n010", "n2"]);
    expect(names("n[1-3,2-4]")).toEqual(["n1", "n2", "n3", "n4"]);
    expect(names("r[1-2]n[01,03].example:[9100,9400]")).toHaveLength(8);
    expect(idsOf("r[1-2]n[01-16]")).toHaveLength(32);
    expect(idsOf(`n[${Array.from({ length: 2000 }, (_, n) => 2 * n).join(",")}]`)).toHaveLength(2000);
    expect(
      targetsOf("gpu[1,3]=[fd00::1]:[1,3],10.0.0.[1,3]:9400").map(({ host_id, endpoints }) => [
        host_id,
        ...endpoints.map(endpointId),
      ]),
    ).toEqual([
      ["gpu1", "[fd00::1]:1", "10.0.0.1:9400"],
      ["gpu3", "[fd00::1]:3", "10.0.0.3:9400"],
    ]);
  });

  test("hosts that are left out, whatever their port, wherever they stand", () => {
    const names = (text: string) => idsOf(text).map((id) => id.replace(":9090", ""));
    expect(names("gpu[1-4]!gpu[2-3]")).toEqual(["gpu1", "gpu4"]);
    expect(names("gpu[1-4],!gpu2,cpu1")).toEqual(["gpu1", "gpu3", "gpu4", "cpu1"]);
    expect(names("gpu[1-4] -x gpu[1,4],gpu2 cpu1")).toEqual(["gpu3", "cpu1"]);
    expect(names("gpu[1-4] -xgpu[1-2],gpu3")).toEqual(["gpu4"]);
    expect(names("gpu[1-4]=10.0.0.[1-4]:9400 -x gpu[1,3]\n")).toEqual(["gpu2", "gpu4"]);
    expect(names("gpu[1-4]=10.0.0.[1-4]:9400,!gpu1")).toEqual(["gpu2", "gpu3", "gpu4"]);
    expect(names("-x gpu2\ngpu[1-3]:9400\n")).toEqual(["gpu1:9400", "gpu3:9400"]);
    expect(names("a:1 a:2 !a:2")).toEqual(["a:1"]);
    expect(names("gpu[1-2]=10.0.0.[1-2]:9400\n!GPU2\n")).toEqual(["gpu1"]);
    expect(names("a b !nobody")).toEqual(["a", "b"]);
  });

  test("one machine with several exporters", () => {
    expect(targetsOf("dgx-01=dgx-01:9100,dgx-01:9400\n")).toEqual([
      {
        host_id: "dgx-01",
        name: "dgx-01",
        endpoints: [
          { scheme: "http", host: "dgx-01", port: 9100, path: null },
          { scheme: "http", host: "dgx-01", port: 9400, path: null },
        ],
      },
    ]);
  });

  test("a hundred such machines", () => {
    const targets = targetsOf("dgx-[01-20]=10.0.0.[1-20]:9100, 10.0.0.[1-20]:9400\n");
    expect(targets).toHaveLength(20);
    expect(targets[19]?.host_id).toBe("dgx-20");
    expect(targets[19]?.endpoints.map(endpointId)).toEqual(["10.0.0.20:9100", "10.0.0.20:9400"]);
  });
});

describe("what cannot be meant is said with its line", () => {
  test.each([
    ["a\nb:99999\n", 'hosts:2: "b:99999": bad port "99999"'],
    ["a:0\n", 'hosts:1: "a:0": bad port "0"'],
    ["a:\n", 'hosts:1: "a:": bad port ""'],
    ["a:http\n", 'hosts:1: "a:http": bad port "http"'],
    ["\n\nuser@host\n", 'hosts:3: "***@host": no user stands in a host: --token-file holds what it wants'],
    ["u:p@a:1\n", 'hosts:1: "***@a:1": no user stands in a host: --token-file holds what it wants'],
    [
      "gpu=http://u:p%20w@a:1/m\n",
      'hosts:1: "http://***@a:1/m": no user stands in a host: --token-file holds what it wants',
    ],
    [`http://u:p@${"a".repeat(300)}\n`, `hosts:1: "http://***@${"a".repeat(69)}": too long for a host`],
    ["u:p@a[1-999]b[1-999]\n", "hosts:1: ***@a[1-999]b[1-999] is more than 4096"],
    ["=127.0.0.1:1\n", 'hosts:1: "=127.0.0.1:1": "=" is in no host name'],
    ["node-[a-b]:90\n", 'hosts:1: "node-[a-b]:90": a range is one of numbers: node-[001-100]'],
    ["a\0b:1\n", 'hosts:1: "a\0b:1": "\\u0000" is in no host name'],
    ["a:1:2\n", 'hosts:1: "a:1:2": an IPv6 address stands in brackets: [fd00::1]:9090'],
    ["host:1:2\n", 'hosts:1: "host:1:2": bad port "1:2"'],
    ["fd00::1\n", 'hosts:1: "fd00::1": an IPv6 address stands in brackets: [fd00::1]:9090'],
    [":9090\n", 'hosts:1: ":9090": no host'],
    ["ftp://a\n", 'hosts:1: "ftp://a": http:// or https://, not ftp://'],
    ["a:9090\n# x\nA\n", "hosts:3: a:9090 is there already, hosts:1"],
    ["n[1-3]\nn2\n", "hosts:2: n2:9090 is there already, hosts:1"],
    ["x=a:1\nx=b:1\n", "hosts:2: x is there already, hosts:1"],
    ["x=a:1\na:1\n", "hosts:2: a:1 is there already, hosts:1"],
    ["a,@gpu\n", 'hosts:1: "@gpu" is a group: hosts are given by their names, node-[001-100]'],
    ["x=@gpu:all\n", 'hosts:1: "@gpu:all" is a group: hosts are given by their names, node-[001-100]'],
    ["n[1-]\n", "hosts:1: [1-] is no range: node-[001-100,120], node-[1-9/2]"],
    ["n[1,,2]\n", "hosts:1: [1,,2] is no range: node-[001-100,120], node-[1-9/2]"],
    ["n[]\n", "hosts:1: [] is no range: node-[001-100,120], node-[1-9/2]"],
    ["n[1-9/0]\n", "hosts:1: [1-9/0] has a step of 0"],
    ["n[1-3,\n", 'hosts:1: "n[1-3,": a range is one of numbers: node-[001-100]'],
    ["n[1-2000,3001-5098]\n", "hosts:1: [1-2000,3001-5098] is more than 4096"],
    [`${"n[1]".repeat(9)}\n`, `hosts:1: ${"n[1]".repeat(9)} has more than 8 ranges`],
    ["a -x\n", "hosts:1: no host behind -x"],
    ["a -x ,\n", "hosts:1: no host behind the exclusion"],
    ["x=\n", "hosts:1: x: no host behind the ="],
    ["x=a[1-2]\n", "hosts:1: x: 1 names, 2 hosts"],
    ["--format\n", 'hosts:1: "--format": no host name begins with -'],
    ["n[3-1]\n", "hosts:1: [3-1] goes backwards"],
    ["n[1-99999]\n", "hosts:1: [1-99999] is more than 4096"],
    ["n[1-4000]\nm[1-4000]\n", "hosts:2: more than 4096 hosts"],
    [`${"a".repeat(400)}\n`, `hosts:1: "${"a".repeat(80)}": too long for a host`],
    [`${"[1-1]".repeat(100_000)}\n`, `hosts:1: "${"[1-1]".repeat(16)}": too long for a host`],
  ])("%j", (text, message) => {
    expect(complaint(() => targetsOf(text))).toBe(message);
  });

  test("no text whatever makes it fail in another way", () => {
    const characters = fc.constantFrom(...'ab1.:/-[]=#,@% \n"{}');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 40 }), (text) => void complaint(() => targetsOf(text))),
    );
  });
});

describe("file_sd JSON", () => {
  test("targets of all groups, with scheme and path", () => {
    const text = JSON.stringify([
      { targets: ["a:9100", "b"], labels: { env: "prod" } },
      { targets: ["c:443"], labels: { __scheme__: "https", __metrics_path__: "/m" } },
    ]);
    expect(idsOf(text)).toEqual(["a:9100", "b:9090", "c:443/m"]);
    expect(targetsOf(text)[2]?.endpoints[0]?.scheme).toBe("https");
  });

  test.each([
    ["[", "t.json: no JSON"],
    ["{}", "t.json: not a list, as file_sd_configs have it"],
    ['{"a":1}', "t.json: not a list, as file_sd_configs have it"],
    ["[1]", 't.json: group 1: has no "targets"'],
    ['[{"targets":["a"]},{"targets":[3]}]', "t.json: group 2: 3 is no host"],
    ['[{"targets":["a:x"]}]', 't.json: group 1: "a:x": bad port "x"'],
    ['[{"targets":["a","a"]}]', "t.json: group 1: a:9090 is there already, t.json: group 1"],
  ])("%s", (text, message) => {
    expect(complaint(() => targetsOf(text, "t.json"))).toStartWith(message);
  });

  test("an object is none, whatever the file is called", () => {
    expect(complaint(() => targetsOf('{"a":1}'))).toBe("hosts: not a list, as file_sd_configs have it");
  });

  test("a line that begins with an IPv6 address is none", () => {
    expect(idsOf("[fd00::1]:9090")).toEqual(["[fd00::1]:9090"]);
  });
});

describe("files and options", () => {
  const folder = mkdtempSync(join(tmpdir(), "all-smi-hosts-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  const fileOf = (text: string): string => {
    const path = join(folder, "hosts");
    writeFileSync(path, text);
    return path;
  };

  test("both, in this order", () => {
    const ids = readTargets(["a,b", "c"], fileOf("d\n")).map(({ host_id }) => host_id);
    expect(ids).toEqual(["a:9090", "b:9090", "c:9090", "d:9090"]);
  });

  test("those of --exclude are left out of both; nobody is left, which is said", () => {
    const ids = readTargets(["a[1-3,5]"], fileOf("d a4\n"), ["a[2-4]", "d"]).map(({ host_id }) => host_id);
    expect(ids).toEqual(["a1:9090", "a5:9090"]);
    expect(complaint(() => readTargets(["a"], undefined, ["a"]))).toBe("no host: all that are named are left out");
    expect(complaint(() => readTargets([], fileOf("a!a\n")))).toBe("no host: all that are named are left out");
  });

  test("a file without a host, none, one that is a folder", () => {
    const empty = fileOf("# nobody yet\n");
    expect(complaint(() => readTargets([], empty))).toBe(`${empty}: no host in it`);
    expect(complaint(() => readTargets([], join(folder, "none")))).toEndWith("none: no such file or directory");
    expect(complaint(() => readTargets([], folder))).toEndWith("is a directory");
    expect(complaint(() => readTargets([], undefined))).toBe("no host: give --hosts or --hostfile");
  });

  test("what never ends is none", () => {
    expect(complaint(() => readTargets([], "/dev/zero"))).toBe(
      "/dev/zero: more than 10485760 bytes are no list of hosts",
    );
  });

  test("a host that is in both", () => {
    const path = fileOf("a:9090\n");
    expect(complaint(() => readTargets(["a"], path))).toBe(`${path}:1: a:9090 is there already, --hosts`);
  });

  test("~ is the home folder", () => {
    expect(complaint(() => readTargets([], "~"))).toBe("~: is a directory");
    expect(complaint(() => readTargets([], "~nobody/hosts"))).toBe("~nobody/hosts: no such file or directory");
  });
});

test("a host with a control character is refused, in lines and in JSON", () => {
  const refused = "a control character is in no host name";
  expect(() => parseHostfile("a:1/x\u001b[31m", "hosts", new TargetList())).toThrow(refused);
  expect(() => parseHostfile("a\u202e=b:1", "hosts", new TargetList())).toThrow(refused);
  const json = JSON.stringify([{ targets: ["a:1"], labels: { __metrics_path__: "/\u0007" } }]);
  expect(() => parseHostfile(json, "hosts.json", new TargetList())).toThrow(refused);
});
