/** One-letter options cannot be told by their name: which of them carry a password depends on the program. */

interface ProgramOptions {
  readonly programs: readonly string[];
  /** Without the dash. */
  readonly letters: string;
  /** `joined`: the value is only ever part of the same argument (`mysql -pX`; a lone `-p` asks for it). */
  readonly value: "joined" | "either";
  /** Long options and words whose next argument is the secret. */
  readonly long?: readonly string[];
  /** The letters mean a password only where this word is among the arguments: `docker run -p` is a port. */
  readonly subcommand?: string;
}

const programOptions: readonly ProgramOptions[] = [
  { programs: ["sshpass"], letters: "p", value: "either" },
  {
    programs: [
      "mysql",
      "mysqldump",
      "mysqladmin",
      "mysqlimport",
      "mariadb",
      "mariadb-dump",
      "mariadb-admin",
      "xtrabackup",
    ],
    letters: "p",
    value: "joined",
  },
  { programs: ["7z", "7za", "7zr", "rar", "unrar"], letters: "p", value: "joined" },
  { programs: ["mongo", "mongosh", "mongodump", "mongorestore"], letters: "p", value: "either" },
  { programs: ["redis-cli", "valkey-cli"], letters: "a", value: "either" },
  { programs: ["curl"], letters: "uUb", value: "either", long: ["--user", "--proxy-user"] },
  { programs: ["http", "https"], letters: "a", value: "either" },
  { programs: ["ldapsearch", "ldapadd", "ldapmodify", "ldapwhoami", "ldapdelete"], letters: "w", value: "either" },
  { programs: ["ipmitool", "sqlcmd", "bcp", "zip", "unzip"], letters: "P", value: "either" },
  { programs: ["ipmipower", "ipmi-sensors", "ipmi-sel", "ipmi-dcmi", "bmc-info"], letters: "p", value: "either" },
  { programs: ["smbclient", "rpcclient"], letters: "U", value: "either" },
  { programs: ["snmpwalk", "snmpbulkwalk", "snmpget"], letters: "cAX", value: "either" },
  { programs: ["cqlsh", "rdesktop", "ncftp", "useradd", "usermod"], letters: "p", value: "either" },
  { programs: ["twine"], letters: "p", value: "either", subcommand: "upload" },
  { programs: ["wandb", "vault"], letters: "", value: "either", subcommand: "login", long: ["login"] },
  { programs: ["ngrok"], letters: "", value: "either", subcommand: "authtoken", long: ["authtoken", "add-authtoken"] },
  {
    programs: ["docker", "podman", "nerdctl", "helm", "skopeo", "oras", "buildah", "az", "oc"],
    letters: "p",
    value: "either",
    subcommand: "login",
  },
];

const byProgram = new Map(
  programOptions.flatMap((options) => options.programs.map((name) => [name, options] as const)),
);

const LONGEST_PROGRAM = Math.max(...[...byProgram.keys()].map((name) => name.length));
const programName = /[^/;|&(`]*$/;

/** The options of the program that this argument names, if it names one: also behind `sudo`, `&&` or a path. */
export function optionsOfProgram(argument: string, words: ReadonlySet<string>): ProgramOptions | null {
  const end = argument.slice(-LONGEST_PROGRAM - 1);
  const options = byProgram.get(programName.exec(end)?.[0] ?? "") ?? null;
  return options?.subcommand !== undefined && !words.has(options.subcommand) ? null : options;
}

/**
 * What such an argument becomes: `masked` where it carries the password itself, `next` where the next one does,
 * `null` where it is another argument.
 */
export function maskOption(argument: string, options: ProgramOptions): { masked: string } | "next" | null {
  if (options.long?.includes(argument)) return "next";
  if (argument[0] !== "-" || argument.length < 2 || argument[1] === "-") return null;
  if (options.letters.includes(argument[1] ?? "") && argument.length > 2)
    return { masked: `${argument.slice(0, 2)}***` };
  const isCluster = /^-[A-Za-z0-9]+$/.test(argument) && options.letters.includes(argument.at(-1) ?? "");
  return isCluster && options.value === "either" ? "next" : null;
}
