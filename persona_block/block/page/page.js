// Draws everything that follows what is chosen and filled in; `fields.js` stands before it in the same script.

// --- the sentence --------------------------------------------------------------------------------------------------------

const PLACEHOLDER = /\{([a-zA-Z][a-zA-Z0-9]*)\}/;

/** Returns a sentence as nodes: text, and a chip for each placeholder; clauses that lack a value are left out. */
function sentenceNodes(sentence) {
  const namesIn = (part) => part.split(PLACEHOLDER).filter((_, index) => index % 2);
  const shown = sentence.split(/\[([^[\]]*)\]/).filter((part, index) => {
    return index % 2 === 0 || namesIn(part).every((name) => shownValue(fieldsOf(name)[0]));
  });
  return shown.flatMap((part) => part.split(PLACEHOLDER).map((text, index) => (index % 2 ? chip(text) : text)));
}

function chip(param) {
  const [field] = fieldsOf(param);
  const value = shownValue(field);
  const isBlank = !value;
  return make("span", { className: isBlank ? "chip blank" : "chip", dataset: { param } }, value || field.block.title);
}

// --- outputs -------------------------------------------------------------------------------------------------------------

function typeOf({ type, items }) {
  const entries = items?.type ? ` of ${typeOf(items)}` : "";
  return [type].flat().map((each) => (each === "array" ? each + entries : each)).join(" or ");
}

function outputTree(properties, depth = 0, sources = {}) {
  const list = make("ul", { className: "tree" });
  for (const [name, schema] of Object.entries(properties)) {
    const type = sources[name]?.file ? "file" : typeOf(schema);
    const head = [
      make("code", { textContent: name }),
      make("span", { className: "type", textContent: type }),
      make("span", { className: "prose", textContent: schema.description ?? "" }),
    ];
    const inner = schema.properties ?? schema.items?.properties;
    const body = inner
      ? make("details", { open: depth === 0 }, make("summary", {}, ...head), outputTree(inner, depth + 1))
      : make("p", {}, ...head);
    list.append(make("li", { dataset: { output: name } }, body));
  }
  return list;
}

function drawOutputs() {
  const { then } = definitions.get(operation());
  const follows = then && switchedOn("wait");
  const giving = definitions.get(follows ? then.operation : operation());
  const note = follows ? `Once it is done, what ${giving.title} gives.` : "";
  at("outputs-note").textContent = switchedOn("paginate") ? "The entries of all pages, in one list." : note;
  if (at("outputs").dataset.of === giving.name) return;
  at("outputs").dataset.of = giving.name;
  at("outputs").replaceChildren(outputTree(giving.output.properties, 0, giving.response));
}

// --- everything that follows what is chosen and filled in ----------------------------------------------------------------

function update() {
  const definition = definitions.get(operation());
  fields.forEach(updateField);
  at("sentence").replaceChildren(...sentenceNodes(manifest.sentences[definition.name]));
  drawStatus();
  drawConsent(definition.consent);
  drawOutputs();
}

function updateField(field) {
  const { block, box, control, mark, help, error, suggestions } = field;
  box.hidden = !isShown(field);
  if (box.hidden) return;
  const others = alternatives(field);
  const isMet = others.some((id) => valueOf(fields.find((other) => other.block.id === id)));
  const isGiven = twins(field).some(valueOf);
  control.required = isRequired(field) && !isGiven;
  mark.textContent = others.length ? `one of ${others.length}` : control.required ? "*" : "";
  mark.classList.toggle("any", others.length > 0);
  mark.classList.toggle("met", isMet);
  mark.ariaHidden = String(control.required);
  help.textContent = block.descriptions?.[operation()] ?? block.description;
  error.textContent = problemOf(field);
  error.hidden = !error.textContent;
  control.ariaInvalid = String(!error.hidden);
  for (const button of suggestions?.children ?? []) button.ariaPressed = String(entries(control.value).includes(button.value));
}

