'use strict';
// The linear inverse of fixed orientations, as in the theory: whiten by type, weight by depth,
// decompose L = W G Q through L L', filter by Λ s²/(Λ s² + 1).
const given = JSON.parse(document.getElementById('data').textContent);
const unpack = (text, kind) => new kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const {n, m, types, times, truth} = given;
const gain = unpack(given.gain, Float32Array), power = unpack(given.power, Float64Array);
const cov = unpack(given.cov, Float64Array), data = unpack(given.data, Float64Array);
const vertices = unpack(given.vertices, Float32Array), faces = unpack(given.faces, Uint32Array);
const state = {
  measure: 'amplitude', snr: 3, rank: n, reg: 0.1, depth: 0.5, time: 0, vertex: 0,
};
let now = null; // what was computed last

/** Eigenvalues (sorted down) and vectors (rows) of a symmetric matrix, by Jacobi's rotations. */
function eigh(matrix, size) {
  const a = Float64Array.from(matrix), v = new Float64Array(size * size);
  for (let i = 0; i < size; i++) v[i * size + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let off = 0, diagonal = 0;
    for (let i = 0; i < size; i++) {
      diagonal += a[i * size + i] ** 2;
      for (let j = 0; j < i; j++) off += a[i * size + j] ** 2;
    }
    if (off <= 1e-30 * diagonal) break;
    for (let p = 0; p < size - 1; p++) {
      for (let q = p + 1; q < size; q++) {
        const apq = a[p * size + q];
        if (apq === 0) continue;
        const theta = (a[q * size + q] - a[p * size + p]) / (2 * apq);
        const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
        const c = 1 / Math.sqrt(t * t + 1), s = t * c;
        for (let k = 0; k < size; k++) {
          const x = a[k * size + p], y = a[k * size + q];
          a[k * size + p] = c * x - s * y;
          a[k * size + q] = s * x + c * y;
        }
        for (let k = 0; k < size; k++) {
          const x = a[p * size + k], y = a[q * size + k];
          a[p * size + k] = c * x - s * y;
          a[q * size + k] = s * x + c * y;
          const g = v[p * size + k], h = v[q * size + k];
          v[p * size + k] = c * g - s * h;
          v[q * size + k] = s * g + c * h;
        }
      }
    }
  }
  const order = [...Array(size).keys()].sort((i, j) => a[j * size + j] - a[i * size + i]);
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => vectors.set(v.subarray(from * size, (from + 1) * size), to * size));
  return {values: order.map((i) => a[i * size + i]), vectors};
}

/** Distance of a number, rounded to single precision, to the next larger one. */
const spacing32 = (x) => 2 ** (Math.floor(Math.log2(Math.fround(x))) - 23);

/** Whitener (n × n) of the regularised covariance, type by type, and its rank. */
function whiten(reg) {
  const whitener = new Float64Array(n * n);
  let rank = 0;
  for (const kind of new Set(types)) {
    const own = [...Array(n).keys()].filter((i) => types[i] === kind), k = own.length;
    const block = new Float64Array(k * k);
    own.forEach((i, r) => own.forEach((j, c) => { block[r * k + c] = cov[i * n + j]; }));
    const {values, vectors} = eigh(block, k);
    const std = values.map((value) => Math.sqrt(Math.max(value, 0)));
    const ridge = reg * values.reduce((sum, value) => sum + Math.max(value, 0), 0) / k;
    for (let d = 0; d < k; d++) {
      if (!(std[d] > k * spacing32(std[0]))) continue;
      rank++;
      const scale = 1 / Math.sqrt(std[d] ** 2 + ridge);
      for (let r = 0; r < k; r++) {
        const left = scale * vectors[d * k + r];
        for (let c = 0; c < k; c++) whitener[own[r] * n + own[c]] += left * vectors[d * k + c];
      }
    }
  }
  return {whitener, rank};
}

/** Product of two row-major matrices. */
function product(a, b, rows, inner, columns) {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++) {
      const x = a[i * inner + k];
      if (x === 0) continue;
      for (let j = 0; j < columns; j++) out[i * columns + j] += x * b[k * columns + j];
    }
  }
  return out;
}

/** Depth weights: a = power^exponent; α² = max a / max(a, max a / 100). */
function depthWeights(exponent) {
  const a = power.map((value) => value ** exponent), largest = a.reduce((x, y) => Math.max(x, y));
  return a.map((value) => Math.sqrt(largest / Math.max(value, largest / 100)));
}

