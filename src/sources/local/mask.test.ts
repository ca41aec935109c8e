import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { maskArguments } from "./mask.ts";

const masked: readonly (readonly [string[], string[]])[] = [
  [
    ["run", "--token=abc"],
    ["run", "--token=***"],
  ],
  [
    ["run", "--token", "abc", "--port", "80"],
    ["run", "--token", "***", "--port", "80"],
  ],
  [
    ["run", "--password", "two words; and more"],
    ["run", "--password", "***"],
  ],
  [
    ["run", "--password=two words"],
    ["run", "--password=***"],
  ],
  [
    ["run", "--token", "-abc_1"],
    ["run", "--token", "***"],
  ],
  [
    ["env", "TOKEN=a b", "AWS_SECRET_ACCESS_KEY=x/y+z", "python"],
    ["env", "TOKEN=***", "AWS_SECRET_ACCESS_KEY=***", "python"],
  ],
  [
    ["run", "token:abc", "password : abc"],
    ["run", "token:***", "password : ***"],
  ],
  // Looks like a URL, and may as well be a password that begins with slashes.
  [
    ["run", "password://abc", "x,token://abc"],
    ["run", "password:***", "x,token:***"],
  ],
  [
    ["docker", "run", "-e", "API_KEY=x", "-eAPI_KEY=x", "--env=API_KEY=x"],
    ["docker", "run", "-e", "API_KEY=***", "-eAPI_KEY=***", "--env=API_KEY=***"],
  ],
  [
    ["helm", "--set=db.password=x", "--set", "a.b=1"],
    ["helm", "--set=db.password=***", "--set", "a.b=1"],
  ],
  [
    ["java", "-Ddb.password=x", "-Xmx4g"],
    ["java", "-Ddb.password=***", "-Xmx4g"],
  ],
  [
    ["openssl", "rsa", "-passin", "pass:x"],
    ["openssl", "rsa", "-passin", "***"],
  ],
  [
    ["xfreerdp", "/v:host", "/password:x"],
    ["xfreerdp", "/v:host", "/password:***"],
  ],
  // Headers
  [
    ["curl", "-H", "Authorization: Bearer abc"],
    ["curl", "-H", "Authorization: ***"],
  ],
  [
    ["curl", "-HX-Api-Key: abc"],
    ["curl", "-HX-Api-Key: ***"],
  ],
  [
    ["curl", "--header=Authorization: Basic abc"],
    ["curl", "--header=Authorization: ***"],
  ],
  [
    ["curl", "-H", "X-Own: Bearer abc"],
    ["curl", "-H", "X-Own: Bearer ***"],
  ],
  [
    ["title", "-H Authorization: Bearer abc -v"],
    ["title", "-H Authorization: *** *** -v"],
  ],
  // Options whose letter says nothing
  [
    ["mysql", "-uroot", "-psecret", "-p", "db"],
    ["mysql", "-uroot", "-p***", "-p", "db"],
  ],
  [
    ["/usr/bin/mysqldump", "-psecret"],
    ["/usr/bin/mysqldump", "-p***"],
  ],
  [
    ["sshpass", "-p", "a b", "ssh", "-p", "22", "h"],
    ["sshpass", "-p", "***", "ssh", "-p", "***", "h"],
  ],
  [
    ["sudo", "redis-cli", "-a", "x", "ping"],
    ["sudo", "redis-cli", "-a", "***", "ping"],
  ],
  [
    ["curl", "-sSu", "user:x", "https://h"],
    ["curl", "-sSu", "***", "https://h"],
  ],
  [
    ["curl", "--user", "user:x"],
    ["curl", "--user", "***"],
  ],
  [
    ["ipmitool", "-H", "bmc", "-U", "admin", "-P", "x"],
    ["ipmitool", "-H", "bmc", "-U", "admin", "-P", "***"],
  ],
  [
    ["docker", "login", "-u", "me", "-p", "x"],
    ["docker", "login", "-u", "me", "-p", "***"],
  ],
  // JSON and the like
  [
    ["run", '{"user":"me","password":"a \\"b\\" c","n":1}'],
    ["run", '{"user":"me","password":"***","n":1}'],
  ],
  [
    ["run", '{"password": 1234, "n": 1}'],
    ["run", '{"password": ***, "n": 1}'],
  ],
  [
    ["run", "{'api_key': 'x y', 'n': 1}"],
    ["run", "{'api_key': '***', 'n': 1}"],
  ],
  [
    ["run", '--data={"token":"x"}'],
    ["run", '--data={"token":"***"}'],
  ],
  [
    ["run", '{"tokens":["a","b"],"api_keys":["a","b"]}'],
    ["run", '{"tokens":["a","b"],"api_keys":***'],
  ],
  [
    ["mount", "-o", "username=me,password=a,b;c"],
    ["mount", "-o", "username=me,password=***"],
  ],
  [
    ["run", "Server=h;User=me;Password=x"],
    ["run", "Server=h;User=me;Password=***"],
  ],
  [
    ["psql", "host=h user=me password='a b' dbname=d"],
    ["psql", "host=h user=me password=*** dbname=d"],
  ],
  // URLs
  [
    ["psql", "postgres://me:secret@db:5432/x"],
    ["psql", "postgres://me:***@db:5432/x"],
  ],
  [
    ["run", "--url=redis://:secret@h:1"],
    ["run", "--url=redis://:***@h:1"],
  ],
  [
    ["run", "amqp://u:p@ss@h/v"],
    ["run", "amqp://u:***@h/v"],
  ],
  [
    ["run", "amqp://u:p/a?s#s@h/v"],
    ["run", "amqp://u:***@h/v"],
  ],
  [
    ["run", "mongodb://u:p@h1,mongodb://v:q@h2"],
    ["run", "mongodb://u:***@h1,mongodb://v:***@h2"],
  ],
  [
    ["run", "http://a/,http://v:q@h2"],
    ["run", "http://a/,http://v:***@h2"],
  ],
  [
    ["git", "clone", "https://sometoken@github.com/a/b"],
    ["git", "clone", "https://***@github.com/a/b"],
  ],
  [
    ["git", "clone", "git+https://sometoken@github.com/a/b"],
    ["git", "clone", "git+https://***@github.com/a/b"],
  ],
  [
    ["curl", "https://h/p?a=1&api_key=x&b=2#token=y"],
    ["curl", "https://h/p?a=1&api_key=***&b=2#token=***"],
  ],
  [
    ["curl", "https://h/p?sv=1&sig=x%3D&se=2"],
    ["curl", "https://h/p?sv=1&sig=***&se=2"],
  ],
  [
    ["curl", "-d", "user=me&password=x&n=1"],
    ["curl", "-d", "user=me&password=***&n=1"],
  ],
  // A command line in an argument
  [
    ["sh", "-c", "cd /x; TOKEN=abc exec run --epochs 3"],
    ["sh", "-c", "cd /x; TOKEN=*** exec run --epochs 3"],
  ],
  [
    ["sh", "-c", "run --token 'a b' --epochs 3"],
    ["sh", "-c", "run --token '***' --epochs 3"],
  ],
  [
    ["sh", "-c", 'run --token="a b" --epochs 3'],
    ["sh", "-c", "run --token=*** --epochs 3"],
  ],
  [
    ["sh", "-c", "true&&mysql -psecret db"],
    ["sh", "-c", "true&&mysql -p*** db"],
  ],
  [
    ["sh", "-c", `ssh h 'curl -H "Authorization: Bearer abc" u'`],
    ["sh", "-c", `ssh h 'curl -H "Authorization: ***" u'`],
  ],
  [
    ["sh", "-c", "(PASSWORD=x run)"],
    ["sh", "-c", "(PASSWORD=*** run)"],
  ],
  [["run --token abc --port 80"], ["run --token *** --port 80"]],
  [
    [`${"X".repeat(80)}_PASSWORD=abc`, `--${"x".repeat(80)}-token`, "abc", `{"${"k".repeat(90)}_token":"abc"}`],
    [`${"X".repeat(80)}_PASSWORD=***`, `--${"x".repeat(80)}-token`, "***", `{"${"k".repeat(90)}_token":"***"}`],
  ],
  [
    ["python", "train.py", "+model.token=abc", "++wandb.api_key=abc", "~token=abc", "@token=abc"],
    ["python", "train.py", "+model.token=***", "++wandb.api_key=***", "~token=***", "@token=***"],
  ],
  [
    ["TOKEN+=abc", "TOKEN?=abc", "TOKEN[0]=abc", "users[token]=abc", "http://h/?a=b&token[]=abc"],
    ["TOKEN+=***", "TOKEN?=***", "TOKEN[0]=***", "users[token]=***", "http://h/?a=b&token[]=***"],
  ],
  [
    ["python", "-c", "import os;os.environ['HF_TOKEN']='abc';client(api_key='abc')"],
    ["python", "-c", "import os;os.environ[HF_TOKEN]=***;client(api_key=***"],
  ],
  [
    ["curl", "-H", "Authorization:Bearer", "abc", "http://h"],
    ["curl", "-H", "Authorization:Bearer", "***", "http://h"],
  ],
  [["curl -H Authorization:Bearer abc http://h"], ["curl -H Authorization:Bearer *** http://h"]],
  [
    ["git", "clone", "https://abc:x-oauth-basic@github.com/x"],
    ["git", "clone", "https://***@github.com/x"],
  ],
  [
    ["run", '{"env":[{"name":"DB_PASSWORD","value":"abc"}]}'],
    ["run", '{"env":[{"name":"DB_PASSWORD","value":"***"}]}'],
  ],
  [
    ["run", '["--password","abc"]', '["password","abc"]'],
    ["run", '["--password","***"]', '["password","***"]'],
  ],
  [
    ["wandb", "login", "abc"],
    ["wandb", "login", "***"],
  ],
  [
    ["az", "login", "-u", "me", "-p", "abc"],
    ["az", "login", "-u", "me", "-p", "***"],
  ],
  [
    ["run", "--password", "", "abc"],
    ["run", "--password", "", "***"],
  ],
  [
    ["spark", "fs.azure.account.key.x.blob.core.windows.net=abc"],
    ["spark", "fs.azure.account.key.x.blob.core.windows.net=***"],
  ],
  [
    ["sh", "-c", "don't --token=abc x"],
    ["sh", "-c", "dont --token=*** x"],
  ],
];