function drawStatus() {
  const shown = fields.filter(isShown);
  const titles = (list) => [...new Set(list.map(({ block }) => block.title))];
  const isMissing = (field) => isRequired(field) && ![field, ...twins(field)].some(valueOf);
  const missing = shown.filter((field) => isMissing(field) && !(twins(field).length && field.block.mode === "advanced"));
  const choices = shown.filter((field) => alternatives(field).length);
  const needs = titles(missing);
  if (choices.length && !choices.some(valueOf)) needs.push(`one of ${titles(choices).join(", ")}`);
  const wrong = titles(shown.filter(problemOf));
  const told = { "Still needed": needs, "To correct": wrong };
  const lines = Object.entries(told).filter(([, list]) => list.length).map(([what, list]) => `${what}: ${list.join(" · ")}`);
  at("status").textContent = lines.join(". ") || "Ready to run";
  at("status").dataset.state = needs.length || wrong.length ? "open" : "ready";
  const folded = shown.filter(({ block }) => block.mode === "advanced");
  const filled = folded.filter((field) => isParam(field) && valueOf(field)).length;
  at("advanced").hidden = folded.length === 0;
  const count = folded.length === 1 ? "1 field" : `${folded.length} fields`;
  at("advanced-count").textContent = filled ? `${count}, ${filled} filled in` : count;
}

function drawConsent(consent) {
  at("consent").hidden = !consent;
  if (!consent) return;
  const title = sentenceNodes(consent.title);
  const named = title.filter((node) => node.dataset).map((node) => node.dataset.param);
  at("consent-title").replaceChildren(...title);
  at("consent-text").textContent = consent.text;
  const isOther = (field) => isParam(field) && isShown(field) && !named.includes(field.block.canonicalParamId);
  const others = fields.filter((field) => isOther(field) && valueOf(field));
  at("consent-params").replaceChildren(
    ...others.flatMap((field) => [
      make("dt", { textContent: field.block.title }),
      make("dd", { textContent: `“${shownValue(field)}”` }),
    ]),
  );
  const typing = consent.typed ? ["types ", chip(consent.typed)] : ["says a clear yes"];
  at("consent-answer").replaceChildren("To agree, the person ", ...typing, ".");
}

/** Returns prose as nodes, with a link for each operation that it names. */
function linked(prose) {
  const link = (name) => make("a", { href: `#${name}`, textContent: name });
  return prose.split(/\b([a-z]+(?:_[a-z]+)+)\b/).map((part) => (definitions.has(part) ? link(part) : part));
}

/** Draws what depends on the operation alone, and the rest. */
function choose(name) {
  const definition = definitions.get(name) ?? definitions.get(chooser.block.defaultValue);
  chooser.control.value = definition.name;
  at("operation-title").textContent = definition.title;
  at("description").replaceChildren(...linked(definition.description));
  at("effect").textContent = definition.effect;
  at("effect-text").textContent = manifest.grammar.effects[definition.effect];
  document.body.dataset.effect = definition.effect;
  document.title = `${definition.title} · ${manifest.name}`;
  for (const link of at("operations").querySelectorAll("a")) {
    const isCurrent = link.hash === `#${definition.name}`;
    link.ariaCurrent = String(isCurrent);
    if (isCurrent) link.scrollIntoView({ block: "nearest" });
  }
  update();
}

// --- the page itself -----------------------------------------------------------------------------------------------------

function drawPage() {
  document.documentElement.style.setProperty("--brand", manifest.bgColor);
  document.documentElement.style.setProperty("--on-brand", manifest.iconColor);
  at("about").textContent = `Preview of the block: ${definitions.size} operations, nothing is sent`;
  for (const effect of Object.keys(manifest.grammar.effects)) {
    at("legend").append(make("span", { className: "tone", textContent: effect, dataset: { effect } }));
  }
  for (const [group, title] of Object.entries(manifest.groups)) {
    const list = make("ul");
    for (const { name, title: textContent, effect } of manifest.tools.definitions.filter((each) => each.group === group)) {
      list.append(make("li", {}, make("a", { href: `#${name}`, className: "tone", textContent, dataset: { effect } })));
    }
    at("operations").append(make("h2", { textContent: title }), list);
  }
  place();
}

drawPage();
choose(location.hash.slice(1));
at("fields").addEventListener("input", ({ target }) => {
  if (target === chooser.control) location.hash = operation();
  else update();
});
at("fields").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", () => {
  if (location.hash === "#fields") return;
  choose(location.hash.slice(1));
  if (document.activeElement !== chooser.control) scrollTo(0, 0);
});
