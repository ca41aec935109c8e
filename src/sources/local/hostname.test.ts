import { expect, test } from "bun:test";
import { openMachine } from "../../../test/fixtures/machines/make.ts";
import { MachineName, readHostname } from "./hostname.ts";
import { machineKey } from "./machine_key.ts";

test("the configured name, without comments; one that is none is passed over; nothing unclean is in it", () => {
  using machine = openMachine(null);
  machine.write("/proc/sys/kernel/hostname", "(none)\n");
  machine.write("/etc/hostname", "# of this rack\n\n node7 \nmore\n");
  expect(readHostname(machine.root)).toBe("node7");
  machine.write("/etc/hostname", "\u001b[2Jnode\n");
  expect(readHostname(machine.root)).toBe(" [2Jnode");
  machine.write("/etc/hostname", "(none)\n");
  machine.write("/proc/sys/kernel/hostname", "late\n");
  expect(readHostname(machine.root)).toBe("late");
});

test("a name that is given stays; another one is followed in the same object", async () => {
  using machine = openMachine(null);
  machine.write("/etc/hostname", "localhost\n");
  const [given, own] = [new MachineName(machine.root, "mine"), new MachineName(machine.root)];
  const { identity } = own;
  machine.write("/etc/hostname", "node7\n");
  while (own.now() !== "node7") await Bun.sleep(20);
  expect(identity).toEqual({ host_id: "node7", hostname: "node7", instance: "node7" });
  expect(given.now()).toBe("mine");
});

test("a machine is told by a hash of its id, where it has one", () => {
  using machine = openMachine(null);
  expect(machineKey(machine.root)).toBeNull();
  machine.write("/var/lib/dbus/machine-id", "0123456789abcdef0123456789abcdef\n");
  // printf 'all-smi recording' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0123456789abcdef0123456789abcdef
  expect(machineKey(machine.root)).toBe("33b4b3e319dc32852a91f9b3e406d747");
  machine.write("/etc/machine-id", "uninitialized\n");
  expect(machineKey(machine.root)).toBe("33b4b3e319dc32852a91f9b3e406d747");
  machine.write("/etc/machine-id", `${"0".repeat(32)}\n`);
  machine.write("/var/lib/dbus/machine-id", null);
  expect(machineKey(machine.root)).toBeNull();
});
