import { readFileSync } from "node:fs";

const SIGHUP = 1;
/** What a shell reports for a program that a signal ended. */
const exitStatus: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Whether a signal was ignored when this program started, as `nohup` has it. */
function isIgnored(signal: number): boolean {
  try {
    const mask = /^SigIgn:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
    return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}

/**
 * The one signal by which everything stops. SIGINT and SIGTERM abort it; a second one ends the program at once. SIGHUP
 * does the same on a terminal, is left alone where it was ignored at the start, and otherwise (a service, logrotate)
 * calls `onHangup`.
 */
export function stopSignal(onHangup: () => void): AbortSignal {
  const stop = new AbortController();
  const onStop = (name: NodeJS.Signals) => {
    if (stop.signal.aborted) process.exit(exitStatus[name]);
    stop.abort();
  };
  process.on("SIGINT", onStop);
  process.on("SIGTERM", onStop);
  if (!isIgnored(SIGHUP)) process.on("SIGHUP", isOnTerminal() ? onStop : onHangup);
  return stop.signal;
}

const isOnTerminal = (): boolean => Boolean(process.stdin.isTTY || process.stderr.isTTY);
