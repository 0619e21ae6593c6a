// What pages do after they arrived: times in the reader's zone, and parts kept up to date by what the server pushes.

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// --- times -----------------------------------------------------------------------------------------------------------
const fullTime = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const dayTime = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" });
const moment = { weekday: "short", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
const clockTime = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });

function ago(at, now) {
  const seconds = Math.round((now - at) / 1000), size = Math.abs(seconds);
  if (size < 5) return seconds < 0 ? "in a moment" : "just now";
  const words = size < 60 ? `${size} s` : size < 3600 ? `${Math.floor(size / 60)} min` : size < 86400 ? `${Math.floor(size / 3600)} h` : null;
  return words === null ? dayTime.format(at) : seconds < 0 ? `in ${words}` : `${words} ago`;
}

export function length(ms) {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60), two = (n) => String(n).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${two(Math.round(seconds) % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 24 ? `${hours} h ${two(minutes % 60)} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function tellTimes(root = document) {
  const now = Date.now();
  for (const time of $$("time[data-ago]", root)) {
    const at = new Date(time.dateTime);
    time.textContent = ago(at, now);
    time.title ||= `${fullTime.format(at)} (${time.dateTime})`;
  }
  for (const time of $$("time[data-clock]:not([data-told])", root)) {
    time.textContent = clockTime.format(new Date(time.dateTime));
    time.dataset.told = "";
  }
  for (const time of $$("time[data-moment]:not([data-told])", root)) {
    const at = new Date(time.dateTime), year = at.getFullYear() === new Date(now).getFullYear() ? {} : { year: "numeric" };
    const seconds = at.getSeconds() ? { second: "2-digit" } : {};
    time.textContent = at.toLocaleString(undefined, { ...moment, ...year, ...seconds });
    time.title ||= `${fullTime.format(at)} (${time.dateTime})`;
    time.dataset.told = "";
  }
  for (const span of $$(".dur[data-from]", root)) span.textContent = length(now - new Date(span.dataset.from));
  for (const drawn of $$(".timeline[data-open]", root)) growTimeline(drawn, now);
}

function growTimeline(drawn, now) {
  const total = Math.max(1, now - new Date(drawn.dataset.begins));
  for (const lane of $$("svg", drawn)) lane.setAttribute("viewBox", `0 0 ${total} 10`);
  for (const bar of $$("rect[data-open]", drawn)) bar.setAttribute("width", Math.max(1, total - bar.getAttribute("x")));
  for (const mark of $$("[data-part-of]", drawn)) mark.textContent = length(total * mark.dataset.partOf);
}

// --- changing parts in place -----------------------------------------------------------------------------------------
// Children are matched by id, else by their place. What a reader holds (focus, an open list, a scrolled box) stays.
const told = (a, b) => a.nodeName === "TIME" && a.dateTime === b.dateTime;

export function morph(old, fresh) {
  if (old.isEqualNode(fresh) || told(old, fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) return old.replaceWith(fresh);
  if (old.nodeType !== Node.ELEMENT_NODE) { old.data = fresh.data; return; }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.matches("input, select, textarea") && old === document.activeElement) return;
  morphChildren(old, fresh);
}

function morphChildren(old, fresh) {
  const byId = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let place = old.firstChild;
  for (const wanted of [...fresh.childNodes]) {
    const known = wanted.id ? byId.get(wanted.id) : place && !place.id ? place : null;
    if (!known) { old.insertBefore(wanted, place); continue; }
    if (known === place) place = place.nextSibling; else old.insertBefore(known, place);
    morph(known, wanted);
  }
  while (place) { const next = place.nextSibling; place.remove(); place = next; }
}

function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
}

function applyParts(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const part = document.getElementById(id);
    if (part) { morphChildren(part, parsed(html)); tellTimes(part); }
  }
  markScrollable();
  showFavicon();
}

// --- the run's log ---------------------------------------------------------------------------------------------------
const LINES_MAX = 5000;

function appendLines(html) {
  const box = $("[data-lines]");
  if (!box) return;
  const following = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
  const fresh = parsed(html);
  for (const line of [...fresh.children]) if (document.getElementById(line.id)) line.remove();
  tellTimes(fresh);
  box.append(fresh);
  while (box.children.length > LINES_MAX) box.firstElementChild.remove();
  if (following) box.scrollTop = box.scrollHeight;
}

// --- what the server pushes ------------------------------------------------------------------------------------------
function follow(address) {
  const link = $("[data-link]");
  const source = new EventSource(address);
  const say = (text, kind) => { link.textContent = text; link.className = `link ${kind}`; };
  source.onopen = () => say("live", "on");
  source.onerror = () => say("waiting", "off");
  source.addEventListener("parts", (event) => applyParts(JSON.parse(event.data)));
  source.addEventListener("lines", (event) => appendLines(JSON.parse(event.data)));
  source.addEventListener("notice", (event) => showNotice(JSON.parse(event.data)));
  source.addEventListener("reload", () => location.reload());
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
}

function showNotice(text) {
  const notice = $("[data-notice]");
  notice.textContent = text;
  notice.hidden = !text;
}

function showFavicon() {
  const marked = $("[data-favicon]");
  if (!marked) return;
  const colour = getComputedStyle(marked).getPropertyValue("--state").trim();
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><circle cx="12" cy="12" r="10" fill="${colour}"/></svg>`;
  $("link[rel=icon]").href = `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}

// What scrolls must be reached by the keyboard; what does not scroll must not be in its way.
function markScrollable() {
  for (const box of $$(".scroll")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    box.tabIndex = scrolls ? 0 : -1;
    if (scrolls) { box.setAttribute("role", "region"); box.setAttribute("aria-label", "Table"); }
    else { box.removeAttribute("tabindex"); box.removeAttribute("role"); box.removeAttribute("aria-label"); }
  }
}

// --- comforts --------------------------------------------------------------------------------------------------------
function themeSwitch() {
  const button = $("[data-theme-switch]");
  button.hidden = false;
  button.onclick = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    document.cookie = `headwater_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
    showFavicon();
  };
}

