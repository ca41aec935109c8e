import { renameSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";

/** Run by itself: machines that serve more than anybody can read. Their ports are written into the file that is named. */

const HEAD = "HTTP/1.1 200 OK\r\n";
const MANY = 1_000_000;
const DEVICES = 100_000;

/** As fast as it is taken, until the other end is closed. */
function pour(socket: Socket, next: () => string): void {
  if (socket.destroyed) return;
  if (socket.write(next())) setImmediate(pour, socket, next);
  else socket.once("drain", () => pour(socket, next));
}

let names = 0;

/** A page without end, of names that nobody has had before. */
const page = (line: (name: number) => string) => (socket: Socket) => {
  socket.write(`${HEAD}\r\n`);
  pour(socket, () => Array.from({ length: 500 }, () => line(names++)).join(""));
};

const whole = (body: string) => (socket: Socket) =>
  socket.write(`${HEAD}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

function frame(section: string, count: number, device: (n: number) => string): string {
  const devices = Array.from({ length: count }, (_, n) => device(n)).join(",");
  return `{"schema":1,"t":"2026-04-18T12:00:00Z","seq":1,"hostname":"h","${section}":[${devices}]}`;
}

const words = Array.from({ length: DEVICES }, (_, n) => `"${n}":"x"`).join(",");

const HOSTS: Readonly<Record<string, (socket: Socket) => unknown>> = {
  series: page((n) => `DCGM_FI_DEV_GPU_UTIL{gpu="${n}",UUID="GPU-${n}"} 1\n`),
  labels: page((n) => `DCGM_FI_DEV_GPU_UTIL{gpu="0",${`l${n}="${n}",`.repeat(90)}} 1\n`),
  instances: page((n) => `all_smi_mig_instance_utilization_gpu{gpu_uuid="a",gpu_index="0",mig_uuid="${n}"} 5\n`),
  digits: page(() => `DCGM_FI_DEV_GPU_UTIL{gpu="0"} ${"1".repeat(60_000)}x\n`),
  text: whole(`DCGM_FI_DEV_GPU_UTIL{gpu="0",modelName="${"\\".repeat(MANY)}"} 1\n`),
  gpus: whole(frame("gpus", DEVICES, (n) => `{"uuid":"${n}","name":"g","index":${n}}`)),
  // Just what may be read.
  fewer_gpus: whole(frame("gpus", DEVICES / 3, (n) => `{"uuid":"${n}","name":"g","index":${n}}`)),
  processes: whole(frame("processes", DEVICES, (n) => `{"pid":${n},"uses_gpu":true,"command":"c${n}"}`)),
  command: whole(frame("processes", 1, () => `{"pid":1,"uses_gpu":true,"command":"${"a".repeat(MANY)}"}`)),
  deep: whole(`{"schema":1,"gpus":${"[".repeat(MANY)}`),
  details: whole(frame("gpus", 1, () => `{"detail":{${words}}}`)),
  continues: (socket) => pour(socket, () => "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000)),
  headers: (socket) => {
    socket.write(HEAD);
    pour(socket, () => "X: y\r\n".repeat(1000));
  },
  pieces: (socket) => {
    socket.write(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    pour(socket, () => "1\r\na\r\n".repeat(1000));
  },
};

const ports = await Promise.all(
  Object.entries(HOSTS).map(async ([name, answer]) => {
    const server = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => void answer(socket));
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", resolve);
    await promise;
    const address = server.address();
    return [name, typeof address === "object" ? address?.port : null];
  }),
);
const path = process.argv[2] ?? "";
writeFileSync(`${path}.new`, JSON.stringify(Object.fromEntries(ports)));
renameSync(`${path}.new`, path);