const shapes = [
  `ghp_${"a1B2".repeat(9)}`,
  `github_pat_${"a1_B2".repeat(9)}`,
  `glpat-${"a1-B2".repeat(4)}`,
  `sk-proj-${"a1_B".repeat(8)}`,
  `hf_${"aBcD".repeat(8)}`,
  `nvapi-${"a1-B".repeat(8)}`,
  "AKIAIOSFODNN7EXAMPLE",
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl-_",
  "xoxb-1234567890-abcdef",
];

const harmless: readonly string[][] = [
  ["vllm", "serve", "m", "--tokenizer", "x", "--max-tokens", "4096", "--num-key-value-heads", "8", "--key-frame", "3"],
  ["python", "train.py", "--pad-token", "<pad>", "--sort-key=name", "--keyboard", "us", "lr=0.1", "data.path=/x"],
  ["docker", "run", "-p", "8080:80", "-v", "/a:/b:ro", "nginx"],
  ["ssh", "-p", "22", "git@github.com", "ps -ef | grep x"],
  ["curl", "http://h:8080/@scope/pkg", "docker://h:5000/i@sha256:0a", "ssh://git@h/x", "https://h/p?page=2&sort_key=a"],
  ["run", "--auth", "--port", "80"],
  ["run", "--auth", "true", "--token=", "--secret=false"],
  ["sshd: me@pts/0"],
  ["nginx: worker process"],
  ["postgres: writer process   "],
  ["sh", "-c", `for i in 1 2; do echo "it's $i"; done # a \\ b`],
  ["disk-usage-of-1-machine-x", "task-0123456789abcdef01", "risk_0123456789abcdef0123"],
  ["python", "-c", "x = 'abc'; lr = 0.1", "--columns", '["prompt","length"]', "a[0]=1", "+trainer.gpus=8"],
  ["", " ", "-", "--", "=", ":", "a=", "=a", "'", '"', "\\"],
];

