"use strict";
(() => {
  const root = document.documentElement;
  const read = (element) => JSON.parse(element.textContent);
  const page = read(document.getElementById("report-data"));
  root.classList.add("js");

  // Colours: the reader's choice, else the system's.
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("mode");
  const isDark = () => (root.dataset.mode || (system.matches ? "dark" : "light")) === "dark";
  const remember = (mode) => { try { localStorage.setItem("isoflop-mode", mode); } catch { /* private window */ } };
  const remembered = () => { try { return localStorage.getItem("isoflop-mode"); } catch { return null; } };
  const showMode = () => button.setAttribute("aria-pressed", String(isDark()));

  // Pictures: the still one stays until the live one is complete, and is what prints.
  const figures = new Map();
  const recolour = (value) => {
    if (typeof value === "string") return page.dark[value.toLowerCase()] || value;
    if (Array.isArray(value)) return value.map(recolour);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, recolour(v)]));
    return value;
  };
  const records = (data) => data.rows.map((row) => Object.fromEntries(data.columns.map((name, i) => [name, row[i]])));
  const draw = async (figure) => {
    const data = figures.get(figure) || read(figure.querySelector(".figure-data"));
    figures.set(figure, data);
    const spec = structuredClone(data.spec);
    spec.config ??= structuredClone(page.config);
    if (isDark()) for (const part of Object.keys(spec)) if (part !== "data") spec[part] = recolour(spec[part]);
    for (const i of data.shared) spec.data[i].values = records(data);
    const live = figure.querySelector(".live");
    if (figure.clientWidth < 560) {
      const { config } = spec;
      config.legend = { ...config.legend, columns: 2, titleOrient: "top", symbolLimit: 0, labelLimit: 140 };
      config.axisX = { ...config.axisX, tickCount: 4 };
      config.axisYDiscrete = { ...config.axisYDiscrete, labelLimit: 130 };
    }
    figure.classList.add("drawn");
    try {
      const old = figure.view;
      const made = await window.vegaEmbed(live, spec, { mode: "vega", renderer: "svg", actions: false, ast: true, tooltip: { theme: isDark() ? "dark" : "light" } });
      figure.view = made.view;
      const canvas = figure.querySelector(".canvas");
      if (canvas.scrollWidth > canvas.clientWidth + 1) canvas.tabIndex = 0;
      if (old) old.finalize();
    } catch (error) {
      figure.classList.remove("drawn");
      console.error(`${figure.id}: ${error.message}`);
    }
  };
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) { near.unobserve(target); draw(target); }
    }
  }, { rootMargin: "700px 0px" });
  const setMode = (mode) => {
    root.dataset.mode = mode;
    showMode();
    for (const figure of figures.keys()) draw(figure);
  };
  if (remembered()) root.dataset.mode = remembered();
  showMode();
  button.addEventListener("click", () => { const mode = isDark() ? "light" : "dark"; remember(mode); setMode(mode); });
  system.addEventListener("change", () => { if (!remembered()) { showMode(); for (const figure of figures.keys()) draw(figure); } });
  addEventListener("load", () => document.querySelectorAll(".picture").forEach((figure) => near.observe(figure)));

  // Downloads are made on request from what the page holds.
  const save = (name, parts, type) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(parts instanceof Blob ? parts : new Blob([parts], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const cell = (value) => {
    const text = value === null ? "" : String(value).replace(/T00:00:00$/, "");
    return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (data) => [data.columns, ...data.rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";
  const wrapped = (text, font, width) => {
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = font;
    const lines = [""];
    for (const word of text.trim().split(/\s+/)) {
      const longer = `${lines.at(-1)} ${word}`.trim();
      if (pen.measureText(longer).width > width && lines.at(-1)) lines.push(word); else lines[lines.length - 1] = longer;
    }
    return lines;
  };
  const alone = (figure) => {
    // The still picture with title, subtitle and source around it, in light colours.
    const family = "Helvetica Neue, Helvetica, Arial, Liberation Sans, sans-serif";
    const still = figure.querySelector(".still svg").cloneNode(true);
    const [, , width, height] = still.getAttribute("viewBox").split(/\s+/).map(Number);
    const margin = 8, inner = width - 2 * margin;
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    let y = margin;
    const write = (text, size, weight, colour) => {
      for (const line of wrapped(text, `${weight} ${size}px ${family}`, inner)) {
        y += size * 1.3;
        const node = document.createElementNS(space, "text");
        for (const [k, v] of Object.entries({ x: margin, y: y - size * 0.3, "font-family": family, "font-size": size, "font-weight": weight, fill: colour })) node.setAttribute(k, v);
        node.textContent = line;
        svg.append(node);
      }
    };
    write(figure.querySelector("h4").textContent, 17, "bold", "#1c2126");
    y += 3;
    write(figure.querySelector(".subtitle").textContent, 12.5, "normal", "#59626b");
    y += 10;
    still.setAttribute("y", y);
    still.setAttribute("width", width);
    still.setAttribute("height", height);
    y += height + 4;
    write(figure.querySelector("figcaption p").textContent, 11, "normal", "#59626b");
    const total = Math.ceil(y + margin / 2);
    const back = document.createElementNS(space, "rect");
    for (const [k, v] of Object.entries({ width, height: total, fill: "#ffffff" })) back.setAttribute(k, v);
    svg.prepend(back);
    svg.append(still);
    for (const [k, v] of Object.entries({ viewBox: `0 0 ${width} ${total}`, width, height: total })) svg.setAttribute(k, v);
    const text = new XMLSerializer().serializeToString(svg).replace(/var\(--c-([0-9a-f]+)\)/g, "#$1");
    return { text, width, height: total };
  };
  const png = ({ text, width, height }, name) => {
    const image = new Image();
    image.onload = () => {
      const canvas = document.createElement("canvas");
      canvas.width = 2 * width;
      canvas.height = 2 * height;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => save(name, blob));
    };
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  };
  document.addEventListener("click", (event) => {
    const kind = event.target.closest?.("[data-download]")?.dataset.download;
    if (!kind) return;
    const figure = event.target.closest(".picture");
    const data = figures.get(figure) || read(figure.querySelector(".figure-data"));
    const name = `isoflop-${figure.id}.${kind}`;
    if (kind === "csv") save(name, csv(data), "text/csv");
    if (kind === "json") save(name, JSON.stringify(records(data), null, 1), "application/json");
    if (kind === "svg") save(name, alone(figure).text, "image/svg+xml");
    if (kind === "png") png(alone(figure), name);
  });
  // The document is held compressed: it is as large as all pictures together.
  const findingsButton = document.getElementById("download-findings");
  findingsButton.hidden = !("DecompressionStream" in window);
  findingsButton.addEventListener("click", async () => {
    const bytes = Uint8Array.from(atob(document.getElementById("document").textContent), (c) => c.charCodeAt(0));
    const text = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
    save("findings.json", text);
  });

  // Search in the findings; the radio buttons need no script.
  const search = document.getElementById("search");
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const row of document.querySelectorAll(".findings tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  document.getElementById("filter").addEventListener("submit", (event) => event.preventDefault());

  // Paper cannot be unfolded: rules are printed open.
  const rules = [...document.querySelectorAll("details.rule")];
  let folded = [];
  addEventListener("beforeprint", () => { folded = rules.filter((rule) => !rule.open); for (const rule of folded) rule.open = true; });
  addEventListener("afterprint", () => { for (const rule of folded) rule.open = false; });

  // Contents: mark where the reader is; close the short menu after use.
  const links = new Map([...document.querySelectorAll(".side a")].map((a) => [a.hash.slice(1), a]));
  const places = [...links.keys()].map((id) => document.getElementById(id)).filter(Boolean);
  const mark = () => {
    const passed = places.filter((place) => place.getBoundingClientRect().top < 160);
    const current = links.get((passed.at(-1) || places[0])?.id);
    for (const link of links.values()) {
      if (link === current) link.setAttribute("aria-current", "location"); else link.removeAttribute("aria-current");
    }
  };
  let waiting = false;
  addEventListener("scroll", () => { if (!waiting) { waiting = true; requestAnimationFrame(() => { waiting = false; mark(); }); } }, { passive: true });
  mark();
  const menu = document.querySelector(".menu");
  menu.addEventListener("click", (event) => { if (event.target.closest("a")) menu.open = false; });
  addEventListener("keydown", (event) => { if (event.key === "Escape") menu.open = false; });
})();
