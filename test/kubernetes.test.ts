import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../package.json";
import { parseHostfile } from "../src/sources/remote/hostfile.ts";
import { TargetList } from "../src/sources/remote/targets.ts";

const project = join(import.meta.dir, "..");
const text = readFileSync(join(project, "packaging/kubernetes.yaml"), "utf8");

/** As far as these tests look at it. */
interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly selector?: { readonly matchLabels: object };
    readonly template?: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
  };
}

interface Pod {
  readonly containers: readonly Container[];
  readonly volumes: readonly Volume[];
}

interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly readinessProbe?: Probe;
  readonly livenessProbe?: Probe;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Volume {
  readonly name: string;
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  readonly configMap?: { readonly name: string };
  readonly persistentVolumeClaim?: { readonly claimName: string };
}

const resources = Bun.YAML.parse(text) as readonly Resource[];
const named = (kind: string, name: string): Resource => {
  const found = resources.filter((one) => one.kind === kind && one.metadata.name === name);
  expect([kind, name, found.length]).toEqual([kind, name, 1]);
  return found[0] as Resource;
};
const pods = resources.flatMap(({ spec }) => (spec?.template ? [spec.template.spec] : []));
const containers = pods.flatMap((pod) => pod.containers.map((container) => ({ pod, container })));

/** `--name=value`, by name. */
const optionsOf = ({ args }: Container): Map<string, string> =>
  new Map(args.slice(1).map((arg) => /^(--[a-z-]+)=(.*)$/.exec(arg)?.slice(1) as [string, string]));

test("every resource is in the namespace that is made, and selects its own pods", () => {
  expect(resources.map(({ kind }) => kind).sort()).toEqual(
    ["ConfigMap", "DaemonSet", "Deployment", "Namespace", "PersistentVolumeClaim", "Secret"].sort(),
  );
  for (const { kind, metadata, spec } of resources) {
    if (kind !== "Namespace") named("Namespace", metadata.namespace ?? "");
    if (spec?.template) expect(spec.template.metadata.labels).toEqual(spec.selector?.matchLabels as object);
  }
});

test("what a container is started with are options of its command", () => {
  expect(containers.map(({ container }) => container.args[0])).toEqual(["api", "record"]);
  for (const { container } of containers) {
    expect(container.image).toEndWith(`:${version}`);
    const command = [process.execPath, "--config=/dev/null", join(project, "src/cli/main.ts")];
    const help = Bun.spawnSync([...command, container.args[0] ?? "", "--help"]).stdout.toString();
    for (const option of optionsOf(container).keys()) expect(help).toMatch(new RegExp(`\\${option} [<[]`));
  }
});

test("every file that an option names is in a volume that is mounted and there", () => {
  for (const { pod, container } of containers) {
    const paths = [...optionsOf(container).values()].filter((value) => value.startsWith("/"));
    expect(paths.length).toBeGreaterThan(1);
    for (const path of paths) {
      const mount = container.volumeMounts.find(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`));
      const volume = pod.volumes.find(({ name }) => name === mount?.name);
      expect([path, volume?.name]).toEqual([path, mount?.name ?? "no mount"]);
      const file = path.slice((mount?.mountPath.length ?? 0) + 1);
      if (volume?.secret)
        expect(Object.keys(named("Secret", volume.secret.secretName).stringData ?? {})).toContain(file);
      if (volume?.configMap) expect(Object.keys(named("ConfigMap", volume.configMap.name).data ?? {})).toContain(file);
      if (volume?.persistentVolumeClaim) named("PersistentVolumeClaim", volume.persistentVolumeClaim.claimName);
    }
  }
});

test("the token is not for everybody, and probes ask what anybody may", () => {
  for (const { volumes } of pods) {
    const modes = volumes.flatMap(({ secret }) => (secret ? [secret.defaultMode & 0o027] : []));
    expect(modes).toEqual([0]);
  }
  const api = containers[0]?.container;
  const port = api?.ports?.[0];
  expect(optionsOf(api as Container).get("--port")).toBe(String(port?.containerPort));
  for (const probe of [api?.readinessProbe, api?.livenessProbe]) {
    expect(probe?.httpGet.port).toBe(port?.name as string);
    expect(probe?.httpGet.path).toStartWith("/-/");
  }
});

test("the hosts are those of a host file, on the port that is served", () => {
  const list = new TargetList();
  parseHostfile(named("ConfigMap", "all-smi").data?.hosts ?? "", "hosts", list);
  expect(list.targets).toHaveLength(100);
  const port = Number(optionsOf(containers[0]?.container as Container).get("--port"));
  for (const { endpoints } of list.targets) expect(endpoints[0]?.port).toBe(port);
});
