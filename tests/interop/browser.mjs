// A browser, as far as a sign-in needs one: it keeps cookies, and follows redirects.

export class Browser {
  #cookies = new Map();

  /**
   * Follows the redirects from that URL until one leads to another site, and returns where. A page
   * whose path begins with `pages` is answered with that form.
   */
  async goThrough(start, pages, form) {
    let url = new URL(start);
    const { origin } = url;
    while (url.origin === origin) {
      const isPage = url.pathname.startsWith(pages);
      const answer = await fetch(url, {
        redirect: "manual",
        headers: { cookie: this.#cookiesFor(url) },
        ...(isPage && { method: "POST", body: new URLSearchParams(form) }),
      });
      this.#keep(answer.headers.getSetCookie());
      const location = answer.headers.get("location");
      if (location === null) {
        throw new Error(`${url} answers ${answer.status}: ${await answer.text()}`);
      }
      url = new URL(location, url);
    }
    return url.href;
  }

  #cookiesFor({ pathname }) {
    const isFor = ({ path }) => `${pathname}/`.startsWith(path.endsWith("/") ? path : `${path}/`);
    return [...this.#cookies.values()]
      .filter(isFor)
      .map(({ pair }) => pair)
      .join("; ");
  }

  #keep(lines) {
    for (const line of lines) {
      const [pair, ...attributes] = line.split(";").map((part) => part.trim());
      const attribute = (name) =>
        attributes.find((it) => it.toLowerCase().startsWith(`${name}=`))?.slice(name.length + 1);
      const path = attribute("path") ?? "/";
      const key = `${pair.split("=")[0]} ${path}`;
      const expires = attribute("expires");
      if (expires !== undefined && Date.parse(expires) <= Date.now()) this.#cookies.delete(key);
      else this.#cookies.set(key, { pair, path });
    }
  }
}
