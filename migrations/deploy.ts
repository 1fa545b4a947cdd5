// Run by `anchor migrate` once the programs are deployed: initialises their configs.
//
// A thin shim: the work is done by the same code as `provena deploy`, so that there is one place that knows how.
// It may be repeated; a config that exists is left alone. Also runs by itself:
//
//   ANCHOR_PROVIDER_URL=http://127.0.0.1:8899 ANCHOR_WALLET=~/.config/solana/id.json node migrations/deploy.ts
//
// Written without type annotations, so that node runs it as it is; the checker is off because it would ask for them.
// @ts-nocheck

const { spawnSync } = require("node:child_process");
const { existsSync } = require("node:fs");
const { homedir } = require("node:os");
const path = require("node:path");

const repository = path.resolve(__dirname, "..");

/** Initialises the configs on the provider's cluster with Anchor's wallet. Fails when that fails. */
async function migrate(provider) {
  const wallet = process.env.ANCHOR_WALLET;
  if (!wallet) {
    throw new Error("ANCHOR_WALLET names no key file; `anchor migrate` sets it from Anchor.toml");
  }
  const [command, ...first] = provena();
  const args = [
    ...first,
    "deploy",
    "--init-only",
    "--url",
    provider.connection.rpcEndpoint,
    "--keypair",
    wallet.replace(/^~(?=\/|$)/, homedir()),
  ];
  const done = spawnSync(command, args, { cwd: repository, stdio: "inherit" });
  if (done.error) {
    throw new Error(`cannot run ${command}: ${done.error.message}`);
  }
  if (done.status !== 0) {
    throw new Error(`\`provena deploy --init-only\` failed with ${done.signal ?? `exit status ${done.status}`}`);
  }
}

/** The CLI: the binary that PROVENA names, or the one that cargo builds from this repository. */
function provena() {
  const binary = process.env.PROVENA;
  if (!binary) {
    return ["cargo", "run", "--quiet", "--locked", "--package", "provena-cli", "--"];
  }
  if (!existsSync(binary)) {
    throw new Error(`PROVENA names ${binary}, which does not exist`);
  }
  return [binary];
}

/** Anchor's host script does not wait for what this returns, so the exit status is set here. */
function run(provider) {
  return migrate(provider).catch((error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
}

module.exports = run;

if (require.main === module) {
  run({ connection: { rpcEndpoint: process.env.ANCHOR_PROVIDER_URL ?? "http://127.0.0.1:8899" } });
}