/** All that does not depend on SNR, time and location: U'L, U'Wy, S², α. */
function decompose() {
  const {whitener, rank} = whiten(state.reg), alpha = depthWeights(state.measure === 'sloreta' ? 0 : state.depth);
  const white = product(whitener, gain, n, n, m);
  for (let i = 0; i < n; i++) for (let j = 0; j < m; j++) white[i * m + j] *= alpha[j];
  const gram = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k <= i; k++) {
      let sum = 0;
      for (let j = 0; j < m; j++) sum += white[i * m + j] * white[k * m + j];
      gram[i * n + k] = gram[k * n + i] = sum;
    }
  }
  const {values, vectors} = eigh(gram, n), s2 = values.map((value) => Math.max(value, 0));
  return {
    rank, alpha, s2,
    seen: product(vectors, white, n, n, m),
    coefficients: product(vectors, product(whitener, data, n, n, times.length), n, n, times.length),
  };
}

/** The estimate of whitened coefficients (n), at all locations. */
function estimate(coefficients) {
  const {seen, alpha} = now.parts, out = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    const factor = now.factors[k] * coefficients[k];
    if (factor) for (let j = 0; j < m; j++) out[j] += factor * seen[k * m + j];
  }
  return out.map((value, j) => value * (state.measure === 'amplitude' ? alpha[j] : now.scale[j]));
}

function compute(anew) {
  const parts = anew || now === null ? decompose() : now.parts;
  if (now === null || state.rank > parts.rank) state.rank = parts.rank;
  const t = parts.s2.reduce((a, b) => a + b), prior = state.snr ** 2 * n / t;
  const factors = parts.s2.map((s2, k) => (k < state.rank ? prior / (prior * s2 + 1) : 0));
  const scale = new Float64Array(m);
  for (let k = 0; k < n; k++) {
    const f = state.measure === 'dspm' ? factors[k] ** 2 : factors[k];
    if (f) for (let j = 0; j < m; j++) scale[j] += f * parts.seen[k * m + j] ** 2;
  }
  scale.forEach((value, j) => { scale[j] = value > 0 ? 1 / Math.sqrt(value) : 0; });
  now = {parts, t, prior, factors, scale};
  const column = (k) => parts.coefficients[k * times.length + state.time];
  now.map = estimate(Float64Array.from({length: n}, (_, k) => column(k)));
  now.peak = largest(now.map);
  now.course = times.map((_, time) => {
    let sum = 0;
    for (let k = 0; k < n; k++) {
      sum += factors[k] * parts.seen[k * m + state.vertex]
        * parts.coefficients[k * times.length + time];
    }
    return sum * (state.measure === 'amplitude' ? parts.alpha[state.vertex]
      : scale[state.vertex]);
  });
  const own = Float64Array.from({length: n}, (_, k) => parts.seen[k * m + state.vertex]);
  now.spread = estimate(own).map((value) => Math.abs(value) / parts.alpha[state.vertex]);
  now.spreadPeak = largest(now.spread);
}

const largest = (values) => values.reduce(
  (best, value, j) => (Math.abs(value) > Math.abs(values[best]) ? j : best), 0);

/** Number of the sample nearest to a time. */
const nearest = (time) => times.reduce(
  (best, value, i) => (Math.abs(value - time) < Math.abs(times[best] - time) ? i : best), 0);

/** Sample and location of the largest value of all. */
function strongest() {
  let best = [0, 0, 0];
  times.forEach((_, time) => {
    state.time = time;
    compute(time === 0);
    const value = Math.abs(now.map[now.peak]);
    if (value > best[2]) best = [time, now.peak, value];
  });
  return best;
}

function distance(a, b) {
  let sum = 0;
  for (let x = 0; x < 3; x++) sum += (vertices[3 * a + x] - vertices[3 * b + x]) ** 2;
  return 1e3 * Math.sqrt(sum);
}

/** The known source that is nearest in time, within 30 ms. */
function trueSource() {
  const near = truth.filter((one) => Math.abs(one.time - times[state.time]) <= 0.03);
  const away = (one) => Math.abs(one.time - times[state.time]);
  return near.sort((a, b) => away(a) - away(b))[0] || null;
}

