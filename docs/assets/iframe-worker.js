// Browsers refuse workers to a page opened from the disk. There the search runs in a hidden frame of
// the same page; over a server nothing is changed. The builder asks for a file of this name.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const script = document.createElement("script");
      script.src = new URL(address, location.href).href;
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.title = "search";
      const answer = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
      this.inside = new Promise((ready) => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow;
          inside.postMessage = answer;
          script.addEventListener("load", () => ready(inside));
          frame.contentDocument.head.append(script);
        }, { once: true });
      });
      const add = () => document.body.append(frame);
      if (document.body) add(); else document.addEventListener("DOMContentLoaded", add);
    }

    postMessage(data) {
      this.inside.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
}
