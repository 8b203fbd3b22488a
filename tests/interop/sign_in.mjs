// The box's control API, and the user at the browser, for the scripts here.

/** A call of the box's control API. */
export async function control(baseUrl, path, body = {}) {
  const url = `${baseUrl}/_mock/${path}`;
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : answer.json();
}

/** What a user does at the sign-in page. Returns the URL that the browser is sent back to. */
export async function signIn(authorizationUrl, username) {
  const page = await fetch(authorizationUrl);
  const form = /<form[^>]*id="kc-form-login"[^>]*>.*?<\/form>/s.exec(await page.text())?.[0];
  if (form === undefined) throw new Error(`no sign-in page, but ${page.status}`);
  const fields = [...form.matchAll(/<input[^>]*>/g)].map(([input]) => [
    attribute(input, "name"),
    attribute(input, "value") ?? "",
  ]);
  const body = new URLSearchParams({ ...Object.fromEntries(fields), username });
  const action = new URL(attribute(form, "action"), page.url);
  const answer = await fetch(action, { method: "POST", body, redirect: "manual" });
  const location = answer.headers.get("location");
  if (location === null) throw new Error(`the sign-in page answers ${answer.status}`);
  return new URL(location);
}

function attribute(tag, name) {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1].replaceAll("&amp;", "&");
}
