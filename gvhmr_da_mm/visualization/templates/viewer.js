'use strict';
// Viewer of skinned bodies with a software z-buffer: it needs neither a GPU nor a library.

const BACKGROUND = [23, 26, 32], GRID = '#3a404c', GRID_MAJOR = '#5c6474', CONTACT = '#58d660';
const NEAR = 0.05, TICK = 12, AMBIENT = 0.38, MAX_PIXELS = 1600000, HOME = { turn: 0.45, pitch: 0.32 };
const element = (id) => document.getElementById(id);
const data = decode(JSON.parse(element('data').textContent));
const canvas = element('view'), context = canvas.getContext('2d');
const layer = document.createElement('canvas'), layerContext = layer.getContext('2d');
const view = { yaw: 0, pitch: HOME.pitch, distance: 5, target: [0, 1, 0] };
const state = { frame: 0, playing: false, truth: true, mesh: true, follow: false, cameras: true,
  speed: 1, clock: 0 };
let image = null, depth = null, drawn = 0;

// Data

function bytes(text) {
  const raw = atob(text), out = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) out[i] = raw.charCodeAt(i);
  return out.buffer;
}

function array(packed) {
  const types = { u1: Uint8Array, u2: Uint16Array, i2: Int16Array, f4: Float32Array };
  const values = new types[packed.type](bytes(packed.base64));
  if (packed.scale === undefined) return values;
  const out = new Float32Array(values.length), low = packed.low, n = low.length;
  for (let i = 0; i < out.length; i++) out[i] = low[i % n] + packed.scale * values[i];
  return out;
}

function decode(content) {
  for (const body of content.bodies) {
    for (const name of ['joints', 'quaternions', 'cameras', 'axes', 'valid']) {
      body[name] = array(body[name]);
    }
    body.contacts = body.contacts && array(body.contacts);
    for (const name of Object.keys(body.mesh || {})) body.mesh[name] = array(body.mesh[name]);
    if (body.mesh) {
      const count = body.mesh.vertices.length / 3;
      body.posed = new Float32Array(3 * count);
      body.pixels = new Float32Array(3 * count);  // x, y, 1 / depth
      body.light = new Float32Array(count);
    }
  }
  content.errors = content.errors && array(content.errors);
  return content;
}

// Camera: y up; rows of R are right, down, forward

function camera() {
  const cy = Math.cos(view.yaw), sy = Math.sin(view.yaw);
  const cp = Math.cos(view.pitch), sp = Math.sin(view.pitch);
  const back = [sy * cp, sp, cy * cp];
  const R = [[cy, 0, -sy], [sy * sp, -cp, cy * sp], [-back[0], -back[1], -back[2]]];
  const eye = view.target.map((value, i) => value + view.distance * back[i]);
  const t = R.map((row) => -(row[0] * eye[0] + row[1] * eye[1] + row[2] * eye[2]));
  return { R, t, eye, focal: 1.1 * Math.min(canvas.width, canvas.height * 1.3),
    x: canvas.width / 2, y: canvas.height * 0.47 };
}

function toCamera(cam, p) {
  return cam.R.map((row, i) => row[0] * p[0] + row[1] * p[1] + row[2] * p[2] + cam.t[i]);
}

function project(cam, c) {
  return [cam.x + cam.focal * c[0] / c[2], cam.y + cam.focal * c[1] / c[2]];
}

// Lines, clipped where they pass the viewer

function line(cam, a, b, colour, width) {
  let p = toCamera(cam, a), q = toCamera(cam, b);
  if (p[2] < NEAR && q[2] < NEAR) return;
  if (p[2] < NEAR) [p, q] = [q, p];
  if (q[2] < NEAR) {
    const share = (p[2] - NEAR) / (p[2] - q[2]);
    q = q.map((value, i) => p[i] + (value - p[i]) * share);
  }
  context.strokeStyle = colour;
  context.lineWidth = width * canvas.width / canvas.clientWidth;
  context.beginPath();
  context.moveTo(...project(cam, p));
  context.lineTo(...project(cam, q));
  context.stroke();
}

function disc(cam, point, radius, colour) {
  const c = toCamera(cam, point);
  if (c[2] < NEAR) return;
  context.fillStyle = colour;
  context.beginPath();
  context.arc(...project(cam, c), Math.max(2, radius * cam.focal / c[2]), 0, 7);
  context.fill();
}

