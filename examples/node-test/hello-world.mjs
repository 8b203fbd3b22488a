// A small client of an NHS API, by signed JWT alone or for a signed-in user.

import { randomUUID, sign } from "node:crypto";

const CLIENT_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token";
const TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange";

export class HelloWorld {
  constructor({ baseUrl, apiKey, privateKey, kid }) {
    Object.assign(this, { baseUrl, tokenUrl: `${baseUrl}/oauth2/token`, apiKey, privateKey, kid });
  }

  /** An access token of the application itself. */
  applicationToken() {
    return this.#token({ grant_type: "client_credentials" });
  }

  /** An access token of the user whom CIS2 or NHS login has signed in. */
  userToken(idToken) {
    return this.#token({
      grant_type: TOKEN_EXCHANGE,
      subject_token_type: ID_TOKEN,
      subject_token: idToken,
    });
  }

  async greet(whom, token) {
    const url = `${this.baseUrl}/hello-world/hello/${whom}`;
    return answered(await fetch(url, { headers: { Authorization: `Bearer ${token}` } }));
  }

  async #token(form) {
    const client_assertion = this.#assertion();
    const whole = { ...form, client_assertion_type: CLIENT_ASSERTION_TYPE, client_assertion };
    const body = new URLSearchParams(whole).toString();
    // The platform takes this content type to the letter, without a charset.
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await answered(await fetch(this.tokenUrl, { method: "POST", headers, body }));
    return answer.access_token;
  }

  #assertion() {
    const header = { alg: "RS512", typ: "JWT", kid: this.kid };
    const exp = Math.floor(Date.now() / 1000) + 150; // at most five minutes ahead
    const claims = {
      iss: this.apiKey,
      sub: this.apiKey,
      aud: this.tokenUrl,
      jti: randomUUID(),
      exp,
    };
    const encode = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");
    const signed = `${encode(header)}.${encode(claims)}`;
    const signature = sign("RSA-SHA512", Buffer.from(signed), this.privateKey);
    return `${signed}.${signature.toString("base64url")}`;
  }
}

async function answered(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.error_description ?? body.fault.faultstring);
  return body;
}
