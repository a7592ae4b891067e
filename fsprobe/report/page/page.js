"use strict";
(() => {
  const root = document.documentElement;
  const by = (id) => document.getElementById(id);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Light or dark: the system's, until somebody chooses. A page from a file may have no storage.
  const theme = by("theme");
  const stored = () => { try { return localStorage.getItem("fsprobe-theme"); } catch { return null; } };
  const keep = (value) => { try { localStorage.setItem("fsprobe-theme", value); } catch { /* not here */ } };
  if (stored() === "light" || stored() === "dark") root.dataset.theme = stored();
  if (theme) {
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      keep(root.dataset.theme);
    });
  }

  const checks = all("details.check");
  const form = by("filters");
  if (form) {
    const boxes = all("input[name=verdict]", form);
    const query = by("q"), layer = by("f-layer"), op = by("f-op");
    const hay = new Map();
    const text = (check) => {
      if (!hay.has(check)) hay.set(check, check.textContent.toLowerCase());
      return hay.get(check);
    };
    const apply = () => {
      const verdicts = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
      const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const check of checks) {
        const data = check.dataset;
        const fits = verdicts.has(data.verdict) && (!layer.value || data.layer === layer.value)
          && (!op.value || data.ops.split(" ").includes(op.value)) && words.every((word) => text(check).includes(word));
        check.hidden = !fits;
        shown += fits;
      }
      by("shown").textContent = `${shown} of ${checks.length} shown`;
      by("none").hidden = shown > 0;
    };
    const everything = () => {
      for (const box of boxes) box.checked = true;
      query.value = layer.value = op.value = "";
      apply();
    };
    const needed = new Set(checks.filter((check) => "problem" in check.dataset || check.dataset.verdict === "WARN").map((check) => check.dataset.verdict));
    for (const box of boxes) box.checked = needed.size === 0 || needed.has(box.value);
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    by("all").addEventListener("click", everything);
    by("reset").addEventListener("click", everything);
    by("open").addEventListener("click", () => {
      const shown = checks.filter((check) => !check.hidden);
      const open = shown.some((check) => !check.open);
      for (const check of shown) check.open = open;
    });
    for (const button of all("button[data-op]")) {
      button.addEventListener("click", () => {
        for (const box of boxes) box.checked = true;
        query.value = "";
        op.value = button.dataset.op;
        layer.value = button.dataset.layer;
        apply();
        by("checks").scrollIntoView();
        op.focus({ preventScroll: true });
      });
    }
    document.addEventListener("keydown", (event) => {
      const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
      if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
        event.preventDefault();
        query.focus();
      } else if (event.key === "Escape" && event.target === query) {
        query.value = "";
        apply();
      }
    });
    const visit = () => {
      const check = location.hash.length > 1 && by(location.hash.slice(1));
      if (check && check.classList.contains("check")) {
        if (check.hidden) everything();
        check.open = true;
        check.scrollIntoView();
      }
    };
    addEventListener("hashchange", visit);
    apply();
    visit();
    // On paper what needs a look is open; what was open before is so again afterwards.
    let before = [];
    addEventListener("beforeprint", () => {
      before = checks.map((check) => check.open);
      for (const check of checks) if ("problem" in check.dataset) check.open = true;
    });
    addEventListener("afterprint", () => checks.forEach((check, index) => { check.open = before[index]; }));
  }

  for (const box of all(".copy")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      const pre = box.querySelector("pre");
      try {
        await navigator.clipboard.writeText(pre.textContent);
      } catch { // a page from a file may not: at least it is selected
        getSelection().selectAllChildren(pre);
        document.execCommand("copy");
      }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    box.append(button);
  }

  const line = by("timeline");
  if (line) {
    const { ops, rows, checks: ids, lane } = JSON.parse(by("rows").textContent);
    const end = Math.max(1, ...rows.map((row) => row[0] + (row[4] || 0)));
    const plot = line.querySelector(".plot"), cursor = by("cursor"), readout = by("readout");
    const places = new Map(checks.map((check) => [check.querySelector(".id").textContent, check.id]));
    let at = -1;
    const show = (index) => {
      at = Math.min(Math.max(index, 0), rows.length - 1);
      const [start, layer, op, reply, us, check] = rows[at];
      const place = `${(start / end) * 100}%`;
      cursor.setAttribute("x1", place);
      cursor.setAttribute("x2", place);
      cursor.setAttribute("visibility", "visible");
      const told = `${(start / 1e6).toFixed(4)} s  ${layer}  ${op}  ${reply === null ? "no reply" : reply}${us === null ? "" : `  ${us} µs`}`;
      readout.textContent = told;
      const id = check === null ? "" : ids[check];
      if (id) {
        readout.append("  ");
        const link = document.createElement(places.has(id) ? "a" : "span");
        if (places.has(id)) link.href = `#${places.get(id)}`;
        link.textContent = id;
        readout.append(link);
      }
    };
    const nearest = (event) => {
      const box = plot.getBoundingClientRect();
      const time = ((event.clientX - box.left) / box.width) * end;
      const op = ops[Math.floor((event.clientY - box.top - 18) / lane)];
      let best = -1, distance = Infinity;
      rows.forEach((row, index) => {
        const far = Math.abs(row[0] - time);
        if ((op === undefined || row[2] === op) && far < distance) [best, distance] = [index, far];
      });
      return best;
    };
    plot.addEventListener("pointermove", (event) => show(nearest(event)));
    line.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, PageDown: 50, PageUp: -50 }[event.key];
      if (step) {
        event.preventDefault();
        show(at + step);
      }
    });
  }
})();