function drawGround(cam) {
  const [x0, z0, x1, z1] = data.extent, y = data.ground, step = data.step;
  for (let x = x0; x <= x1 + 1e-6; x += step) {
    line(cam, [x, y, z0], [x, y, z1], Math.abs(x) < 1e-6 ? GRID_MAJOR : GRID, 1);
  }
  for (let z = z0; z <= z1 + 1e-6; z += step) {
    line(cam, [x0, y, z], [x1, y, z], Math.abs(z) < 1e-6 ? GRID_MAJOR : GRID, 1);
  }
}

function drawPath(cam, body) {
  const stride = Math.max(1, Math.floor(data.frames / 400));
  let before = null;
  for (let f = 0; f < data.frames; f += stride) {
    const point = body.valid[f] ? [body.joints[66 * f], data.ground, body.joints[66 * f + 2]] : null;
    if (before && point) line(cam, before, point, colour(body, f <= state.frame ? 1 : 0.4), 2);
    before = point;
  }
}

function drawCamera(cam, body) {
  const f = state.frame, o = Array.from(body.cameras.subarray(3 * f, 3 * f + 3));
  const axes = body.axes.subarray(9 * f, 9 * f + 9);
  const corner = (x, y, z) => o.map((value, i) =>
    value + 0.22 * (x * axes[i] + y * axes[3 + i] + z * axes[6 + i]));
  const ring = [corner(-0.7, -0.5, 1), corner(0.7, -0.5, 1), corner(0.7, 0.5, 1),
    corner(-0.7, 0.5, 1)];
  const stride = Math.max(1, Math.floor(data.frames / 400));
  for (let g = stride; g <= f; g += stride) {
    line(cam, Array.from(body.cameras.subarray(3 * (g - stride), 3 * (g - stride) + 3)),
      Array.from(body.cameras.subarray(3 * g, 3 * g + 3)), body.cameraColour, 1);
  }
  ring.forEach((point, i) => {
    line(cam, o, point, body.cameraColour, 1.5);
    line(cam, point, ring[(i + 1) % 4], body.cameraColour, 1.5);
  });
  line(cam, ring[0], corner(0, -0.95, 1), body.cameraColour, 1.5);
  line(cam, ring[1], corner(0, -0.95, 1), body.cameraColour, 1.5);
}

function drawShadow(cam, body) {
  const j = 66 * state.frame, points = [];
  for (let i = 0; i < 28; i++) {
    const angle = i / 28 * 2 * Math.PI;
    const c = toCamera(cam, [body.joints[j] + 0.32 * Math.cos(angle), data.ground,
      body.joints[j + 2] + 0.32 * Math.sin(angle)]);
    if (c[2] < NEAR) return;
    points.push(project(cam, c));
  }
  context.fillStyle = 'rgba(0, 0, 0, 0.4)';
  context.beginPath();
  points.forEach((point) => context.lineTo(...point));
  context.fill();
}

function colour(body, share) {
  return `rgb(${body.colour.map((value, i) => BACKGROUND[i] + (value - BACKGROUND[i]) * share)})`;
}

// Skeletons: capsules, far ones first

function drawSkeletons(cam, bodies) {
  const bones = [];
  for (const body of bodies) {
    for (let joint = 1; joint < 22; joint++) {
      const ends = [joint, data.parents[joint]].map((k) => {
        const i = 66 * state.frame + 3 * k;
        return toCamera(cam, body.joints.subarray(i, i + 3));
      });
      if (Math.min(ends[0][2], ends[1][2]) > NEAR) bones.push({ body, ends });
    }
  }
  bones.sort((a, b) => b.ends[0][2] + b.ends[1][2] - a.ends[0][2] - a.ends[1][2]);
  context.lineCap = 'round';
  for (const { body, ends } of bones) {
    const [p, q] = ends.map((end) => project(cam, end));
    const width = 0.09 * cam.focal / (0.5 * (ends[0][2] + ends[1][2]));
    for (const [share, part, shift] of [[0.55, 1, 0], [0.95, 0.55, -0.14]]) {
      context.strokeStyle = colour(body, share);
      context.lineWidth = Math.max(1.5, width * part);
      context.beginPath();
      context.moveTo(p[0] + shift * width, p[1] + shift * width);
      context.lineTo(q[0] + shift * width, q[1] + shift * width);
      context.stroke();
    }
  }
  context.lineCap = 'butt';
}

// Meshes

