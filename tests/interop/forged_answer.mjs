// A token endpoint's answer as it should not be, for `oidc_provider.mjs`. A forgery is any of
//
//     {"claims": {"nonce": "another"}}         other claims, signed by the provider
//     {"alg": "none"}                          not signed
//     {"alg": "HS256", "secret": "pem"}        signed by the public key as if it were a secret,
//     {"alg": "HS256", "secret": "jwk"}        as either of its texts
//     {"kid": "another"}                       signed under the name of a key that isn't there
//     {"earlier": "id_token"}                  that of the answer before
//     {"earlier": "access_token"}              likewise

import { createHmac, sign } from "node:crypto";

/** The answer with what the forgery changes. The last of `answers` is this one. */
export function forgedAnswer(answer, { earlier, ...changes }, key, answers) {
  if (earlier !== undefined) return { ...answer, [earlier]: answers.at(-2)[earlier] };
  return { ...answer, id_token: forgedToken(answer.id_token, changes, key) };
}

function forgedToken(compact, { alg, kid, secret, claims }, key) {
  const [header, payload] = compact.split(".").slice(0, 2).map(decoded);
  return signed(
    { ...header, alg: alg ?? header.alg, kid: kid ?? header.kid },
    { ...payload, ...claims },
    { ...key, secret },
  );
}

/** A JWT of that header and those claims. */
export function signed(header, payload, key) {
  const message = `${encoded(JSON.stringify(header))}.${encoded(JSON.stringify(payload))}`;
  return `${message}.${encoded(signature(header.alg, message, key))}`;
}

function signature(alg, message, { privateKey, publicKey, secret }) {
  switch (alg) {
    case "RS256":
      return sign("sha256", Buffer.from(message), privateKey);
    case "RS512":
      return sign("sha512", Buffer.from(message), privateKey);
    case "HS256":
      return createHmac("sha256", asSecret(publicKey, secret)).update(message).digest();
    case "none":
      return "";
    default:
      throw new Error(`no such alg: ${alg}`);
  }
}

function asSecret(publicKey, format) {
  if (format === "jwk") return JSON.stringify(publicKey.export({ format }));
  return publicKey.export({ format, type: "spki" });
}

function encoded(bytes) {
  return Buffer.from(bytes).toString("base64url");
}

function decoded(part) {
  return JSON.parse(Buffer.from(part, "base64url").toString());
}