const PLACES = { d: "/", f: "/default/flows", r: "/default/runs", a: "/default/agents", q: "/default/queues", p: "/default/projects", l: "/default/log", s: "/default/server" };

function keyboard() {
  let going = false;
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    if (event.key === "/") { event.preventDefault(); $(".search input").focus(); }
    else if (going && PLACES[event.key]) location.href = PLACES[event.key];
    going = event.key === "g";
  });
}

function forms() {
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-autosubmit]")) form.requestSubmit();
    if (form?.matches("[data-goto]")) location.href = event.target.value;
  });
  document.addEventListener("submit", (event) => {
    if (event.target.method !== "post") return;
    if (event.target.dataset.sent) event.preventDefault();
    event.target.dataset.sent = "1";
  });
  document.addEventListener("input", (event) => {
    const choice = event.target.dataset?.chooses;
    if (choice) for (const box of $$(`[name="${choice}"][value="1"]`, event.target.form)) box.checked = true;
  });
  const runForm = $("[data-run-form]");
  if (runForm) {
    $("[data-zone]", runForm).textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
    runForm.elements.start.addEventListener("input", () => { runForm.elements.when.value = "later"; });
    runForm.addEventListener("submit", () => {
      const start = runForm.elements.start.value;
      runForm.elements.start_utc.value = start ? new Date(start).toISOString() : "";
    });
  }
  tellUtcFields();
  for (const zone of $$("[data-local-times] [data-zone]")) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  document.addEventListener("submit", (event) => fillUtcFields(event.target));
  document.addEventListener("toggle", async (event) => {
    const link = event.target.open && $("[data-raw]", event.target);
    if (!link) return;
    const shown = document.createElement("pre");
    shown.tabIndex = 0;
    shown.textContent = JSON.stringify(await (await fetch(link.href)).json(), null, 2);
    link.replaceWith(shown);
  }, true);
  document.addEventListener("click", async (event) => {
    const copied = event.target.closest("[data-copy]");
    if (!copied || !navigator.clipboard) return;
    await navigator.clipboard.writeText(copied.textContent);
    copied.classList.add("copied");
    copied.addEventListener("animationend", () => copied.classList.remove("copied"), { once: true });
  });
}