function rotation(q, i, out) {
  let x = q[i], y = q[i + 1], z = q[i + 2], w = q[i + 3];
  const n = 1 / Math.sqrt(x * x + y * y + z * z + w * w);
  x *= n; y *= n; z *= n; w *= n;
  out[0] = 1 - 2 * (y * y + z * z); out[1] = 2 * (x * y - z * w); out[2] = 2 * (x * z + y * w);
  out[3] = 2 * (x * y + z * w); out[4] = 1 - 2 * (x * x + z * z); out[5] = 2 * (y * z - x * w);
  out[6] = 2 * (x * z - y * w); out[7] = 2 * (y * z + x * w); out[8] = 1 - 2 * (x * x + y * y);
}

const bones = new Float32Array(22 * 12);  // rotation (9) and translation (3) of each joint

function poseBones(body) {
  const rest = body.mesh.joints, R = new Float32Array(9);
  for (let k = 0; k < 22; k++) {
    rotation(body.quaternions, 88 * state.frame + 4 * k, R);
    for (let i = 0; i < 9; i++) bones[12 * k + i] = R[i];
    for (let i = 0; i < 3; i++) {
      bones[12 * k + 9 + i] = body.joints[66 * state.frame + 3 * k + i] - R[3 * i] * rest[3 * k]
        - R[3 * i + 1] * rest[3 * k + 1] - R[3 * i + 2] * rest[3 * k + 2];
    }
  }
}

// Pose all vertices, project them and light them from above the viewer's left shoulder.
function skin(body, cam) {
  const { vertices, normals, ids, weights } = body.mesh, { pixels, light } = body;
  const { R, t, focal } = cam, M = new Float64Array(12);
  const toLight = [-0.38, -0.60, -0.70];
  const L = [0, 1, 2].map((i) => R[0][i] * toLight[0] + R[1][i] * toLight[1] + R[2][i] * toLight[2]);
  for (let v = 0, i = 0; i < vertices.length; v++, i += 3) {
    M.fill(0);
    for (let k = 4 * v; k < 4 * v + 4; k++) {
      const share = weights[k] / 255;
      if (share === 0) continue;
      const b = 12 * ids[k];
      for (let m = 0; m < 12; m++) M[m] += share * bones[b + m];
    }
    const x = vertices[i], y = vertices[i + 1], z = vertices[i + 2];
    const X = M[0] * x + M[1] * y + M[2] * z + M[9];
    const Y = M[3] * x + M[4] * y + M[5] * z + M[10];
    const Z = M[6] * x + M[7] * y + M[8] * z + M[11];
    const inverse = 1 / (R[2][0] * X + R[2][1] * Y + R[2][2] * Z + t[2]);
    pixels[i] = cam.x + focal * inverse * (R[0][0] * X + R[0][1] * Y + R[0][2] * Z + t[0]);
    pixels[i + 1] = cam.y + focal * inverse * (R[1][0] * X + R[1][1] * Y + R[1][2] * Z + t[1]);
    pixels[i + 2] = inverse;
    const a = normals[i], b = normals[i + 1], c = normals[i + 2];
    const lambert = (L[0] * (M[0] * a + M[1] * b + M[2] * c) + L[1] * (M[3] * a + M[4] * b + M[5] * c)
      + L[2] * (M[6] * a + M[7] * b + M[8] * c));
    light[v] = AMBIENT + (1 - AMBIENT) * Math.max(0, lambert);
  }
}

// Fill all triangles that face the viewer.
function rasterize(body) {
  const { pixels, light } = body, faces = body.mesh.faces;
  const width = layer.width, height = layer.height, out = image.data, limit = 1 / NEAR;
  const [red, green, blue] = body.colour;
  for (let f = 0; f < faces.length; f += 3) {
    const A = faces[f], B = faces[f + 1], C = faces[f + 2];
    const ia = pixels[3 * A + 2], ib = pixels[3 * B + 2], ic = pixels[3 * C + 2];
    if (!(ia > 0 && ib > 0 && ic > 0) || Math.max(ia, ib, ic) > limit) continue;
    const ax = pixels[3 * A], ay = pixels[3 * A + 1];
    const bx = pixels[3 * B] - ax, by = pixels[3 * B + 1] - ay;
    const cx = pixels[3 * C] - ax, cy = pixels[3 * C + 1] - ay;
    const area = bx * cy - by * cx;
    if (area >= 0) continue;  // y points down: outward triangles are negative
    const left = Math.max(0, Math.ceil(ax + Math.min(0, bx, cx) - 0.5));
    const right = Math.min(width - 1, Math.floor(ax + Math.max(0, bx, cx) - 0.5));
    const top = Math.max(0, Math.ceil(ay + Math.min(0, by, cy) - 0.5));
    const bottom = Math.min(height - 1, Math.floor(ay + Math.max(0, by, cy) - 0.5));
    const scale = 1 / area;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const dx = x + 0.5 - ax, dy = y + 0.5 - ay;
        const b = (dx * cy - dy * cx) * scale, c = (bx * dy - by * dx) * scale, a = 1 - b - c;
        if (a < -1e-5 || b < -1e-5 || c < -1e-5) continue;
        const nearness = a * ia + b * ib + c * ic, p = y * width + x;
        if (nearness <= depth[p]) continue;
        depth[p] = nearness;
        const shade = a * light[A] + b * light[B] + c * light[C];
        out[4 * p] = red * shade;
        out[4 * p + 1] = green * shade;
        out[4 * p + 2] = blue * shade;
        out[4 * p + 3] = 255;
      }
    }
  }
}