function numbers() {
  const weights = now.spread.map((value) => value ** 2);
  const total = weights.reduce((a, b) => a + b);
  const moment = weights.reduce((sum, w, j) => sum + w * distance(j, state.vertex) ** 2, 0);
  const source = trueSource();
  return {
    snr: state.snr,
    lambda: now.prior,
    lambda2: now.parts.rank / n / state.snr ** 2,
    rank: now.parts.rank,
    kept: now.factors.reduce((sum, f, k) => sum + f * now.parts.s2[k], 0),
    time: times[state.time],
    peakLocation: now.peak + 1,
    peak: now.map[now.peak],
    error: source ? distance(now.peak, source.vertex) : null,
    here: now.map[state.vertex],
    spreadError: distance(now.spreadPeak, state.vertex),
    dispersion: Math.sqrt(moment / total),
  };
}
const unit = () => (state.measure === 'dspm' ? ' × noise' : ' nA·m');
const shown = (value) => {
  const scaled = state.measure === 'dspm' ? value : 1e9 * value;
  return `${scaled.toPrecision(3)}${unit()}`;
};

function tell() {
  const all = numbers(), rows = [
    ['Λ', `${all.lambda.toPrecision(3)} (A·m)²`],
    ['lambda2 of MNE, same kernel', all.lambda2.toPrecision(4)],
    ['lambda2 = 1/SNR² (MNE’s reading)', (1 / all.snr ** 2).toPrecision(4)],
    ['rank of the noise, channels', `${all.rank} of ${n}`],
    ['numbers determined by the data', all.kept.toFixed(1)],
    ['largest value', `${shown(all.peak)} at location ${all.peakLocation}`],
    ['error of localisation', all.error === null ? 'no known source at this time'
      : `${all.error.toFixed(1)} mm (${trueSource().name})`],
    ['at the chosen location', shown(all.here)],
    ['point spread: peak off by', `${all.spreadError.toFixed(1)} mm`],
    ['point spread: dispersion', `${all.dispersion.toFixed(1)} mm`],
  ];
  document.querySelector('#numbers tbody').replaceChildren(...rows.map(([name, value]) => {
    const row = document.createElement('tr');
    row.innerHTML = '<th scope="row"></th><td></td>';
    row.children[0].textContent = name;
    row.children[1].textContent = value;
    return row;
  }));
  const words = {
    snr: state.snr.toPrecision(3), lambda2: all.lambda2.toPrecision(3), rank: state.rank,
    reg: state.reg.toFixed(2), depth: state.depth.toFixed(2),
    time: `${(1e3 * times[state.time]).toFixed(0)} ms`, vertex: '', measure: '',
  };
  for (const [name, word] of Object.entries(words)) {
    const input = document.getElementById(name);
    input.nextElementSibling.textContent = word;
    if (word !== '') input.setAttribute('aria-valuetext', word);
  }
}

// Drawing

/** A canvas of the width on the screen, and its context, in points of the page. */
function drawing(name, ratio) {
  const canvas = document.getElementById(name), dense = window.devicePixelRatio || 1;
  const width = canvas.clientWidth || 600, height = Math.round(width * ratio);
  canvas.width = width * dense;
  canvas.height = height * dense;
  const context = canvas.getContext('2d');
  context.scale(dense, dense);
  context.font = '12px system-ui, sans-serif';
  return {context, width, height};
}
/** Colour of text and lines, on light and on dark paper. */
const ink = () => getComputedStyle(document.body).color;
// from a third of the largest value up to it, pale to dark
const STOPS = [[255, 255, 178], [254, 204, 92], [253, 141, 60], [240, 59, 32], [189, 0, 38]];
const FROM = 1 / 3;

