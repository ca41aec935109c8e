import { UsageError } from "../../src/errors.ts";
import { parseHostfile } from "../../src/sources/remote/hostfile.ts";
import { TargetList } from "../../src/sources/remote/targets.ts";
import type { Chance } from "./chance.ts";
import type { Fuzzed } from "./kind.ts";
import { DANGEROUS } from "./sound.ts";
import { mutatedText } from "./text_mutations.ts";

const MOST_BYTES = 1 << 20;
const LONGEST_MESSAGE = 2000;

const SAMPLES = [
  "node-[001-100]:9090\nhttps://dgx-07.example.invalid:9443\ndgx-01=dgx-01:9100,dgx-01:9400 # two\n",
  "gpu[001-003,020] r[1-2]n[01-16]:9400\na[1-10/2]\n[::1]:9090 [fe80::1]\n",
  "a, b,c d\thttp://u:p@e:1/metrics?x=y\n\n# nothing\n10.0.0.1\n",
  '[{"targets":["a:9100","b:9400"],"labels":{"job":"gpu","__metrics_path__":"/m"}},{"targets":["c"]}]',
].map((text) => Buffer.from(text));

/** Lists of hosts, in lines and as JSON for Prometheus. */
export const openHostfiles = async (): Promise<Fuzzed> => ({
  runCase: async (chance: Chance) =>
    parse(mutatedText(SAMPLES, MOST_BYTES, chance).toString(), chance.pick(["hosts", "hosts.json"])),
  most_ms: 500,
  [Symbol.dispose]: () => {},
});

function parse(text: string, file: string): string {
  const list = new TargetList();
  try {
    parseHostfile(text, file, list);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    // Whoever prints it cleans it.
    if (error.message.length > LONGEST_MESSAGE)
      throw new Error(
        `a message has ${error.message.length} characters: ${error.message.slice(0, 100)}…${error.message.slice(-100)}`,
      );
    return "refused";
  }
  for (const { host_id } of list.targets) {
    if (DANGEROUS.test(host_id)) throw new Error(`a host is called ${JSON.stringify(host_id)}`);
  }
  return list.targets.length === 0 ? "empty" : "understood";
}