function drawMeshes(cam, bodies) {
  if (!image || image.width !== canvas.width || image.height !== canvas.height) {
    layer.width = canvas.width;
    layer.height = canvas.height;
    image = layerContext.createImageData(layer.width, layer.height);
    depth = new Float32Array(layer.width * layer.height);
  }
  image.data.fill(0);
  depth.fill(0);
  for (const body of bodies) {
    poseBones(body);
    skin(body, cam);
    rasterize(body);
  }
  layerContext.putImageData(image, 0, 0);
  context.drawImage(layer, 0, 0);
}

// Image

function render() {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(window.devicePixelRatio || 1,
    Math.sqrt(MAX_PIXELS / Math.max(1, box.width * box.height)));
  const width = Math.max(1, Math.round(box.width * ratio));
  const height = Math.max(1, Math.round(box.height * ratio));
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  if (state.follow) view.target = middle(state.frame) || view.target;
  context.fillStyle = `rgb(${BACKGROUND})`;
  context.fillRect(0, 0, width, height);
  const cam = camera(), shown = data.bodies.filter((body) => state.truth || !body.truth);
  const present = shown.filter((body) => body.valid[state.frame]);
  drawGround(cam);
  shown.forEach((body) => drawPath(cam, body));
  if (state.cameras) shown.filter((body) => body.hasCamera).forEach((body) => drawCamera(cam, body));
  present.forEach((body) => drawShadow(cam, body));
  if (state.mesh && data.meshes) drawMeshes(cam, present);
  else drawSkeletons(cam, present);
  for (const body of present.filter((b) => b.contacts)) {
    data.contactJoints.forEach((joint, k) => {
      if (body.contacts[data.contactJoints.length * state.frame + k] < 128) return;
      const i = 66 * state.frame + 3 * joint;
      disc(cam, body.joints.subarray(i, i + 3), 0.03, CONTACT);
    });
  }
  describe(present);
  drawn++;
}

function describe(present) {
  const lines = [`frame ${state.frame} / ${data.frames - 1}   ${(state.frame / data.fps).toFixed(2)} s`];
  const error = data.errors && data.errors[state.frame];
  if (data.errors) lines.push(`joint error ${error >= 0 ? error.toFixed(0) + ' mm' : '–'}`);
  if (!present.length) lines.push('not valid');
  element('info').textContent = lines.join('\n');
  element('frame').value = state.frame;
}

// Colour of each frame by its error, from green (0) to red (largest).
function drawStrip() {
  const strip = element('strip');
  if (!data.errors) { strip.style.display = 'none'; return; }
  strip.width = Math.max(1, strip.clientWidth);
  strip.height = 10;
  const pen = strip.getContext('2d'), most = Math.max(...data.errors, 1e-6);
  for (let x = 0; x < strip.width; x++) {
    const error = data.errors[Math.min(data.frames - 1, Math.floor(x / strip.width * data.frames))];
    pen.fillStyle = error < 0 ? '#3a404c' : `hsl(${120 * (1 - error / most)} 70% 50%)`;
    pen.fillRect(x, 0, 1, 10);
  }
}

function middle(frame) {
  const body = data.bodies.find((b) => b.valid[frame]);
  return body ? Array.from(body.joints.subarray(66 * frame, 66 * frame + 3)) : null;
}

