import { expect, test } from "bun:test";
import { isSecretName } from "./secret_names.ts";

const secret = `
  --password password PASSWORD --passwd -pass --pwd MYSQL_PWD --passphrase --db-password dbPassword PGPASSWORD RootPassword
  --token -token token HF_TOKEN hf_token hftoken accessToken --auth-token github.token refresh_token API_TOKENS
  --secret --client-secret CLIENT_SECRET secret_id SECRET_KEY_BASE --secrets
  --key key --api-key api_key apiKey API-KEY OPENAI_API_KEY X-Api-Key --access_key AWS_SECRET_ACCESS_KEY --private-key
  --ssh-key --license-key WANDB_KEY --api-keys ACCOUNT_KEY_PRIMARY API_KEY_2 api_key1 --authkey encryption.key
  --credential --credentials aws-credentials --auth REDISCLI_AUTH _auth oauth Authorization Proxy-Authorization
  --bearer bearer HAuthorization SSHPASS -storepass --keypass -passin requirepass Cookie -DdbPassword eAPI_KEY
`;

const harmless = `
  --tokenizer tokenizer --tokenizer-mode --max-tokens max_tokens --num-tokens tokens --token-budget --eos-token pad_token
  --key-frame --num-key-value-heads --keyboard --keyfile --key-file --private-key-path --sort-key primary_key --public-key
  --keys --index-keys --cache-key input_key --prompt-key label_key --monkey --turkey hotkey_map
  --password-file --passwords-file PGPASSFILE --secret-name --token-type --auth-type SSH_AUTH_SOCK XAUTHORITY --author
  --bypass --compass lowpass highpass --two-pass --passes --password-stdin --no-auth --disable-token --secretary
  --user --model --port --lr --authority x PATH HOME - -- 0 --skip-secrets --passive --authors --tokenize
`;

const names = (text: string) => text.trim().split(/\s+/);

test.each(names(secret))("%s names a secret", (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(names(harmless))("%s names no secret", (name) => {
  expect(isSecretName(name)).toBe(false);
});