/** Colour of a part of the largest value, times light. */
function colour(part, light) {
  let rgb = [185, 185, 185];
  if (part >= FROM) {
    const at = Math.min(4 * (part - FROM) / (1 - FROM), 3.999), low = Math.floor(at);
    rgb = STOPS[low].map((value, i) => value + (at - low) * (STOPS[low + 1][i] - value));
  }
  return `rgb(${rgb.map((value) => Math.round(light * value)).join(' ')})`;
}
// SCS: x to the nose, y to the left, z up; right and up on the screen, and towards the viewer
const VIEWS = {
  left: [[-1, 0, 0], [0, 0, 1], [0, 1, 0]],
  back: [[0, -1, 0], [0, 0, 1], [-1, 0, 0]],
  top: [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
  right: [[1, 0, 0], [0, 0, 1], [0, -1, 0]],
};
/** Height of the colour bar with its numbers. */
const BAR = 34;
const along = (axis, v) => axis[0] * vertices[3 * v] + axis[1] * vertices[3 * v + 1]
  + axis[2] * vertices[3 * v + 2];

/** Columns of the views of a width, and the height of them all: two rows on a telephone. */
function room(width) {
  const columns = width < 420 ? 2 : 4;
  return {columns, height: Math.round(width / columns * (4 / columns))};
}

/** Places of the vertices of each view in a canvas of a width: x, y and depth. */
function layout(width) {
  const {columns} = room(width), cell = width / columns;
  return Object.values(VIEWS).map(([right, up, toward], view) => {
    const span = [[Infinity, -Infinity], [Infinity, -Infinity]];
    const flat = Array.from({length: m}, (_, v) => {
      const place = [along(right, v), along(up, v), along(toward, v)];
      for (let i = 0; i < 2; i++) {
        span[i] = [Math.min(span[i][0], place[i]), Math.max(span[i][1], place[i])];
      }
      return place;
    });
    const scale = 0.94 * cell / Math.max(...span.map(([low, high]) => high - low));
    const middle = span.map(([low, high]) => (low + high) / 2);
    const centre = [cell * (view % columns + 0.5), cell * (Math.floor(view / columns) + 0.5)];
    return flat.map(([x, y, z]) => [centre[0] + scale * (x - middle[0]),
      centre[1] - scale * (y - middle[1]), z]);
  });
}

/** What the colours mean, below the views: from a third of the largest value up to it. */
function drawBar(context, width, top, label) {
  const left = 0.2 * width, long = 0.6 * width;
  for (let x = 0; x < long; x++) {
    context.fillStyle = colour(FROM + (1 - FROM) * x / long, 1);
    context.fillRect(left + x, top + 6, 1.5, 9);
  }
  context.fillStyle = ink();
  context.font = '12px system-ui, sans-serif';
  context.textAlign = 'center';
  context.textBaseline = 'alphabetic';
  for (const part of [FROM, (1 + FROM) / 2, 1]) {
    context.fillText(label(part), left + long * (part - FROM) / (1 - FROM), top + 29);
  }
}

/** Marks that are seen on every colour: white around, and each of its own colour. */
function drawMark(context, mark, x, y) {
  context.save();
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = 'bold 17px system-ui, sans-serif';
  context.lineWidth = 3;
  context.strokeStyle = '#fff';
  context.strokeText(mark, x, y);
  context.fillStyle = MARKS[mark];
  context.fillText(mark, x, y);
  context.restore();
}
const MARKS = {'+': '#000', '×': '#0072b2', '○': '#007050'};

/** A map, its marks, and what its colours are in words, of a part of the largest value. */
function drawMap(name, values, marks, label) {
  const wide = document.getElementById(name).clientWidth || 600, {height} = room(wide);
  const {context, width} = drawing(name, (height + BAR) / wide), places = layout(width);
  const top = Math.abs(values[largest(values)]) || 1;
  places.forEach((place, view) => {
    const toward = Object.values(VIEWS)[view][2], order = [];
    for (let f = 0; f < faces.length; f += 3) {
      const [a, b, c] = [place[faces[f]], place[faces[f + 1]], place[faces[f + 2]]];
      order.push([a[2] + b[2] + c[2], f]);
    }
    order.sort((one, other) => one[0] - other[0]);
    for (const [, f] of order) {
      const corners = [faces[f], faces[f + 1], faces[f + 2]];
      const part = Math.max(...corners.map((v) => Math.abs(values[v]))) / top;
      // what is seen edge on is darker
      const e = [1, 2].map((k) => [0, 1, 2].map(
        (x) => vertices[3 * corners[k] + x] - vertices[3 * corners[0] + x]));
      const normal = [0, 1, 2].map((x) => e[0][(x + 1) % 3] * e[1][(x + 2) % 3]
        - e[0][(x + 2) % 3] * e[1][(x + 1) % 3]);
      const size = Math.hypot(...normal) || 1;
      const facing = Math.abs(normal.reduce((sum, x, i) => sum + x * toward[i], 0)) / size;
      context.fillStyle = context.strokeStyle = colour(part, 0.55 + 0.45 * facing);
      context.beginPath();
      corners.forEach((v, i) => (i ? context.lineTo(place[v][0], place[v][1])
        : context.moveTo(place[v][0], place[v][1])));
      context.closePath();
      context.fill();
      context.stroke();
    }
    const depths = place.map((at) => at[2]);
    const middle = (depths.reduce((a, b) => Math.min(a, b))
      + depths.reduce((a, b) => Math.max(a, b))) / 2;
    for (const [mark, v] of marks) {
      if (place[v][2] >= middle) drawMark(context, mark, place[v][0], place[v][1]); // not behind
    }
  });
  drawBar(context, width, height, label);
}

/** Space beside the axes of curves. */
const LEFT = 88, RIGHT = 52;

/** Round numbers from low to high, about five. */
function ticks(low, high) {
  const raw = (high - low) / 5 || 1, size = 10 ** Math.floor(Math.log10(raw));
  const step = size * [1, 2, 5, 10].find((factor) => factor * size >= raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({length: Math.floor(high / step + 1e-9) - first + 1},
    (_, i) => (first + i) * step);
}

/** Axes with curves: each {y, colour, dash}, over x; y from low to high, of `labels.right` too. */
function drawCurves(name, x, curves, low, high, labels) {
  const {context, width, height} = drawing(name, 0.42);
  const left = LEFT, right = width - RIGHT, top = 12, bottom = height - 34;
  const toX = (value) => left + (right - left) * (value - x[0]) / (x[x.length - 1] - x[0] || 1);
  const toY = (value) => bottom - (bottom - top) * (value - low) / (high - low || 1);
  context.strokeStyle = '#999';
  context.strokeRect(left, top, right - left, bottom - top);
  context.fillStyle = ink();
  for (const value of [low, (low + high) / 2, high]) {
    context.textAlign = 'right';
    context.fillText(labels.y(value), left - 5, toY(value) + 4);
    context.textAlign = 'left';
    if (labels.right) context.fillText(labels.right(value), right + 5, toY(value) + 4);
  }
  context.textAlign = 'center';
  for (const value of ticks(x[0], x[x.length - 1])) {
    context.fillText(labels.x(value), toX(value), bottom + 14);
    context.fillRect(toX(value), bottom - 3, 1, 3);
  }
  context.fillText(labels.what, (left + right) / 2, bottom + 29);
  for (const {y, colour: stroke, dash} of curves) {
    context.strokeStyle = stroke;
    context.lineWidth = 1.6;
    context.setLineDash(dash || []);
    context.beginPath();
    y.forEach((value, i) => (i ? context.lineTo(toX(x[i]), toY(value))
      : context.moveTo(toX(x[i]), toY(value))));
    context.stroke();
  }
  context.setLineDash([]);
  return {toX, top, bottom, context};
}

function draw() {
  const source = trueSource();
  const marks = [['+', state.vertex], ['×', now.peak], ...(source ? [['○', source.vertex]] : [])];
  const highest = Math.abs(now.map[now.peak]);
  drawMap('map', now.map, marks, (part) => shown(part * highest));
  drawMap('spread', now.spread, [['+', state.vertex], ['×', now.spreadPeak]],
    (part) => `${(100 * part).toFixed(0)} %`);
  const top = Math.max(...now.course.map(Math.abs)) || 1;
  const ms = times.map((time) => 1e3 * time);
  const axes = drawCurves('course', ms, [{y: now.course, colour: BLUE}], -top, top, {
    y: shown, x: (value) => value.toFixed(0), what: 'time (ms)',
  });
  axes.context.strokeStyle = ORANGE;
  axes.context.beginPath();
  axes.context.moveTo(axes.toX(ms[state.time]), axes.top);
  axes.context.lineTo(axes.toX(ms[state.time]), axes.bottom);
  axes.context.stroke();
  drawSpectrum();
}
const BLUE = '#2b8cc4', ORANGE = '#d55e00', GREY = '#999';

/** Filters on the left axis, from 0 to 1; S² of the directions kept on the right one, in decades. */
function drawSpectrum() {
  const {s2, rank} = now.parts, mu = now.t / rank / state.snr ** 2;
  const decades = Math.ceil(Math.log10(s2[0] / s2[rank - 1]));
  const level = (value) => Math.max(1 + Math.log10(value / s2[0] || 1e-300) / decades, 0);
  drawCurves('spectrum', s2.map((_, k) => k + 1), [
    {y: s2.map(level), colour: GREY},
    {y: s2.map((value, k) => now.factors[k] * value), colour: BLUE},
    {y: s2.map((value) => value / (value + mu)), colour: ORANGE, dash: [6, 4]},
  ], 0, 1, {
    y: (value) => value.toFixed(1), x: (value) => value.toFixed(0),
    right: (value) => (value === 1 ? '1' : `1e${(decades * (value - 1)).toFixed(1).replace('.0', '')}`),
    what: 'number of the direction',
  });
}

// Controls

function update(anew) {
  compute(anew);
  set();
  tell();
  draw();
}

/** Let the controls show the state. */
function set() {
  const put = (name, value) => { document.getElementById(name).value = value; };
  document.getElementById('rank').max = now.parts.rank;
  put('measure', state.measure);
  put('snr', Math.log2(state.snr));
  put('lambda2', Math.log2(now.parts.rank / n / state.snr ** 2));
  put('rank', state.rank);
  put('reg', state.reg);
  put('depth', state.depth);
  put('time', state.time);
  put('vertex', state.vertex + 1);
}
const READ = {
  measure: (value) => { state.measure = value; },
  snr: (value) => { state.snr = 2 ** Number(value); },
  lambda2: (value) => { state.snr = Math.sqrt(now.parts.rank / n / 2 ** Number(value)); },
  rank: (value) => { state.rank = Number(value); },
  reg: (value) => { state.reg = Number(value); },
  depth: (value) => { state.depth = Number(value); },
  time: (value) => { state.time = Number(value); },
  vertex: (value) => {
    state.vertex = Math.min(Math.max(Math.round(Number(value)) || 1, 1), m) - 1;
  },
};
for (const [name, read] of Object.entries(READ)) {
  document.getElementById(name).addEventListener('input', (event) => {
    read(event.target.value);
    update(['reg', 'depth', 'measure'].includes(name)); // sLORETA has no depth weights
  });
}
document.getElementById('controls').addEventListener('submit', (event) => event.preventDefault());
document.getElementById('map').addEventListener('click', (event) => {
  const box = event.target.getBoundingClientRect();
  const places = layout(box.width);
  let best = [Infinity, -Infinity, 0];
  places.forEach((place) => place.forEach(([x, y, z], v) => {
    const off = Math.round(Math.hypot(x - event.offsetX, y - event.offsetY) / 4);
    if (off < best[0] || (off === best[0] && z > best[1])) best = [off, z, v];
  }));
  state.vertex = best[2];
  update(false);
});
document.getElementById('course').addEventListener('click', (event) => {
  const width = event.target.getBoundingClientRect().width;
  const part = (event.offsetX - LEFT) / (width - LEFT - RIGHT);
  state.time = Math.min(Math.max(Math.round(part * (times.length - 1)), 0), times.length - 1);
  update(false);
});
document.getElementById('time').max = times.length - 1;
document.getElementById('vertex').max = m;
for (const one of truth) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = `${one.name}: ${(1e3 * one.time).toFixed(0)} ms`;
  button.addEventListener('click', () => {
    [state.time, state.vertex] = [nearest(one.time), one.vertex];
    update(false);
  });
  document.getElementById('jumps').append(button);
}
window.addEventListener('resize', draw);

/** Light or dark as the page around this one is, else as the system is. */
function paper() {
  let theme;
  try {
    theme = window.parent.document.documentElement.dataset.theme;
  } catch {
    // a page from elsewhere is around this one
  }
  const dark = theme ? theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  document.documentElement.dataset.paper = dark ? 'dark' : 'light';
  if (now) draw();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paper);
try {
  new MutationObserver(paper).observe(window.parent.document.documentElement,
    {attributeFilter: ['data-theme']});
} catch {
  // as above
}
paper();
// a page around this one may give it the height that it needs
new ResizeObserver(() => window.parent.postMessage(
  {explorerHeight: document.body.offsetHeight}, '*')).observe(document.body);

window.explorer = {state, update, numbers};
if (truth.length) {
  [state.time, state.vertex] = [nearest(truth[0].time), truth[0].vertex];
} else {
  [state.time, state.vertex] = strongest();
}
update(true);
