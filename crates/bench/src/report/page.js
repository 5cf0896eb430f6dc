"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const bundles = JSON.parse(document.getElementById("bundles").textContent);
const byId = new Map(data.queries.map((query) => [query.id, query]));
const element = (id) => document.getElementById(id);
const ROWS_MAX = 300;

const seconds = (micros) => (micros / 1e6).toFixed(3) + " s";
const cellText = (cell) => (cell ? `${cell[0]} ${seconds(cell[data.clock])}` : "-");

function option(select, value, text) {
  const added = document.createElement("option");
  added.value = value;
  added.textContent = text;
  select.append(added);
}

data.pairs.forEach((pair, number) => option(element("pair"), number, pair));
option(element("class"), "", "all");
for (const word of ["contradiction", "lost", "unstable", "slower", "faster", "same", "won", "neither", "missing"]) {
  option(element("class"), word, word);
}
option(element("sort"), "name", "name");
data.contestants.forEach((label, number) => option(element("sort"), number, "time of " + label));

for (const title of ["class", "query", "known", ...data.contestants]) {
  const head = document.createElement("th");
  head.textContent = title;
  element("head").append(head);
}

function show() {
  const text = element("text").value.toLowerCase();
  const pair = Number(element("pair").value || 0);
  const wanted = element("class").value;
  const sort = element("sort").value;
  const found = data.queries.filter((query) =>
    (!wanted || query.classes[pair] === wanted) &&
    (!text || [query.id, query.name, query.family].some((word) => word.toLowerCase().includes(text))));
  const time = (query) => (query.cells[sort] ? query.cells[sort][data.clock] : -1);
  found.sort((a, b) => (sort === "name" ? (a.name < b.name ? -1 : 1) : time(b) - time(a)));
  element("rows").replaceChildren(...found.slice(0, ROWS_MAX).map((query) => {
    const row = document.createElement("tr");
    for (const text of [query.classes[pair] || "", query.name || query.id, query.status || "",
      ...query.cells.map(cellText)]) {
      const cell = document.createElement("td");
      cell.textContent = text;
      row.append(cell);
    }
    row.addEventListener("click", () => choose(query.id));
    return row;
  }));
  const more = found.length > ROWS_MAX ? `, the first ${ROWS_MAX} are shown` : "";
  element("count").textContent = `${found.length} queries${more}`;
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

async function choose(id) {
  const query = byId.get(id);
  for (const dot of document.querySelectorAll("circle.chosen")) dot.classList.remove("chosen");
  for (const dot of document.querySelectorAll(`circle[data-query="${id}"]`)) dot.classList.add("chosen");
  element("detail").hidden = false;
  element("name").textContent = query.name || id;
  const lines = [`id: ${id}`, `family: ${query.family}`, `known: ${query.status || "nothing"}`];
  if (query.features) lines.push(data.features.map((name, at) => `${name} ${query.features[at]}`).join(", "));
  data.contestants.forEach((label, number) => {
    const cell = query.cells[number];
    if (!cell) return;
    lines.push(`${label}: ${cell[0]}, ${seconds(cell[1])} wall, ${seconds(cell[2])} processor, ${cell[3]} MiB, ` +
      `solved in ${cell[4]} of ${cell[5]} runs`);
  });
  data.pairs.forEach((pair, number) => lines.push(`${pair}: ${query.classes[number]}`));
  element("facts").textContent = lines.join("\n");
  element("query").textContent = query.place
    ? (await bundle(query.place[0]))[query.place[1]]
    : `The text is not in this page. In the suite it is ${query.file || "the script of " + id}.`;
}

document.addEventListener("click", (event) => {
  const id = event.target.getAttribute && event.target.getAttribute("data-query");
  if (id) choose(id);
});
element("close").addEventListener("click", () => { element("detail").hidden = true; });
for (const id of ["text", "pair", "class", "sort"]) element(id).addEventListener("input", show);
show();