describe("maskArguments", () => {
  test.each(masked)("%j", (argv, expected) => {
    expect(maskArguments(argv)).toEqual(expected);
    expect(maskArguments(expected)).toEqual(expected);
  });

  test.each(shapes)("%s is known by its shape", (token) => {
    expect(maskArguments(["run", token, `--opt=${token}`, `a ${token} b`, `x/${token}/y`])).toEqual([
      "run",
      "***",
      "--opt=***",
      "a *** b",
      "x/***/y",
    ]);
  });

  test.each(harmless.map((argv) => [argv]))("%j stays as it is", (argv) => {
    expect(maskArguments(argv)).toEqual(argv);
  });

  test("a private key is hidden to its end", () => {
    expect(maskArguments(["run", "x -----BEGIN RSA PRIVATE KEY----- MIIE abc\n123"])).toEqual(["run", "x ***"]);
  });
});

/** Every form in which a secret is looked for; `any`: whatever it is made of, as the argument list says where it ends. */
const forms: Record<string, { any: boolean; argv: (name: string, secret: string) => string[] }> = {
  "--name=x": { any: true, argv: (name, secret) => [`--${name}=${secret}`] },
  "--name x": { any: true, argv: (name, secret) => [`--${name}`, secret] },
  "NAME=x": { any: true, argv: (name, secret) => [`${name.toUpperCase().replaceAll("-", "_")}=${secret}`] },
  "name:x": { any: true, argv: (name, secret) => [`${name}:${secret}`] },
  "-H header": { any: true, argv: (name, secret) => ["-H", `X-${name}: ${secret}`] },
  authorization: { any: true, argv: (_, secret) => ["-H", `Authorization: Bearer ${secret}`] },
  "mysql -p": { any: true, argv: (_, secret) => ["mysql", `-p${secret}`] },
  "curl -u": { any: true, argv: (_, secret) => ["curl", "-u", `me:${secret}`] },
  "--opt=NAME=x": { any: true, argv: (name, secret) => [`--env=${name}=${secret}`] },
  JSON: { any: true, argv: (name, secret) => [JSON.stringify({ a: 1, [name]: secret, b: "c d" })] },
  "JSON in JSON": {
    any: true,
    argv: (name, secret) => [JSON.stringify({ a: JSON.stringify({ [name]: secret, b: 1 }) })],
  },
  "query string": { any: false, argv: (name, secret) => [`https://h/p?a=1&${name}=${secret}&b=2`] },
  form: { any: false, argv: (name, secret) => ["-d", `a=1&${name}=${secret}&b=2`] },
  URL: { any: false, argv: (_, secret) => [`postgres://me:${secret}@db:5432/x`] },
  "URL in an option": { any: false, argv: (_, secret) => [`--url=https://me:${secret}@h/x?y=z`] },
  "sh -c option": { any: false, argv: (name, secret) => ["sh", "-c", `cd /x && run --${name} ${secret} --n 1`] },
  "sh -c quoted": { any: false, argv: (name, secret) => ["sh", "-c", `run --${name}="${secret} ${secret}" it's`] },
  "sh -c env": { any: false, argv: (name, secret) => ["bash", "-lc", `cd x;${name}=${secret} run; ls`] },
  "nested shells": { any: false, argv: (name, secret) => ["sh", "-c", `ssh h 'sh -c "run --${name} ${secret}"'`] },
  list: { any: false, argv: (name, secret) => ["-o", `a=1,${name}=${secret}`] },
};

