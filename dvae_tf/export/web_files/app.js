// Draws with the model on the device: nothing leaves this page.
import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

const byId = (id) => document.getElementById(id);
const SHOWN_STYLES = 6;
const STEPS_PER_WALK = 40;

let about; // page.json: names, shapes, the prior
let model;
const state = { label: 0, noiseS: [], noiseU: [], zS: [], zU: [], walk: null };

start();

async function start() {
  try {
    about = await fetchJson("page.json");
    await loadLiteRt(new URL("./litert/", import.meta.url).href);
    model = await loadAndCompile(await fetchBytes("model.tflite"), { accelerator: "wasm" });
  } catch (error) {
    byId("status").textContent = `The model cannot be loaded: ${error.message ?? error}`;
    byId("status").classList.add("failed");
    return;
  }
  makeControls();
  reroll();
  byId("app").hidden = false;
  byId("status").textContent = `${about.title}. It runs on this device; nothing is sent anywhere.`;
  await draw();
  document.body.dataset.ready = "true";
}

async function fetchOk(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} is missing beside this page (${answer.status})`);
  return answer;
}

async function fetchJson(path) {
  return (await fetchOk(path)).json();
}

async function fetchBytes(path) {
  return new Uint8Array(await (await fetchOk(path)).arrayBuffer());
}

// The model.

async function call(signature, inputs) {
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, [values, shape]]) => [name, new Tensor(values, shape)]),
  );
  const outputs = await model.run(signature, tensors);
  const found = {};
  for (const [name, tensor] of Object.entries(outputs)) {
    found[name] = Array.from(tensor.toTypedArray());
    tensor.delete();
  }
  Object.values(tensors).forEach((tensor) => tensor.delete());
  return found;
}

async function decode(zS, zU) {
  const found = await call("decode", {
    z_s: [Float32Array.from(zS), [1, zS.length]],
    z_u: [Float32Array.from(zU), [1, zU.length]],
  });
  return found.image;
}

// What is drawn.

function normal() {
  const radius = Math.sqrt(-2 * Math.log(1 - Math.random()));
  return radius * Math.cos(2 * Math.PI * Math.random());
}

function temperature() {
  return Number(byId("temperature").value);
}

function reroll() {
  state.noiseS = Array.from({ length: about.latent_dim_s }, normal);
  state.noiseU = Array.from({ length: about.latent_dim_u }, normal);
  warm();
}

// The style follows the temperature; what a slider has set is a new draw at this temperature.
function warm() {
  state.zU = state.noiseU.map((noise) => temperature() * noise);
  showStyles();
}

function classCode(label) {
  return about.prior_means[label].map(
    (mean, at) => mean + temperature() * about.prior_deviations[label][at] * state.noiseS[at],
  );
}

async function draw(zS = classCode(state.label)) {
  state.zS = zS;
  const begin = performance.now();
  const image = await decode(zS, state.zU);
  byId("time").textContent = `${(performance.now() - begin).toFixed(1)} ms for this image`;
  paint(byId("picture"), image);
}

function paint(canvas, image) {
  const [height, width, channels] = about.shape;
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) {
      const value = image[at * channels + (channels === 1 ? 0 : channel)];
      pixels.data[at * 4 + channel] = Math.round(255 * value);
    }
    pixels.data[at * 4 + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

// A walk from class to class.

async function play() {
  const button = byId("play");
  if (state.walk) {
    state.walk = null;
    return;
  }
  state.walk = {};
  const walk = state.walk;
  button.setAttribute("aria-pressed", "true");
  while (state.walk === walk) {
    const next = (state.label + 1) % about.class_names.length;
    const [from, to] = [classCode(state.label), classCode(next)];
    for (let step = 1; step <= STEPS_PER_WALK && state.walk === walk; step++) {
      const part = step / STEPS_PER_WALK;
      await draw(from.map((value, at) => value + part * (to[at] - value)));
      await new Promise(requestAnimationFrame);
    }
    if (state.walk === walk) chooseClass(next);
  }
  button.setAttribute("aria-pressed", "false");
}

// The user's own image.

async function takeImage(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    byId("verdict").textContent = `${file.name} is no image that this browser can read.`;
    byId("own").hidden = false;
    return;
  }
  const image = toModel(bitmap);
  const input = { image: [Float32Array.from(image), [1, ...about.shape]] };
  const codes = await call("encode", input);
  const { probabilities } = await call("classify", input);
  paint(byId("original"), image);
  paint(byId("reconstruction"), await decode(codes.z_s, codes.z_u_mean));
  const best = probabilities.indexOf(Math.max(...probabilities));
  const percent = (100 * probabilities[best]).toFixed(0);
  byId("verdict").textContent = `Taken for ${about.class_names[best]} (${percent} %).`;
  await swapOntoEveryClass(codes.z_u_mean);
  byId("own").hidden = false;
}

function toModel(bitmap) {
  const [height, width, channels] = about.shape;
  const canvas = new OffscreenCanvas(width, height);
  const side = Math.min(bitmap.width, bitmap.height);
  const [left, top] = [(bitmap.width - side) / 2, (bitmap.height - side) / 2];
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, left, top, side, side, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const image = [];
  for (let at = 0; at < data.length; at += 4) {
    const [red, green, blue] = data.subarray(at, at + 3);
    if (channels === 3) image.push(red / 255, green / 255, blue / 255);
    else image.push((0.299 * red + 0.587 * green + 0.114 * blue) / 255);
  }
  return image;
}

async function swapOntoEveryClass(zU) {
  const figures = [];
  for (const [label, name] of about.class_names.entries()) {
    const [figure, canvas, caption] = ["figure", "canvas", "figcaption"].map((tag) =>
      document.createElement(tag),
    );
    caption.textContent = name;
    paint(canvas, await decode(about.prior_means[label], zU));
    figure.append(canvas, caption);
    figures.push(figure);
  }
  byId("swaps").replaceChildren(...figures);
}

// The controls.

function makeControls() {
  byId("classes").append(...about.class_names.map(classChoice));
  const styles = about.active_dimensions.slice(0, SHOWN_STYLES);
  byId("styles").append(...styles.map(styleSlider));
  byId("temperature").addEventListener("input", () => {
    byId("temperature-value").textContent = temperature().toFixed(2);
    warm();
    draw();
  });
  byId("reroll").addEventListener("click", () => {
    reroll();
    draw();
  });
  byId("play").addEventListener("click", play);
  byId("download").addEventListener("click", download);
  byId("file").addEventListener("change", (event) => takeFirst(event.target.files));
  takeDrops(byId("drop"));
}

function classChoice(name, label) {
  const choice = document.createElement("label");
  const input = document.createElement("input");
  Object.assign(input, { type: "radio", name: "class", value: label, checked: label === 0 });
  input.addEventListener("change", () => {
    state.walk = null;
    chooseClass(label);
    draw();
  });
  const text = document.createElement("span");
  text.textContent = name;
  choice.append(input, text);
  return choice;
}

function chooseClass(label) {
  state.label = label;
  document.querySelector(`input[name=class][value="${label}"]`).checked = true;
}

function styleSlider(dimension, rank) {
  const slider = document.createElement("label");
  slider.className = "slider";
  slider.append(`Style ${rank + 1} (z_u ${dimension})`);
  const input = document.createElement("input");
  Object.assign(input, { type: "range", min: -3, max: 3, step: 0.05 });
  input.dataset.dimension = dimension;
  const output = document.createElement("output");
  input.addEventListener("input", () => {
    state.zU[dimension] = Number(input.value);
    if (temperature() > 0) state.noiseU[dimension] = state.zU[dimension] / temperature();
    output.textContent = state.zU[dimension].toFixed(1);
    draw(state.walk ? state.zS : undefined);
  });
  slider.append(input, output);
  return slider;
}

function showStyles() {
  for (const input of byId("styles").querySelectorAll("input")) {
    const value = state.zU[Number(input.dataset.dimension)];
    input.value = value;
    input.nextElementSibling.textContent = value.toFixed(1);
  }
}

function takeFirst(files) {
  if (files.length) takeImage(files[0]);
}

function takeDrops(target) {
  for (const kind of ["dragover", "dragleave", "drop"]) {
    target.addEventListener(kind, (event) => {
      event.preventDefault();
      target.classList.toggle("over", kind === "dragover");
      if (kind === "drop") takeFirst(event.dataTransfer.files);
    });
  }
}

function download() {
  const link = document.createElement("a");
  link.download = `${about.class_names[state.label].replace(/\W+/g, "_")}.png`;
  byId("picture").toBlob((blob) => {
    link.href = URL.createObjectURL(blob);
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

// For whoever wants to see the numbers behind the picture.
window.dvae = { state, call };