// View from about the position of the camera.
function reset() {
  const [x0, z0, x1, z1] = data.extent, body = data.bodies[0];
  const first = Math.max(0, body.valid.indexOf(1));
  view.yaw = HOME.turn + Math.atan2(body.cameras[3 * first] - body.joints[66 * first],
    body.cameras[3 * first + 2] - body.joints[66 * first + 2]);
  view.pitch = HOME.pitch;
  view.target = [(x0 + x1) / 2, data.ground + 0.9, (z0 + z1) / 2];
  view.distance = Math.max(3.2, 0.95 * Math.hypot(x1 - x0, z1 - z0));
}

function setFrame(frame) {
  state.frame = Math.min(data.frames - 1, Math.max(0, Math.round(frame)));
  render();
}

function setPlaying(playing) {
  state.playing = playing;
  element('play').textContent = playing ? 'Pause' : 'Play';
  state.clock = performance.now();
  if (playing) setTimeout(tick, TICK);
}

let rest = 0;  // fraction of a frame not shown yet
function tick() {
  if (!state.playing) return;
  const now = performance.now();
  rest += Math.max(0, now - state.clock) / 1000 * data.fps * state.speed;
  state.clock = now;
  const steps = Math.floor(rest);
  rest -= steps;
  if (steps) setFrame((state.frame + steps) % data.frames);
  setTimeout(tick, TICK);
}

// Controls

element('frame').max = data.frames - 1;
element('frame').addEventListener('input', (event) => setFrame(+event.target.value));
element('play').addEventListener('click', () => setPlaying(!state.playing));
element('speed').addEventListener('change', (event) => { state.speed = +event.target.value; });
element('reset').addEventListener('click', () => { reset(); render(); });
for (const name of ['truth', 'mesh', 'follow', 'cameras']) {
  element(name).addEventListener('change', (event) => {
    state[name] = event.target.checked;
    render();
  });
}
window.addEventListener('keydown', (event) => {
  const boxes = { g: 'truth', m: 'mesh', f: 'follow', c: 'cameras' };
  const box = boxes[event.key.toLowerCase()];
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === ' ') setPlaying(!state.playing);
  else if (event.key === 'ArrowRight') setFrame(state.frame + 1);
  else if (event.key === 'ArrowLeft') setFrame(state.frame - 1);
  else if (box && !element(box).disabled) element(box).click();
  else return;
  event.preventDefault();
});

const pointers = new Map();
canvas.addEventListener('contextmenu', (event) => event.preventDefault());
canvas.addEventListener('pointerdown', (event) => {
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  try { canvas.setPointerCapture(event.pointerId); } catch (error) { /* the pointer has left */ }
});
for (const name of ['pointerup', 'pointercancel']) {
  canvas.addEventListener(name, (event) => pointers.delete(event.pointerId));
}
canvas.addEventListener('pointermove', (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  const dx = event.clientX - before[0], dy = event.clientY - before[1];
  const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, p]) => p);
  if (others.length) {  // two fingers: zoom
    const apart = (p) => Math.hypot(p[0] - others[0][0], p[1] - others[0][1]) || 1;
    zoom(apart(before) / apart([event.clientX, event.clientY]));
  } else if (event.buttons & 2 || event.shiftKey) {
    const { R } = camera(), size = view.distance / canvas.clientHeight;
    view.target = view.target.map((value, i) => value - size * (dx * R[0][i] + dy * R[1][i]));
  } else {
    view.yaw -= 0.008 * dx;
    view.pitch = Math.min(1.5, Math.max(-0.2, view.pitch + 0.008 * dy));
  }
  pointers.set(event.pointerId, [event.clientX, event.clientY]);
  render();
});
canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  zoom(Math.exp(0.001 * event.deltaY));
  render();
}, { passive: false });

function zoom(factor) {
  view.distance = Math.min(500, Math.max(0.5, view.distance * factor));
}

// Start

for (const body of data.bodies) {
  const key = document.createElement('span'), row = document.createElement('div');
  key.className = 'key';
  key.style.background = colour(body, 1);
  row.append(key, body.name);
  element('legend').append(row);
}
if (!data.bodies.some((body) => body.truth)) {
  element('truth').parentElement.style.display = 'none';
  element('truth').disabled = true;
}
if (!data.meshes) {
  element('mesh').parentElement.style.display = 'none';
  element('mesh').disabled = true;
}
window.addEventListener('resize', () => { drawStrip(); render(); });
reset();
drawStrip();
setFrame(+location.hash.slice(1) || 0);  // `page.html#120` opens frame 120