const name = fc.constantFrom(
  ...["password", "passwd", "pwd", "token", "secret", "api-key", "access_key", "private-key", "credential", "auth"],
  ...["hf_token", "apiKey", "client-secret", "db.password", "key"],
);
// Found in the output only if it was left there: nothing else in these argument lists has an `Z` beside a `q`.
const core = fc.stringMatching(/^Zq[A-Za-z0-9]{6,20}$/);
const wild = fc
  .tuple(fc.string({ unit: "grapheme", maxLength: 8 }), core, fc.string({ unit: "grapheme", maxLength: 8 }))
  .map(([before, middle, after]) => ({ middle, secret: before + middle + after }))
  .filter(({ secret }) => !secret.startsWith("-") && !secret.includes("\0"));
const tame = core.map((middle) => ({ middle, secret: middle }));
const rest = fc.array(
  fc.string({ maxLength: 12 }).filter((argument) => !argument.includes("\0")),
  { maxLength: 4 },
);

test.each(Object.keys(forms))("a secret never comes through: %s", (form) => {
  const { any, argv } = forms[form] ?? { any: false, argv: () => [] };
  fc.assert(
    fc.property(rest, name, any ? wild : tame, rest, (before, secretName, { middle, secret }, after) => {
      const shown = maskArguments([...before, ...argv(secretName, secret), ...after]).join(" ");
      expect(shown).not.toContain(middle);
    }),
    { numRuns: 500 },
  );
});

test("never throws, and keeps the number of arguments", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 60 })), (argv) => {
      expect(maskArguments(argv)).toHaveLength(argv.length);
    }),
  );
});
