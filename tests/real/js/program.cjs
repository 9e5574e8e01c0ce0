// A stand-in for a long-lived AWS program in JavaScript, such as an MCP server: one SDK client per profile, kept for life.
//
// Rules of this file:
// 1. It answers as boto3_program.py does: each `call PROFILE` on stdin by one line of JSON, `{"ok": true, "arn": …}`, or
//    `{"ok": false, "error": …, "text": …}` with the error's name and words.
// 2. It does nothing for its sign-in: the client is given a profile, and the SDK's own chain finds the credentials.
// 3. CommonJS, because NODE_PATH is how it finds the SDK, which lies outside the source tree.

"use strict";

const readline = require("node:readline");
const { STSClient, GetCallerIdentityCommand } = require("@aws-sdk/client-sts");

const clients = new Map();

async function call(profile) {
  try {
    if (!clients.has(profile)) {
      clients.set(profile, new STSClient({ profile }));
    }
    return { ok: true, arn: (await clients.get(profile).send(new GetCallerIdentityCommand())).Arn };
  } catch (error) {
    return { ok: false, error: error.name, text: error.message };
  }
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await call(line.split(" ")[1])));
  }
}

main();
