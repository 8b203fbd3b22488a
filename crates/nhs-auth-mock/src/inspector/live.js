"use strict";

// Adds new requests to a list that is complete without this.

const list = document.getElementById("list");
if (list && list.dataset.events && "EventSource" in window) {
  const status = document.getElementById("live");
  const pause = document.getElementById("pause");
  const most = Number(list.dataset.most);
  let latest = Number(list.dataset.latest);
  let added = 0;
  let source = null;

  const say = (state, text) => {
    status.dataset.state = state;
    if (status.textContent !== text) {
      status.textContent = text;
    }
  };

  // A reader that speaks is told once a second at most, however many come.
  let telling = null;
  const tell = () => {
    telling ??= setTimeout(() => {
      telling = null;
      if (source) {
        say("live", `Live, ${added} new`);
      }
    }, 1000);
  };

  const add = (event) => {
    const id = Number(event.lastEventId);
    if (id <= latest) {
      return;
    }
    latest = id;
    added += 1;
    const template = document.createElement("template");
    template.innerHTML = event.data;
    const row = template.content.firstElementChild;
    row.classList.add("new");
    list.prepend(row);
    while (list.children.length > most) {
      list.lastElementChild.remove();
    }
    document.getElementById("nothing")?.remove();
    tell();
  };

  const connect = () => {
    const url = new URL(list.dataset.events, location.href);
    url.searchParams.set("after", latest);
    source = new EventSource(url);
    source.addEventListener("request", add);
    source.addEventListener("begin-again", () => location.reload());
    source.addEventListener("open", () => say("live", added ? `Live, ${added} new` : "Live"));
    source.addEventListener("error", () => say("lost", "Not connected, trying again"));
  };

  const disconnect = () => {
    source?.close();
    source = null;
  };

  pause.hidden = false;
  pause.addEventListener("click", () => {
    if (source) {
      disconnect();
      say("paused", "Paused");
      pause.textContent = "Go on";
    } else {
      connect();
      pause.textContent = "Pause";
    }
  });

  // A page that waits in the browser's memory holds no connection.
  addEventListener("pagehide", disconnect);
  addEventListener("pageshow", (event) => event.persisted && pause.textContent === "Pause" && connect());
  connect();
}
