'use strict';
// Draws what /api/live says. Everything from the daemon is put in as text, never as markup.

const byId = (id) => document.getElementById(id);
const number = new Intl.NumberFormat('en');
const minute = 60;      // samples of a sparkline, one a second
const marks = {good: '\u25CF', busy: '\u25D0', bad: '\u25B2'};
const rates = new Map();  // plugin -> {calls, samples}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function lasting(iso, now) {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(iso)) / 1000));
  if (seconds < 90) return seconds + ' s';
  if (seconds < 5400) return Math.round(seconds / 60) + ' min';
  if (seconds < 129600) return Math.round(seconds / 3600) + ' h';
  return Math.round(seconds / 86400) + ' days';
}

const ago = (iso, now) => iso ? lasting(iso, now) + ' ago' : 'never';

function sampleOf(plugin) {
  const calls = plugin.succeeded + plugin.failed;
  const rate = rates.get(plugin.plugin) || {calls, samples: []};
  rate.samples.push(Math.max(0, calls - rate.calls));
  rate.calls = calls;
  if (rate.samples.length > minute) rate.samples.shift();
  rates.set(plugin.plugin, rate);
  return rate.samples;
}

function sparkline(samples) {
  const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  drawn.setAttribute('viewBox', '0 0 ' + minute + ' 10');
  drawn.setAttribute('preserveAspectRatio', 'none');
  drawn.setAttribute('role', 'img');
  const sum = samples.reduce((a, b) => a + b, 0);
  drawn.setAttribute('aria-label', sum + ' calls in the last minute');
  const top = Math.max(1, ...samples);
  samples.forEach((value, i) => {
    if (value === 0) return;
    const bar = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
    const height = Math.max(0.6, 10 * value / top);
    for (const [name, to] of [['x', minute - samples.length + i], ['y', 10 - height], ['width', 0.8], ['height', height]])
      bar.setAttribute(name, to);
    drawn.append(bar);
  });
  return drawn;
}

function row(plugin, now) {
  const made = element('tr');
  made.dataset.plugin = plugin.plugin;
  const name = element('td');
  name.append(element('strong', plugin.plugin));
  const build = plugin.build ? 'build ' + plugin.build.slice(0, 8) + ', loaded ' + plugin.generation + '\u00D7' : plugin.file;
  name.append(element('small', build));
  const state = element('td', undefined, 'state ' + plugin.health);
  state.append(element('span', marks[plugin.health] + ' ' + plugin.state));
  state.append(element('small', plugin.why || 'for ' + lasting(plugin.since, now)));
  made.append(name, state);
  for (const [label, value] of [['Behind', plugin.behind], ['Owed', plugin.pending],
                                ['Calls', plugin.succeeded + plugin.failed], ['Failed', plugin.failed],
                                ['Given up', plugin.dead_letters]]) {
    const cell = element('td', number.format(value), 'number');
    cell.dataset.label = label;
    made.append(cell);
  }
  const line = element('td');
  line.append(sparkline(sampleOf(plugin)));
  made.append(line);
  return made;
}

function figure(label, value) {
  return [element('dt', label), element('dd', value)];
}

function draw(status) {
  const now = status.daemon.taken;
  const stream = status.stream;
  const bad = status.plugins.filter((plugin) => plugin.health === 'bad');
  const health = stream.in_trouble || bad.length ? 'bad' : status.ready ? 'good' : 'busy';
  byId('mark').textContent = marks[health];
  byId('mark').className = 'mark ' + health;
  byId('verdict').textContent = health === 'good' ? 'All is well.'
    : stream.in_trouble ? 'The site does not answer (' + stream.state + ').'
    : bad.length ? bad.map((plugin) => plugin.plugin + ': ' + plugin.state).join('; ') + '.'
    : 'Getting ready: ' + status.why_not_ready + '.';
  document.title = (health === 'good' ? '' : marks[health] + ' ') + 'sgeventd';
  byId('about').textContent = status.daemon.site + ' \u00B7 version ' + status.daemon.version +
    ' \u00B7 started ' + ago(status.daemon.started, now);
  byId('stream').replaceChildren(...[
    figure('State', stream.state.replace('_', ' ') + ' for ' + lasting(stream.since, now)),
    figure('Newest event', number.format(stream.highest)),
    figure('Read since the start', number.format(stream.events)),
    figure('Missing ids awaited', number.format(stream.open_gaps)),
    figure('Last answer', ago(stream.last_answer, now)),
  ].map((pair) => { const box = element('div'); box.append(...pair); return box; }));
  byId('stream-error').hidden = !stream.in_trouble;
  byId('stream-error').textContent = stream.last_error;
  byId('count').textContent = status.plugins.length;
  byId('plugins').replaceChildren(...status.plugins.map((plugin) => row(plugin, now)));
  drawLetters(status);
  byId('freshness').textContent = 'As of ' + new Date(now).toLocaleTimeString();
}

function letterRow(letter, now) {
  const made = element('tr');
  made.dataset.event = letter.event;
  const event = element('td');
  event.append(element('strong', String(letter.event)));
  event.append(element('small', letter.event_type + (letter.attribute ? ' ' + letter.attribute : '')));
  const plugin = element('td', letter.plugin);
  plugin.append(element('small', letter.callback));
  const since = element('td', ago(letter.died, now));
  since.append(element('small', letter.reason));
  made.append(event, plugin, since, element('td', letter.error));
  return made;
}

let lettersDrawn = -1;

async function drawLetters(status) {
  const count = status.plugins.reduce((sum, plugin) => sum + plugin.dead_letters, 0);
  if (count === lettersDrawn) return;
  lettersDrawn = count;
  const told = await fetch('/api/dead-letters').then((answer) => answer.json()).catch(() => undefined);
  if (!told || !told.letters) { lettersDrawn = -1; return; }  // asked again with the next sample
  byId('letters-section').hidden = told.in_all === 0;
  byId('letters-count').textContent = number.format(told.in_all);
  byId('letters').replaceChildren(...told.letters.slice(-100).reverse().map((one) => letterRow(one, status.daemon.taken)));
}

async function first() {
  const answer = await fetch('/api/status');
  if (answer.ok) draw(await answer.json());
}

const live = new EventSource('/api/live');
live.onmessage = (message) => draw(JSON.parse(message.data));
live.onerror = () => {
  byId('mark').textContent = marks.bad;
  byId('mark').className = 'mark bad';
  byId('verdict').textContent = 'The daemon does not answer; trying again.';
};
first();