// Fields of a time are on the reader's clock; beside each, a hidden one is in UTC, which the server reads.
function fillUtcFields(form) {
  for (const field of $$("[data-utc]", form)) form.elements[field.dataset.utc].value = field.value ? new Date(field.value).toISOString() : "";
}

function tellUtcFields() {
  for (const field of $$("[data-local-times] [data-utc]")) {
    const at = new Date(field.form.elements[field.dataset.utc].value);
    if (!isNaN(at)) field.value = new Date(at - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
  }
}

// --- the forms of schedules: the times that they are about show while they are filled in ---------------------------------------------------
function scheduleForms() {
  let waiting, asked = 0;
  async function show(form) {
    fillUtcFields(form);
    const mine = ++asked, body = new URLSearchParams(new FormData(form));
    body.delete("seal");
    body.set("intent", "preview");
    const answer = parsed(await (await fetch(form.action, { method: "POST", body })).text());
    const fresh = $(`[data-schedule-form="${CSS.escape(form.dataset.scheduleForm)}"]`, answer);
    if (mine !== asked || !fresh) return;
    for (const error of $$("[data-error]", form)) error.textContent = $(`[data-error="${error.dataset.error}"]`, fresh)?.textContent ?? "";
    const preview = $("[data-preview]", form);
    preview.replaceChildren(...$("[data-preview]", fresh).childNodes);
    tellTimes(preview);
  }
  function begin(form) {
    const filled = ["cron", "every", "from"].some((name) => form.elements[name]?.value);
    if (filled && !form.dataset.begun && !$("[name=seal]", form)) { form.dataset.begun = "1"; show(form); }
  }
  document.addEventListener("input", (event) => {
    const form = event.target.form;
    if (!form?.matches("[data-schedule-form]")) return;
    const picked = event.target.dataset.picks;
    if (picked) form.elements.kind.value = picked;
    clearTimeout(waiting);
    waiting = setTimeout(() => show(form), 300);
  });
  document.addEventListener("toggle", (event) => {
    const form = event.target.open && $("[data-schedule-form]", event.target);
    if (form) begin(form);
  }, true);
  for (const form of $$("details[open] [data-schedule-form]")) begin(form);
}

function explorer() {
  const form = $("[data-explorer]"), answer = $("[data-answer]");
  if (!form) return;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answer.textContent = "…";
    const body = JSON.stringify({ query: form.elements.query.value, variables: form.elements.variables.value });
    try {
      const response = await fetch("/graphql", { method: "POST", headers: { "Content-Type": "application/json" }, body });
      answer.textContent = JSON.stringify(await response.json(), null, 2);
    } catch (error) {
      answer.textContent = String(error);
    }
  });
  form.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  $("[data-schema-find]").addEventListener("input", (event) => {
    const sought = event.target.value.toLowerCase();
    for (const block of $$("[data-schema] pre")) block.hidden = !block.textContent.toLowerCase().includes(sought);
  });
}

tellTimes();
setInterval(tellTimes, 1000);
themeSwitch();
keyboard();
forms();
scheduleForms();
explorer();
showFavicon();
markScrollable();
addEventListener("resize", markScrollable);
for (const current of $$("nav [aria-current]")) current.scrollIntoView({ block: "nearest", inline: "nearest" });
const lines = $("[data-lines]");
if (lines) lines.scrollTop = lines.scrollHeight;
if (document.body.dataset.live) follow(document.body.dataset.live);
