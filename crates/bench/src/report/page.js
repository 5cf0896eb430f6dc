"use strict";
const element = (id) => document.getElementById(id);
const data = JSON.parse(element("data").textContent);
const bundles = JSON.parse(element("bundles").textContent);
const byId = new Map(data.queries.map((query) => [query.id, query]));
const FILTERS = ["text", "pair", "class", "known", "tier"];
const ROWS_PER_STEP = 300;
let rowsMax = ROWS_PER_STEP;

const seconds = (micros) => (micros / 1e6).toFixed(3) + " s";
const cellText = (cell) => (cell ? `${cell[0]} ${seconds(cell[data.clock])}` : "-");

function option(select, value, text) {
  const added = document.createElement("option");
  added.value = value;
  added.textContent = text;
  element(select).append(added);
}

function options(select, words) {
  option(select, "", "all");
  for (const word of words) option(select, word, word);
}

data.pairs.forEach((pair, number) => option("pair", number, pair));
options("class", data.classes);
options("known", ["sat", "unsat", "nothing"]);
options("tier", [...data.tiers, "none"]);

// What a column shows, and what it is sorted by.
const ofQuery = [
  { title: "class", text: (query) => query.classes[pairNumber()] || "" },
  { title: "query", text: (query) => query.name || query.id },
  { title: "known", text: (query) => query.status || "" },
];
const ofContestants = data.contestants.map((title, at) => ({
  title,
  text: (query) => cellText(query.cells[at]),
  key: (query) => (query.cells[at] ? query.cells[at][data.clock] : -1),
  isUnsolved: (query) => query.cells[at] && query.cells[at][4] === 0,
}));
let sorted = { column: ofQuery[1], down: false };

function pairNumber() {
  return Number(element("pair").value || 0);
}

// The two that are compared come before the others.
function columns() {
  const compared = (data.members[pairNumber()] || []).map((at) => ofContestants[at]);
  return [...ofQuery, ...compared, ...ofContestants.filter((column) => !compared.includes(column))];
}

function order(a, b) {
  const { text, key = text } = sorted.column;
  const [one, other] = [key(a), key(b)];
  return (one < other ? -1 : one > other ? 1 : 0) * (sorted.down ? -1 : 1);
}

function headOf(column) {
  const head = document.createElement("th");
  const button = document.createElement("button");
  button.textContent = column.title;
  button.addEventListener("click", () => {
    // Times are of interest from the longest on.
    sorted = { column, down: sorted.column === column ? !sorted.down : Boolean(column.key) };
    show();
  });
  if (column === sorted.column) head.setAttribute("aria-sort", sorted.down ? "descending" : "ascending");
  head.append(button);
  return head;
}

function isFound(query) {
  const text = element("text").value.toLowerCase();
  const [wanted, known, tier] = ["class", "known", "tier"].map((id) => element(id).value);
  return (!wanted || query.classes[pairNumber()] === wanted) &&
    (!known || (query.status || "nothing").split(",")[0] === known) &&
    (!tier || (query.tier || "none") === tier) &&
    (!text || [query.id, query.name, query.family].some((word) => word.toLowerCase().includes(text)));
}

function rowOf(query, columns) {
  const row = document.createElement("tr");
  row.tabIndex = 0;
  row.dataset.query = query.id;
  for (const column of columns) {
    const cell = document.createElement("td");
    cell.textContent = column.text(query);
    cell.title = cell.textContent;
    if (column.isUnsolved && column.isUnsolved(query)) cell.className = "unsolved";
    row.append(cell);
  }
  return row;
}

function show() {
  const shownColumns = columns();
  const found = data.queries.filter(isFound).sort(order);
  element("head").replaceChildren(...shownColumns.map(headOf));
  element("rows").replaceChildren(...found.slice(0, rowsMax).map((query) => rowOf(query, shownColumns)));
  const shown = found.length > rowsMax ? `, the first ${rowsMax} are shown` : "";
  element("count").textContent = `${found.length} of ${data.queries.length} queries${shown}`;
  element("more").hidden = found.length <= rowsMax;
  const ids = new Set(found.map((query) => query.id));
  for (const dot of document.querySelectorAll("circle[data-query]")) {
    dot.classList.toggle("out", !ids.has(dot.dataset.query));
  }
  mark(address().get("query"));
}

const unpacked = new Map();

async function bundle(number) {
  if (!unpacked.has(number)) {
    const bytes = Uint8Array.from(atob(bundles[number]), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    unpacked.set(number, JSON.parse(await new Response(stream).text()));
  }
  return unpacked.get(number);
}

function mark(id) {
  for (const marked of document.querySelectorAll(".chosen")) marked.classList.remove("chosen");
  if (!id) return;
  for (const marked of document.querySelectorAll(`[data-query="${CSS.escape(id)}"]`)) {
    marked.classList.add("chosen");
    // The last one is drawn on top.
    if (marked.tagName === "circle") marked.parentNode.append(marked);
  }
}

async function choose(id) {
  const query = byId.get(id);
  element("detail").hidden = !query;
  mark(id);
  if (!query) return;
  element("name").textContent = query.name || id;
  const lines = [`id: ${id}`, `family: ${query.family || "-"}`, `known: ${query.status || "nothing"}`, `tier: ${query.tier || "none"}`];
  if (query.features) lines.push(data.features.map((name, at) => `${name} ${query.features[at]}`).join(", "));
  data.contestants.forEach((label, number) => {
    const cell = query.cells[number];
    if (!cell) return;
    lines.push(`${label}: ${cell[0]}, ${seconds(cell[1])} wall, ${seconds(cell[2])} processor, ${cell[3]} MiB, ` +
      `solved in ${cell[4]} of ${cell[5]} runs`);
  });
  data.pairs.forEach((pair, number) => {
    if (query.classes[number]) lines.push(`${pair}: ${query.classes[number]}`);
  });
  element("facts").textContent = lines.join("\n");
  element("query").textContent = query.place
    ? (await bundle(query.place[0]))[query.place[1]]
    : `The text is not in this page. In the suite it is ${query.file || "the script of " + id}.`;
}

// The address says what is shown, so that it can be sent to somebody: #class=lost&pair=1&query=ID
function address() {
  return new URLSearchParams(location.hash.slice(1));
}

function remember(changes) {
  const words = address();
  for (const [name, value] of Object.entries(changes)) {
    if (value) words.set(name, value);
    else words.delete(name);
  }
  history.replaceState(null, "", "#" + words);
}

function follow() {
  const words = address();
  for (const id of FILTERS) {
    if (words.has(id)) element(id).value = words.get(id);
  }
  show();
  choose(words.get("query"));
}

function pick(id) {
  remember({ query: id });
  choose(id);
}

for (const dot of document.querySelectorAll("circle[data-query]")) {
  const query = byId.get(dot.dataset.query);
  const title = dot.querySelector("title");
  if (query && query.name && title) title.textContent = `${query.name}\n${title.textContent}`;
}
document.addEventListener("click", (event) => {
  const place = event.target.closest && event.target.closest("[data-query]");
  if (place) pick(place.dataset.query);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") pick(null);
  if (event.key === "Enter" && event.target.tagName === "TR") pick(event.target.dataset.query);
});
element("close").addEventListener("click", () => pick(null));
element("more").addEventListener("click", () => {
  rowsMax += ROWS_PER_STEP;
  show();
});
for (const id of FILTERS) {
  element(id).addEventListener("input", () => {
    rowsMax = ROWS_PER_STEP;
    remember({ [id]: element(id).value });
    show();
  });
}
addEventListener("hashchange", follow);
follow();
