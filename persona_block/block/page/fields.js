// The fields of the block, from the manifest that the page carries. What this script knows is the manifest's vocabulary, and
// no operation.

const manifest = JSON.parse(document.getElementById("manifest").textContent);
const definitions = new Map(manifest.tools.definitions.map((definition) => [definition.name, definition]));
const CHOOSER = "operation";

const at = (id) => document.getElementById(id);

/** Makes an element with properties, data attributes among them, and children. */
function make(tag, properties = {}, ...children) {
  const { dataset, ...others } = properties;
  const element = Object.assign(document.createElement(tag), others);
  Object.assign(element.dataset, dataset);
  element.append(...children);
  return element;
}

// --- fields: each sub-block is made once, and shown while its condition holds ------------------------------------------

const fields = manifest.subBlocks.map(makeField);

function makeField(block) {
  const control = makeControl(block);
  const ids = { control: `field-${block.id}`, help: `help-${block.id}`, error: `error-${block.id}` };
  control.id = ids.control;
  control.setAttribute("aria-describedby", `${ids.help} ${ids.error}`);
  const mark = make("span", { className: "mark" });
  const label = make("label", { htmlFor: ids.control }, block.title, " ", mark);
  const help = make("p", { id: ids.help, className: "help" });
  const error = make("p", { id: ids.error, className: "error", hidden: true });
  const box = make("div", { className: `field ${block.type}`, dataset: { field: block.id } }, label, control);
  const suggestions = block.type === "combobox" ? makeSuggestions(block, control) : null;
  if (suggestions) box.append(suggestions);
  box.append(help, error);
  return { block, box, control, mark, help, error, suggestions };
}

function makeControl(block) {
  const text = { placeholder: block.placeholder ?? "", spellcheck: false, autocomplete: "off" };
  switch (block.type) {
    case "dropdown":
      return makeSelect(block);
    case "long-input":
      return make("textarea", { ...text, rows: 3, spellcheck: true });
    case "code":
      return make("textarea", { ...text, rows: 3 });
    case "file-upload":
      return make("input", { type: "file", accept: block.acceptedTypes });
    case "switch": {
      const control = make("input", { type: "checkbox", checked: block.defaultValue });
      control.setAttribute("role", "switch");
      return control;
    }
    case "number":
      return make("input", { ...text, type: "number", step: 1, min: block.min ?? "", max: block.max ?? "" });
    case "date":
      return make("input", { type: "date" });
    case "date-time":
      return make("input", { type: "datetime-local" });
    default:
      return make("input", { ...text, type: block.password ? "password" : "text" });
  }
}

function makeSelect(block) {
  const select = make("select");
  if (block.defaultValue === undefined) select.append(make("option", { value: "", textContent: "Choose…" }));
  const groups = new Map();
  for (const option of block.options) {
    if (option.group && !groups.has(option.group)) {
      groups.set(option.group, make("optgroup", { label: option.group }));
      select.append(groups.get(option.group));
    }
    (groups.get(option.group) ?? select).append(make("option", { value: option.id, textContent: option.label }));
  }
  return select;
}

/** Makes a button for each suggestion, which puts it into the field, or takes it out. */
function makeSuggestions(block, control) {
  const row = make("div", { className: "suggestions", role: "group", ariaLabel: `Suggestions for ${block.title}` });
  for (const option of block.options) {
    const button = make("button", { type: "button", value: option.id, textContent: option.label });
    button.addEventListener("click", () => {
      const others = entries(control.value).filter((entry) => entry !== option.id);
      const isIn = others.length < entries(control.value).length;
      control.value = (isIn ? others : block.multiple ? [...others, option.id] : [option.id]).join(", ");
      update();
    });
    row.append(button);
  }
  return row;
}

const entries = (text) => text.split(",").map((entry) => entry.trim()).filter(Boolean);

function place() {
  for (const { block, box } of fields) {
    const section = block.id === CHOOSER ? "choice" : block.password ? "connection" : block.mode;
    at(section === "advanced" ? "advanced-fields" : section).append(box);
  }
}

// --- values ------------------------------------------------------------------------------------------------------------

const chooser = fields.find(({ block }) => block.id === CHOOSER);
const operation = () => chooser.control.value;
const isShown = ({ block }) => !block.condition || block.condition.value.includes(operation());
const isRequired = ({ block }) => (block.required.value ? block.required.value.includes(operation()) : block.required);
const alternatives = ({ block }) => block.requiredAny?.[operation()] ?? [];
const isParam = ({ block }) => block.id !== CHOOSER && block.type !== "switch" && !block.password;

function valueOf({ control }) {
  return control.type === "file" ? (control.files[0]?.name ?? "") : control.value.trim();
}

/** Returns the value as a person reads it: what is one of the options by its label. */
function shownValue(field) {
  const label = (text) => field.block.options?.find((option) => option.id === text)?.label ?? text;
  return field.block.multiple ? entries(valueOf(field)).map(label).join(", ") : label(valueOf(field));
}

/** Returns the shown fields that fill a param in, the one with a value first. */
function fieldsOf(param) {
  const shown = fields.filter((field) => isParam(field) && isShown(field) && field.block.canonicalParamId === param);
  return shown.sort((one, other) => Boolean(valueOf(other)) - Boolean(valueOf(one)));
}

/** Returns the other shown fields that fill in the same param. */
function twins(field) {
  return isParam(field) ? fieldsOf(field.block.canonicalParamId).filter((other) => other !== field) : [];
}

function switchedOn(rule) {
  return fields.some((field) => field.block.running === rule && isShown(field) && field.control.checked);
}

function problemOf(field) {
  const { block, control } = field;
  if (block.type === "number" && !control.checkValidity()) {
    const range = [block.min === undefined ? "" : ` from ${block.min}`, block.max === undefined ? "" : ` to ${block.max}`];
    return `This has to be a whole number${range.join("")}.`;
  }
  const text = valueOf(field);
  const { type } = definitions.get(operation()).params.properties[block.canonicalParamId] ?? {};
  const isList = type === "array";
  if (block.language !== "json" || !text || (isList && !/^[[{"]/.test(text))) return "";
  try {
    const value = JSON.parse(text);
    return value instanceof Object && Array.isArray(value) === isList ? "" : `This has to be a JSON ${type}.`;
  } catch {
    return "This is not JSON yet.";
  }
}
