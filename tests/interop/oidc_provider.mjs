// An OpenID provider that nobody here wrote: the npm package `oidc-provider`, on a free port of
// this machine.
//
//     oidc_provider.mjs SETTINGS
//
// SETTINGS is JSON: {"clients": [their metadata], "accounts": {name: claims}, "pkce_required": bool}.
// The first line on standard output is the issuer. Each line on standard input is then a command,
// in JSON, and is answered by one line:
//
//     {"sign_in": URL, "account": NAME, "seconds_ago": 60}    {"callback": URL}
//     {"sign_in": URL}            the user cancels            {"callback": URL}
//     {"rotate": true}            a new key, and no old one   {"kid": NAME}
//     {"requests": true}          how often, by path          {"/jwks": 1, …}
//     {"forge_next": FORGERY}     see forged_answer.mjs       {"forging": true}
//     {"log_out": {"client": ID, "sub": …, "sid": …}}         {"logout_token": JWT}
//     {"unknown_keys": 200}       as many logout tokens       {"logout_tokens": [JWT, …]}
//
// It ends with its standard input.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";

import { Browser } from "./browser.mjs";
import { forgedAnswer, signed } from "./forged_answer.mjs";
import { installed } from "./packages.mjs";

if (process.argv[2] === undefined) {
  console.error("usage: oidc_provider.mjs SETTINGS");
  process.exit(2);
}
if (URL.parse === undefined) {
  console.error("the npm package `oidc-provider` needs node 20.18 or later");
  process.exit(2);
}
const settings = JSON.parse(process.argv[2]);
// The package says at every start how it should be deployed, in part on standard output, which
// carries the answers alone.
console.info = () => {};
console.warn = () => {};
const { Provider } = await installed("oidc-provider");

const server = createServer((request, response) => current.handler(request, response));
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const requests = {};
const answers = [];
let forgery;
let logoutToken;
let current = provider();
console.log(issuer);

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await obey(JSON.parse(line))));
}
process.exit();

async function obey(command) {
  if (command.sign_in !== undefined) return signIn(command);
  if (command.rotate) {
    current = provider();
    return { kid: current.key.kid };
  }
  if (command.requests) return requests;
  if (command.forge_next !== undefined) {
    forgery = command.forge_next;
    return { forging: true };
  }
  if (command.log_out !== undefined) return logOut(command.log_out);
  if (command.unknown_keys !== undefined) return unknownKeys(command.unknown_keys);
  throw new Error(`no command: ${JSON.stringify(command)}`);
}

/** A provider with a key of its own; what the one before it issued is still known. */
function provider() {
  const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { kid: randomUUID(), ...pair };
  const jwk = { ...pair.privateKey.export({ format: "jwk" }), kid: key.kid, use: "sig" };
  const made = new Provider(issuer, configuration(jwk));
  made.on("server_error", (_, error) => console.error(error));
  made.use(async (ctx, next) => {
    requests[ctx.path] = (requests[ctx.path] ?? 0) + 1;
    if (ctx.path.startsWith("/interaction/")) {
      await interact(made, ctx);
    } else {
      await next();
      misbehave(ctx);
    }
  });
  return { key, provider: made, handler: made.callback() };
}

function configuration(jwk) {
  const algorithms = ["RS256", "RS512"];
  return {
    jwks: { keys: [jwk] },
    clients: settings.clients,
    clientAuthMethods: ["client_secret_post", "private_key_jwt"],
    enabledJWA: {
      clientAuthSigningAlgValues: algorithms,
      idTokenSigningAlgValues: algorithms,
    },
    acrValues: ["AAL2_OR_AAL3_ANY", "AAL3_ANY"],
    // Those of `openid` are in the ID token, and those of the other scopes in the user info.
    claims: {
      acr: null,
      auth_time: null,
      iss: null,
      sid: null,
      openid: [
        "sub",
        "authentication_assurance_level",
        "id_assurance_level",
        "identity_proofing_level",
        "vot",
      ],
      profile: ["birthdate", "family_name", "name", "nhs_number"],
      nationalrbacaccess: ["nhsid_nrbac_roles", "nhsid_useruid"],
      selectedrole: ["selected_roleid"],
    },
    cookies: { keys: [randomUUID()] },
    extraParams: ["vtr"],
    features: { backchannelLogout: { enabled: true }, devInteractions: { enabled: false } },
    fetch: async (_, { body }) => {
      logoutToken = new URLSearchParams(body).get("logout_token");
      return new Response();
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => settings.accounts[accountId] }),
    pkce: { required: () => settings.pkce_required ?? false },
  };
}

async function signIn({ sign_in: url, account, seconds_ago = 0 }) {
  const form = account === undefined ? {} : { account, seconds_ago };
  return { callback: await new Browser().goThrough(url, "/interaction/", form) };
}

/** What the user does at the provider's pages. */
async function interact(made, ctx) {
  const form = new URLSearchParams(await text(ctx.req));
  const account = form.get("account");
  const { prompt, params, grantId, session } = await made.interactionDetails(ctx.req, ctx.res);
  let result;
  if (account === null) {
    result = { error: "access_denied", error_description: "the user cancelled" };
  } else if (prompt.name === "login") {
    const ts = Math.floor(Date.now() / 1000) - Number(form.get("seconds_ago"));
    result = { login: { accountId: account, acr: settings.accounts[account].acr, ts } };
  } else {
    const { accountId } = session;
    const grant =
      (await made.Grant.find(grantId)) ?? new made.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(prompt.details.missingOIDCScope.join(" "));
    result = { consent: { grantId: await grant.save() } };
  }
  ctx.respond = false;
  await made.interactionFinished(ctx.req, ctx.res, result);
}

function misbehave(ctx) {
  if (ctx.path !== "/token" || ctx.status !== 200) return;
  answers.push(ctx.body);
  if (forgery === undefined) return;
  ctx.body = forgedAnswer(ctx.body, forgery, current.key, answers);
  forgery = undefined;
}

async function logOut({ client, sub, sid }) {
  await (await current.provider.Client.find(client)).backchannelLogout(sub, sid);
  return { logout_token: logoutToken };
}

function unknownKeys(count) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const forge = () =>
    signed({ alg: "RS256", kid: randomUUID(), typ: "logout+jwt" }, { iss: issuer }, { privateKey });
  return { logout_tokens: Array.from({ length: count }, forge) };
}
